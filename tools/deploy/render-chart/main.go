// Renders a chart as Helm does: Go's own text/template, the functions of sprig, and the few that Helm adds. For checking a chart where Helm is not installed.
// Debian: apt-get install golang-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

func read(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	stop(err)
	values := map[string]interface{}{}
	stop(yaml.Unmarshal(text, &values))
	return values
}

func stop(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Maps are merged, everything else is replaced, as Helm merges values.
func merge(base, over map[string]interface{}) map[string]interface{} {
	for name, value := range over {
		one, isMap := value.(map[string]interface{})
		two, wasMap := base[name].(map[string]interface{})
		if isMap && wasMap {
			base[name] = merge(two, one)
		} else {
			base[name] = value
		}
	}
	return base
}

func main() {
	if len(os.Args) < 2 {
		stop(fmt.Errorf("usage: render-chart <chart> [values.yaml ...]"))
	}
	chart := read(filepath.Join(os.Args[1], "Chart.yaml"))
	values := read(filepath.Join(os.Args[1], "values.yaml"))
	for _, path := range os.Args[2:] {
		values = merge(values, read(path))
	}
	root := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	functions["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		stop(err)
		return strings.TrimSuffix(string(text), "\n")
	}
	functions["fromYaml"] = func(text string) map[string]interface{} {
		value := map[string]interface{}{}
		stop(yaml.Unmarshal([]byte(text), &value))
		return value
	}
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	root.Funcs(functions)
	files, err := filepath.Glob(filepath.Join(os.Args[1], "templates", "*"))
	stop(err)
	sort.Strings(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		stop(err)
		_, err = root.New(filepath.Base(file)).Parse(string(text))
		stop(err)
	}
	data := map[string]interface{}{
		"Values":  values,
		"Chart":   map[string]interface{}{"Name": chart["name"], "Version": chart["version"], "AppVersion": chart["appVersion"]},
		"Release": map[string]interface{}{"Name": "evergrant", "Namespace": "default", "Service": "Helm"},
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out strings.Builder
		stop(root.ExecuteTemplate(&out, name, data))
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(out.String()) != "" {
			fmt.Printf("---\n# %s\n%s\n", name, strings.ReplaceAll(out.String(), "<no value>", ""))
		}
	}
}
