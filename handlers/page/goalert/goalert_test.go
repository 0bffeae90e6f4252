package goalert_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
	"curfew/handlers/page/goalert"
	"curfew/handlers/page/goalert/goalerttest"
	"curfew/handlers/page/pagertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "canary-integration-key"

func service(t testing.TB) (*goalerttest.GoAlert, goalert.Service, *fake.Server) {
	t.Helper()
	g := &goalerttest.GoAlert{Key: key}
	s, err := fake.Pipe(g)
	if err != nil {
		t.Fatal(err)
	}
	to := pagertest.Serve(t, s)
	return g, goalert.Service{Base: to.URL, Key: key, Client: to.Client}, s
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		g, p, s := service(t)
		return pagertest.World{
			Pager: p, Calls: &s.Faults, Secrets: []string{key},
			Alerts: func() (out []pagertest.Alert) {
				for _, a := range g.Alerts() {
					out = append(out, pagertest.Alert{Key: a.Dedup, Open: a.Open, Pages: a.Count, Texts: append([]string{a.Summary}, strings.Split(a.Details, "\n")...)})
				}
				return out
			},
		}
	})
}

// A limit passes, so what was refused for it comes back.
func TestALimitIsNoReasonToGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, _ := service(t)
		g.Limit = 1
		h := &page.Handler{Pagers: map[string]page.Pager{"night": p}}
		c := handlerstest.Laptop()
		wake := func() error {
			_, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"}))
			return err
		}
		if err := wake(); err != nil {
			t.Fatal(err)
		}
		c.Key.Device = "another"
		if err := wake(); err == nil || handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "too many unacknowledged") {
			t.Errorf("got %v", err)
		}
		g.Limit = 0
		if err := wake(); err != nil || len(g.Alerts()) != 2 {
			t.Errorf("got %v, %v", err, g.Alerts())
		}
	})
}

// The case travels along, for the webhook that tells of an answer.
func TestTheAlertNamesItsCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, p, _ := service(t)
		if _, err := p.Trigger(t.Context(), page.Alert{Key: "contoso/device/1", Summary: "it is ill"}); err != nil {
			t.Fatal(err)
		}
		if got := g.Alerts()[0].Meta[goalert.MetaKey]; got != "contoso/device/1" {
			t.Errorf("got %q", got)
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	for want, p := range map[string]goalert.Service{
		"key is empty":  {Base: "https://goalert.example", Client: handlers.NewClient(handlers.Reach{})},
		"must be https": {Base: "http://goalert.example", Key: key, Client: handlers.NewClient(handlers.Reach{})},
		"no client":     {Base: "https://goalert.example", Key: key},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
