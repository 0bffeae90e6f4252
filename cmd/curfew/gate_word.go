package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
)

// aboutTasks is said by every command that takes a task.
const aboutTasks = `TASK is a task's id, as "curfew held list --json" gives it, or a device of which
only one task is held: its name, id, serial number, or TENANT/DEVICE.`

func newHeldReleaseCmd(a *app) *cobra.Command {
	var all bool
	var tenant string
	cmd := &cobra.Command{
		Use:   "release [TASK...]",
		Short: "Let a held task through, once, on your own word",
		Long: `Let a task through although the budget is used up, or although a check before it
has no answer. It still takes its place in the budget, and passes every other
gate. A task that a pause or a breaker holds is only asked about again, at once:
lift the pause with "curfew resume", or close the case of the tenant ("curfew
close TENANT/tenant"). Nothing lets a protected device through. What waits for
people is for "curfew approve".

` + aboutTasks,
		Args:    cobra.ArbitraryArgs,
		Example: "  curfew held release LT-042\n  curfew held release --all --tenant contoso",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.aboutHeld(cmd.Context(), args, all, tenant, release)
		},
	}
	allFlags(cmd, a, &all, &tenant)
	return cmd
}

func newHeldCancelCmd(a *app) *cobra.Command {
	var all bool
	var tenant, reason string
	cmd := &cobra.Command{
		Use:   "cancel [TASK...]",
		Short: "Call a held task off: it is not done",
		Long: `Call a held task off. It is given up and not done; the case goes on, and
"curfew retry" brings the task back.

` + aboutTasks,
		Args:    cobra.ArbitraryArgs,
		Example: "  curfew held cancel LT-042 --reason \"the device is in the lab\"\n  curfew held cancel --all --tenant contoso -m \"false alarm\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := checkText("--reason", reason)
			if err != nil {
				return err
			}
			return a.aboutHeld(cmd.Context(), args, all, tenant, func(who string) speech { return callOff(who, text) })
		},
	}
	allFlags(cmd, a, &all, &tenant)
	reasonFlag(cmd, &reason)
	return cmd
}

func allFlags(cmd *cobra.Command, a *app, all *bool, tenant *string) {
	cmd.Flags().BoolVar(all, "all", false, "every one that is held in the tenant")
	cmd.Flags().StringVar(tenant, "tenant", "", "of --all: the tenant, by `NAME` or id")
	cmd.MarkFlagsRequiredTogether("all", "tenant")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
}

// A speech is what a person says about tasks.
type speech struct {
	fits   func(events.Task) bool // which can be meant
	refuse func(h heldTask) error
	fact   func(events.Task) events.Fact
	heard  func(now events.Case, t events.Task) bool
	said   func(now events.Case, t events.Task) string
}

// pending finds a task in a case as it is now.
func pendingTask(c events.Case, id string) (events.Task, bool) {
	i := slices.IndexFunc(c.Pending, func(t events.Task) bool { return t.ID == id })
	if i < 0 {
		return events.Task{}, false
	}
	return c.Pending[i], true
}

func release(who string) speech {
	return speech{
		fits: isHeld,
		refuse: func(h heldTask) error {
			gateName, reason := h.why()
			switch {
			case gateName == gate.GateApproval && lacksApproval(h.t):
				return errors.New("it waits for people to approve it: `curfew approve`")
			case gateName == gate.GateProtected:
				return fmt.Errorf("nobody's word lets it through: %s", reason)
			case h.t.Released == gateName+" by "+who:
				return errors.New("you have released it already")
			}
			return nil
		},
		fact: func(t events.Task) events.Fact { return events.Released{Task: t.ID, By: who} },
		heard: func(now events.Case, t events.Task) bool {
			is, ok := pendingTask(now, t.ID)
			return !ok || is.Released != t.Released
		},
		said: func(_ events.Case, t events.Task) string {
			if t.Held != nil && !gate.Opens(t.Held.Gate) {
				return fmt.Sprintf("%s is tried again at once; the %s that held it still holds it, if it is not over", orderText(t.Order), t.Held.Gate)
			}
			return orderText(t.Order) + " is let through, once; every other gate is still asked"
		},
	}
}

func callOff(who, reason string) speech {
	return speech{
		fits:   isHeld,
		refuse: begun,
		fact:   func(t events.Task) events.Fact { return events.Cancelled{Task: t.ID, By: who, Reason: reason} },
		heard:  gone,
		said: func(_ events.Case, t events.Task) string {
			return orderText(t.Order) + " is called off; `curfew retry` brings it back"
		},
	}
}

// begun refuses what is under way: nobody can say any more that it is not done.
func begun(h heldTask) error {
	if h.t.Begun != nil {
		return errors.New("it is being tried just now; say it again in a moment, if it is still held then")
	}
	return nil
}

func gone(now events.Case, t events.Task) bool {
	_, there := pendingTask(now, t.ID)
	return !there
}

// aboutHeld says something about held tasks, those that refs name or all of a tenant.
func (a *app) aboutHeld(ctx context.Context, refs []string, all bool, tenant string, say func(who string) speech) error {
	if all == (len(refs) > 0) {
		return wrong(errors.New("name the tasks or devices, or --all with --tenant"))
	}
	return a.withQueue(ctx, func(q *queue) error {
		who, err := a.person(q.house)
		if err != nil {
			return err
		}
		s := say(who)
		if !all {
			return a.aboutTasks(ctx, q, refs, s)
		}
		id, err := q.knownTenant(tenant)
		if err != nil {
			return err
		}
		return a.aboutAll(ctx, q, id, s)
	})
}

// aboutTasks says it of each task that refs name.
func (a *app) aboutTasks(ctx context.Context, q *queue, refs []string, s speech) error {
	var found []heldTask
	for _, ref := range refs {
		h, err := q.task(ctx, ref, s.fits)
		if err != nil {
			return err // nothing is done before it is clear to what
		}
		found = append(found, h)
	}
	o := &operator{a: a, q: q, p: a.printer()}
	var errs []error
	for _, h := range found {
		errs = append(errs, o.say(ctx, h.c, word{
			refuse: func(events.Case) error { return s.refuse(h) },
			fact:   func(events.Case) events.Fact { return s.fact(h.t) },
			heard:  func(now, _ events.Case) bool { return s.heard(now, h.t) },
			said:   func(now events.Case) string { return s.said(now, h.t) },
		}))
	}
	return errors.Join(append(errs, o.p.flush())...)
}

// aboutAll says it of every held task of a tenant of which it can be said.
func (a *app) aboutAll(ctx context.Context, q *queue, tenant string, s speech) error {
	found, unreadable := q.heldTasks(ctx, tenant)
	var entries []journal.Entry
	left := map[string]int{}
	for _, h := range found {
		if err := s.refuse(h); err != nil {
			gateName, _ := h.why()
			left[gateName]++
			continue
		}
		entries = append(entries, journal.Entry{Key: h.c.Key, Fact: s.fact(h.t)})
	}
	if err := q.AppendAll(ctx, entries); err != nil {
		return fmt.Errorf("%w; how many were recorded is not known: look with `curfew held list`, then say it again", err)
	}
	p := a.printer()
	p.printf("Recorded for %s of %s.\n", count(len(entries), "held task"), q.tenant(tenant))
	for _, name := range slices.Sorted(maps.Keys(left)) {
		p.printf("Left alone: %d held by %s.\n", left[name], name)
	}
	return errors.Join(p.flush(), unreadable)
}

// task finds the one task that a ref means.
func (q *queue) task(ctx context.Context, ref string, fits func(events.Task) bool) (heldTask, error) {
	if parts := strings.Split(ref, "/"); len(parts) == 3 {
		k := events.Key{Tenant: q.tenantID(parts[0]), Device: parts[1]}
		c, _, err := q.Case(ctx, k)
		if err != nil {
			return heldTask{}, wrong(err)
		}
		t, ok := pendingTask(c, k.String()+"/"+parts[2])
		switch {
		case !ok:
			return heldTask{}, notFound(fmt.Errorf("no task %s is pending; it was done, or called off", ref))
		case !fits(t):
			return heldTask{}, fmt.Errorf("%s: %s is not held: %s", deviceName(c), orderText(t.Order), statusOf(c, t))
		}
		return heldTask{c, t}, nil
	}
	found, err := q.find(ctx, ref)
	if err != nil {
		return heldTask{}, err
	}
	c := found[0]
	var fit []heldTask
	var ids []string
	for _, t := range c.Pending {
		if fits(t) {
			fit, ids = append(fit, heldTask{c, t}), append(ids, t.ID)
		}
	}
	switch len(fit) {
	case 1:
		return fit[0], nil
	case 0:
		return heldTask{}, notFound(fmt.Errorf("%s: it has no such task; `curfew case %s` says what it waits for", deviceName(c), q.ref(c)))
	}
	return heldTask{}, wrong(fmt.Errorf("%s has %d such tasks; say which: %s", deviceName(c), len(fit), strings.Join(ids, ", ")))
}

func statusOf(c events.Case, t events.Task) string {
	text, _ := taskStatus(c, t)
	return text
}
