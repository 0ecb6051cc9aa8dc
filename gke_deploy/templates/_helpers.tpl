{{- define "sid.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What the Job and the CronJob share. date: YYYYMMDD, or empty for the scheduled time of a CronJob. */}}
{{- define "sid.jobSpec" -}}
{{- $values := .root.Values -}}
backoffLimit: {{ $values.backoffLimit }}
activeDeadlineSeconds: {{ $values.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ $values.ttlSecondsAfterFinished }}
podFailurePolicy:
  rules:
    # Wrong usage or config: another try cannot help.
    - action: FailJob
      onExitCodes: {operator: In, values: [2]}
    # Another run holds the lease, or the node went away: neither is a failed try.
    - action: Ignore
      onExitCodes: {operator: In, values: [3]}
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
template:
  metadata:
    labels: {{- include "sid.labels" .root | nindent 6 }}
  spec:
    serviceAccountName: {{ .root.Release.Name }}
    restartPolicy: Never
    # Cancelling the running job takes up to 20 s, the cleanup after it a little.
    terminationGracePeriodSeconds: 60
    securityContext:
      runAsNonRoot: true
      runAsUser: 10001
      runAsGroup: 10001
      fsGroup: 10001
      seccompProfile: {type: RuntimeDefault}
    volumes:
      - name: config
        configMap: {name: {{ .root.Release.Name }}}
      - name: warehouse
        emptyDir: {}
      - name: tmp
        emptyDir: {}
    {{- $containers := list }}
    {{- range $values.transfers }}
    {{- $containers = append $containers (include "sid.container" (dict "values" $values "transfer" . "date" $.date)) }}
    {{- end }}
    {{- if or $values.sqlProxy.enabled (gt (len $containers) 1) }}
    initContainers:
      {{- if $values.sqlProxy.enabled }}
      {{- include "sid.sqlProxy" $values.sqlProxy | nindent 6 }}
      {{- end }}
      {{- range initial $containers }}
      {{- . | nindent 6 }}
      {{- end }}
    {{- end }}
    containers:
      {{- last $containers | nindent 6 }}
{{- end }}

{{- define "sid.container" -}}
- name: {{ .transfer | replace "_" "-" }}
  image: {{ required "image is missing; `invoke local-deploy-gke` sets it" .values.image | quote }}
  {{- if .date }}
  args: [{{ .date | quote }}, {{ .transfer }}, delta, /app/config/config.yaml]
  {{- else }}
  # The name of a CronJob's job ends in the minute, since 1970, that it was scheduled for; the pod may start later.
  command:
    - /bin/sh
    - -ec
    - |
      day="$(date -d "1970-01-01 UTC + ${JOB_NAME##*-} minutes" +%F)" || exit 2
      exec pipeline "$(date -d "$day 12:00 $DAYS_BACK days ago" +%Y%m%d)" "$@"
    - sh
  args: [{{ .transfer }}, delta, /app/config/config.yaml]
  env:
    - name: JOB_NAME
      valueFrom: {fieldRef: {fieldPath: "metadata.labels['batch.kubernetes.io/job-name']"}}
    - {name: DAYS_BACK, value: {{ .values.daysBack | quote }}}
    - {name: TZ, value: {{ .values.timeZone | quote }}}
  {{- end }}
  resources: {{- toYaml .values.resources | nindent 4 }}
  securityContext: {{- include "sid.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - {name: config, mountPath: /app/config, readOnly: true}
    - {name: warehouse, mountPath: /app/.warehouse}
    - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* A sidecar that starts before the transfers and ends with them. */}}
{{- define "sid.sqlProxy" -}}
- name: sql-proxy
  image: {{ .image | quote }}
  restartPolicy: Always
  args: [--structured-logs, --port=5432, {{ required "sqlProxy.instance is missing: project:region:instance" .instance | quote }}]
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 128Mi}
  securityContext: {{- include "sid.containerSecurity" . | nindent 4 }}
{{- end }}

{{- define "sid.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
