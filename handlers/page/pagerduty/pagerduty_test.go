package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
	"curfew/handlers/page/pagerduty"
	"curfew/handlers/page/pagertest"
	"curfew/handlers/page/pagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is the canary: an integration key has 32 characters.
const key = "R0UT1NGKEYcanaryR0UT1NGKEYcanary"

// duty is a PagerDuty in memory and a handler that pages it.
func duty(t testing.TB) (*pagetest.PagerDuty, *fake.Server, *page.Handler) {
	t.Helper()
	p := &pagetest.PagerDuty{Keys: []string{key}}
	s, err := fake.Pipe(p)
	if err != nil {
		t.Fatal(err)
	}
	client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
	t.Cleanup(func() { client.CloseIdleConnections(); s.Close() })
	return p, s, &page.Handler{PerMinute: 1000, Pagers: map[string]page.Pager{"night": pagerduty.Service{Key: key, Region: s.URL, Client: client}}}
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		p, s, h := duty(t)
		return pagertest.World{
			Pager: h.Pagers["night"], Calls: &s.Faults, Secrets: []string{key},
			Alerts: func() (out []pagertest.Alert) {
				for _, i := range p.Incidents() {
					out = append(out, pagertest.Alert{Key: i.Key, Open: i.Status != "resolved", Pages: i.Triggers, Texts: texts(i)})
				}
				return out
			},
		}
	})
}

// texts are what the person who is woken reads, each string by itself.
func texts(i pagetest.Incident) []string {
	out := append([]string{i.Summary, i.Source}, i.Links...)
	var details map[string]any
	if err := json.Unmarshal(i.Details, &details); err != nil {
		return []string{"details are not JSON: " + err.Error()}
	}
	for _, v := range details {
		if list, ok := v.([]any); ok {
			for _, x := range list {
				out = append(out, fmt.Sprint(x))
			}
		} else {
			out = append(out, fmt.Sprint(v))
		}
	}
	return out
}

// A night: two pages of a case are one incident, it is resolved when the device
// is healthy, and the next episode wakes somebody again.
func TestOneIncidentForACase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, h := duty(t)
		c := handlerstest.Laptop()
		do := func(a events.Action, ref string) events.Done {
			t.Helper()
			c.Asked++
			task := handlerstest.Task(c, events.Order{Action: a, Destination: "night"})
			task.Ref = ref
			fact, err := h.Do(t.Context(), c, task)
			if err != nil {
				t.Fatal(err)
			}
			return fact.(events.Done)
		}
		ref := do(events.Page, "").Receipt
		p.Acknowledge(ref)
		do(events.Page, "")
		if got := p.Open(); len(got) != 1 || got[0].Woken != 1 || got[0].Triggers != 2 || got[0].Status != "acknowledged" || got[0].Severity != "critical" {
			t.Errorf("after two pages: %+v", got)
		}
		c.Episode++ // the case that resolves may be a later episode
		do(events.Resolve, ref)
		if got := p.Open(); len(got) != 0 {
			t.Errorf("after the resolve: %+v", got)
		}
		do(events.Page, "")
		if got := p.Open(); len(got) != 1 || got[0].Key == ref {
			t.Errorf("the next episode: %+v", got)
		}
		if n := p.Count(ref); n != 1 {
			t.Errorf("the first case had %d incidents", n)
		}
	})
}

// PagerDuty takes 120 events a minute for a key and names no time to wait.
func TestThrottledPagesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, h := duty(t)
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"})
		var err error
		for n := 0; err == nil; n++ {
			if n > 120 {
				t.Fatal("the 121st event of a minute was taken")
			}
			_, err = h.Do(t.Context(), c, task)
		}
		if v := handlers.Read(err); v.Status != 429 || v.After != 30*time.Second || v.GiveUp {
			t.Errorf("%v, %+v", err, v)
		}
		if _, err = h.Do(t.Context(), c, task); handlers.Read(err).After != 30*time.Second || !strings.Contains(err.Error(), "left alone") {
			t.Errorf("the next page ran into the same refusal: %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := h.Do(t.Context(), c, task); err != nil || len(p.Incidents()) != 1 {
			t.Errorf("a minute later: %v, %v", err, p.Incidents())
		}
	})
}

// What PagerDuty says about a bad event reaches the person who must mend it.
func TestPagerDutysOwnWordsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, h := duty(t)
		p.Keys = []string{"another key"}
		c := handlerstest.Laptop()
		_, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"}))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "is not of this account") {
			t.Errorf("got %v", err)
		}
	})
}

func TestADestinationThatCannotWorkIsGivenUp(t *testing.T) {
	good := pagerduty.Service{Key: key, Client: handlers.NewClient(handlers.Reach{})}
	for want, tt := range map[string]struct {
		name string
		edit func(*pagerduty.Service)
	}{
		`no destination is called "day"; the configuration has: night`: {"day", func(*pagerduty.Service) {}},
		"32 characters":    {"night", func(s *pagerduty.Service) { s.Key = "short" }},
		"an https address": {"night", func(s *pagerduty.Service) { s.Region = "http://events.example" }},
		"no client":        {"night", func(s *pagerduty.Service) { s.Client = nil }},
	} {
		s := good
		tt.edit(&s)
		c := handlerstest.Laptop()
		h := &page.Handler{Pagers: map[string]page.Pager{"night": s}}
		_, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: tt.name}))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := good.Check(); err != nil {
		t.Errorf("a good service: %v", err)
	}
}
