package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"curfew/graph/baseline"
)

func newBaselineUndoCmd(a *app) *cobra.Command {
	var s baselineScope
	var by string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "undo [RUN]",
		Short: "Take back what an apply did",
		Long: `Undo takes back what an apply did in one tenant: what it changed gets the values that
it had, what it made is deleted. RUN is the one that apply named; left out: the last.

It is refused as a whole if any of it was changed since, and it takes no emergency
account out of a policy that is not off. What undo does is recorded like an apply.`,
		Example: `  curfew baseline runs --tenant contoso
  curfew baseline undo --tenant contoso
  curfew baseline undo 20261130-091500.123 --tenant contoso`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if s.tenant == "" {
				return wrong(errors.New("name the tenant with --tenant"))
			}
			return a.withBaseline(ctx, s, true, func(b *ground) error {
				t := b.tenants[0]
				if t.Baseline == nil {
					return wrong(fmt.Errorf("tenant %s: %w", t.Name, errNoIdentity))
				}
				who := a.operator(houseOf(b.conf), by)
				return b.alone(ctx, t, who, func(ctx context.Context) error { return b.undo(ctx, t, append(args, "")[0], who, asJSON) })
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&by, "by", "", "who takes it back, a `NAME`; left out: who runs this")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (b *ground) undo(ctx context.Context, t tenantSpec, id, by string, asJSON bool) error {
	log := runLog{b.journal.State(), t.ID}
	all, err := log.all(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(r baseline.Run) bool { return r.ID == id })
	if id == "" {
		for i = len(all) - 1; i >= 0 && (all[i].Undoes != "" || all[i].Undone != "" || len(all[i].Entries) == 0); i-- {
		}
	}
	if i < 0 {
		return notFound(errors.New("there is no such run to take back; `curfew baseline runs --tenant " + t.Name + "` lists them"))
	}
	c, err := b.client(t)
	if err != nil {
		return err
	}
	defer c.Close()
	run, err := baseline.Undo(ctx, c, all[i], baseline.Options{By: by, Log: log, Approvals: secondAdmin{c}, Progress: b.progress(t.Name, asJSON)})
	if err == nil {
		all[i].Undone = run.ID
		err = errors.Join(log.Save(ctx, all[i]), b.unreach(ctx, t.ID, all[i].ID))
	}
	if err == nil && !asJSON {
		b.p.printf("%s: run %s is taken back; what is wanted now is another matter: curfew baseline plan --tenant %s\n", t.Name, all[i].ID, t.Name)
		return nil
	}
	return errors.Join(b.outcome(t.Name, run, asJSON), err)
}

func newBaselineRunsCmd(a *app) *cobra.Command {
	var s baselineScope
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List what was applied and taken back, the newest twenty of each tenant",
		Long: `List the runs of apply and undo of each tenant, the newest twenty, and how each ended.
With --json each line is a run with all that it changed, before and after.`,
		Example: "  curfew baseline runs --tenant contoso\n  curfew baseline runs --json | jq '.entries[].changes[]'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBaseline(cmd.Context(), s, true, func(b *ground) error { return b.runs(cmd.Context(), asJSON) })
		},
	}
	a.scopeFlags(cmd, &s)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (b *ground) runs(ctx context.Context, asJSON bool) error {
	var rows [][]cell
	for _, t := range b.tenants {
		all, err := runLog{b.journal.State(), t.ID}.all(ctx)
		if err != nil {
			return err
		}
		for _, r := range all {
			if asJSON {
				if err := b.p.json(r); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, runRow(b.p, t.Name, r))
		}
	}
	switch {
	case asJSON:
	case len(rows) == 0:
		b.p.printf("Nothing was applied yet.\n")
	default:
		b.p.table([]string{"TENANT", "RUN", "WHEN", "BY", "STEPS", "HOW IT ENDED"}, rows)
	}
	return nil
}

func runRow(p *printer, tenant string, r baseline.Run) []cell {
	end, st := "done", green
	switch {
	case r.Trouble != "":
		end, st = r.Trouble, red
	case r.Undone != "":
		end, st = "taken back by "+r.Undone, faint
	case r.Undoes != "":
		end = "took " + r.Undoes + " back"
	case r.Ended.IsZero():
		end, st = "broke off", red
	}
	return []cell{{text: tenant}, {r.ID, bold}, {text: p.when(r.Began)}, {text: r.By}, {text: fmt.Sprint(len(r.Entries))}, {end, st}}
}
