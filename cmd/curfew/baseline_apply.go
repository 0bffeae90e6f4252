package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"curfew/graph"
	"curfew/graph/baseline"
)

func newBaselineApplyCmd(a *app) *cobra.Command {
	var s baselineScope
	var by string
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "apply [plan.json]",
		Short: "Make tenants as they were planned to be, exactly",
		Long: `Apply carries plans out: those of a file that "curfew baseline plan --out" wrote or,
with --yes, plans that are made now. It does exactly what was planned, and is
refused where the tenant has changed since.

It stops at the first failure, says what was done, and another apply finishes the
rest. What was before and after is recorded; "curfew baseline undo" takes it back. While
somebody else changes the tenant, it does nothing and says who it is.

Where a tenant wants a second administrator for changes of compliance policies
(Multi Admin Approval), a request is filed and apply waits for it, for as long as it
is let; interrupted, it finds the request again.

The tenant's section baseline in the configuration names the app that writes.`,
		Example: `  curfew baseline plan --tenant contoso --out plan.json
  curfew baseline apply plan.json
  curfew baseline apply --tenant contoso --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 0 && !yes {
				return wrong(errors.New("name a file of `curfew baseline plan --out`, or write --yes to apply what is planned now"))
			}
			var file planFile
			if len(args) == 1 {
				var err error
				if file, err = readPlans(args[0]); err != nil {
					return err
				}
			}
			return a.withBaseline(ctx, s, true, func(b *ground) error {
				jobs, err := b.jobs(ctx, file)
				if err != nil {
					return err
				}
				who := a.operator(houseOf(b.conf), by)
				for _, j := range jobs {
					err := b.alone(ctx, j.tenant, who, func(ctx context.Context) error { return b.apply(ctx, j, who, asJSON) })
					if err != nil {
						return fmt.Errorf("%s: %w", j.tenant.Name, err)
					}
				}
				return nil
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().BoolVar(&yes, "yes", false, "without a file: apply what is planned now")
	cmd.Flags().StringVar(&by, "by", "", "who applies it, a `NAME`; left out: who runs this")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// A job is one plan to apply; nil: it is made first.
type job struct {
	tenant tenantSpec
	plan   *baseline.Plan
}

// jobs are what is to be applied: the plans of a file, as far as they are of these
// tenants, or one for each tenant.
func (b *ground) jobs(_ context.Context, file planFile) (jobs []job, err error) {
	for _, t := range b.tenants {
		j := job{tenant: t}
		if file.Version > 0 {
			i := slices.IndexFunc(file.Plans, func(p *baseline.Plan) bool { return p != nil && strings.EqualFold(p.Tenant, t.ID) })
			if i < 0 {
				continue
			}
			j.plan = file.Plans[i]
		}
		if t.Baseline == nil {
			return nil, wrong(fmt.Errorf("tenant %s: %w", t.Name, errNoIdentity))
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil, notFound(errors.New("the file has no plan for any of these tenants"))
	}
	return jobs, nil
}

// apply applies one plan. The gate of a plan from a file is not believed: what the
// rollout has on record is.
func (b *ground) apply(ctx context.Context, j job, by string, asJSON bool) error {
	c, err := b.client(j.tenant)
	if err != nil {
		return err
	}
	defer c.Close()
	p := j.plan
	if p == nil {
		if p, err = b.plan(ctx, j.tenant, c); err != nil {
			return err
		}
		if !asJSON {
			b.p.plan(p, false)
		}
	} else {
		r, err := b.rolloutOf(ctx, j.tenant.ID)
		if err != nil {
			return err
		}
		if p.Gate = nil; r != nil {
			p.Gate = &baseline.Gate{To: r.Stage, Passed: true}
		}
	}
	log := runLog{b.journal.State(), j.tenant.ID}
	before, err := log.last(ctx)
	if err != nil {
		return err
	}
	run, err := baseline.Apply(ctx, c, p, baseline.Options{By: by, Log: log, Previous: before, Approvals: secondAdmin{c}, Progress: b.progress(j.tenant.Name, asJSON)})
	return errors.Join(b.outcome(j.tenant.Name, run, asJSON), err)
}

// progress prints what happens as it happens.
func (b *ground) progress(tenant string, asJSON bool) func(baseline.Event) {
	return func(e baseline.Event) {
		if asJSON {
			_ = b.p.json(struct { // what is not printed is not lost: it is recorded
				Tenant string `json:"tenant"`
				baseline.Event
			}{tenant, e})
			_ = b.p.flush()
			return
		}
		step := ""
		if e.N > 0 {
			step = fmt.Sprintf("[%d/%d]", e.N, e.Of)
		}
		st := map[string]style{baseline.EventDone: green, baseline.EventFailed: red, baseline.EventWaits: yellow}[e.What]
		switch e.What {
		case baseline.EventBegins:
			b.p.printf("%s %s %s %q\n", step, e.Action, e.Key, e.Name)
		case baseline.EventSaid:
			b.p.printf("%s\n", e.Detail)
		default:
			b.p.printf("%s %s %s", step, b.p.paint(st, e.What), e.Key)
			if e.Detail != "" {
				b.p.printf(": %s", e.Detail)
			}
			b.p.printf("\n")
		}
		_ = b.p.flush()
	}
}

// outcome says what a run did.
func (b *ground) outcome(tenant string, run *baseline.Run, asJSON bool) error {
	if run == nil {
		return nil
	}
	done := 0
	for _, e := range run.Entries {
		if e.Done {
			done++
		}
	}
	if asJSON {
		return b.p.json(struct {
			Tenant  string `json:"tenant"`
			Run     string `json:"run"`
			Done    int    `json:"done"`
			Trouble string `json:"trouble,omitempty"`
		}{tenant, run.ID, done, run.Trouble})
	}
	switch {
	case len(run.Entries) == 0 && run.Trouble == "":
		b.p.printf("%s: nothing to do.\n", tenant)
	case run.Trouble != "":
		b.p.printf("%s: stopped; %d of %s done in run %s. Apply again to finish, or take it back: curfew baseline undo %s --tenant %s\n", tenant, done, count(len(run.Entries), "step"), run.ID, run.ID, tenant)
	default:
		b.p.printf("%s: %s done in run %s. To take it back: curfew baseline undo %s --tenant %s\n", tenant, count(done, "step"), run.ID, run.ID, tenant)
	}
	return nil
}

// secondAdmin asks Intune about requests for a second administrator's approval.
type secondAdmin struct{ *graph.Client }

// State implements [baseline.Approvals].
func (s secondAdmin) State(ctx context.Context, code string) (approved, open bool, said string, err error) {
	st, _, err := s.ApprovalState(ctx, code)
	return st == graph.Approved, st.Open(), string(st), err
}

// Find implements [baseline.Approvals].
func (s secondAdmin) Find(ctx context.Context, begins string) (string, error) {
	return s.FindApproval(ctx, begins)
}
