package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A wait is one thing that a case waits for.
type wait struct {
	For   string    `json:"for"`
	Until time.Time `json:"until,omitzero"` // when it is due, or asked for again; zero: not by time alone
}

// waits says what a case waits for, what a person should know first. A case at
// rest waits for nothing.
func (h house) waits(c events.Case, now time.Time) []wait {
	var out []wait
	add := func(until time.Time, format string, args ...any) {
		out = append(out, wait{fmt.Sprintf(format, args...), until})
	}
	look, others := split(c.Pending)
	if !c.Open {
		return append(taskWaits(c, others, out), taskWaits(c, look, nil)...)
	}
	if c.Hold != nil {
		add(c.Hold.Until, "the end of the hold by %s%s, then a look", c.Hold.By, prefixed(": ", c.Hold.Reason))
	}
	for _, why := range c.Attention {
		add(time.Time{}, "a person: %s", why)
	}
	if !c.Clearing.IsZero() {
		add(h.clearedAt(c), "health to last: seen healthy, and closes if it still is")
	} else if len(c.Unproven) > 0 {
		add(time.Time{}, "proof of health: %s", strings.Join(c.Unproven, "; "))
	}
	out = taskWaits(c, others, out)
	if c.Hold == nil && c.Clearing.IsZero() && c.Policy != "" {
		out = append(out, h.nextRung(c, now))
	}
	return taskWaits(c, look, out)
}

// split takes the look out of the pending tasks: it is the least news.
func split(pending []events.Task) (look, others []events.Task) {
	for _, t := range pending {
		if t.Action == events.Look {
			look = append(look, t)
		} else {
			others = append(others, t)
		}
	}
	return look, others
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// clearedAt is when the hold-down ends.
func (h house) clearedAt(c events.Case) time.Time {
	if p := h.policy(c); p != nil {
		return c.Clearing.Add(p.ClearFor)
	}
	return c.WakeAt
}

// climbing reports whether a rung is being done.
func climbing(c events.Case) bool {
	return slices.ContainsFunc(c.Pending, func(t events.Task) bool { return t.Rung > 0 })
}

func taskWaits(c events.Case, tasks []events.Task, out []wait) []wait {
	for _, t := range tasks {
		status, until := taskStatus(c, t)
		out = append(out, wait{orderText(t.Order) + ": " + status, until})
	}
	return out
}

// taskStatus says how far a pending task has come, and when the case asks again.
func taskStatus(c events.Case, t events.Task) (string, time.Time) {
	switch {
	case t.After != "":
		return "comes after " + number(t.After), time.Time{}
	case t.Accepted != nil && t.Out:
		return "accepted" + prefixed(" as ", t.Accepted.Receipt) + " but not yet done, being asked again", time.Time{}
	case t.Accepted != nil:
		return "accepted" + prefixed(" as ", t.Accepted.Receipt) + " but not yet done, asked again", t.Next
	case t.Unsure:
		return "it may have been done already; finding out" + prefixed(": ", t.Why), t.Next
	case t.Out && t.Begun != nil:
		return "under way", time.Time{}
	case t.Out:
		return "in the queue", time.Time{}
	case t.Held != nil:
		return fmt.Sprintf("held by %s since %s: %s; tried again", t.Held.Gate, t.Held.Since.UTC().Format(time.RFC3339), t.Held.Reason), t.Next
	case t.Needs > len(t.Approvals):
		return fmt.Sprintf("needs approval, %d of %d given", len(t.Approvals), t.Needs), time.Time{}
	case t.Tries > 0:
		return fmt.Sprintf("put off, %s so far%s", times(t.Tries), prefixed(": ", t.Why)), t.Next
	case c.Hold != nil:
		return "held back by the hold", c.Hold.Until
	case c.Woken != nil:
		return "held back until the device was looked at: the hold by " + c.Woken.By + " has ended", time.Time{}
	}
	return "held back until it is due", t.Next
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// number is a task's number, from its id.
func number(id string) string {
	last := id[strings.LastIndexByte(id, '/')+1:]
	n, action, ok := strings.Cut(last, "-")
	if !ok {
		return last
	}
	return action + " #" + n
}

// nextRung says which rung comes next if nothing changes, and when.
func (h house) nextRung(c events.Case, now time.Time) wait {
	p := h.policy(c)
	if p == nil {
		return wait{"the next rung, or the next look (name the configuration with -c to know more)", c.WakeAt}
	}
	var due time.Time
	since := c.Since
	if climbing(c) {
		since = now.UTC() // if it were done now
	}
	for i := c.Rung; i < len(p.Ladder); i++ {
		r := p.Ladder[i]
		name := fmt.Sprintf("rung %d of %d: %s", i+1, len(p.Ladder), rungText(r))
		if climbing(c) {
			name = "then " + name + ", at the earliest"
		}
		at := since.Add(r.After)
		if r.Destructive() {
			if c.Told.IsZero() {
				return wait{name + ", which cannot come: the user was not told", time.Time{}}
			}
			if c.Device.AwaitsActionCenter() {
				return wait{name + ", but first a decision in Defender's Action center", time.Time{}}
			}
			at = latest(at, c.Told.Add(p.Grace))
		}
		if r.WaitsInvestigation && (c.Device.Investigating() || c.Device.AwaitsActionCenter()) {
			name += ", earlier if Defender's investigation ends"
			at = at.Add(p.InvestigationCap)
		}
		due = latest(due, at)
		if r.If != nil {
			if ok, err := r.If.Holds(c.Device); err == nil && !ok {
				continue // it will be passed over if the device stays as it is
			}
		}
		if !due.After(now) && !climbing(c) {
			name += ", which is due"
		}
		return wait{name, due}
	}
	return wait{"the device to be healthy: the ladder has ended", time.Time{}}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rungText is what a rung does, in a few words.
func rungText(r events.Rung) string {
	var parts []string
	for _, o := range r.Do {
		parts = append(parts, orderText(o))
	}
	return strings.Join(parts, " and ")
}

// orderText is an order in a few words.
func orderText(o events.Order) string {
	switch {
	case o.Destination != "":
		return string(o.Action) + " to " + o.Destination
	case o.Template != "":
		return string(o.Action) + " " + o.Template
	case o.Kind != "":
		return o.Kind + " " + string(o.Action)
	}
	return string(o.Action)
}

// rungOf is "2 of 4", or "2" where the rules are not known.
func (h house) rungOf(c events.Case) string {
	if p := h.policy(c); p != nil {
		return fmt.Sprintf("%d/%d", c.Rung, len(p.Ladder))
	}
	return fmt.Sprint(c.Rung)
}
