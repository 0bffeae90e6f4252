package page_test

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
	"curfew/handlers/page/pagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is the canary: an integration key has 32 characters.
const key = "R0UT1NGKEYcanaryR0UT1NGKEYcanary"

// duty is a PagerDuty in memory and a handler that pages it.
func duty(t testing.TB) (*pagetest.PagerDuty, *fake.Server, page.Handler) {
	t.Helper()
	p := &pagetest.PagerDuty{Keys: []string{key}}
	s, err := fake.Pipe(p)
	if err != nil {
		t.Fatal(err)
	}
	client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
	t.Cleanup(func() { client.CloseIdleConnections(); s.Close() })
	return p, s, page.Handler{Services: map[string]page.Service{"night": {Key: key, Region: s.URL, Client: client}}}
}

func TestPageKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(t testing.TB) handlerstest.World {
		p, s, h := duty(t)
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: h.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"}),
			Effects: func() []string { return lines(p.Incidents()) }, Texts: func() []string { return texts(p) },
			Calls: &s.Faults, Secrets: []string{key}, HTTP: true,
		}
	})
}

func TestResolveKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(t testing.TB) handlerstest.World {
		p, s, h := duty(t)
		c := handlerstest.Laptop()
		if _, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"})); err != nil {
			t.Fatal(err)
		}
		task := handlerstest.Task(c, events.Order{Action: events.Resolve, Destination: "night"})
		task.Ref = c.ID()
		return handlerstest.World{
			Do: h.Do, Case: c, Task: task,
			Effects: func() []string {
				var out []string
				for _, i := range p.Incidents() {
					if i.Status == "resolved" {
						out = append(out, i.String())
					}
				}
				return out
			},
			Calls: &s.Faults, Secrets: []string{key}, HTTP: true,
		}
	})
}

func lines(is []pagetest.Incident) []string {
	var out []string
	for _, i := range is {
		out = append(out, i.String())
	}
	return out
}

// texts are what the person who is woken reads, each string by itself.
func texts(p *pagetest.PagerDuty) []string {
	var out []string
	for _, i := range p.Incidents() {
		out = append(append(out, i.Summary, i.Source), i.Links...)
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
func TestThrottledPagesComeBackLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, h := duty(t)
		c := handlerstest.Laptop()
		task := handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"})
		var err error
		for n := 0; err == nil; n++ {
			if n > 120 {
				t.Fatal("the 121st event of a minute was taken")
			}
			_, err = h.Do(t.Context(), c, task)
		}
		for tries, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
			task.Tries = tries
			_, err := h.Do(t.Context(), c, task)
			if v := handlers.Read(err); v.Status != 429 || v.After != want || v.GiveUp {
				t.Errorf("try %d: %v, %+v; want again in %v", tries, err, v, want)
			}
		}
		s.Fail(1, fake.Fault{Status: 429, RetryAfter: "600"})
		task.Tries = 0
		if _, err := h.Do(t.Context(), c, task); handlers.Read(err).After != 10*time.Minute {
			t.Errorf("its own word does not count: %v", err)
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

// However much is wrong with a device, the event stays within PagerDuty's limits.
func TestAHugeCaseIsStillAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, h := duty(t)
		c := handlerstest.Laptop()
		long := strings.Repeat("漢", 10_000)
		c.Device.Name, c.Device.User = long, long
		for range 1000 {
			c.Device.Malware = append(c.Device.Malware, events.Malware{Name: long, State: "active", Severity: "severe"})
			c.Device.Alerts = append(c.Device.Alerts, events.Alert{ID: long, Title: long, URL: "https://example.com/" + long})
			c.Attention = append(c.Attention, long)
		}
		if _, err := h.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"})); err != nil || len(p.Open()) != 1 {
			t.Errorf("got %v, %d incidents", err, len(p.Open()))
		}
	})
}

func TestADestinationThatCannotWorkIsGivenUp(t *testing.T) {
	good := page.Service{Key: key, Client: handlers.NewClient(handlers.Reach{})}
	for want, tt := range map[string]struct {
		name string
		edit func(*page.Service)
	}{
		`no destination is called "day"; the configuration has: night`: {"day", func(*page.Service) {}},
		"32 characters":    {"night", func(s *page.Service) { s.Key = "short" }},
		"an https address": {"night", func(s *page.Service) { s.Region = "http://events.example" }},
		"no client":        {"night", func(s *page.Service) { s.Client = nil }},
	} {
		s := good
		tt.edit(&s)
		c := handlerstest.Laptop()
		_, err := page.Handler{Services: map[string]page.Service{"night": s}}.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Page, Destination: tt.name}))
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := good.Check(); err != nil {
		t.Errorf("a good service: %v", err)
	}
}
