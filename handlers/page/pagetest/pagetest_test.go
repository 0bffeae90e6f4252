package pagetest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/handlers/page/pagetest"
)

// post sends an event and returns the status.
func post(p *pagetest.PagerDuty, body string) int {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2/enqueue", strings.NewReader(body)))
	return w.Code
}

func event(key, action, dedup string) string {
	return fmt.Sprintf(`{"routing_key":%q,"event_action":%q,"dedup_key":%q,"payload":{"summary":"s","source":"d","severity":"error"}}`, key, action, dedup)
}

func TestAnAlertLivesByItsKeyAndItsService(t *testing.T) {
	p := &pagetest.PagerDuty{Keys: []string{"one", "two"}}
	for _, step := range []struct {
		key, action string
		want        string // "status triggers woken" of each incident
	}{
		{"one", "resolve", ""}, // dropped, and answered 202 all the same
		{"one", "trigger", "triggered 1 1"},
		{"one", "trigger", "triggered 2 1"},
		{"two", "resolve", "triggered 2 1"}, // of another service
		{"one", "acknowledge", "acknowledged 2 1"},
		{"one", "trigger", "acknowledged 3 1"},
		{"one", "resolve", "resolved 3 1"},
		{"one", "resolve", "resolved 3 1"},
		{"one", "trigger", "resolved 3 1, triggered 1 1"}, // never reopened
		{"two", "trigger", "resolved 3 1, triggered 1 1, triggered 1 1"},
	} {
		if code := post(p, event(step.key, step.action, "k")); code != http.StatusAccepted {
			t.Fatalf("%s by %s: %d", step.action, step.key, code)
		}
		var got []string
		for _, i := range p.Incidents() {
			got = append(got, fmt.Sprint(i.Status, " ", i.Triggers, " ", i.Woken))
		}
		if s := strings.Join(got, ", "); s != step.want {
			t.Errorf("after %s by %s: %s, want %s", step.action, step.key, s, step.want)
		}
	}
}

func TestWhatItRefuses(t *testing.T) {
	good := event("one", "trigger", "k")
	for name, tt := range map[string]struct {
		body string
		want int
	}{
		"good":            {good, 202},
		"not JSON":        {"hello", 400},
		"unknown key":     {event("other", "trigger", "k"), 400},
		"unknown action":  {event("one", "cancel", "k"), 400},
		"long key":        {event("one", "trigger", strings.Repeat("k", 256)), 400},
		"no payload":      {`{"routing_key":"one","event_action":"trigger"}`, 400},
		"long summary":    {strings.Replace(good, `"s"`, `"`+strings.Repeat("ü", 1025)+`"`, 1), 400},
		"no source":       {strings.Replace(good, `"d"`, `""`, 1), 400},
		"no severity":     {strings.Replace(good, `"error"`, `"bad"`, 1), 400},
		"resolve nothing": {event("one", "resolve", ""), 400},
		"too large":       {good + strings.Repeat(" ", 512<<10), 413},
	} {
		p := &pagetest.PagerDuty{Keys: []string{"one"}}
		if code := post(p, tt.body); code != tt.want || len(p.Incidents()) > 0 != (code == 202) {
			t.Errorf("%s: %d, %v", name, code, p.Incidents())
		}
	}
}

func TestAMinuteHas120Events(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pagetest.PagerDuty{Keys: []string{"one", "two"}}
		for range 120 {
			if code := post(p, event("one", "trigger", "k")); code != 202 {
				t.Fatal(code)
			}
		}
		if one, two := post(p, event("one", "trigger", "k")), post(p, event("two", "trigger", "k")); one != 429 || two != 202 {
			t.Errorf("got %d and, by another key, %d", one, two)
		}
		time.Sleep(time.Minute)
		if code := post(p, event("one", "trigger", "k")); code != 202 {
			t.Errorf("a minute later: %d", code)
		}
	})
}
