package drift_test

import (
	"strings"
	"testing"

	"curfew/graph/baseline"
	"curfew/graph/baseline/drift"
)

func step(key string, action baseline.Action, changes ...baseline.Change) baseline.Step {
	return baseline.Step{Object: baseline.Object{Key: key, Name: "Risk: " + key, Kind: baseline.KindCompliance}, Action: action, ID: "id-" + key, Changes: changes}
}

func plan(steps ...baseline.Step) *baseline.Plan { return &baseline.Plan{Steps: steps} }

func TestWhatIsAsItShouldBeIsNoDrift(t *testing.T) {
	d := drift.Of(plan(step("compliance/windows", baseline.Nothing)))
	if !d.None() || d.Digest() != "" {
		t.Errorf("%+v, %q", d, d.Digest())
	}
}

func TestTheSameDriftHasTheSameDigest(t *testing.T) {
	level := baseline.Change{Path: "deviceThreatProtectionRequiredSecurityLevel", From: "high", To: "low"}
	a := drift.Of(plan(step("compliance/windows", baseline.Update, level), step("compliance/ios", baseline.Nothing)))
	b := drift.Of(plan(step("compliance/windows", baseline.Update, level)))
	level.From = "medium"
	c := drift.Of(plan(step("compliance/windows", baseline.Update, level)))
	if a.Digest() != b.Digest() || a.Digest() == c.Digest() || a.Digest() == "" {
		t.Errorf("%q, %q, %q", a.Digest(), b.Digest(), c.Digest())
	}
}

func TestWhatDriftedIsSaid(t *testing.T) {
	p := plan(
		step("compliance/windows", baseline.Update, baseline.Change{Path: "level", From: "high", To: "low"}),
		step("access/pilot", baseline.Create),
	)
	p.Notes = []baseline.Note{{About: "connector", Text: "403", Blocks: true}, {About: "access", Text: "only said"}}
	d := drift.Of(p)
	got := d.Text([]string{"28 Nov 10:00 UTC mo updated the compliance policy"})
	for _, want := range []string{"compliance/windows (level is high, not low)", "access/pilot is gone", "not known: connector: 403", "edited: 28 Nov 10:00 UTC mo"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q: %s", want, got)
		}
	}
	if strings.Contains(got, "only said") {
		t.Errorf("a remark is no drift: %s", got)
	}
	if !d.Concerns("Risk: compliance/windows [curfew:compliance/windows]") || d.Concerns("Something else") || d.Concerns("") {
		t.Error("edits are not told apart")
	}
}

func TestMuchDriftIsSaidInLittleRoom(t *testing.T) {
	var steps []baseline.Step
	for range 40 {
		steps = append(steps, step("compliance/x", baseline.Update, baseline.Change{Path: "a", From: strings.Repeat("ü", 5000), To: 1}))
	}
	if got := drift.Of(plan(steps...)).Text(nil); len(got) > 2000 || !strings.Contains(got, "and 34 more") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
