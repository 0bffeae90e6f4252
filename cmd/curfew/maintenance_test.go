package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMaintenanceByConfiguration: a window is read in its own time zone and is of
// the tenants that it names.
func TestMaintenanceByConfiguration(t *testing.T) {
	conf := gated(t, `maintenance:
  - rule: FREQ=WEEKLY;BYDAY=SU;BYHOUR=2
    from: 2026-01-01
    until: 2046-12-31 18:00
    for: 4h
    time_zone: America/New_York
    reason: patch night
    tenants: [CONTOSO]
`)
	if len(conf.Windows) != 1 {
		t.Fatalf("%+v", conf.Windows)
	}
	sunday := time.Date(2026, 6, 7, 6, 30, 0, 0, time.UTC) // 2:30 in New York
	w := conf.Windows[0]
	if until, open := w.Open(conf.Tenants[0].ID, sunday); !open || until.Sub(sunday) != 3*time.Hour+30*time.Minute || w.Reason != "patch night" {
		t.Errorf("open %v until %v", open, until)
	}
	if _, open := w.Open("another", sunday); open {
		t.Error("it is open in a tenant that it does not name")
	}
}

// TestMaintenanceMistakes: each is told at its place, and no window becomes one of
// all tenants because a name was wrong.
func TestMaintenanceMistakes(t *testing.T) {
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	const right = "rule: FREQ=DAILY, from: 2026-01-01, until: 2046-01-01, for: 2h, reason: so"
	for change, want := range map[[2]string]string{
		{"FREQ=DAILY", "every day"}:                     "maintenance[0].rule: this is not a rule",
		{"2046-01-01", "2025-01-01"}:                    "maintenance[0].rule: it ends before it begins",
		{"from: 2026-01-01", "from: the first"}:         "maintenance[0].from: \"the first\" is not a day",
		{"for: 2h", "for: 3w"}:                          "a week at most",
		{", reason: so", ""}:                            "reason",
		{"reason: so", "reason: so, time_zone: Berlin"}: "no time zone \"Berlin\"",
		{"reason: so", "reason: so, tenants: [nobody]"}: "no tenant \"nobody\"",
	} {
		more := fmt.Sprintf("maintenance:\n  - {%s}\n", strings.Replace(right, change[0], change[1], 1))
		conf, problems := parseConfig("x.yaml", append(append([]byte{}, text...), more...), testOptions())
		if conf != nil || !strings.Contains(fmt.Sprint(problems), want) {
			t.Errorf("%q: %v", change[1], problems)
		}
	}
}
