package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
	steps "curfew/graph/baseline/rollout"
)

func newRolloutCmd(a *app) *cobra.Command {
	return family(&cobra.Command{
		Use:   "rollout",
		Short: "Take a tenant from its pilot to everybody, a gate at each step",
		Long: `A baseline is rolled out in four stages: pilot report-only, pilot enforced, all
report-only, all enforced. Status says where a tenant is, and what stands in the way
of the next stage; advance goes there if nothing does.`,
		Example: `  curfew baseline rollout status --tenant contoso --html readiness.html
  curfew baseline rollout excuse devices-compliant/6f0f… --tenant contoso --reason "replaced on Friday"
  curfew baseline rollout advance --tenant contoso`,
	}, newRolloutStatusCmd(a), newRolloutAdvanceCmd(a), newRolloutExcuseCmd(a))
}

func newRolloutStatusCmd(a *app) *cobra.Command {
	var s baselineScope
	var asJSON bool
	var html, by string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where tenants are, and what stands in the way of the next stage",
		Long: `Status reads the tenant and holds it against the gate of its next stage: everybody's
devices reporting and compliant, users without any, twins and leftovers in Entra,
devices without a policy, apps on phones, a week in the stage, what report-only
policies made of sign-ins, and the what-if evaluation of sample users and of the
emergency accounts. Nothing in the tenant is changed.

When a stage began is kept in the journal; what nobody recorded counts from the
first status on. It ends with 0 if nothing stands in the way, else with 1.`,
		Example: `  curfew baseline rollout status
  curfew baseline rollout status --tenant contoso --html readiness.html
  curfew baseline rollout status --json | jq '.report.checks[] | select(.blocks)'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBaseline(cmd.Context(), s, false, func(b *ground) error {
				if html != "" && len(b.tenants) > 1 {
					return wrong(errors.New("a page is about one tenant: name it by --tenant"))
				}
				return b.each(func(t tenantSpec) error {
					return b.status(cmd.Context(), a, t, html, a.operator(houseOf(b.conf), by), asJSON)
				})
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&html, "html", "", "write the report to this `FILE`, one page that needs nothing else")
	cmd.Flags().StringVar(&by, "by", "", "who asks, a `NAME`; left out: who runs this")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// each does work for each tenant; the trouble of one is no other's.
func (b *ground) each(do func(tenantSpec) error) error {
	var wrongs []error
	for _, t := range b.tenants {
		if err := do(t); err != nil {
			wrongs = append(wrongs, fmt.Errorf("%s: %w", t.Name, err))
		}
	}
	return errors.Join(wrongs...)
}

func (b *ground) status(ctx context.Context, a *app, t tenantSpec, html, by string, asJSON bool) error {
	c, err := b.client(t)
	if err != nil {
		return err
	}
	defer c.Close()
	st, err := b.stands(ctx, t, c, by, a.shown(t.Name))
	a.wipe()
	if err != nil {
		return err
	}
	if asJSON {
		err = b.p.json(st.line())
	} else {
		b.p.standing(st)
	}
	if html != "" && !st.last {
		err = errors.Join(err, writePage(html, st.report))
	}
	if err == nil && !st.last && !st.report.Passed {
		return notReady(st.report)
	}
	return err
}

// wipe takes the line of progress away.
func (a *app) wipe() {
	if isTerminal(a.stderr) {
		fmt.Fprint(a.stderr, "\r\x1b[K")
	}
}

// notReady is why a tenant may not go on.
func notReady(r readiness.Report) error {
	return fmt.Errorf("not ready for %s: %s", r.Next, strings.Join(r.Reasons(), "; "))
}

// writePage writes the report where only its owner reads it: it names people and
// their devices.
func writePage(file string, r readiness.Report) error {
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		return err
	}
	if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the page: %s", reason(err))
	}
	return nil
}

func newRolloutAdvanceCmd(a *app) *cobra.Command {
	var s baselineScope
	var by string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "advance",
		Short: "Take a tenant to its next stage, if nothing stands in the way",
		Long: `Advance asks what "status" asks, and refuses unless all of it passes. Then it plans
for the next stage and applies the plan as "curfew baseline apply" does, and records
when the stage began. What broke off is finished by another advance.

A single finding about a user, a device or an object can be excused by name, see
"curfew baseline rollout excuse". None can be excused about the emergency accounts,
the time in the stage, whether the policy reaches anybody, or what could not be read.`,
		Example: `  curfew baseline rollout advance --tenant contoso
  curfew baseline rollout advance --tenant contoso --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.tenant == "" {
				return wrong(errors.New("name the tenant by --tenant: tenants go on one by one"))
			}
			return a.withBaseline(cmd.Context(), s, true, func(b *ground) error {
				return b.each(func(t tenantSpec) error {
					who := a.operator(houseOf(b.conf), by)
					return b.alone(cmd.Context(), t, who, func(ctx context.Context) error { return b.advance(ctx, a, t, who, asJSON) })
				})
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&by, "by", "", "who does it, a `NAME`; left out: who runs this")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (b *ground) advance(ctx context.Context, a *app, t tenantSpec, by string, asJSON bool) error {
	if t.Baseline == nil {
		return wrong(errNoIdentity)
	}
	c, err := b.client(t)
	if err != nil {
		return err
	}
	defer c.Close()
	st, err := b.stands(ctx, t, c, by, a.shown(t.Name))
	a.wipe()
	switch {
	case err != nil:
		return err
	case st.last:
		return steps.ErrLast
	}
	if asJSON {
		err = b.p.json(st.line())
	} else {
		b.p.standing(st)
	}
	gate := steps.Gate(st.report, st.stage)
	if err != nil || !gate.Passed {
		return errors.Join(err, notReady(st.report))
	}
	plan := baseline.NewPlan(t.spec, st.state, gate.To, gate)
	plan.Name = t.Name
	if !asJSON {
		b.p.plan(plan, false)
	}
	log := runLog{b.journal.State(), t.ID}
	before, err := log.last(ctx)
	if err != nil {
		return err
	}
	run, err := baseline.Apply(ctx, c, plan, baseline.Options{By: by, Log: log, Previous: before, Approvals: secondAdmin{c}, Progress: b.progress(t.Name, asJSON)})
	if err != nil {
		return errors.Join(b.outcome(t.Name, run, asJSON), err)
	}
	was := rollout{Stage: st.stage, Since: st.since, By: by}
	return errors.Join(b.outcome(t.Name, run, asJSON), b.reach(ctx, t.ID, rollout{Stage: gate.To, Since: time.Now().UTC(), By: by, Run: run.ID, Before: &was}))
}

func newRolloutExcuseCmd(a *app) *cobra.Command {
	var s baselineScope
	var by, why string
	length := 7 * 24 * time.Hour
	cmd := &cobra.Command{
		Use:   "excuse FINDING...",
		Short: "Answer for single findings, by name and for a while",
		Long: `Excuse lets findings pass the gate that are about one user, device or object each,
as "status" names them in its last column. Who, why and until when is kept in the
journal and shown in every report. An excuse ends by itself.`,
		Example: `  curfew baseline rollout excuse devices-compliant/6f0f… --tenant contoso --reason "replaced on Friday"
  curfew baseline rollout excuse users-with-a-device/0b6f… --tenant contoso --reason "shared" --for 720h`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case s.tenant == "":
				return wrong(errors.New("name the tenant by --tenant"))
			case strings.TrimSpace(why) == "":
				return wrong(errors.New("say why by --reason"))
			case length <= 0 || length > longestExcuse:
				return wrong(fmt.Errorf("--for is at most %s", span(longestExcuse)))
			}
			for _, f := range args {
				if !readiness.Excusable(f) {
					return wrong(fmt.Errorf("%.80q cannot be excused: `curfew baseline rollout status` names the findings that can", f))
				}
			}
			return a.withBaseline(cmd.Context(), s, true, func(b *ground) error {
				now := time.Now().UTC()
				for _, f := range args {
					e := readiness.Excuse{Finding: strings.ToLower(f), By: a.operator(houseOf(b.conf), by), Reason: clean(why), At: now, Until: now.Add(length)}
					if err := b.excuse(cmd.Context(), b.tenants[0].ID, e); err != nil {
						return err
					}
					b.p.printf("%s: excused until %s\n", f, b.p.clock(e.Until))
				}
				return nil
			})
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&why, "reason", "", "why it may pass; shown in every report")
	cmd.Flags().DurationVar(&length, "for", length, "for how long, at most 720h")
	cmd.Flags().StringVar(&by, "by", "", "who answers for it, a `NAME`; left out: who runs this")
	return cmd
}

const longestExcuse = 30 * 24 * time.Hour
