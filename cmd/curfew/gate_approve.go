package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate/link"
)

func newApproveCmd(a *app) *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "approve DEVICE|TASK",
		Short: "Allow what cannot be taken back, after reading what will be lost",
		Long: `Allow a task that waits for approval. What will be lost is said first; --show says
only that, and approves nothing. Where two have to approve, they must be two
people. An approval is for the device as it is now, is used once, and runs out;
every other gate is still asked. You cannot approve for your own device. Whoever
can read the worker's key for approvals signs with it; where the configuration
names one (approvals.key_file), only what is signed counts.

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
	given, signed, err := q.sign(events.Approved{Task: h.t.ID, By: who, Seal: h.t.Seal, Given: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	o := &operator{a: a, q: q, who: who, p: p}
	return o.say(ctx, h.c, word{
		refuse: func(events.Case) error { return mayApprove(h, who) },
		fact:   func(events.Case) events.Fact { return given },
		heard: func(now, _ events.Case) bool {
			t, ok := pendingTask(now, h.t.ID)
			return !ok || approvedBy(t, who) || t.Seal != h.t.Seal
		},
		said: func(now events.Case) string { return q.approval(now, h.t, who, signed) },
	})
}

// mayApprove says why somebody's approval would not count.
func mayApprove(h heldTask, who string) error {
	mine, approved := link.Approved(h.t, who)
	switch {
	case h.t.Begun != nil:
		return begun(h)
	case link.Own(h.c, who):
		return errors.New("this is your own device: somebody else has to approve")
	case approved:
		return fmt.Errorf("you have approved it already, as %s; a second person has to be another one", mine.By)
	case !lacksApproval(h.t):
		return errors.New("it has all the approvals that it needs")
	}
	return nil
}

func approvedBy(t events.Task, who string) bool {
	return slices.ContainsFunc(t.Approvals, func(a events.Approval) bool { return strings.EqualFold(a.By, who) })
}

// sign signs an approval with the worker's key, if this user can read it. An error
// says that an approval that is not signed would not count.
func (q *queue) sign(a events.Approved) (given events.Approved, signed bool, err error) {
	file, demanded := q.approvalKey()
	signer, err := link.OpenKey(file)
	switch {
	case err == nil:
		a.Sig = signer.Sign(a)
		return a, true, nil
	case demanded:
		return a, false, fmt.Errorf("only signed approvals count (approvals.key_file), and yours cannot be: %w; approve by the link in the mail, or as a user that can read the key", err)
	}
	return a, false, nil
}

// approvalKey is where the worker's key for approvals is, and whether it counts
// only those that are signed.
func (h house) approvalKey() (file string, demanded bool) {
	if h.conf != nil {
		if file, demanded = h.conf.keyFile(); demanded {
			return file, true
		}
	}
	return filepath.Join(h.data, defaultKey), false
}

// approval says what came of an approval, and as whose it is recorded.
func (q *queue) approval(now events.Case, was events.Task, who string, signed bool) string {
	t, ok := pendingTask(now, was.ID)
	valid := 24 * time.Hour
	if q.rules != nil && q.rules.Approval > 0 {
		valid = q.rules.Approval
	}
	by := who
	if signed {
		by += " (signed)"
	}
	switch {
	case !ok:
		return "your approval came too late: the task was called off, or is done"
	case !approvedBy(t, who):
		return "your approval is void: the device is not as it was; look at it and decide anew"
	case len(t.Approvals) < t.Needs:
		return fmt.Sprintf("approved by %s, %d of %d; another person has to approve too, within %s", by, len(t.Approvals), t.Needs, span(valid))
	}
	return fmt.Sprintf("approved by %s, %d of %d; the %s goes on as soon as every other gate lets it, within %s", by, len(t.Approvals), t.Needs, orderText(t.Order), span(valid))
}

// losses says what approving means.
func (q *queue) losses(p *printer, h heldTask) {
	d := h.c.Device
	p.printf("%s of %s in %s\n", p.paint(red, strings.ToUpper(string(h.t.Action))), p.paint(bold, deviceName(h.c)), q.tenant(h.c.Tenant))
	line := func(what, text string) { p.printf("  %-15s %s\n", painted(what), text) }
	for _, stake := range link.Stakes(h.c, h.t, "", p.when) {
		line(stake.What, stake.Text)
	}
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
