package main

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

// only is a condition that is what it is.
type only struct {
	yes bool
	err error
}

func (o only) Holds(events.Device) (bool, error) { return o.yes, o.err }

// TestWaitsSayWhatComesNext for cases in every state.
func TestWaitsSayWhatComesNext(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	mail := []events.Order{{Action: events.Mail, Template: "threat-found"}}
	rules := &events.Policies{List: []events.Policy{{
		Name: "threat", When: only{yes: true}, Grace: 24 * time.Hour, ClearFor: time.Hour, InvestigationCap: 4 * time.Hour,
		Ladder: []events.Rung{
			{Do: mail},
			{After: 2 * time.Hour, If: only{}, Do: []events.Order{{Action: events.Page, Destination: "oncall"}}},
			{After: time.Hour, If: only{err: errors.New("unclear")}, WaitsInvestigation: true, Do: []events.Order{{Action: events.Scan, Kind: "full"}, {Action: events.Ticket, Destination: "desk"}}},
			{After: time.Hour, Do: []events.Order{{Action: events.Reset}}},
		},
	}}}
	open := events.Case{Open: true, Policy: "threat", Rung: 1, Opened: start, Since: at(1), Told: at(1), WakeAt: at(2)}
	with := func(change func(c *events.Case)) events.Case {
		c := open
		change(&c)
		return c
	}
	task := func(change func(t *events.Task)) []events.Task {
		t := events.Task{ID: "t/d/7-ticket", N: 7, Order: events.Order{Action: events.Ticket, Destination: "desk"}, Rung: 2, Next: at(3)}
		change(&t)
		return []events.Task{t}
	}
	next := wait{"then rung 3 of 4: full scan and ticket to desk, at the earliest", at(3)}

	for _, c := range []struct {
		name string
		c    events.Case
		want []wait
	}{
		{"at rest", events.Case{}, nil},
		{"a rung whose condition does not hold is passed over, but its time counts", open,
			[]wait{{"rung 3 of 4: full scan and ticket to desk", at(3)}}},
		{"due", with(func(c *events.Case) { c.Since = at(-2) }),
			[]wait{{"rung 3 of 4: full scan and ticket to desk, which is due", at(0)}}},
		{"Defender investigates", with(func(c *events.Case) { c.Device.Alerts = []events.Alert{{Status: "new", Investigation: "running"}} }),
			[]wait{{"rung 3 of 4: full scan and ticket to desk, earlier if Defender's investigation ends", at(6)}}},
		{"the reset waits for the grace", with(func(c *events.Case) { c.Rung = 3 }), []wait{{"rung 4 of 4: reset", at(25)}}},
		{"the reset of a user who was not told", with(func(c *events.Case) { c.Rung, c.Told = 3, time.Time{} }),
			[]wait{{"rung 4 of 4: reset, which cannot come: the user was not told", time.Time{}}}},
		{"the reset waits for a decision", with(func(c *events.Case) {
			c.Rung, c.Device.Alerts = 3, []events.Alert{{Status: "new", Investigation: "pendingApproval"}}
		}), []wait{{"rung 4 of 4: reset, but first a decision in Defender's Action center", time.Time{}}}},
		{"the ladder has ended", with(func(c *events.Case) { c.Rung = 4 }), []wait{{"the device to be healthy: the ladder has ended", time.Time{}}}},
		{"rules that are gone", with(func(c *events.Case) { c.Policy = "old" }),
			[]wait{{"the next rung, or the next look (name the configuration with -c to know more)", at(2)}}},
		{"a person", with(func(c *events.Case) { c.Policy, c.Attention = "", []string{"two devices have this id"} }),
			[]wait{{"a person: two devices have this id", time.Time{}}}},
		{"acknowledged", with(func(c *events.Case) { c.Hold = &events.Hold{By: "jo", Until: at(5), Reason: "on it"} }),
			[]wait{{"the end of the hold by jo: on it, then a look", at(5)}}},
		{"clearing", with(func(c *events.Case) { c.Clearing = at(1) }), []wait{{"health to last: seen healthy, and closes if it still is", at(2)}}},
		{"not proven", with(func(c *events.Case) { c.Rung, c.Unproven = 4, []string{"malware is active", "alerts are open"} }),
			[]wait{{"proof of health: malware is active; alerts are open", time.Time{}}, {"the device to be healthy: the ladder has ended", time.Time{}}}},

		{"queued", with(func(c *events.Case) { c.Pending = task(func(t *events.Task) { t.Out = true }) }),
			[]wait{{"ticket to desk: in the queue", time.Time{}}, next}},
		{"under way", with(func(c *events.Case) {
			c.Pending = task(func(t *events.Task) { t.Out, t.Begun = true, &events.Attempt{} })
		}), []wait{{"ticket to desk: under way", time.Time{}}, next}},
		{"put off", with(func(c *events.Case) { c.Pending = task(func(t *events.Task) { t.Tries, t.Why = 3, "503" }) }),
			[]wait{{"ticket to desk: put off, 3 times so far: 503", at(3)}, next}},
		{"unsure", with(func(c *events.Case) {
			c.Pending = task(func(t *events.Task) { t.Tries, t.Why, t.Unsure = 1, "504", true })
		}), []wait{{"ticket to desk: it may have been done already; finding out: 504", at(3)}, next}},
		{"accepted", with(func(c *events.Case) {
			c.Pending = task(func(t *events.Task) { t.Accepted = &events.Progress{Receipt: "R1"} })
		}), []wait{{"ticket to desk: accepted as R1 but not yet done, asked again", at(3)}, next}},
		{"held by a gate", with(func(c *events.Case) {
			c.Pending = task(func(t *events.Task) { t.Held = &events.Holding{Gate: "budget", Reason: "used up", Since: at(1)} })
		}), []wait{{"ticket to desk: held by budget since 2026-03-02T10:00:00Z: used up; tried again", at(3)}, next}},
		{"to be approved", with(func(c *events.Case) {
			c.Pending = task(func(t *events.Task) { t.Needs, t.Approvals = 2, []events.Approval{{By: "kim"}} })
		}), []wait{{"ticket to desk: needs approval, 1 of 2 given", time.Time{}}, next}},
		{"behind another", with(func(c *events.Case) { c.Pending = task(func(t *events.Task) { t.After = "t/d/5-ticket" }) }),
			[]wait{{"ticket to desk: comes after ticket #5", time.Time{}}, next}},
		{"closing", events.Case{Pending: task(func(t *events.Task) { t.Action, t.Rung, t.Out = events.Close, 0, true })},
			[]wait{{"close to desk: in the queue", time.Time{}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, house{rules: rules}.waits(c.c, at(1))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTheCoreAgrees that the rung comes when waits says so.
func TestTheCoreAgrees(t *testing.T) {
	inWard(t, func(w *ward) {
		h := house{rules: &w.rules}
		p := w.admit(contoso, "d1", "PC-001", "ed@contoso.example")
		p.d.Threat = "highSeverity"
		p.look()
		p.done(events.Mail, "", "")
		for range 2 {
			var due time.Time
			for _, wait := range h.waits(p.settled(), time.Now()) {
				due = latest(due, wait.Until)
			}
			rung := p.settled().Rung
			time.Sleep(time.Until(due) - time.Second)
			p.look()
			if got := p.settled().Rung; got != rung {
				t.Fatalf("rung %d came before %v", got, due)
			}
			time.Sleep(2 * time.Second)
			if p.look(); p.settled().Rung != rung+1 {
				t.Fatalf("rung %d did not come at %v", rung+1, due)
			}
			for _, task := range p.settled().Pending {
				if task.Rung > 0 {
					p.done(task.Action, "", "")
				}
			}
		}
	})
}

// TestEnds are understood as people mean them.
func TestEnds(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(t, err)
	now := time.Date(2026, 3, 28, 23, 30, 0, 500, berlin) // the night in which clocks go forward
	for _, c := range []struct {
		end  end
		want string
	}{
		{end{wait: "90m"}, "2026-03-29T00:00:00Z"},
		{end{wait: "1d"}, "2026-03-29T22:30:00Z"},
		{end{until: "23:45"}, "2026-03-28T22:45:00Z"},
		{end{until: "18:00"}, "2026-03-29T16:00:00Z"},
		{end{until: "2026-03-30"}, "2026-03-29T22:00:00Z"},
		{end{until: "2026-03-30 18:00"}, "2026-03-30T16:00:00Z"},
		{end{until: "2026-03-30T18:00:00-05:00"}, "2026-03-30T23:00:00Z"},
		{end{}, "0001-01-01T00:00:00Z"},
	} {
		got, err := c.end.time(now, berlin)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%+v: %v, %v; want %s", c.end, got, err, c.want)
		}
	}
	for _, bad := range []end{{wait: "0"}, {wait: "1.5h"}, {until: "25:00"}, {until: "2026-13-01"}, {until: "2026-03-28"}, {wait: "31d"}, {until: "tomorrow"}} {
		if got, err := bad.time(now, berlin); codeOf(t.Context(), err) != exitWrong {
			t.Errorf("%+v is taken for %v", bad, got)
		}
	}
}

// TestTimesAreReadable from near and far.
func TestTimesAreReadable(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	p := &printer{now: now, zone: time.UTC}
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{now, "12:00:00 (now)"},
		{now.Add(-45 * time.Second), "11:59:15 (45s ago)"},
		{now.Add(90 * time.Second), "12:01:30 (in 1m30s)"},
		{now.Add(-3 * time.Hour), "09:00:00 (3h ago)"},
		{now.Add(26*time.Hour + 59*time.Minute), "Tue 3 Mar 14:59 (in 1d2h)"},
		{now.AddDate(0, 0, -40), "Wed 21 Jan 12:00 (40d ago)"},
		{now.AddDate(-1, 0, 0), "2 Mar 2025 12:00 (365d ago)"},
	} {
		if got := p.when(c.at); got != c.want {
			t.Errorf("%v is %q, want %q", c.at, got, c.want)
		}
	}
	if got := size(1023) + size(1024) + size(5<<30); got != "1023 B1.0 KiB5.0 GiB" {
		t.Error(got)
	}
}
