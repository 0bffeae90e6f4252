package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
	"curfew/events/gate"
)

// gated is a right configuration with more in it.
func gated(t *testing.T, more string) *config {
	t.Helper()
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	conf, problems := parseConfig("x.yaml", append(text, more...), testOptions())
	if conf == nil {
		t.Fatal(problems)
	}
	return conf
}

// TestLimitsLeftOut are the gates' own, and of a limit that is named in part the
// rest is too.
func TestLimitsLeftOut(t *testing.T) {
	conf := gated(t, "")
	if diff := cmp.Diff(gate.DefaultLimits(), conf.Limits.limits()); diff != "" {
		t.Error(diff)
	}
	if got := conf.Limits.Breaker.breaker(); got != (gate.Breaker{Share: 0.1, Least: 5, Window: time.Hour}) {
		t.Errorf("%+v", got)
	}
	if conf.Policies.Approval != 0 || conf.Protect.protected().When != nil || conf.Tenants[0].Look.Groups {
		t.Errorf("%+v", conf)
	}

	conf = gated(t, "limits: {reset: {count: 1}, breaker: {devices: 3}}\napprovals: {valid_for: 2h}\n")
	if got := conf.Limits.limits()[gate.BudgetReset]; got != (gate.Limit{Count: 1, Window: 24 * time.Hour, Share: 0.01}) {
		t.Errorf("%+v", got)
	}
	if got := conf.Limits.Breaker.breaker(); got.Least != 3 || got.Share != 0.1 {
		t.Errorf("%+v", got)
	}
	if conf.Policies.Approval != 2*time.Hour {
		t.Error(conf.Policies.Approval)
	}
}

// TestProtectedByConfiguration: what the file names is protected, and what that
// takes is read of the devices.
func TestProtectedByConfiguration(t *testing.T) {
	conf := gated(t, `
protect:
  when: device.owner == "personal"
  groups: [Board]
  break_glass: [emergency@contoso.example]
`)
	if !conf.Tenants[0].Look.Groups || !conf.Tenants[1].Look.Groups {
		t.Error("groups are protected, and they are not read")
	}
	p := conf.Protect.protected()
	d := events.Device{Owner: "company", OS: "Windows", Groups: []string{"Staff"}, User: "anna@contoso.example"}
	for want, change := range map[string]func(*events.Device){
		"":                     func(*events.Device) {},
		`device.owner == "per`: func(d *events.Device) { d.Owner = "personal" },
		"no clear answer":      func(d *events.Device) { d.Owner = "leased" },
		"protected group":      func(d *events.Device) { d.Groups = []string{"Board"} },
		"break-glass":          func(d *events.Device) { d.User = "emergency@contoso.example" },
	} {
		d := d
		change(&d)
		if why := p.Why(events.Case{Device: d}, events.Task{}); (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("%q, want %q", why, want)
		}
	}
}

// TestDefenderByConfiguration: who uses Defender, where, and what is read there.
func TestDefenderByConfiguration(t *testing.T) {
	conf := gated(t, "isolation: {ask_after: 6h}\nlimits: {isolate: {count: 1}, wipe: {count: 0}}\n")
	if conf.Policies.Isolation != 6*time.Hour || conf.Tenants[0].Defender.endpoint() != nil || conf.Tenants[0].Look.Tags {
		t.Errorf("%v, %+v", conf.Policies.Isolation, conf.Tenants[0])
	}
	limits := conf.Limits.limits()
	if got := limits[gate.BudgetIsolate]; got != (gate.Limit{Count: 1, Window: time.Hour}) {
		t.Errorf("%+v", got)
	}
	if got := limits[gate.BudgetWipe]; got != (gate.Limit{Window: 24 * time.Hour, Share: 0.01}) {
		t.Errorf("%+v", got)
	}

	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	for _, how := range []string{"true", "{}", "{api: 'https://eu.api.security.microsoft.com'}"} {
		with := strings.ReplaceAll(string(text), "    mail_from:", "    defender: "+how+"\n    mail_from:") + "protect: {tags: [vip]}\n"
		conf, problems := parseConfig("x.yaml", []byte(with), testOptions())
		if conf == nil {
			t.Fatal(problems)
		}
		for _, tenant := range conf.Tenants {
			if e := tenant.Defender.endpoint(); e == nil || strings.Contains(how, "eu.") != (e.API == "https://eu.api.security.microsoft.com") || !tenant.Look.Tags {
				t.Errorf("%s: %+v, tags read: %v", how, e, tenant.Look.Tags)
			}
		}
	}
}
