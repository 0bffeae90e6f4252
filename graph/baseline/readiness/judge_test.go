package readiness_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/graph/baseline/readiness"
)

var now = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

const (
	yes     = readiness.Yes
	no      = readiness.No
	unknown = readiness.NotKnown
)

// ready are the facts of a pilot that may go on.
func ready() readiness.Facts {
	f := readiness.Facts{
		At: now.Add(-20 * time.Second), Took: 20 * time.Second,
		Scope: readiness.Scope{
			Tenant: "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11", Name: "contoso", Stage: "pilot report-only", Next: "pilot enforced",
			Emergency: []readiness.Account{{Named: "glass@contoso.example", ID: "glass", UPN: "glass@contoso.example", Found: yes, Enabled: yes, Synced: no}},
			Policies:  []readiness.Policy{{ID: "ca", Name: "Curfew pilot", Platforms: []string{"windows"}}},
			Threat:    true, Began: now.Add(-8 * 24 * time.Hour),
		},
		Users: []readiness.User{{ID: "u1", UPN: "ana@contoso.example", Licensed: yes}, {ID: "u2", UPN: "bo@contoso.example", Licensed: yes}},
		SignIns: readiness.SignIns{Known: true, Read: 40, Since: now.Add(-7 * 24 * time.Hour),
			Results: map[string]int{"reportOnlySuccess": 12, "reportOnlyNotApplied": 28}},
		Evaluated: []readiness.Evaluated{
			{UserID: "glass", UPN: "glass@contoso.example", Emergency: true, Platform: "windows", Client: "browser"},
			{UserID: "u1", UPN: "ana@contoso.example", Platform: "windows", Hit: []string{"ca"}},
		},
	}
	f.Devices = []readiness.Device{device("LT-1", "Windows", 0), device("LT-2", "Windows", 1), device("PH-1", "iOS", 0), device("PH-2", "Android", 1)}
	return f
}

func device(name, os string, user int) readiness.Device {
	return readiness.Device{
		ID: "id-" + name, EntraID: "entra-" + name, Name: name, User: user, OS: os, Owner: "company", Compliance: "compliant", Threat: "secured",
		LastSync: now.Add(-time.Hour), Policy: yes, InEntra: true, Enabled: yes, Access: yes, Seen: now.Add(-2 * time.Hour),
		Apps: readiness.Apps{Portal: yes, Authenticator: yes, Defender: yes},
	}
}

func judge(f readiness.Facts, excuses ...readiness.Excuse) readiness.Report {
	return readiness.Judge(f, readiness.Rules{}, excuses, now)
}

func check(t *testing.T, r readiness.Report, name string) readiness.Check {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c readiness.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the report has no check %q", name)
	}
	return r.Checks[i]
}

func TestAReadyPilotPasses(t *testing.T) {
	if r := judge(ready()); !r.Passed || len(r.Reasons()) > 0 {
		t.Errorf("%v", r.Reasons())
	}
}

// troubles are what can be wrong, each with the check that must see it.
var troubles = []struct {
	name, check string
	state       readiness.State
	says        string
	excusable   bool
	do          func(*readiness.Facts)
}{
	{"a device fails a setting", readiness.Compliant, readiness.Failed, "BitLocker", true, func(f *readiness.Facts) {
		f.Devices[0].Compliance, f.Devices[0].Failing = "noncompliant", []readiness.Setting{{Policy: "Windows baseline", Name: "BitLocker", State: "nonCompliant"}}
	}},
	{"a device is in its grace", readiness.Compliant, readiness.Failed, "inGracePeriod", true, func(f *readiness.Facts) { f.Devices[0].Compliance = "inGracePeriod" }},
	{"a device is silent", readiness.Reporting, readiness.Failed, "last checked in 9d", true, func(f *readiness.Facts) { f.Devices[0].LastSync = now.Add(-9 * 24 * time.Hour) }},
	{"a device never checked in", readiness.Reporting, readiness.Failed, "never", true, func(f *readiness.Facts) { f.Devices[0].LastSync = time.Time{} }},
	{"Defender says nothing", readiness.Reporting, readiness.Failed, "Defender reports nothing", true, func(f *readiness.Facts) { f.Devices[2].Threat = "activated" }},
	{"a device without a policy", readiness.Policies, readiness.Failed, "no compliance policy", true, func(f *readiness.Facts) { f.Devices[1].Policy = no }},
	{"a user without a device", readiness.Equipped, readiness.Failed, "no device", true, func(f *readiness.Facts) {
		f.Users = append(f.Users, readiness.User{ID: "u3", UPN: "cy@contoso.example", Licensed: yes})
	}},
	{"a guest", readiness.Equipped, readiness.Failed, "guest", true, func(f *readiness.Facts) {
		f.Users = append(f.Users, readiness.User{ID: "u4", UPN: "dan@fabrikam.example", Guest: true, Licensed: yes})
	}},
	{"no licence", readiness.Licensed, readiness.Failed, "no product", true, func(f *readiness.Facts) { f.Users[0].Licensed = no }},
	{"a second object in Entra", readiness.Directory, readiness.Failed, "stale: last used 200d", true, func(f *readiness.Facts) {
		f.Left = []readiness.Object{{ID: "o9", DeviceID: "e9", Name: "LT-1", Trust: "Workplace", Seen: now.Add(-200 * 24 * time.Hour), Twin: 0}}
	}},
	{"no object in Entra", readiness.Directory, readiness.Failed, "no object", true, func(f *readiness.Facts) { f.Devices[0].InEntra = false }},
	{"Entra does not have it yet", readiness.Directory, readiness.Failed, "Entra does not yet", true, func(f *readiness.Facts) { f.Devices[0].Access = no }},
	{"a stale object", readiness.Directory, readiness.Failed, "last used 120d", true, func(f *readiness.Facts) { f.Devices[0].Seen = now.Add(-120 * 24 * time.Hour) }},
	{"no Company Portal", readiness.Phones, readiness.Failed, "Company Portal", true, func(f *readiness.Facts) { f.Devices[3].Apps.Portal = no }},
	{"too early", readiness.Time, readiness.Failed, "6d of 7d", false, func(f *readiness.Facts) { f.Scope.Began = now.Add(-6 * 24 * time.Hour) }},
	{"nobody knows since when", readiness.Time, readiness.Unknown, "nobody recorded", false, func(f *readiness.Facts) { f.Scope.Began = time.Time{} }},
	{"the policy would have stopped somebody", readiness.SignedIn, readiness.Failed, "3 sign-ins would have been refused", true, func(f *readiness.Facts) {
		f.SignIns.Against = []readiness.Against{{UserID: "u2", UPN: "bo@contoso.example", Failed: 3, App: "Exchange", Client: "Browser"}}
	}},
	{"nobody signed in", readiness.SignedIn, readiness.Unknown, "applied to 0 of 28", false, func(f *readiness.Facts) {
		f.SignIns.Results, f.SignIns.Read = map[string]int{"reportOnlyNotApplied": 28}, 28
	}},
	{"the log hides policies", readiness.SignedIn, readiness.Unknown, "Policy.Read.All", false, func(f *readiness.Facts) { f.SignIns.Known = false }},
	{"the policy reaches nobody", readiness.WhatIf, readiness.Failed, "(users)", false, func(f *readiness.Facts) { f.Evaluated[1].Hit, f.Evaluated[1].Why = nil, "users" }},
	{"what-if cannot be read", readiness.WhatIf, readiness.Unknown, "403", false, func(f *readiness.Facts) {
		f.Evaluated = f.Evaluated[:1]
		f.Unread = []readiness.Unread{{What: "what-if", Why: "403"}}
	}},
	{"the baseline is not in place", readiness.InPlace, readiness.Failed, "change compliance/ios", false, func(f *readiness.Facts) { f.Scope.Open = []string{"change compliance/ios"} }},
	{"there is no policy", readiness.InPlace, readiness.Failed, "no Conditional Access policy", false, func(f *readiness.Facts) { f.Scope.Policies = nil }},
	{"no emergency account", readiness.Emergency, readiness.Failed, "names no emergency", false, func(f *readiness.Facts) { f.Scope.Emergency = nil }},
	{"the emergency account is hit", readiness.Emergency, readiness.Failed, "Curfew pilot applies", false, func(f *readiness.Facts) { f.Evaluated[0].Hit = []string{"ca"} }},
	{"the emergency account is disabled", readiness.Emergency, readiness.Failed, "disabled", false, func(f *readiness.Facts) { f.Scope.Emergency[0].Enabled = no }},
	{"the emergency account is synchronised", readiness.Emergency, readiness.Failed, "synchronised", false, func(f *readiness.Facts) { f.Scope.Emergency[0].Synced = yes }},
	{"the emergency account is gone", readiness.Emergency, readiness.Failed, "no such account", false, func(f *readiness.Facts) { f.Scope.Emergency[0].Found = no }},
	{"the emergency account could not be read", readiness.Emergency, readiness.Unknown, "could not be read", false, func(f *readiness.Facts) { f.Scope.Emergency[0].Enabled = unknown }},
	{"the emergency account was not evaluated", readiness.Emergency, readiness.Unknown, "no policy was evaluated", false, func(f *readiness.Facts) { f.Evaluated = f.Evaluated[1:] }},
	{"devices could not be read", readiness.Complete, readiness.Failed, "devices in Entra: 403", false, func(f *readiness.Facts) {
		f.Unread = []readiness.Unread{{What: "devices in Entra", Why: "403"}}
	}},
	{"an empty pilot", readiness.Equipped, readiness.Unknown, "nobody in scope", false, func(f *readiness.Facts) { f.Users, f.Devices = nil, nil }},
}

func TestEachTroubleClosesTheGate(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			f := ready()
			tr.do(&f)
			r := judge(f)
			c := check(t, r, tr.check)
			if r.Passed || !c.Blocks || c.State != tr.state {
				t.Fatalf("passed %v, %+v", r.Passed, c)
			}
			said := c.Text
			for _, found := range c.Findings {
				said += "\n" + found.What
			}
			if !strings.Contains(said, tr.says) {
				t.Errorf("it does not say %q: %s", tr.says, said)
			}
			if passed := judge(f, excuseAll(r)...).Passed; passed != tr.excusable {
				t.Errorf("excused it passes: %v, want %v", passed, tr.excusable)
			}
		})
	}
}

// excuseAll has an excuse for every finding there is.
func excuseAll(r readiness.Report) (all []readiness.Excuse) {
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			all = append(all, readiness.Excuse{Finding: f.ID, By: "mo", Reason: "known", At: now, Until: now.Add(time.Hour)})
		}
	}
	return all
}

func TestAnExcuseIsForOneFindingAndEnds(t *testing.T) {
	f := ready()
	f.Devices[0].Compliance = "noncompliant"
	all := excuseAll(judge(f))
	f.Devices[1].Compliance = "noncompliant"
	if r := judge(f, all...); r.Passed || !strings.Contains(check(t, r, readiness.Compliant).Text, "1 finding, and 1 excused") {
		t.Errorf("%+v", check(t, r, readiness.Compliant))
	}
	f.Devices[1].Compliance = "compliant"
	if !judge(f, all...).Passed {
		t.Error("the excuse does not count")
	}
	if readiness.Judge(f, readiness.Rules{}, all, now.Add(time.Hour)).Passed {
		t.Error("the excuse does not end")
	}
	all[0].Reason = ""
	if judge(f, all...).Passed {
		t.Error("an excuse without a reason counts")
	}
}

func TestUnknownAppsArePassedOver(t *testing.T) {
	f := ready()
	f.Devices[2].Apps = readiness.Apps{}
	r := judge(f)
	if c := check(t, r, readiness.Phones); !r.Passed || c.State != readiness.Unknown || c.Blocks {
		t.Errorf("%+v", c)
	}
}

func TestAnEnforcedPolicyMayStopPeople(t *testing.T) {
	f := ready()
	f.Scope.Policies[0].Enforced = true
	f.SignIns.Results = map[string]int{"success": 10, "failure": 2}
	f.SignIns.Against = []readiness.Against{{UserID: "u2", Failed: 2}}
	if r := judge(f); !r.Passed {
		t.Error(r.Reasons())
	}
}

func TestPlatformsCountEachDeviceOnce(t *testing.T) {
	f := ready()
	f.Devices[0].Compliance, f.Devices[0].LastSync = "noncompliant", time.Time{}
	f.Devices[2].Access = no
	for _, p := range judge(f).Platforms {
		if sum := p.Ready + p.Grace + p.NonCompliant + p.Silent + p.NoPolicy + p.Other; sum != p.Devices {
			t.Errorf("%+v adds up to %d", p, sum)
		}
		want := map[string]int{"Windows": 1, "iOS": 0, "Android": 1}[p.Name]
		if p.Ready != want {
			t.Errorf("%+v, want %d ready", p, want)
		}
	}
}

// fits makes a trouble, unless what it is about was taken away by another.
func fits(do func(*readiness.Facts), f *readiness.Facts) (did bool) {
	defer func() { did = recover() == nil }()
	do(f)
	return true
}

// TestNothingPassesWithATroubleThatCannotBeExcused: whatever else is wrong, and
// whatever is excused.
func TestNothingPassesWithATroubleThatCannotBeExcused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := ready()
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(troubles)-1), 0, 5, func(i int) int { return i }).Draw(t, "troubles")
		slices.Sort(chosen) // what takes everybody away comes last
		fatal := false
		for _, i := range chosen {
			fatal = fits(troubles[i].do, &f) && !troubles[i].excusable || fatal
		}
		r := judge(f)
		if excused := judge(f, excuseAll(r)...); excused.Passed && fatal || r.Passed != (len(r.Reasons()) == 0) {
			t.Fatalf("passed with %v excused: %v", chosen, excused.Reasons())
		}
	})
}
