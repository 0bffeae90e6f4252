package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"curfew/events"
)

// The budgets.
const (
	BudgetReset    = "reset"
	BudgetRetire   = "retire"
	BudgetWipe     = "wipe"
	BudgetIsolate  = "isolate"
	BudgetFullScan = "full_scan"
)

// BudgetOf is the budget that a task takes a slot of, or "".
func BudgetOf(t events.Task) string {
	switch {
	case t.Action == events.Scan && t.Kind == "full":
		return BudgetFullScan
	case t.Action.Grave():
		return string(t.Action)
	}
	return ""
}

// A Limit is how much of one kind may be done in one tenant.
type Limit struct {
	Count  int           // at most so many …
	Window time.Duration // … within so long, whenever that begins
	Share  float64       // and no more than this part of the tenant's devices, unless that is under one device; 0: whatever part
}

// DefaultLimits are the limits where nobody has said otherwise.
func DefaultLimits() map[string]Limit {
	return map[string]Limit{
		BudgetReset:    {Count: 2, Window: 24 * time.Hour, Share: 0.01},
		BudgetRetire:   {Count: 2, Window: 24 * time.Hour, Share: 0.01},
		BudgetWipe:     {Count: 1, Window: 24 * time.Hour, Share: 0.01},
		BudgetIsolate:  {Count: 5, Window: time.Hour},
		BudgetFullScan: {Count: 50, Window: time.Hour},
	}
}

// Allowed is how many slots there are in a tenant with so many devices. Where
// that is not known, and it would matter, there is one.
func (l Limit) Allowed(devices int, known bool) int {
	switch {
	case l.Count <= 0:
		return 0
	case l.Share <= 0:
		return l.Count
	case !known:
		return 1
	}
	return min(l.Count, max(1, int(l.Share*float64(devices))))
}

// slots is the record of a budget.
type slots struct {
	Slots []slot    `json:"slots,omitempty"` // the oldest first
	Told  time.Time `json:"told,omitzero"`   // when a person was last told that it is used up
}

type slot struct {
	Task    string    `json:"task"`
	Attempt string    `json:"attempt,omitempty"` // that took it, and alone can give it back
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // who released the task beyond the limit
}

// mostSlots bounds the record, and with it what people can release.
const mostSlots = 2000

// prune drops the slots that have left the window.
func (s *slots) prune(l Limit, now time.Time) {
	s.Slots = slices.DeleteFunc(s.Slots, func(x slot) bool { return !now.Before(x.At.Add(l.Window)) })
}

// take takes a slot for an attempt at a task, if the task has none and there is
// one. Else it says when there may be.
func (s *slots) take(task, attempt string, l Limit, allowed int, released string, now time.Time) (ok bool, until time.Time) {
	s.prune(l, now)
	if slices.ContainsFunc(s.Slots, func(x slot) bool { return x.Task == task }) {
		return true, time.Time{}
	}
	if n := len(s.Slots); n >= mostSlots || n >= allowed && released == "" {
		if n == 0 || allowed == 0 {
			return false, now.Add(24 * time.Hour)
		}
		return false, s.Slots[max(0, n-allowed)].At.Add(l.Window)
	}
	s.Slots = append(s.Slots, slot{Task: task, Attempt: attempt, At: now, By: released})
	slices.SortStableFunc(s.Slots, func(a, b slot) int { return cmp.Or(a.At.Compare(b.At)) })
	return true, time.Time{}
}

// give gives back the slot that an attempt at a task took. One that an earlier
// attempt left is for a call that may have been made.
func (s *slots) give(task, attempt string) bool {
	n := len(s.Slots)
	s.Slots = slices.DeleteFunc(s.Slots, func(x slot) bool { return x.Task == task && x.Attempt == attempt })
	return len(s.Slots) < n
}

// attempt is the id of the attempt that is under way.
func attempt(t events.Task) string {
	if t.Begun == nil {
		return ""
	}
	return t.Begun.ID
}

func budgetKey(tenant, budget string) string { return "gate.budget." + budget + "." + tenant }

// limit is the one in force. What is destructive and has none has a strict one.
func (g *Guard) limit(budget string) Limit {
	limits := g.Limits
	if limits == nil {
		limits = DefaultLimits()
	}
	if l, ok := limits[budget]; ok && l.Window > 0 {
		return l
	}
	return Limit{Count: 1, Window: 24 * time.Hour, Share: 0.01}
}

// spend takes a slot for a task, or says why there is none.
func (g *Guard) spend(ctx context.Context, t events.Task, tenant string) (*events.Held, error) {
	budget := BudgetOf(t)
	l := g.limit(budget)
	devices, known, err := g.Fleet.Devices(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("gate: how many devices the tenant has: %w", err)
	}
	allowed, now := l.Allowed(devices, known), time.Now().UTC()
	var ok, tell bool
	var until, told time.Time
	err = change(ctx, g.Store, budgetKey(tenant, budget), func(s *slots) (bool, error) {
		s.prune(l, now)
		had := slices.ContainsFunc(s.Slots, func(x slot) bool { return x.Task == t.ID })
		ok, until = s.take(t.ID, attempt(t), l, allowed, releasedBy(t, GateBudget), now)
		told, tell = s.Told, !ok && !now.Before(s.Told.Add(l.Window))
		return ok && !had, nil
	})
	if err != nil || ok {
		return nil, err
	}
	reason := fmt.Sprintf("the budget of %d %s within %s is used up", allowed, plural(budget), spell(l.Window))
	if !known && l.Share > 0 {
		reason += "; how many devices the tenant has is not known, so no more than one is allowed"
	}
	if tell {
		err = g.tellBudget(ctx, tenant, budget, reason, told, now)
	}
	return held(t, GateBudget, reason, until), err
}

// tellBudget tells a person, once for as long as the window is. What is told first
// and noted after may be told twice, and the tenant's case takes it once.
func (g *Guard) tellBudget(ctx context.Context, tenant, budget, reason string, told, now time.Time) error {
	fact := events.Tripped{Gate: GateBudget, Reason: reason + "; what is over it is held, see `curfew held list`"}
	id := fmt.Sprintf("gate/%s/budget/%s/%d", tenant, budget, told.Unix())
	if err := g.Sink.Append(ctx, events.TenantKey(tenant), fact, id); err != nil {
		return err
	}
	return change(ctx, g.Store, budgetKey(tenant, budget), func(s *slots) (bool, error) {
		if s.Told.After(told) {
			return false, nil
		}
		s.Told = now
		return true, nil
	})
}

// giveBack gives back the slot of an attempt, whose call was not made. If that cannot
// be stored the slot stays taken until it leaves the window.
func (g *Guard) giveBack(ctx context.Context, t events.Task, tenant string) error {
	budget := BudgetOf(t)
	if budget == "" {
		return nil
	}
	return change(ctx, g.Store, budgetKey(tenant, budget), func(s *slots) (bool, error) { return s.give(t.ID, attempt(t)), nil })
}

func plural(budget string) string {
	if budget == BudgetFullScan {
		return "full scans"
	}
	return budget + "s"
}
