package events_test

import (
	"testing"
	"time"

	"curfew/events"
)

// TestStages: a task is as far as it is known to have come, and no further.
func TestStages(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for want, task := range map[events.Stage]events.Task{
		events.Planned:   {},
		events.OnHold:    {Held: &events.Holding{Gate: "budget"}},
		events.Consented: {Needs: 1, Approvals: []events.Approval{{By: "ana"}}},
		events.Underway:  {Begun: &events.Attempt{ID: "a"}},
		events.TakenOn:   {Begun: &events.Attempt{ID: "a"}, Accepted: &events.Progress{At: now}},
		events.Running:   {Accepted: &events.Progress{At: now, Running: true}},
		events.Unknown:   {Unsure: true, Begun: &events.Attempt{ID: "a"}},
	} {
		if got := task.Stage(); got != want {
			t.Errorf("%+v is %s, want %s", task, got, want)
		}
	}
}

// TestHowAnActEnds: what a reset that somebody asked for came to, by the fact that
// ended it. None of them is verified: only a look says that.
func TestHowAnActEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(task string) events.Fact
		want events.Stage
	}{
		"done":       {func(id string) events.Fact { return events.Done{Task: id} }, events.ProviderDone},
		"dry run":    {func(id string) events.Fact { return events.Done{Task: id, Dry: true} }, events.Pretended},
		"given up":   {func(id string) events.Fact { return events.Failed{Task: id, Reason: "notSupported"} }, events.GaveUp},
		"too long":   {func(id string) events.Fact { return events.Failed{Task: id, Stage: events.TimedOut} }, events.TimedOut},
		"nobody can": {func(id string) events.Fact { return events.Failed{Task: id, Stage: events.Unknown} }, events.Unknown},
		"made up":    {func(id string) events.Fact { return events.Failed{Task: id, Stage: events.Verified} }, events.GaveUp},
		"declined":   {func(id string) events.Fact { return events.Declined{Task: id, By: "an administrator"} }, events.CalledOff},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(twoPeople)
			say := func(after time.Duration, f events.Fact) {
				t.Helper()
				w.now = w.now.Add(after)
				if bad := w.step(f); bad != "" {
					t.Fatal(bad)
				}
			}
			find := func(a events.Action) string {
				for _, task := range w.c.Pending {
					if task.Action == a {
						return task.ID
					}
				}
				t.Fatalf("no %s among %+v", a, w.c.Pending)
				return ""
			}
			w.d.Threat = "highSeverity"
			say(0, w.sight(""))
			say(time.Minute, events.Done{Task: find(events.Mail)})
			say(25*time.Hour, events.Rang{})
			say(0, w.sight(""))
			reset := find(events.Reset)
			for _, by := range []string{"ana", "ben"} {
				w.given[reset+by] = consent{w.now, w.d.Risk()}
				say(0, events.Approved{Task: reset, By: by})
			}
			say(time.Minute, events.Begun{Task: reset, Attempt: "one"})
			say(time.Minute, c.end(reset))
			acts := w.c.Stages()
			if len(acts) != 1 || acts[0].Stage != c.want || acts[0].Task != reset {
				t.Errorf("it ended as %+v, want %s", acts, c.want)
			}
		})
	}
}
