{{- define "sid.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The pods of a component: publish or sync. */}}
{{- define "sid.podLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sid.name" -}}
{{ .root.Release.Name }}{{ if eq .component "sync" }}-sync{{ end }}
{{- end }}

{{- define "sid.configLocation" -}}
{{ .Values.configLocation | default "/app/config/config.yaml" }}
{{- end }}

{{/* Everything around the containers. root; component: publish or sync; deadline in seconds; containers and init: YAML. */}}
{{- define "sid.jobSpec" -}}
{{- $values := .root.Values -}}
backoffLimit: {{ $values.backoffLimit }}
activeDeadlineSeconds: {{ .deadline }}
ttlSecondsAfterFinished: {{ $values.ttlSecondsAfterFinished }}
podFailurePolicy:
  # The empty lists are for the schema of clusters before 1.29, which requires them.
  rules:
    # Wrong usage or config: another try cannot help.
    - action: FailJob
      onExitCodes: {operator: In, values: [2]}
      onPodConditions: []
    # Another process holds what this one needs, or the node went away: neither is a failed try.
    - action: Ignore
      onExitCodes: {operator: In, values: [3]}
      onPodConditions: []
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
template:
  metadata:
    labels: {{- include "sid.podLabels" . | nindent 6 }}
  spec:
    serviceAccountName: {{ include "sid.name" . }}
    # Nothing here talks to Kubernetes; Workload Identity needs no token of it.
    automountServiceAccountToken: false
    enableServiceLinks: false
    restartPolicy: Never
    terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
    securityContext:
      runAsNonRoot: true
      runAsUser: 10001
      runAsGroup: 10001
      fsGroup: 10001
      seccompProfile: {type: RuntimeDefault}
    volumes:
      {{- if not $values.configLocation }}
      - name: config
        configMap: {name: {{ include "sid.name" . }}}
      {{- end }}
      - name: warehouse
        emptyDir: {sizeLimit: 2Gi}
    {{- with .init }}
    initContainers:
      {{- . | nindent 6 }}
    {{- end }}
    containers:
      {{- .containers | nindent 6 }}
{{- end }}

{{/* What each container of the image has. */}}
{{- define "sid.container" -}}
image: {{ .Values.image | quote }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext: {{- include "sid.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- if not .Values.configLocation }}
  - {name: config, mountPath: /app/config, readOnly: true}
  {{- end }}
  - {name: warehouse, mountPath: /app/.warehouse}
{{- end }}

{{- define "sid.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A hook goes before what it belongs to; the next one takes its place. */}}
{{- define "sid.hook" -}}
helm.sh/hook: pre-install,pre-upgrade,pre-rollback
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ .delete }}
{{- end }}
