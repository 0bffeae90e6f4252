package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"curfew/cmd/curfew/metrics"
)

// TestMetricsAreDocumented: the table of docs/metrics.md is what a worker shows.
func TestMetricsAreDocumented(t *testing.T) {
	var want strings.Builder
	want.WriteString("| name | kind | labels | what it is |\n| --- | --- | --- | --- |\n")
	for _, d := range metrics.All() {
		var labels []string
		for _, l := range d.Labels {
			labels = append(labels, "`"+l+"`")
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", d.Name, d.Kind, strings.Join(labels, ", "), d.Help)
	}
	const file = "../../docs/metrics.md"
	text, err := os.ReadFile(file)
	check(t, err)
	if !strings.Contains(string(text), "\n\n"+want.String()+"\n") {
		t.Errorf("the table in docs/metrics.md must be:\n%s", &want)
	}
}

// shownNames are the names by which PromQL may ask.
func shownNames() map[string]bool {
	names := map[string]bool{"up": true, "curfew:changes_only_sweep_found:ratio_1d": true}
	for _, d := range metrics.All() {
		names[d.Name] = true
		if d.Kind == "histogram" {
			names[d.Name+"_bucket"], names[d.Name+"_sum"], names[d.Name+"_count"] = true, true, true
		}
	}
	return names
}

// asked are the metrics of Curfew that a text names.
func asked(text string) []string {
	return regexp.MustCompile(`\bcurfew[_:][a-z_:0-9]+`).FindAllString(text, -1)
}

// TestRulesAskForWhatThereIs: every metric in the rules, their tests and the
// dashboard exists.
func TestRulesAskForWhatThereIs(t *testing.T) {
	names := shownNames()
	for _, file := range []string{"alerts.yaml", "alerts_test.yaml", "dashboard.json"} {
		text, err := os.ReadFile("../../docs/" + file)
		check(t, err)
		all := asked(string(text))
		if len(all) < 10 {
			t.Errorf("%s asks for %d metrics only", file, len(all))
		}
		for _, name := range all {
			if !names[name] {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
}

// A rule is one of docs/alerts.yaml.
type rule struct {
	Alert       string
	Record      string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("../../docs/alerts.yaml")
	check(t, err)
	var doc struct{ Groups []struct{ Rules []rule } }
	check(t, yaml.Unmarshal(text, &doc))
	var all []rule
	for _, g := range doc.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// TestEveryAlertHasARunbook that names a command of this program, with flags that
// it has, and a test in alerts_test.yaml.
func TestEveryAlertHasARunbook(t *testing.T) {
	tests, err := os.ReadFile("../../docs/alerts_test.yaml")
	check(t, err)
	root := newRootCmd(&app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, getenv: nothingSet})
	quoted := regexp.MustCompile("`curfew ([^`]+)`")
	n := 0
	for _, r := range alerts(t) {
		if r.Alert == "" {
			continue
		}
		n++
		runbook := r.Annotations["runbook"]
		commands := quoted.FindAllStringSubmatch(runbook, -1)
		if len(commands) == 0 || r.Annotations["summary"] == "" || !slices.Contains([]string{"page", "ticket", "info"}, r.Labels["severity"]) {
			t.Errorf("%s has no runbook with a command, no summary or no severity", r.Alert)
		}
		for _, c := range commands {
			words := strings.Fields(c[1])
			cmd, _, err := root.Find(words)
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command `curfew %s`", r.Alert, c[1])
				continue
			}
			for _, w := range words {
				if flag, ok := strings.CutPrefix(w, "--"); ok && cmd.Flags().Lookup(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil {
					t.Errorf("%s: `curfew %s` has no flag %s", r.Alert, c[1], w)
				}
			}
		}
		if !bytes.Contains(tests, []byte(`alertname="`+r.Alert+`"`)) {
			t.Errorf("no test lets %s fire", r.Alert)
		}
	}
	if n < 20 {
		t.Errorf("only %d alerts", n)
	}
}

// TestDashboard is one that Grafana can import: panels with queries, side by side.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../docs/dashboard.json")
	check(t, err)
	var d struct {
		Title, UID    string
		SchemaVersion int
		Panels        []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal(text, &d))
	if d.Title != "Curfew" || d.UID == "" || d.SchemaVersion < 36 || len(d.Panels) < 10 {
		t.Errorf("%q %q %d, %d panels", d.Title, d.UID, d.SchemaVersion, len(d.Panels))
	}
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if p.Title == "" || ids[p.ID] || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" || at[0] > 23 {
					t.Fatalf("%q lies over %q", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
	}
}
