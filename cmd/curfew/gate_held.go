package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
)

// A heldTask is a task that a gate holds, or that waits for people's approval.
type heldTask struct {
	c events.Case
	t events.Task
}

func isHeld(t events.Task) bool { return t.Held != nil || lacksApproval(t) }

func lacksApproval(t events.Task) bool { return t.Begun == nil && len(t.Approvals) < t.Needs }

// heldTasks are those of a tenant, or of all for "", longest held first. An error
// about cases that cannot be read comes with the rest.
func (q *queue) heldTasks(ctx context.Context, tenant string) (out []heldTask, err error) {
	var unreadable []error
	for c, err := range q.Cases(ctx, tenant) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			unreadable = append(unreadable, err)
			continue
		case err != nil:
			return nil, err
		}
		for _, t := range c.Pending {
			if isHeld(t) {
				out = append(out, heldTask{c, t})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b heldTask) int { return a.since().Compare(b.since()) })
	return out, errors.Join(unreadable...)
}

func (h heldTask) since() time.Time {
	if h.t.Held != nil {
		return h.t.Held.Since
	}
	return h.t.Asked
}

// why is the gate and its reason.
func (h heldTask) why() (gateName, reason string) {
	if lacksApproval(h.t) {
		return gate.GateApproval, fmt.Sprintf("%d of %d approvals", len(h.t.Approvals), h.t.Needs)
	}
	return h.t.Held.Gate, h.t.Held.Reason
}

// A heldLine is a held task as "curfew held list --json" writes it. Fields are
// only ever added.
type heldLine struct {
	Tenant     string            `json:"tenant"`
	TenantName string            `json:"tenantName,omitempty"`
	Device     string            `json:"device"`
	Name       string            `json:"name,omitempty"`
	User       string            `json:"user,omitempty"`
	Task       string            `json:"task"`
	Action     events.Action     `json:"action"`
	Gate       string            `json:"gate"`
	Reason     string            `json:"reason"`
	Since      time.Time         `json:"since"`
	Again      time.Time         `json:"again,omitzero"` // when the gate is asked again
	Needs      int               `json:"needs,omitempty"`
	Approvals  []events.Approval `json:"approvals,omitempty"`
	Released   string            `json:"released,omitempty"`
	Owner      string            `json:"owner"` // whose move it is
}

func newHeldCmd(a *app) *cobra.Command {
	return family(&cobra.Command{
		Use:   "held",
		Short: "See what is held back by a gate, let it through, or call it off",
		Long: `What Curfew would do but does not: because a budget is used up, something is
paused, a device is protected, a tenant's breaker has tripped, a check before the
reset did not pass, or people have to approve. Nothing of it is lost.`,
		Example: "  curfew held list\n  curfew held release LT-042",
	}, newHeldListCmd(a), newHeldReleaseCmd(a), newHeldCancelCmd(a))
}

func newHeldListCmd(a *app) *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tasks that are held, the longest held first",
		Long: `List the tasks that are held, by which gate and why, and when it is asked again.

With --json each line is an object with tenant, tenantName, device, name, user,
task, action, gate, reason, since, again, needs, approvals, released and owner (whose move it is).`,
		Example: "  curfew held list\n  curfew held list --tenant contoso --json | jq -r .task",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.listHeld(cmd.Context(), q, tenant, asJSON) })
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only those of this tenant, by `NAME` or id")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) listHeld(ctx context.Context, q *queue, tenant string, asJSON bool) error {
	id, err := q.knownTenant(tenant)
	if err != nil {
		return err
	}
	found, unreadable := q.heldTasks(ctx, id)
	p := a.printer()
	var rows [][]cell
	for _, h := range found {
		gateName, reason := h.why()
		if asJSON {
			l := heldLine{
				Tenant: h.c.Tenant, TenantName: q.tenants[h.c.Tenant], Device: h.c.Key.Device, Name: h.c.Device.Name, User: h.c.Inhabited().User,
				Task: h.t.ID, Action: h.t.Action, Gate: gateName, Reason: reason, Since: h.since(), Again: h.t.Next,
				Needs: h.t.Needs, Approvals: h.t.Approvals, Released: h.t.Released, Owner: h.owner(),
			}
			if err := p.json(l); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []cell{
			{text: q.tenant(h.c.Tenant)}, {text: deviceName(h.c), style: bold}, {text: orderText(h.t.Order)}, {gateName, yellow},
			{text: p.when(h.since())}, {text: p.when(h.t.Next)}, {text: h.owner()}, {text: reason},
		})
	}
	switch {
	case len(rows) > 0:
		p.table([]string{"TENANT", "DEVICE", "TASK", "GATE", "HELD SINCE", "ASKED AGAIN", "WHOSE MOVE", "REASON"}, rows)
		p.printf("\n%s\n", p.paint(faint, count(len(rows), "held task")))
	case !asJSON && unreadable == nil:
		p.printf("Nothing is held.\n")
	}
	return errors.Join(p.flush(), unreadable)
}
