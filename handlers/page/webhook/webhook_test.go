package webhook_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page/pagertest"
	"curfew/handlers/page/webhook"
	"curfew/handlers/page/webhook/webhooktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "canary-signing-secret"

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		r := &webhooktest.Receiver{Secret: secret}
		s, err := fake.Pipe(r)
		if err != nil {
			t.Fatal(err)
		}
		to := pagertest.Serve(t, s)
		hook := webhook.Hook{URL: to.URL + "/canary-in-the-path", Secret: secret, Client: to.Client, Header: map[string]string{"Authorization": "Bearer canary-token"}}
		return pagertest.World{
			Pager: hook, Calls: &s.Faults, Secrets: []string{secret, "canary-in-the-path", "canary-token"},
			Alerts: func() (out []pagertest.Alert) {
				for _, a := range r.Alerts() {
					var texts []string
					for _, e := range a.Events {
						texts = append(append(append(texts, e.Summary, e.Name, e.User, e.Case), e.Findings...), e.Attention...)
						for _, l := range e.Links {
							texts = append(texts, l.Text, l.URL)
						}
					}
					out = append(out, pagertest.Alert{Key: a.Case, Open: a.Open, Pages: a.Pages, Texts: texts})
				}
				return out
			},
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	for want, h := range map[string]webhook.Hook{
		"16 bytes":      {URL: "https://pager.example", Secret: "short", Client: handlers.NewClient(handlers.Reach{})},
		"must be https": {URL: "http://pager.example", Secret: secret, Client: handlers.NewClient(handlers.Reach{})},
		"no client":     {URL: "https://pager.example", Secret: secret},
	} {
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
