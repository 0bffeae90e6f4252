package try

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"text/template"
)

// newWorker writes the configuration of a worker that looks after some tenants:
// an ordinary one, but that its times are seconds and its clouds are here.
func (w *world) newWorker(ctx context.Context, name string, tenants []string) (*worker, error) {
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return nil, err
	}
	listen, admin := ports[0], ports[1]
	cert, key, err := w.cloud.Issue("127.0.0.1")
	if err != nil {
		return nil, err
	}
	data := struct {
		Name, Listen, Admin, Cloud, Desk, Jira, Pager, App, Setter string
		Sweep                                                      string
		Tenants                                                    []tenantLine
	}{name, listen, admin, w.cloud.URL, w.deskURL, w.jiraURL, w.pagerURL, w.appID, baselineApp, w.sweep, nil}
	for _, t := range tenants {
		data.Tenants = append(data.Tenants, tenantLine{t, w.tenants[t].ID, w.tenants[t].Domain})
	}
	var text strings.Builder
	if err := config.Execute(&text, data); err != nil {
		return nil, err
	}
	var errs []error
	write := func(file string, b []byte) string {
		path, err := w.file(filepath.Join(name, file), b)
		errs = append(errs, err)
		return path
	}
	write("cert.pem", cert)
	write("key.pem", key)
	write("cloud-ca.pem", w.cloud.CA())
	write("client-secret", []byte(w.appSecret))
	write("baseline-secret", []byte(w.setSecret))
	write("baseline.yaml", []byte(baselineFile))
	write("desk-secret", []byte(w.desk.Secret))
	write("jira-token", []byte(w.jira.Token))
	write("jira-hook-secret", []byte(w.jiraHook))
	write("routing-key", []byte(w.routing))
	write("hook-secret", []byte(w.hook))
	path := write("curfew.yaml", []byte(text.String()))
	return &worker{
		name: name, config: path, tenants: tenants, admin: admin, listen: listen,
		data: filepath.Join(w.dir, name, "data"), log: filepath.Join(w.dir, name, "log"),
	}, errors.Join(errs...)
}

type tenantLine struct{ Name, ID, Domain string }

var config = template.Must(template.New("curfew.yaml").Parse(`# The configuration of {{.Name}} in "curfew try". Times are seconds here.
dry_run: false
data: data
listen: {{.Listen}}
public_url: https://{{.Listen}}
tls: {cert_file: cert.pem, key_file: key.pem}
admin: {{.Admin}}
queue: 127.0.0.1:0
pace: {check_after: 1s, settle: 2s}
relook: 5s
tenants:
{{- range .Tenants}}
  - name: {{.Name}}
    id: {{.ID}}
    endpoints: {graph: {{$.Cloud}}, login: {{$.Cloud}}, ca_file: cloud-ca.pem}
    auth: {client_id: {{$.App}}, client_secret_file: client-secret}
    mail_from: it@{{.Domain}}
{{- if eq .Name "` + baselined + `"}}
    baseline: {client_id: {{$.Setter}}, client_secret_file: baseline-secret}
{{- end}}
{{- if eq .Name "woodgrove"}}
    approvers: [lead@{{.Domain}}]
{{- end}}
    sweep: {{$.Sweep}}
    subscribe: [` + resource + `]
{{- end}}
destinations:
  desk: {kind: webhook, url: {{.Desk}}, secret_file: desk-secret, ca_file: cloud-ca.pem}
  oncall: {kind: pagerduty, endpoint: {{.Pager}}, routing_key_file: routing-key, hook_secret_file: hook-secret, ca_file: cloud-ca.pem}
{{- range .Tenants}}{{if eq .Name "tailspin"}}
  jira: # a Data Center of one node, whose search knows at once what was written
    kind: jira
    url: {{$.Jira}}
    token_file: jira-token
    hook_secret_file: jira-hook-secret
    ca_file: cloud-ca.pem
    search_lag: 0s
    customers: {tailspin: {project: SEC}}
    triage: {project: TRIAGE}
{{- end}}{{end}}
attention:
  - ticket: {destination: desk, template: attention}
limits:
  reset: {count: 10, within: 24h, percent: 100}
  breaker: {devices: 100} # or it would trip: half of a tenant falls ill here at once
policies:
{{- range .Tenants}}{{if eq .Name "woodgrove"}}
  - name: threat-approved
    tenants: [woodgrove]
    when: device.os == "Windows" && device.threat >= medium
    grace: 2s
    clear_for: 2s
    ladder:
      - do: [mail: {template: threat-found}]
      - after: 2s
        approval: two # one by the link in a mail, one by a command
        do: [reset]
{{- end}}{{end}}
  - name: threat
    when: >-
      device.os == "Windows" && (device.threat >= medium ||
      device.malware.exists(m, m.active) || device.alerts.exists(a, a.open && a.severity >= high))
    grace: 6s
    clear_for: 2s
    wait_for_investigation: 20s
    ladder:
      - do: [mail: {template: threat-found}]
      - after: 5s # long enough for Defender to heal a laptop here, on a busy machine too
        waits_for_investigation: true
        do: [ticket: {destination: desk}, scan: {kind: quick}]
      - after: 2s
        if: device.threat >= high
        do: [page: {destination: oncall}]
      - after: 2s
        if: device.threat >= high
        waits_for_investigation: true
        do: [reset]
{{- range .Tenants}}{{if eq .Name "tailspin"}}
  - name: compliance-by-jira
    tenants: [tailspin]
    when: device.compliance == "noncompliant"
    clear_for: 1s
    ladder:
      - do: [ticket: {destination: jira}]
{{- end}}{{end}}
  - name: compliance
    when: device.compliance == "noncompliant"
    clear_for: 1s
    ladder:
      - do: [mail: {template: noncompliant}]
      - after: 2s
        do: [ticket: {destination: desk}]
`))
