package try

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"text/template"

	"curfew/graph/graphtest"
)

const (
	soakTenants = 2
	soakLaptops = 30 // of each tenant
)

// A soaked is a world with two tenants and two workers: the first has the queue in
// itself and hears Graph, the second uses that queue and is never restarted.
type soaked struct {
	*world
	first, second *worker
	clients       []*graphtest.Tenant
	names         []func(int) string // of each tenant's laptops
	desk, pager   *counter
}

// A counter is in front of a vendor, and can be shut.
type counter struct {
	next http.Handler
	shut atomic.Bool
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.shut.Load() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	c.next.ServeHTTP(w, r)
}

func newSoaked(ctx context.Context, dir, program string) (s *soaked, err error) {
	w, err := newWorld(ctx, dir, "20s", nil)
	if err != nil {
		return nil, err
	}
	s = &soaked{world: w, desk: &counter{next: w.desk}, pager: &counter{next: w.pager}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for i, name := range []string{"contoso", "fabrikam"} {
		t := w.newTenant(name, fmt.Sprintf("0000000%d-0000-4000-8000-000000000001", i+1))
		s.clients, s.names = append(s.clients, t), append(s.names, t.AddFleet(soakLaptops))
	}
	deskURL, err := w.serve(ctx, s.desk)
	if err != nil {
		return s, err
	}
	pagerURL, err := w.serve(ctx, s.pager)
	if err != nil {
		return s, err
	}
	ports, err := freePorts(ctx, 5)
	if err != nil {
		return s, err
	}
	queue := ports[0]
	s.first, err = s.employ("first", program, ports[1], ports[2], map[string]any{"Queue": queue, "Desk": deskURL, "Pager": pagerURL})
	if err != nil {
		return s, err
	}
	s.second, err = s.employ("second", program, ports[3], ports[4], map[string]any{
		"NATS": "nats://" + queue, "NKey": filepath.Join(s.first.data, "nats.nk"), "Desk": deskURL, "Pager": pagerURL,
	})
	s.workers = append(s.workers, s.second, s.first) // in this order they are stopped
	return s, err
}

// employ writes the configuration of a worker.
func (s *soaked) employ(name, program, listen, admin string, is map[string]any) (*worker, error) {
	cert, key, err := s.cloud.Issue("127.0.0.1")
	if err != nil {
		return nil, err
	}
	is["Listen"], is["Admin"], is["Cloud"], is["App"], is["Tenants"] = listen, admin, s.cloud.URL, s.appID, s.clients
	var text strings.Builder
	errs := []error{soakConfig.Execute(&text, is)}
	for file, content := range map[string][]byte{
		"cert.pem": cert, "key.pem": key, "cloud-ca.pem": s.cloud.CA(), "client-secret": []byte(s.appSecret),
		"desk-secret": []byte(s.world.desk.Secret), "routing-key": []byte(s.routing), "curfew.yaml": []byte(text.String()),
	} {
		_, err := s.file(filepath.Join(name, file), content)
		errs = append(errs, err)
	}
	dir := filepath.Join(s.dir, name)
	return &worker{
		name: name, program: program, admin: admin, listen: listen,
		config: filepath.Join(dir, "curfew.yaml"), data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log"),
	}, errors.Join(errs...)
}

var soakConfig = template.Must(template.New("curfew.yaml").Parse(`
dry_run: false
data: data
listen: {{.Listen}}
public_url: https://{{.Listen}}
tls: {cert_file: cert.pem, key_file: key.pem}
admin: {{.Admin}}
{{if .NATS}}nats: {url: "{{.NATS}}", nkey_file: "{{.NKey}}"}
{{else}}queue: {{.Queue}}
{{end -}}
pace: {check_after: 1s, settle: 2s}
relook: 10s
tenants:
{{- range .Tenants}}
  - name: {{.Name}}
    id: {{.ID}}
    endpoints: {graph: {{$.Cloud}}, login: {{$.Cloud}}, ca_file: cloud-ca.pem}
    auth: {client_id: {{$.App}}, client_secret_file: client-secret}
    mail_from: it@{{.Domain}}
    sweep: 20s
    look: {settings: false, protection: false, alerts: false, entra: false}
    subscribe: [{{if not $.NATS}}` + resource + `{{end}}]
{{- end}}
destinations:
  desk: {kind: webhook, url: {{.Desk}}, secret_file: desk-secret, ca_file: cloud-ca.pem}
  oncall: {kind: pagerduty, endpoint: {{.Pager}}, routing_key_file: routing-key, ca_file: cloud-ca.pem}
limits:
  breaker: {devices: 1000}
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    clear_for: 1s
    ladder:
      - do: [mail: {template: threat-found}]
      - after: 1s
        do: [ticket: {destination: desk}, scan: {kind: quick}]
      - after: 1s
        do: [page: {destination: oncall}]
    closing:
      - mail: {template: cleared}
`))

// afflict lets a mishap happen, and returns what ends it; nil if it is one of the
// first worker's.
func (s *soaked) afflict(m mishap) (lift func()) {
	t := s.clients[m.Tenant]
	var fault graphtest.Fault
	switch m.Kind {
	case graph503:
		fault = graphtest.Fault{Kind: graphtest.Unavailable}
	case graph429:
		fault = graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: m.For}
	case graph504:
		fault = graphtest.Fault{Kind: graphtest.TimedOutButDone, Method: http.MethodPost}
	case graphCut:
		fault = graphtest.Fault{Kind: graphtest.CutOff}
	case graphSlow:
		fault = graphtest.Fault{Kind: graphtest.Slow, Wait: slowGraph}
	case tokenDown:
		fault = graphtest.Fault{Kind: graphtest.TokenDown}
	case duplicates:
		fault = graphtest.Fault{Kind: graphtest.Duplicated, Copies: 3}
	case disorder:
		fault = graphtest.Fault{Kind: graphtest.Reordered}
	case losses:
		fault = graphtest.Fault{Kind: graphtest.Lost}
	case deskDown:
		s.desk.shut.Store(true)
		return func() { s.desk.shut.Store(false) }
	case pagerDown:
		s.pager.shut.Store(true)
		return func() { s.pager.shut.Store(false) }
	default:
		return nil
	}
	return t.Inject(fault)
}
