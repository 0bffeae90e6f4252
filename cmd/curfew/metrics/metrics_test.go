package metrics

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// TestWhatIsShownIsReplaced: a tenant that is gone leaves no number behind.
func TestWhatIsShownIsReplaced(t *testing.T) {
	m := New("v1")
	m.Show(Held, Of(3, "contoso", "budget"), Of(1, "fabrikam", "pause"))
	m.Show(Held, Of(2, "contoso", "budget"))
	m.Count(Facts, 2, "seen", "true")
	m.Took(FactWait, 30*time.Millisecond)
	m.Live(func() { m.ShowTotal(WebhookRefused, Of(7, "malformed")) })
	got := scrape(t, m)
	for _, want := range []string{
		`curfew_tasks_held{gate="budget",tenant="contoso"} 2`, `curfew_facts_total{changed="true",fact="seen"} 2`,
		`curfew_fact_wait_seconds_bucket{le="0.1"} 1`, `curfew_webhook_refused_total{reason="malformed"} 7`,
		"# TYPE curfew_webhook_refused_total counter", "# TYPE curfew_tasks_held gauge",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "fabrikam") {
		t.Error("what was shown before is still there")
	}
}

// TestAMoment is in seconds, and none is 0.
func TestAMoment(t *testing.T) {
	if s := At(time.UnixMilli(1500)); s.Value != 1.5 {
		t.Error(s)
	}
	if s := At(time.Time{}); s.Value != 0 {
		t.Error(s)
	}
}

// TestNoMetrics: who wants none has none, and nobody need ask.
func TestNoMetrics(*testing.T) {
	var m *Metrics
	m.Show(Held, Of(1, "contoso", "budget"))
	m.Count(Facts, 1, "seen", "true")
	m.Took(FactWait, time.Second)
	m.Live(func() {})
}

// TestManyScrapes at once, while numbers change, all get an answer.
func TestManyScrapes(t *testing.T) {
	m := New("v1")
	m.Live(func() { m.Show(GraphUsed, Of(0.5, "contoso", "Intune")) })
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 20 {
				if !strings.Contains(scrape(t, m), "curfew_graph_budget_used_ratio{") {
					t.Error("a number is missing")
				}
			}
		})
	}
	wg.Wait()
}

// TestNamesFollowPrometheus: base units, and _total for what counts.
func TestNamesFollowPrometheus(t *testing.T) {
	for _, d := range All() {
		switch {
		case !strings.HasPrefix(d.Name, "curfew_"), strings.Contains(d.Name, "milli"), strings.Contains(d.Name, "minutes"):
			t.Error(d.Name)
		case (d.Kind == "counter") != strings.HasSuffix(d.Name, "_total"):
			t.Errorf("%s is a %s", d.Name, d.Kind)
		case d.Kind == "histogram" && !strings.HasSuffix(d.Name, "_seconds"):
			t.Errorf("%s has no unit", d.Name)
		case d.Help == "" || !strings.HasSuffix(d.Help, "."):
			t.Errorf("%s: %q", d.Name, d.Help)
		}
	}
}
