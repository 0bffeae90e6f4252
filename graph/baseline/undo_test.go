package baseline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

func (w *world) undo() (*baseline.Run, error) {
	return baseline.Undo(w.t.Context(), w.api, *w.runs.last(), baseline.Options{By: "ana", Log: &w.runs})
}

// inventory is all that a baseline is about, without what changes by itself.
func (w *world) inventory() string {
	all := map[string]any{"settings": w.tenant.DeviceSettings()}
	for _, c := range []string{graphtest.Templates, graphtest.CompliancePolicies, graphtest.IOSProtections, graphtest.AndroidProtections, graphtest.AccessPolicies} {
		objects := w.tenant.Placed(c)
		for _, o := range objects {
			delete(o, "modifiedDateTime")
			for _, key := range []string{"localizedNotificationMessages", "assignments"} {
				list, _ := o[key].([]any)
				for _, m := range list {
					delete(m.(map[string]any), "lastModifiedDateTime")
					delete(m.(map[string]any), "id")
				}
			}
		}
		all[c] = objects
	}
	return brief(all)
}

// TestUndoRestores each stage, from the last back to the empty tenant.
func TestUndoRestores(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		var before []string
		var runs []baseline.Run
		for _, stage := range baseline.Stages() {
			before = append(before, w.inventory())
			w.reach(stage)
			runs = append(runs, *w.runs.last())
		}
		for i, run := range slices.Backward(runs) {
			if _, err := baseline.Undo(t.Context(), w.api, run, baseline.Options{By: "ana", Log: &w.runs}); err != nil {
				t.Fatalf("%v: %v", run.Stage, err)
			}
			if after := w.inventory(); after != before[i] {
				t.Errorf("%v: restored to\n%s\nwant\n%s", run.Stage, after, before[i])
			}
		}
	})
}

// TestUndoOfHalf takes back a run that broke off anywhere.
func TestUndoOfHalf(t *testing.T) {
	for at, more := 1, true; more; at++ {
		story(t, func(t *testing.T, w *world) {
			w.small()
			before := w.inventory()
			w.api.at, w.api.after = at, true
			_, err := w.apply(w.plan(baseline.PilotReport))
			if more = err != nil; !more {
				return
			}
			w.api.at = 0
			if _, err := w.undo(); err != nil && !strings.Contains(err.Error(), "nothing of it left") {
				t.Fatalf("write %d: %v", at, err)
			}
			if after := w.inventory(); after != before {
				t.Errorf("write %d: restored to\n%s\nwant\n%s", at, after, before)
			}
		})
	}
}

func TestUndoOfWhatWasChangedSince(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.reach(baseline.PilotReport)
		w.tenant.Alter(graphtest.CompliancePolicies, w.find(graphtest.CompliancePolicies, "compliance/ios"), func(o map[string]any) { o["displayName"] = "Mine now" })
		before := w.inventory()
		if _, err := w.undo(); !errors.Is(err, baseline.ErrMoved) || !strings.Contains(err.Error(), "compliance/ios has changed since (displayName)") {
			t.Fatal(err)
		}
		if after := w.inventory(); after != before {
			t.Error("something was taken back all the same")
		}
	})
}

// TestASecondAdministrator: writes of compliance policies wait for approval, also
// across a run that was interrupted while it waited.
func TestASecondAdministrator(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.tenant.RequireApprovalOf("compliancePolicy")
		w.spec.Compliance.Policies = map[baseline.Platform]baseline.CompliancePolicy{baseline.Windows: w.spec.Compliance.Policies[baseline.Windows]}
		p := w.plan(baseline.PilotReport)
		apply := func(ctx context.Context) error {
			_, err := baseline.Apply(ctx, w.api, p, baseline.Options{
				By: "ana", Log: &w.runs, Previous: w.runs.last(), Approvals: admin{w.client}, Progress: func(e baseline.Event) { w.events = append(w.events, e) },
			})
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := apply(ctx); err == nil || !strings.Contains(err.Error(), "still waits") {
			t.Fatal(err)
		}
		asked := w.tenant.Approvals()
		if len(asked) != 1 || !strings.Contains(asked[0].Justification, "Risk: Windows, asked for by ana") || len(w.tenant.Placed(graphtest.CompliancePolicies)) != 0 {
			t.Fatalf("%+v", asked)
		}
		done := make(chan error)
		go func() { done <- apply(t.Context()) }()
		for _, status := range []string{"created", "assigned"} {
			time.Sleep(time.Hour)
			all := w.tenant.Approvals()
			last := all[len(all)-1]
			if last.Status != "needsApproval" {
				t.Fatalf("%s: %+v", status, all)
			}
			w.tenant.Approve(last.Code)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := len(w.tenant.Approvals()); n != 2 {
			t.Errorf("%d requests were filed", n)
		}
		w.done(baseline.PilotReport)
	})
}

type admin struct{ *graph.Client }

func (a admin) State(ctx context.Context, code string) (approved, open bool, said string, err error) {
	s, _, err := a.ApprovalState(ctx, code)
	return s == graph.Approved, s.Open(), string(s), err
}

func (a admin) Find(ctx context.Context, begins string) (string, error) {
	return a.FindApproval(ctx, begins)
}

// TestUndoLocksNobodyOut: what would take the last emergency account out of a policy
// that is not off stays, and is said.
func TestUndoLocksNobodyOut(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.spec.Access.Variant = "one"
		id := w.tenant.Place(graphtest.AccessPolicies, handMade("enabled"))
		w.spec.Adopt = map[string]string{"access/pilot": id}
		w.reach(baseline.PilotReport)
		_, err := w.undo()
		if err == nil || !strings.Contains(err.Error(), "it excludes no emergency account") {
			t.Fatal(err)
		}
		for _, p := range w.tenant.Placed(graphtest.AccessPolicies) {
			if text(p, "id") == id && text(p, "state") == "enabled" {
				t.Errorf("it was put back: %s", brief(p))
			}
		}
	})
}
