package grafana_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page/grafana"
	"curfew/handlers/page/grafana/grafanatest"
	"curfew/handlers/page/pagertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "canary-path-key"

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		g := &grafanatest.Grafana{Key: key}
		s, err := fake.Pipe(g)
		if err != nil {
			t.Fatal(err)
		}
		to := pagertest.Serve(t, s)
		return pagertest.World{
			Pager: grafana.Integration{URL: to.URL + g.Path(), Client: to.Client}, Calls: &s.Faults, Secrets: []string{key},
			Alerts: func() (out []pagertest.Alert) {
				for _, x := range g.Groups() {
					out = append(out, pagertest.Alert{Key: x.UID, Open: x.Open, Pages: x.Alerts, Texts: append([]string{x.Title, x.Link}, strings.Split(x.Message, "\n")...)})
				}
				return out
			},
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	for want, i := range map[string]grafana.Integration{
		"not an address": {Client: handlers.NewClient(handlers.Reach{})},
		"must be https":  {URL: "http://oncall.example/x", Client: handlers.NewClient(handlers.Reach{})},
		"no client":      {URL: "https://oncall.example/x"},
	} {
		if err := i.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "/x") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
