package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/graph"
)

// TestTheBaselineThatIsWatched is read with the configuration, and what is wrong with
// it is told with everything else.
func TestTheBaselineThatIsWatched(t *testing.T) {
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	dir := t.TempDir()
	write(t, dir, "good.yaml", "baseline: {emergency: {accounts: [a@contoso.example, b@contoso.example]}, pilot: P}\ntenants: {contoso: {}}\n", 0o600)
	write(t, dir, "bad.yaml", "baseline: {pilot: 7}\ntenants: {nobody: {}}\n", 0o600)
	load := func(section string) (*config, string) {
		conf, problems := parseConfig(filepath.Join(dir, "x.yaml"), append(append([]byte{}, text...), "baseline: "+section+"\n"...), testOptions())
		return conf, fmt.Sprint(problems)
	}
	conf, said := load("{file: good.yaml}")
	if conf == nil {
		t.Fatal(said)
	}
	if b := conf.Baseline; b.File != filepath.Join(dir, "good.yaml") || time.Duration(b.Every) != 24*time.Hour || len(b.specs) != 1 || b.specs[0].Name != "contoso" {
		t.Errorf("%+v", b)
	}
	watch, _ := uses(conf, conf.Tenants[0])
	if !strings.Contains(fmt.Sprint(watch), string(graph.FeatureDrift)) {
		t.Errorf("the doctor does not know that policies are read: %v", watch)
	}
	for section, want := range map[string]string{
		"{every: 1h}":                  "file",
		"{file: none.yaml}":            "baseline.file: cannot read the baseline",
		"{file: bad.yaml}":             "baseline.file",
		"{file: good.yaml, every: 1m}": "baseline.every: at least 15m",
		"{file: good.yaml, evry: 1d}":  "evry",
	} {
		if conf, said := load(section); conf != nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s", section, said)
		}
	}
}
