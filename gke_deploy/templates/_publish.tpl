{{/* A Job's spec that publishes every transfer for `date`, YYYYMMDD; without it for the scheduled time of a CronJob. */}}
{{- define "sid.publish" -}}
{{- $root := .root }}
{{- $proxy := .root.Values.sqlProxy }}
{{- $init := list }}
{{- $containers := list }}
{{- if and $proxy.enabled (eq $proxy.form "classic") }}
{{- $containers = list (include "sid.publishAll" .) (include "sid.sqlProxy" $root) }}
{{- else }}
{{- if $proxy.enabled }}
{{- $init = append $init (include "sid.sqlProxy" $root) }}
{{- end }}
{{- range initial $root.Values.transfers }}
{{- $init = append $init (include "sid.publishOne" (dict "root" $root "date" $.date "transfer" .)) }}
{{- end }}
{{- $last := last $root.Values.transfers }}
{{- $containers = list (include "sid.publishOne" (dict "root" $root "date" .date "transfer" $last)) }}
{{- end }}
{{- $parts := dict "init" (join "\n" $init) "containers" (join "\n" $containers) }}
{{- $job := dict "root" $root "component" "publish" "deadline" $root.Values.activeDeadlineSeconds }}
{{- include "sid.jobSpec" (merge $job $parts) }}
{{- end }}

{{- define "sid.publishOne" -}}
- name: {{ .transfer | replace "_" "-" }}
  {{- $location := include "sid.configLocation" .root }}
  {{- if .date }}
  args: [{{ .date | quote }}, {{ .transfer }}, delta, {{ $location }}]
  {{- else }}
  command:
    - /bin/sh
    - -ec
    - |
      {{- include "sid.day" . | nindent 6 }}
      exec pipeline "$DAY" "$@"
    - sh
  args: [{{ .transfer }}, delta, {{ $location }}]
  env: {{- include "sid.dayEnvironment" .root | nindent 4 }}
  {{- end }}
  {{- include "sid.container" .root | nindent 2 }}
{{- end }}

{{/* The name of a CronJob's job ends in the minute, since 1970, that it was scheduled for; the pod may start later. */}}
{{- define "sid.day" -}}
day="$(date -d "1970-01-01 UTC + ${JOB_NAME##*-} minutes" +%F)" || exit 2
DAY="$(date -d "$day 12:00 $DAYS_BACK days ago" +%Y%m%d)"
{{- end }}

{{- define "sid.dayEnvironment" -}}
- name: JOB_NAME
  valueFrom: {fieldRef: {fieldPath: "metadata.labels['batch.kubernetes.io/job-name']"}}
- {name: DAYS_BACK, value: {{ .Values.daysBack | quote }}}
- {name: TZ, value: {{ .Values.timeZone | quote }}}
{{- end }}

{{/* All transfers in one container, which ends the proxy beside it: for clusters without sidecars. The shell hands a
signal on, and `wait` then returns before the run has ended. */}}
{{- define "sid.publishAll" -}}
- name: publish
  command:
    - /bin/sh
    - -ec
    - |
      {{- if .date }}
      DAY={{ .date }}
      {{- else }}
      {{- include "sid.day" . | nindent 6 }}
      {{- end }}
      ended=; told=; run=; status=0
      trap 'ended=yes; [ -z "$run" ] || ! kill -TERM "$run" 2>/dev/null || told=yes' TERM INT
      for transfer in "$@"; do
        [ -z "$ended" ] || { status=143; break; }
        run=; pipeline "$DAY" "$transfer" delta "$CONFIG" & run=$!
        # A signal that came before the number was known; never twice, as a second one ends the run at once.
        [ -z "$ended" ] || [ -n "$told" ] || kill -TERM "$run" 2>/dev/null || true
        status=0; wait "$run" || status=$?
        while kill -0 "$run" 2>/dev/null; do status=0; wait "$run" || status=$?; done
        [ "$status" -eq 0 ] || break
      done
      python -c 'from urllib.request import urlopen; urlopen("http://localhost:9091/quitquitquit", timeout=10)' ||
        echo "The SQL proxy could not be told to quit; the Job ends at its deadline." >&2
      exit "$status"
    - sh
  args: {{- toYaml .root.Values.transfers | nindent 4 }}
  env:
    - {name: CONFIG, value: {{ include "sid.configLocation" .root }}}
    {{- if not .date }}
    {{- include "sid.dayEnvironment" .root | nindent 4 }}
    {{- end }}
  {{- include "sid.container" .root | nindent 2 }}
{{- end }}

{{- define "sid.sqlProxy" -}}
{{- $proxy := .Values.sqlProxy -}}
{{- $native := eq $proxy.form "native" -}}
{{- if not $proxy.instance }}
{{- fail "sqlProxy.instance is missing: project:region:instance" }}
{{- end }}
{{- if and $native (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail "this cluster has no sidecar containers: set sqlProxy.form to classic" }}
{{- end -}}
- name: sql-proxy
  image: {{ $proxy.image | quote }}
  {{- if $native }}
  # Starts before the transfers, and is ended with them.
  restartPolicy: Always
  startupProbe:
    httpGet: {path: /startup, port: 9090}
    periodSeconds: 1
    failureThreshold: 60
  {{- end }}
  args:
    - --structured-logs
    - --port=5432
    - --exit-zero-on-sigterm
    {{- if $native }}
    - --health-check
    - --http-address=0.0.0.0
    - --http-port=9090
    {{- else }}
    - --quitquitquit
    {{- end }}
    - {{ $proxy.instance | quote }}
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 128Mi}
  securityContext: {{- include "sid.containerSecurity" . | nindent 4 }}
{{- end }}
