/** A page over pictures called `<page>-<width>-<theme>.png` and the like: a row for each page, all its pictures in it. */
export function indexOf(files: readonly string[]): string {
  const rows = new Map<string, string[]>()
  for (const file of [...files].sort()) {
    const name = nameOf(file)
    rows.set(name, [...(rows.get(name) ?? []), file])
  }
  const sections = [...rows].map(
    ([name, own]) =>
      `<section id="${name}"><h2><a href="#${name}">${name}</a></h2><ul>${own.map((file) => `<li><a href="${file}"><img loading="lazy" src="${file}" alt="${file}"></a><br>${file.slice(name.length + 1, -'.png'.length)}</li>`).join('')}</ul></section>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Every page</title>
<style>
  body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; background: #e9ecf0; color: #1c2330 }
  h2 { font-size: 1rem; margin: 2rem 0 0.5rem }
  ul { list-style: none; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: 1rem; align-items: start }
  img { max-width: 22rem; max-height: 26rem; border: 1px solid #c4cad4; background: #fff }
</style>
<h1>Every page</h1>
<p>${files.length} pictures of ${rows.size} pages.</p>
${sections.join('\n')}
</html>
`
}

function nameOf(file: string): string {
  return file.replace(/\.png$/, '').replace(/(?:-(?:\d{3,4}|light|dark|de|en|es|fr|ja|pt|plain|branded))+$/, '')
}
