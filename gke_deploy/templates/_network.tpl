{{/* Nothing comes in; what may go out. */}}
{{- define "sid.traffic" -}}
policyTypes: [Ingress, Egress]
ingress: []
{{- if eq .Values.networkPolicy.egress "none" }}
egress: []
{{- else }}
egress:
  - ports:
      - {protocol: UDP, port: 53}
      - {protocol: TCP, port: 53}
  # The metadata server of GKE, from which Workload Identity has its tokens.
  - to:
      - ipBlock: {cidr: 169.254.169.252/32}
      - ipBlock: {cidr: 169.254.169.254/32}
    ports:
      - {protocol: TCP, port: 80}
      - {protocol: TCP, port: 988}
  # Google's APIs.
  - to:
      - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}
    ports:
      - {protocol: TCP, port: 443}
      {{- if .Values.sqlProxy.enabled }}
      - {protocol: TCP, port: 3307}
      {{- end }}
{{- end }}
{{- end }}
