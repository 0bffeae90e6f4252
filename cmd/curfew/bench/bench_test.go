package bench

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// tiny is the least of everything that still measures something.
var tiny = Size{
	Raw: 30 * time.Millisecond, Load: 100 * time.Millisecond, Write: 100 * time.Millisecond,
	Changes: 200, Nothing: 500, Settle: 100 * time.Millisecond, Idle: 500 * time.Millisecond, Samples: 2,
	Cases: 200, Due: 50, Fleet: 2000,
	Sweep: time.Second, Ill: 1, Watch: 500 * time.Millisecond,
}

// TestEveryScenarioMeasures runs all of them, too short for the figures to mean
// anything, and holds them to being sane.
func TestEveryScenarioMeasures(t *testing.T) {
	program := filepath.Join(t.TempDir(), "curfew")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	var told []string
	figures, err := Run(t.Context(), Options{
		Program: program, Dir: dir, Size: tiny, Scenarios: Scenarios(),
		Progress: func(_, _ int, name string) { told = append(told, name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range Scenarios() {
		if i >= len(told) || told[i] != s.Name {
			t.Errorf("progress was %q", told)
			break
		}
	}
	seen := map[string]bool{}
	for _, f := range figures {
		if seen[f.Name] || f.Name == "" || f.Unit == "" {
			t.Errorf("a figure without a name or a unit, or twice: %+v", f)
		}
		seen[f.Name] = true
		for _, v := range []float64{f.Value, f.Limit, f.Ratio} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v == 0 && f.Unit != "%" { // an idle worker may take too little to be counted
				t.Errorf("%s is not sane: %+v", f.Name, f)
				break
			}
		}
		if math.Abs(f.Value/f.Limit-f.Ratio) > 1e-9 {
			t.Errorf("%s: the ratio is not that of the value to the limit: %+v", f.Name, f)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	readable(t, figures)
}

// readable checks both ways of writing figures.
func readable(t *testing.T, figures []Figure) {
	t.Helper()
	var b bytes.Buffer
	var back []map[string]any
	if err := JSON(&b, figures); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != len(figures) {
		t.Fatalf("%v: %s", err, b.String())
	}
	for _, f := range back {
		if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, []string{"limit", "name", "ratio", "reached", "unit", "value"}) {
			t.Errorf("a figure has %q", got)
		}
	}
	b.Reset()
	if err := Table(&b, figures, false); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b.Bytes(), []byte("\n")); lines != len(figures)+1 {
		t.Errorf("%d lines for %d figures:\n%s", lines, len(figures), b.String())
	}
	t.Logf("\n%s", b.String())
}

func TestFiguresAreJudged(t *testing.T) {
	for _, c := range []struct {
		f    Figure
		want bool
	}{
		{rate("as good as it has to be", 1500, 2500, 0.6, 1500), true},
		{rate("too small a part of its limit", 1499, 2500, 0.6, 0), false},
		{rate("too few", 1499, 1499, 0.6, 1500), false},
		{below("low enough", 249, "ms", 10, 250), true},
		{below("too high", 250, "ms", 1000, 250), false},
	} {
		if c.f.Reached != c.want {
			t.Errorf("%s is called reached: %v", c.f.Name, c.f.Reached)
		}
	}
	if f := below("memory", 45, "MB", 0, 90); f.Limit != 90 || f.Ratio != 0.5 {
		t.Errorf("what has no limit is not held against the most that it may be: %+v", f)
	}
	of := []time.Duration{4, 1, 3, 2}
	if quantile(of, 0.5) != 3 || quantile(of, 0.99) != 4 || quantile(nil, 0.5) != 0 {
		t.Errorf("quantiles of %v", of)
	}
}
