package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
)

// The kinds of what is hidden, in the order in which they are told.
const (
	hidSnoozed   = "snoozed"
	hidLong      = "acknowledged" // for long
	hidWaived    = "closed"       // by hand, and the risk still stands
	hidHeld      = "held"         // a task, by a gate that nobody is asked about
	hidPaused    = "paused"
	hidDigests   = "digests" // instead of single messages
	hidWindow    = "window"  // of maintenance, open now
	hidNext      = "next window"
	hiddenOrder  = hidSnoozed + "," + hidLong + "," + hidWaived + "," + hidHeld + "," + hidPaused + "," + hidDigests + "," + hidWindow + "," + hidNext
	ackedForLong = 24 * time.Hour
)

// A hiddenLine is one thing of which people are told nothing, or not all, as "curfew
// hidden --json" writes it. Fields are only ever added.
type hiddenLine struct {
	Kind       string    `json:"kind"`
	Tenant     string    `json:"tenant,omitempty"`
	TenantName string    `json:"tenantName,omitempty"`
	Device     string    `json:"device,omitempty"`
	What       string    `json:"what"`            // the device's name, a task, a destination …
	Level      string    `json:"level,omitempty"` // how bad it is
	By         string    `json:"by,omitempty"`
	Why        string    `json:"why,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
}

// A hiding is what is read to say what is hidden.
type hiding struct {
	journal *journal.Journal
	house
}

// all are all things that are hidden. An error about cases that cannot be read comes
// with the rest.
func (h hiding) all(ctx context.Context, tenant string, now time.Time) ([]hiddenLine, error) {
	var out []hiddenLine
	var unreadable []error
	for c, err := range h.journal.Cases(ctx, tenant) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			unreadable = append(unreadable, err)
		case err != nil:
			return nil, err
		default:
			out = append(out, h.ofCase(c, now)...)
		}
	}
	store := state{h.journal.State()}
	pauses, err := gate.Pauses{Store: store}.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range pauses {
		if tenant == "" || p.Tenant == "" || strings.EqualFold(p.Tenant, tenant) {
			out = append(out, hiddenLine{Kind: hidPaused, Tenant: p.Tenant, TenantName: h.tenants[p.Tenant], What: h.scope(p.Tenant, p.Action), By: p.By, Why: p.Reason, Since: p.At})
		}
	}
	if h.conf != nil {
		out = append(out, h.windows(tenant, now)...)
		for _, name := range slices.Sorted(maps.Keys(h.conf.Hush)) {
			d, err := gate.DigestsOf(ctx, store, name)
			if err != nil {
				return nil, err
			}
			if !d.Since.IsZero() {
				out = append(out, hiddenLine{Kind: hidDigests, What: name, Why: "more was to be told than its rate", Since: d.Since, Until: d.Due})
			}
		}
	}
	order := strings.Split(hiddenOrder, ",")
	slices.SortStableFunc(out, func(a, b hiddenLine) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), a.Since.Compare(b.Since))
	})
	return out, errors.Join(unreadable...)
}

// ofCase is what is hidden of one device.
func (h hiding) ofCase(c events.Case, now time.Time) (out []hiddenLine) {
	line := hiddenLine{Tenant: c.Tenant, TenantName: h.tenants[c.Tenant], Device: c.Key.Device, What: deviceName(c), Level: max(c.Device.Worst(), events.Clear).String()}
	if hold := c.Hold; c.Open && hold != nil && (hold.Quiet || now.Sub(hold.Since) >= ackedForLong) {
		l := line
		l.Kind, l.By, l.Why, l.Since, l.Until = hidLong, hold.By, hold.Reason, hold.Since, hold.Until
		if hold.Quiet {
			l.Kind = hidSnoozed
		}
		out = append(out, l)
	}
	if !c.Open && c.Waived != "" && c.Waived == c.Device.Risk() && h.stands(c) {
		l := line
		l.Kind, l.By, l.Why, l.Since = hidWaived, c.ClosedBy, join("; ", c.ClosedFor, "the risk still stands: "+c.Waived), c.Closed
		out = append(out, l)
	}
	for _, t := range c.Pending {
		if t.Held == nil {
			continue
		}
		switch t.Held.Gate {
		case gate.GateQuiet, gate.GateMaintenance, gate.GatePause, gate.GateProtected, gate.GateDigest, gate.GateRate:
			l := line
			l.Kind, l.What, l.By = hidHeld, line.What+": "+orderText(t.Order), t.Held.Gate
			l.Why, l.Since, l.Until = t.Held.Reason, t.Held.Since, t.Next
			out = append(out, l)
		}
	}
	return out
}

// stands reports whether a closed case's device is at risk by a policy. Where the
// rules are not known nobody can say that it is not.
func (h hiding) stands(c events.Case) bool {
	if c.Key == events.TenantKey(c.Tenant) {
		return false
	}
	return h.rules == nil || slices.ContainsFunc(h.rules.List, func(p events.Policy) bool {
		ok, err := p.When.Holds(c.Device)
		return ok || err != nil
	})
}

// windows are those that are open now, and when the others come next.
func (h hiding) windows(tenant string, now time.Time) (out []hiddenLine) {
	for _, w := range h.conf.Windows {
		one := tenant
		if len(w.Tenants) > 0 && tenant == "" {
			one = w.Tenants[0]
		} else if len(w.Tenants) > 0 && !slices.ContainsFunc(w.Tenants, func(t string) bool { return strings.EqualFold(t, tenant) }) {
			continue
		}
		var names []string
		for _, t := range w.Tenants {
			names = append(names, h.tenant(t))
		}
		what := "what is grave"
		if w.Silence {
			what = "what is grave, and notices"
		}
		l := hiddenLine{Kind: hidWindow, What: what + " in " + cmp.Or(strings.Join(names, ", "), "all tenants"), By: "the configuration", Why: w.Reason}
		if len(w.Tenants) == 1 {
			l.Tenant, l.TenantName = w.Tenants[0], h.tenants[w.Tenants[0]]
		}
		if until, open := w.Open(one, now); open {
			l.Since, l.Until = until.Add(-w.For).UTC(), until.UTC()
			out = append(out, l)
		} else if next := w.Next(now); !next.IsZero() {
			l.Kind, l.Since, l.Until = hidNext, next.UTC(), next.Add(w.For).UTC()
			out = append(out, l)
		}
	}
	return out
}

func newHiddenCmd(a *app) *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "hidden",
		Short: "List what nobody hears of: snoozed, closed by hand, held, paused, in digests",
		Long: `List what is at risk or due and of which people are told nothing, or not
everything: snoozed cases, those that were acknowledged more than a day ago, those
that a person closed although the risk still stands; tasks that are held by quiet
hours, maintenance, a pause, protection or for a digest; pauses, destinations that
get digests, and the windows of maintenance that are open or come next. With who,
why, since when and until when.

The same goes out once a week, if the configuration has a report.

With --json each line is an object with kind, tenant, tenantName, device, what,
level, by, why, since and until.`,
		Example: "  curfew hidden\n  curfew hidden --tenant contoso\n  curfew hidden --json | jq -r 'select(.kind == \"closed\") | .what'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.listHidden(cmd.Context(), q, tenant, asJSON) })
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only of this tenant, by `NAME` or id")
	_ = cmd.RegisterFlagCompletionFunc("tenant", a.completeTenants)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) listHidden(ctx context.Context, q *queue, tenant string, asJSON bool) error {
	id, err := q.knownTenant(tenant)
	if err != nil {
		return err
	}
	p := a.printer()
	all, unreadable := hiding{q.Journal, q.house}.all(ctx, id, p.now)
	var rows [][]cell
	for _, l := range all {
		if asJSON {
			if err := p.json(l); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []cell{
			{l.Kind, yellow}, {text: cmp.Or(l.TenantName, l.Tenant)}, {text: l.What, style: bold}, {text: l.Level}, {text: l.By},
			{text: p.when(l.Since)}, {text: p.when(l.Until)}, {text: l.Why},
		})
	}
	switch {
	case len(rows) > 0:
		p.table([]string{"HIDDEN", "TENANT", "WHAT", "LEVEL", "BY", "SINCE", "UNTIL", "WHY"}, rows)
		p.printf("\n%s\n", p.paint(faint, fmt.Sprintf("%d hidden", len(rows))))
	case !asJSON && unreadable == nil:
		p.printf("Nothing is hidden.\n")
	}
	return errors.Join(p.flush(), unreadable)
}
