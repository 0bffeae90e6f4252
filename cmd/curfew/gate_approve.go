package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
)

func newApproveCmd(a *app) *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "approve DEVICE|TASK",
		Short: "Allow what cannot be taken back, after reading what will be lost",
		Long: `Allow a task that waits for approval. What will be lost is said first; --show says
only that, and approves nothing. Where two have to approve, they must be two
people. An approval is for the device as it is now, is used once, and runs out;
every other gate is still asked. You cannot approve for your own device.

` + aboutTasks,
		Example:           "  curfew approve LT-042 --show\n  curfew approve LT-042",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.approve(cmd.Context(), q, args[0], show) })
		},
	}
	cmd.Flags().BoolVar(&show, "show", false, "only say what approving means")
	return cmd
}

func (a *app) approve(ctx context.Context, q *queue, ref string, show bool) error {
	h, err := q.task(ctx, ref, func(t events.Task) bool { return t.Needs > 0 })
	if err != nil {
		return err
	}
	p := a.printer()
	q.losses(p, h)
	if err := p.flush(); err != nil || show {
		return err
	}
	who, err := a.person(q.house)
	if err != nil {
		return err
	}
	o := &operator{a: a, q: q, who: who, p: p}
	return o.say(ctx, h.c, word{
		refuse: func(events.Case) error { return mayApprove(h, who) },
		fact:   func(events.Case) events.Fact { return events.Approved{Task: h.t.ID, By: who} },
		heard: func(now, _ events.Case) bool {
			t, ok := pendingTask(now, h.t.ID)
			return !ok || approvedBy(t, who) || t.Seal != h.t.Seal
		},
		said: func(now events.Case) string { return q.approval(now, h.t, who) },
	})
}

// mayApprove says why somebody's approval would not count.
func mayApprove(h heldTask, who string) error {
	owner := h.c.Inhabited()
	local, _, _ := strings.Cut(owner.User, "@")
	switch {
	case h.t.Begun != nil:
		return begun(h)
	case owner.User != "" && (strings.EqualFold(who, owner.User) || strings.EqualFold(who, local)):
		return errors.New("this is your own device: somebody else has to approve")
	case approvedBy(h.t, who):
		return errors.New("you have approved it already; a second person has to be another one")
	case !lacksApproval(h.t):
		return errors.New("it has all the approvals that it needs")
	}
	return nil
}

func approvedBy(t events.Task, who string) bool {
	return slices.ContainsFunc(t.Approvals, func(a events.Approval) bool { return strings.EqualFold(a.By, who) })
}

// approval says what came of an approval.
func (q *queue) approval(now events.Case, was events.Task, who string) string {
	t, ok := pendingTask(now, was.ID)
	valid := 24 * time.Hour
	if q.rules != nil && q.rules.Approval > 0 {
		valid = q.rules.Approval
	}
	switch {
	case !ok:
		return "your approval came too late: the task was called off, or is done"
	case !approvedBy(t, who):
		return "your approval is void: the device is not as it was; look at it and decide anew"
	case len(t.Approvals) < t.Needs:
		return fmt.Sprintf("approved, %d of %d; another person has to approve too, within %s", len(t.Approvals), t.Needs, span(valid))
	}
	return fmt.Sprintf("approved, %d of %d; the %s goes on as soon as every other gate lets it, within %s", len(t.Approvals), t.Needs, orderText(t.Order), span(valid))
}

// losses says what approving means.
func (q *queue) losses(p *printer, h heldTask) {
	d := h.c.Inhabited()
	p.printf("%s of %s in %s\n", p.paint(red, strings.ToUpper(string(h.t.Action))), p.paint(bold, deviceName(h.c)), q.tenant(h.c.Tenant))
	line := func(what, text string) { p.printf("  %-15s %s\n", painted(what), text) }
	line("what is lost", "the user's files, apps and settings on the device, for good")
	if d.User == "" {
		line("primary user", "not known")
	} else {
		line("primary user", join(", ", d.UserName, d.User)+"; the device will be nobody's afterwards")
	}
	if d.LastSync.IsZero() {
		line("last check-in", "not known")
	} else {
		line("last check-in", p.when(d.LastSync))
	}
	line("BitLocker key", "whether it is escrowed is not known")
	line("open files", "not known: what is not synchronised elsewhere is lost")
	line("user told", whenOrNever(p, h.c.Told))
	line("risk", d.Risk())
	line("seen", whenOrNever(p, d.SeenAt))
	for _, a := range h.t.Approvals {
		line("approved", "by "+a.By+", "+p.when(a.At))
	}
	line("task", h.t.ID)
}

func whenOrNever(p *printer, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return p.when(t)
}

func newDenyCmd(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "deny DEVICE|TASK",
		Short: "Forbid what waits for approval: it is given up",
		Long: `Forbid a task that waits for approval. It is given up, whoever has approved it
before; "curfew retry" asks anew.

` + aboutTasks,
		Example:           "  curfew deny LT-042 --reason \"the user is on it, and has the only copy\"",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := checkText("--reason", reason)
			if err != nil {
				return err
			}
			return a.withQueue(cmd.Context(), func(q *queue) error {
				who, err := a.person(q.house)
				if err != nil {
					return err
				}
				return a.aboutTasks(cmd.Context(), q, args, speech{
					fits:   func(t events.Task) bool { return t.Needs > 0 },
					refuse: begun,
					fact:   func(t events.Task) events.Fact { return events.Denied{Task: t.ID, By: who, Reason: text} },
					heard:  gone,
					said: func(_ events.Case, t events.Task) string {
						return orderText(t.Order) + " is forbidden and given up; `curfew retry` asks anew"
					},
				})
			})
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
