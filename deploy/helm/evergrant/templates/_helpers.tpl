{{- define "evergrant.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "evergrant.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "evergrant.selector" -}}
app.kubernetes.io/name: {{ include "evergrant.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "evergrant.labels" -}}
{{ include "evergrant.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "evergrant.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Secrets that are mounted: name of the environment variable -> key of the Secret. */}}
{{- define "evergrant.secretFiles" -}}
{{- $files := dict -}}
{{- if eq .Values.database.kind "postgres" -}}
{{- $_ := set $files "EVERGRANT_DATABASE_URL_FILE" .Values.secrets.databaseUrl -}}
{{- $_ := set $files "EVERGRANT_MASTER_KEYS_FILE" .Values.secrets.masterKeys -}}
{{- end -}}
{{- with .Values.secrets.smtpUrl -}}{{- $_ := set $files "EVERGRANT_SMTP_URL_FILE" . -}}{{- end -}}
{{- with .Values.secrets.egressProxy -}}{{- $_ := set $files "EVERGRANT_EGRESS_PROXY_FILE" . -}}{{- end -}}
{{- with .Values.secrets.otlpEndpoint -}}{{- $_ := set $files "EVERGRANT_OTLP_ENDPOINT_FILE" . -}}{{- end -}}
{{- with .Values.secrets.vaultToken -}}{{- $_ := set $files "EVERGRANT_VAULT_TOKEN_FILE" . -}}{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{/* What cannot work is refused here, with its remedy, and not by a pod that does not start. */}}
{{- define "evergrant.check" -}}
{{- if not .Values.publicUrl -}}
{{- fail "publicUrl is missing: set it to the https address under which browsers and providers reach Evergrant, such as https://connect.example.com" -}}
{{- end -}}
{{- if and (eq .Values.database.kind "embedded") (gt (int .Values.replicas) 1) -}}
{{- fail "database.kind is embedded, and one SQLite database serves one process: set replicas to 1, or database.kind to postgres" -}}
{{- end -}}
{{- range $name, $_ := .Values.config -}}
{{- if has $name (list "EVERGRANT_DATABASE_URL" "EVERGRANT_MASTER_KEYS" "EVERGRANT_SMTP_URL" "EVERGRANT_EGRESS_PROXY" "EVERGRANT_OTLP_ENDPOINT" "EVERGRANT_VAULT_TOKEN") -}}
{{- fail (printf "config.%s is a secret and would stand in clear in the StatefulSet: put it into the Secret that secrets.existingSecret names" $name) -}}
{{- end -}}
{{- if has $name (list "EVERGRANT_PUBLIC_URL" "EVERGRANT_DATA_DIR" "EVERGRANT_HOST" "EVERGRANT_PORT" "EVERGRANT_NODE_ID" "EVERGRANT_DRAIN_SECONDS" "EVERGRANT_TRUSTED_PROXIES") -}}
{{- fail (printf "config.%s is set by the chart itself: use the value of the chart for it" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
