package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

// TestNoiseByConfiguration: every destination has a rate, those that are named have
// their own, and rotas send no tenant's names by another one's mailbox.
func TestNoiseByConfiguration(t *testing.T) {
	conf := gated(t, `noise:
  oncall:
    rate: {count: 5, within: 5m, digest_every: 20m}
    quiet:
      - {from: "20:00", until: "07:00", time_zone: Europe/Berlin}
      - {days: [saturday, sunday], from: "00:00", until: "24:00"}
    urgent: compromised
`)
	n := conf.Hush["oncall"]
	if n.Rate != (gate.Rate{Count: 5, Urgent: 15, Within: 5 * time.Minute, Every: 20 * time.Minute}) || n.Urgent != events.Compromised || len(n.Quiet) != 2 {
		t.Errorf("%+v", n)
	}
	if h := n.Quiet[0]; h.From != 20*time.Hour || h.Until != 7*time.Hour || h.Zone.String() != "Europe/Berlin" || h.Days != [7]bool{true, true, true, true, true, true, true} {
		t.Errorf("%+v", h)
	}
	if h := n.Quiet[1]; h.Until != 24*time.Hour || h.Days != [7]bool{true, false, false, false, false, false, true} {
		t.Errorf("%+v", h)
	}
	for name, d := range conf.Destinations {
		if _, ok := conf.Hush[name]; !ok || conf.Hush[name].Rate.Count == 0 {
			t.Errorf("%s, of kind %s, has no rate", name, d.Kind)
		}
	}
}

func TestNoiseMistakes(t *testing.T) {
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	const right = `oncall: {rate: {count: 20, within: 10m}, quiet: [{from: "20:00", until: "07:00"}]}`
	for change, want := range map[[2]string]string{
		{"oncall:", "oncal:"}:                                     `no destination is called "oncal"; did you mean oncall?`,
		{"count: 20", "count: 0"}:                                 "noise.oncall.rate.count",
		{"within: 10m", "within: 10s"}:                            "it may be 1m to 1d",
		{"within: 10m", "within: 10m, digest_every: 2d"}:          "noise.oncall.rate.digest_every",
		{`from: "20:00"`, `from: "8pm"`}:                          "a time such as 07:30",
		{`from: "20:00"`, `from: "07:00"`}:                        "they end when they begin",
		{`from: "20:00"`, `from: "24:00"`}:                        "no day begins at 24:00",
		{`"07:00"`, `"07:00", time_zone: Berlin`}:                 `no time zone "Berlin"`,
		{`"07:00"`, `"07:00", days: [sonntag]`}:                   "noise.oncall.quiet[0].days[0]",
		{`"07:00"}`, `"07:00"}, {from: "07:00", until: "20:00"}`}: "no minute of the week",
		{"rate:", "urgent: informational, rate:"}:                 "noise.oncall.urgent",
		{"oncall: {rate: {count: 20, within: 10m}", "desk: {rate: {count: 20, within: 10m, digest_every: 5m}"}: "a desk gets no digests",
	} {
		more := fmt.Sprintf("noise:\n  %s\n", strings.Replace(right, change[0], change[1], 1))
		conf, problems := parseConfig("x.yaml", append(append([]byte{}, text...), more...), testOptions())
		if conf != nil || !strings.Contains(fmt.Sprint(problems), want) || strings.Contains(fmt.Sprint(problems), "x.yaml:1:1") {
			t.Errorf("%q: %v", change[1], problems)
		}
	}
}
