package baseline_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

var (
	anyStage    = rapid.SampledFrom(baseline.Stages())
	anyPlatform = rapid.SampledFrom([]baseline.Platform{baseline.Windows, baseline.MacOS, baseline.IOS, baseline.AndroidWorkProfile, baseline.AndroidDeviceOwner})
	anyLevel    = rapid.SampledFrom([]baseline.Level{baseline.Clear, baseline.Low, baseline.Medium, baseline.High})
	anyHours    = rapid.Custom(func(t *rapid.T) baseline.Hours { return baseline.Hours(rapid.IntRange(0, 8760).Draw(t, "hours")) })
	anyState    = rapid.SampledFrom([]string{"enabled", "disabled", "enabledForReportingButNotEnforced"})
)

// anySpec is a baseline of which any part may be missing.
func anySpec(t *rapid.T) baseline.Spec {
	s := newSpec()
	draw := func(what string) bool { return rapid.Bool().Draw(t, what) }
	if draw("no connector") {
		s.Connector = nil
	}
	if draw("no compliance") {
		s.Compliance = nil
	} else {
		s.Compliance.Policies = map[baseline.Platform]baseline.CompliancePolicy{}
		for _, p := range rapid.SliceOfNDistinct(anyPlatform, 0, 2, rapid.ID).Draw(t, "platforms") {
			after := anyHours.Draw(t, "after")
			s.Compliance.Policies[p] = baseline.CompliancePolicy{
				Name: "Risk: " + string(p), Level: anyLevel.Draw(t, "level"), BlockAfter: anyHours.Draw(t, "block"), PushAfter: &after,
				Notify: []baseline.NotifyAction{{After: anyHours.Draw(t, "notify")}},
			}
		}
		fails := draw("no policy fails")
		s.Compliance.NoPolicyFails, s.Compliance.ValidDays = &fails, rapid.IntRange(1, 120).Draw(t, "valid")
	}
	if draw("no protection") {
		s.AppProtection = nil
	}
	if draw("no access") {
		s.Access = nil
	} else {
		s.Access.Variant = rapid.SampledFrom([]string{"one", "two"}).Draw(t, "variant")
		s.Access.Start = rapid.SampledFrom([]string{"report-only", "off"}).Draw(t, "start")
		s.Access.Platforms = rapid.SampledFrom([][]baseline.Platform{nil, {baseline.Windows}, {baseline.IOS, baseline.Windows, baseline.MacOS}}).Draw(t, "of")
	}
	return s
}

// TestApplyLeavesNothing: whatever is wanted, and at whatever stage, a plan after the
// apply is empty; and so it is after somebody has changed things and another apply. A
// policy that may not be enforced at once takes one apply more.
func TestApplyLeavesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec, stage := anySpec(rt), anyStage.Draw(rt, "stage")
		drifts := rapid.SliceOfN(anyState, 0, 3).Draw(rt, "drifts")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			w, leave := newWorld(t, spec)
			defer leave()
			w.gate = &baseline.Gate{To: stage, Passed: true}
			for round := -1; round < len(drifts) && wrong == ""; round++ {
				if round >= 0 {
					w.meddle(round, drifts[round])
				}
				for range 2 {
					if _, err := w.apply(w.plan(stage)); err != nil {
						wrong = err.Error()
						return
					}
				}
				if p := w.plan(stage); len(p.Work()) > 0 || p.Refused() {
					wrong = fmt.Sprintf("%v is not reached:\n%s", stage, show(p))
				}
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// meddle lets a person change one object of each collection.
func (w *world) meddle(n int, state string) {
	for _, c := range []string{graphtest.CompliancePolicies, graphtest.IOSProtections, graphtest.AccessPolicies} {
		all := w.tenant.Placed(c)
		if len(all) == 0 {
			continue
		}
		w.tenant.Alter(c, text(all[n%len(all)], "id"), func(o map[string]any) {
			if c == graphtest.AccessPolicies {
				o["state"] = state
				o["conditions"].(map[string]any)["users"].(map[string]any)["excludeUsers"] = []any{}
				return
			}
			o["assignments"] = []any{}
		})
	}
}

// TestNoPlanLocksAnybodyOut: whatever a tenant has, whichever accounts are named, and
// whatever a gate said.
func TestNoPlanLocksAnybodyOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := newSpec()
		spec.Access.Variant = rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "variant")
		spec.Emergency.Accounts = []string{"a", "b"}
		state := anyTenant(rt, spec)
		stage := anyStage.Draw(rt, "stage")
		var gate *baseline.Gate
		if rapid.Bool().Draw(rt, "gate") {
			gate = &baseline.Gate{To: anyStage.Draw(rt, "to"), Passed: rapid.Bool().Draw(rt, "passed")}
		}
		p := baseline.NewPlan(spec, state, stage, gate)
		reached := baseline.Reached(spec, state)
		passed := gate != nil && gate.Passed && gate.To >= stage
		if stage > reached && !passed && (len(p.Steps) > 0 || !p.Refused()) {
			rt.Fatalf("from %v to %v without a gate:\n%s", reached, stage, show(p))
		}
		for _, s := range p.Work() {
			if s.Object.Kind != baseline.KindAccess {
				continue
			}
			after := s.Object.Fields
			if s.Action == baseline.Create && after["state"] == "enabled" {
				rt.Fatalf("%s is made enforced", s.Object.Key)
			}
			if !spares(after, state) {
				rt.Fatalf("%s spares no account that can serve:\n%s", s.Object.Key, show(p))
			}
			if !stage.Everybody() && strings.Contains(brief(after["conditions.users.includeUsers"]), "All") && after["state"] == "enabled" {
				rt.Fatalf("%s is for all at %v", s.Object.Key, stage)
			}
			if strings.Contains(brief(after["grantControls.builtInControls"]), "approvedApplication") || strings.Contains(brief(s.Changes), `"block"`) {
				rt.Fatalf("%s has a control that is never set:\n%s", s.Object.Key, show(p))
			}
		}
	})
}

func spares(fields map[string]any, state *baseline.State) bool {
	list, _ := fields["conditions.users.excludeUsers"].([]any)
	for _, a := range state.Accounts {
		if a.ID != "" && a.Enabled && !a.Synced && slices.Contains(list, any(a.ID)) {
			return true
		}
	}
	return false
}

// anyTenant is what a tenant may have: policies in any state, accounts of any kind.
func anyTenant(t *rapid.T, spec baseline.Spec) *baseline.State {
	s := &baseline.State{
		Licences: baseline.Licences{Intune: true, EntraP1: true, Defender: true},
		Groups:   map[string]baseline.Group{}, Accounts: map[string]baseline.Account{},
		Settings: baseline.Raw{"settings": map[string]any{"secureByDefault": false}},
	}
	for _, name := range []string{"Curfew pilot", "Kiosks", "Emergency", "Help desk"} {
		s.Groups[name] = baseline.Group{ID: "id of " + name, Name: name}
	}
	for _, name := range spec.Emergency.Accounts {
		a := baseline.Account{Enabled: rapid.Bool().Draw(t, "enabled"), Synced: rapid.Bool().Draw(t, "synced")}
		if rapid.Bool().Draw(t, "there") {
			a.ID = "id of " + name
		}
		s.Accounts[name] = a
	}
	for i, key := range []string{"access/pilot", "access/all", "access/mobile/pilot", "access/mobile/all", "access/desktop/pilot", "access/desktop/all"} {
		if !rapid.Bool().Draw(t, key) {
			continue
		}
		s.Access = append(s.Access, baseline.Raw{
			"id": fmt.Sprint(i), "displayName": "x " + baseline.Mark(key), "state": anyState.Draw(t, "state"),
			"conditions":    map[string]any{"users": map[string]any{"excludeUsers": []any{}, "includeUsers": []any{"All"}}},
			"grantControls": map[string]any{"operator": "OR", "builtInControls": []any{rapid.SampledFrom([]string{"compliantDevice", "approvedApplication", "tomorrow"}).Draw(t, "control")}},
		})
	}
	return s
}
