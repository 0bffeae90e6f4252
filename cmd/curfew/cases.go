package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/journal"
)

// A caseLine is a case as "curfew cases --json" writes it. Fields are only ever
// added.
type caseLine struct {
	Tenant     string    `json:"tenant"`               // its id
	TenantName string    `json:"tenantName,omitempty"` // from the configuration
	Device     string    `json:"device"`               // the Entra device id
	Name       string    `json:"name,omitempty"`
	User       string    `json:"user,omitempty"`
	State      string    `json:"state"`
	Open       bool      `json:"open"`
	Policy     string    `json:"policy,omitempty"`
	Rung       int       `json:"rung"`            // climbed so far
	Rungs      int       `json:"rungs,omitempty"` // of the ladder; left out if the rules are not known
	Case       string    `json:"case"`            // what tickets and pages call it
	Opened     time.Time `json:"opened,omitzero"`
	Closed     time.Time `json:"closed,omitzero"`
	Told       time.Time `json:"told,omitzero"`     // when the user was first told
	ResetDue   time.Time `json:"resetDue,omitzero"` // the earliest reset, if one is in sight
	WakeAt     time.Time `json:"wakeAt,omitzero"`   // when the case looks at itself next
	Attention  []string  `json:"attention,omitempty"`
	Waits      []wait    `json:"waits,omitempty"`
}

func (h house) line(c events.Case, now time.Time) caseLine {
	l := caseLine{
		Tenant: c.Tenant, TenantName: h.tenants[c.Tenant], Device: c.Key.Device,
		Name: c.Device.Name, User: c.Device.User, State: c.State(), Open: c.Open,
		Policy: c.Policy, Rung: c.Rung, Case: c.ID(), Opened: c.Opened, Closed: c.Closed, Told: c.Told,
		WakeAt: c.WakeAt, Attention: c.Attention, Waits: h.waits(c, now),
	}
	if p := h.policy(c); p != nil {
		l.Rungs, l.ResetDue = len(p.Ladder), c.ResetDue(*h.rules)
	}
	return l
}

func newCasesCmd(a *app) *cobra.Command {
	var o casesOptions
	cmd := &cobra.Command{
		Use:   "cases",
		Short: "List the cases: which devices are at risk, how far each has come",
		Long: `List the cases of a running worker, those that need a person first.

STATE is one of
  attention     only a person can help; "curfew case DEVICE" says why
  open          at risk; the ladder goes on by itself
  acknowledged  somebody is on it; the ladder waits
  snoozed       somebody wants to hear nothing for a while
  clearing      seen healthy; closes when that has lasted
  busy          closed; tickets and pages are being taken back
  rest          closed

Devices that were never at risk are left out, unless you say --all.

With --json each line is an object with tenant, tenantName, device, name, user,
state, open, policy, rung, rungs, case, opened, closed, told, resetDue, wakeAt,
attention (reasons) and waits (objects with "for" and "until"). What does not
apply is left out; times are RFC 3339 in UTC.`,
		Example: `  curfew cases --open
  curfew cases --tenant contoso
  curfew cases --json | jq -r 'select(.state == "attention") | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.listCases(cmd.Context(), q, o) })
		},
	}
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "only those of this tenant, by `NAME` or id")
	cmd.Flags().BoolVar(&o.open, "open", false, "only those that are not closed")
	cmd.Flags().BoolVar(&o.all, "all", false, "also devices that were never at risk")
	cmd.MarkFlagsMutuallyExclusive("open", "all")
	jsonFlag(cmd, &o.json)
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	return cmd
}

type casesOptions struct {
	tenant          string
	open, all, json bool
}

func (o casesOptions) wants(c events.Case) bool {
	if o.open {
		return c.State() != "rest"
	}
	return o.all || c.Episode > 0
}

func (a *app) listCases(ctx context.Context, q *queue, o casesOptions) error {
	tenant, err := q.knownTenant(o.tenant)
	if err != nil {
		return err
	}
	var list []events.Case
	var unreadable []error
	for c, err := range q.Cases(ctx, tenant) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			unreadable = append(unreadable, err)
		case err != nil:
			return err
		case o.wants(c):
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, byUrgency)
	p := a.printer()
	if o.json {
		for _, c := range list {
			if err := p.json(q.line(c, p.now)); err != nil {
				return err
			}
		}
	} else {
		q.caseTable(p, list)
	}
	return errors.Join(append([]error{p.flush()}, unreadable...)...)
}

// knownTenant is the id of a tenant by name or id, "" for "".
func (h house) knownTenant(name string) (string, error) {
	id := h.tenantID(name)
	if id != "" && (!events.ValidID(id) || h.tenants != nil && h.tenants[id] == "") {
		return "", notFound(fmt.Errorf("no tenant is called %q; there are: %s", name, strings.Join(h.tenantNames(), ", ")))
	}
	return id, nil
}

func (h house) tenantNames() []string {
	var names []string
	for _, name := range h.tenants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// urgency orders the states: what needs a person comes first.
func urgency(c events.Case) int {
	return slices.Index([]string{"attention", "open", "acknowledged", "clearing", "snoozed", "busy", "rest"}, c.State())
}

func byUrgency(a, b events.Case) int {
	order := a.Opened.Compare(b.Opened)
	if !a.Open {
		order = b.Closed.Compare(a.Closed) // who closed last comes first
	}
	return cmp.Or(urgency(a)-urgency(b), order, strings.Compare(a.Device.Name, b.Device.Name), strings.Compare(a.String(), b.String()))
}

func (q *queue) caseTable(p *printer, list []events.Case) {
	if len(list) == 0 {
		p.printf("There are no such cases.\n")
		return
	}
	var rows [][]cell
	states := map[string]int{}
	for _, c := range list {
		states[c.State()]++
		rows = append(rows, []cell{
			{text: q.tenant(c.Tenant)},
			{text: deviceName(c), style: bold},
			{text: c.Device.User},
			{c.State(), stateStyle(c.State())},
			{text: cmp.Or(c.Policy, "-")},
			{text: rungCell(q.house, c)},
			{text: p.when(since(c))},
			{text: p.when(c.WakeAt)},
			{text: waitCell(p, q.waits(c, p.now))},
		})
	}
	p.table([]string{"TENANT", "DEVICE", "USER", "STATE", "POLICY", "RUNG", "SINCE", "WAKES", "WAITS FOR"}, rows)
	var parts []string
	for _, state := range []string{"attention", "open", "acknowledged", "clearing", "snoozed", "busy", "rest"} {
		if n := states[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	p.printf("\n%s\n", p.paint(faint, count(len(list), "case")+": "+strings.Join(parts, ", ")))
}

// since is when a case came into its state, as far as it says.
func since(c events.Case) time.Time {
	if !c.Open {
		return c.Closed
	}
	return c.Opened
}

func rungCell(h house, c events.Case) string {
	if !c.Open || c.Policy == "" {
		return "-"
	}
	return h.rungOf(c)
}

// waitCell is the first thing a case waits for, in short.
func waitCell(p *printer, waits []wait) string {
	if len(waits) == 0 {
		return ""
	}
	text := waits[0].For
	if !waits[0].Until.IsZero() {
		text += ", " + p.ago(waits[0].Until)
	}
	if len(waits) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(waits)-1)
	}
	return text
}

// deviceName is what people call the device.
func deviceName(c events.Case) string { return cmp.Or(clean(c.Device.Name), c.Key.Device) }

// ref is what to call a device by in another command: its name, if that needs no
// quotes.
func (h house) ref(c events.Case) string {
	name := c.Device.Name
	if events.ValidID(strings.ReplaceAll(name, ".", "")) {
		return name
	}
	return h.tenant(c.Tenant) + "/" + c.Key.Device
}

func stateStyle(state string) style {
	switch state {
	case "attention":
		return red
	case "open":
		return yellow
	case "clearing":
		return green
	case "rest":
		return faint
	}
	return plain
}
