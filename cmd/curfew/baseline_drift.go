package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/drift"
)

func newBaselineDriftCmd(a *app) *cobra.Command {
	var s baselineScope
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Say in what tenants are no longer as their baseline wants them, and who changed it",
		Long: `Drift compares each tenant with its baseline at the stage that it is at, and says what
differs, with what the audit logs of Entra and Intune know of edits of policies in the
last days. Nothing is changed.

"curfew run" does the same on a schedule where the configuration has a section
baseline; a drift is then told once by the tenant's own case.

It ends with 0 if nothing differs, with 2 if something does, and with 1 if it could
not be told.`,
		Example: `  curfew baseline drift
  curfew baseline drift --tenant contoso --json | jq '.differences[].key'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			differ := 0
			err := a.withBaseline(cmd.Context(), s, false, func(b *ground) error {
				return b.each(func(t tenantSpec) error {
					d, err := b.drifted(cmd.Context(), t, asJSON)
					if !d.None() {
						differ++
					}
					return err
				})
			})
			switch {
			case err != nil && codeOf(cmd.Context(), err) == exitWrong:
				return err
			case err != nil:
				return exit{exitFailed, err} // 2 says that there is drift
			case differ > 0:
				return exit{exitDrift, fmt.Errorf("%s not as the baseline wants", map[bool]string{true: "1 tenant is", false: fmt.Sprint(differ) + " tenants are"}[differ == 1])}
			}
			return nil
		},
	}
	a.scopeFlags(cmd, &s)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// exitDrift is the code of a drift, as a plan's that has something to do.
const exitDrift = 2

func (b *ground) drifted(ctx context.Context, t tenantSpec, asJSON bool) (drift.Drift, error) {
	c, err := b.client(t)
	if err != nil {
		return drift.Drift{}, err
	}
	defer c.Close()
	p, err := b.plan(ctx, t, c)
	if err != nil {
		return drift.Drift{}, err
	}
	d := drift.Of(p)
	lines, trouble := []string(nil), error(nil)
	if !d.None() {
		lines, trouble = editsOf(ctx, c, d)
	}
	if asJSON {
		return d, b.p.json(struct {
			Tenant string `json:"tenant"`
			Stage  string `json:"stage"`
			drift.Drift
			Edits []string `json:"edits,omitempty"`
		}{t.Name, p.Stage.String(), d, lines})
	}
	b.p.drift(t.Name, p.Stage.String(), d, p.Names)
	for _, l := range lines {
		b.p.printf("  edited: %s\n", l)
	}
	if trouble != nil {
		b.p.printf("  %s\n", b.p.paint(faint, "who changed it could not be read: "+oneLine(trouble)))
	}
	b.p.printf("\n")
	return d, nil
}

// drift prints what differs.
func (p *printer) drift(tenant, stage string, d drift.Drift, names map[string]string) {
	p.printf("%s, %s:\n", p.paint(bold, tenant), stage)
	if d.None() {
		p.printf("  %s\n", p.paint(green, "as the baseline wants it"))
	}
	for _, one := range d.Differences {
		if one.Gone {
			p.printf("  %s %q %s\n", p.paint(bold, one.Key), one.Name, p.paint(red, "is not there"))
			continue
		}
		p.printf("  %s %q\n", p.paint(bold, one.Key), one.Name)
		for _, c := range one.Change {
			p.printf("      %s: %s, and should be %s\n", c.Path, p.paint(red, valueText(c.From, names)), valueText(c.To, names))
		}
	}
	for _, u := range d.Unknown {
		p.printf("  %s %s\n", p.paint(yellow, "not known:"), u)
	}
}

// How far back edits are told of, and how many.
const (
	driftEdits  = 7 * 24 * time.Hour
	mostEditsOf = 5
)

// editsOf are the edits of what has drifted, a line each; where none is of that, the
// last ones there were.
func editsOf(ctx context.Context, c *graph.Client, d drift.Drift) ([]string, error) {
	list, err := c.PolicyEdits(ctx, time.Now().Add(-driftEdits))
	var of, others []string
	for _, e := range list {
		// Of the connector there is one, and the log has no name for it.
		if line := editLine(e); d.Concerns(e.What) || e.Kind == graph.Connector && d.Has(baseline.KindConnector) {
			of = append(of, line)
		} else {
			others = append(others, line)
		}
	}
	if len(of) == 0 {
		of = others
	}
	if len(of) > 0 {
		err = nil // what one log refuses, the other has said
	}
	return of[:min(len(of), mostEditsOf)], err
}

// errNotRolledOut is the error of a tenant in which nothing of a baseline is.
var errNotRolledOut = errors.New("nothing of the baseline is there yet")
