package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/handlers/page/chat"
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

// TestDigestsAreShown: a destination that gets digests says so, and a case that only
// a digest has told of.
func TestDigestsAreShown(t *testing.T) {
	inWard(t, func(w *ward) {
		w.rules.List[0].Ladder = []events.Rung{{Do: []events.Order{{Action: events.Page, Destination: "oncall"}}}}
		g := guardOf(w.configured("noise: {oncall: {rate: {count: 1, within: 1h}}}\n"), w.j, quiet)
		var last *patient
		for _, name := range []string{"LT-001", "LT-002"} {
			last = w.admit(contoso, strings.ToLower(name), name, "anna@contoso.example")
			last.d.Threat = "mediumSeverity"
			c := last.look()
			task := last.begin(events.Page)
			h, err := g.Admit(w.t.Context(), c, task)
			check(w.t, err)
			if (h != nil) != (name == "LT-002") {
				t.Fatalf("%s: %+v", name, h)
			}
			if h != nil {
				last.tell(*h)
			}
		}
		if got := w.must("held", "list"); !strings.Contains(got, "digest") || !strings.Contains(got, "it goes on by itself") {
			t.Errorf("held: %s", got)
		}
		if got := w.must("destinations"); !strings.Contains(got, "digests since 09:00:0") {
			t.Errorf("destinations: %s", got)
		}
		if got := w.must("hidden"); !strings.Contains(got, "LT-002: page to oncall") || !strings.Contains(got, "more was to be told than its rate") {
			t.Errorf("hidden: %s", got)
		}
		last.tell(events.Done{Task: last.task(events.Page).ID, Receipt: "curfew-digest-oncall-1, with 0 others", Digest: "curfew-digest-oncall-1"})
		if got := w.must("case", "LT-002"); !strings.Contains(got, "page to oncall in a digest") || !strings.Contains(got, "page to oncall told in a digest: curfew-digest-oncall-1") {
			t.Errorf("case: %s", got)
		}
	})
}

// TestADigestIsReadable: counts by tenant, policy and severity, the gravest by name,
// and how to see the rest; and hostile names stay one line.
func TestADigestIsReadable(t *testing.T) {
	conf := gated(t, "")
	id := conf.Tenants[0].ID
	a := digests{conf: conf}.alert(gate.Digest{
		Key: "curfew-digest-oncall-1", Destination: "oncall", Cases: 43, Tenant: id, Worst: "high",
		Tenants: []gate.Count{{What: id, N: 40}, {What: "another", N: 3}}, Policies: []gate.Count{{What: "threat", N: 43}},
		Levels:  []gate.Count{{What: "high", N: 12}, {What: "medium", N: 31}},
		Gravest: []gate.Named{{Key: events.Key{Tenant: id, Device: "d1"}, Name: "LT\n-1", User: "anna@contoso.example", Policy: "threat", Level: "high"}, {Key: events.Key{Tenant: id, Device: "d2"}, Level: "medium"}},
	})
	for _, want := range []string{
		"43 cases are told together, to spare you the noise: 12 high, 31 medium", "By tenant: 40 contoso, 3 another", "By policy: 43 threat",
		"LT -1 (anna@contoso.example) of contoso: high, policy threat", "d2 of contoso: medium", "Read on: curfew cases --open",
	} {
		if !strings.Contains(a.Text(), want) {
			t.Errorf("it does not say %q:\n%s", want, a.Text())
		}
	}
	card := chat.Of(a, false)
	if card.Title != "Digest for oncall: 43 cases" || strings.Contains(card.Text(), "At risk") || !strings.Contains(card.Text(), "Read on: curfew cases --open") || a.Severity != "critical" {
		t.Errorf("%s", card.Text())
	}
}
