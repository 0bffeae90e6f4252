package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"curfew/graph/baseline"
	"curfew/graph/baseline/doctor"
)

func newBaselineDoctorCmd(a *app) *cobra.Command {
	var s baselineScope
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what people get stuck on",
		Long: `Doctor asks of each tenant what people asked who got stuck: whether the connector only
looks on, whether its heartbeat is old, whether Android users lack the Company Portal,
whether an emergency account is excluded everywhere, and more. Each is found, not
found, or cannot be told, with why it matters and what to do. Nothing is changed.

It ends with 0 if nothing was found, else with 1.`,
		Example: `  curfew baseline doctor
  curfew baseline doctor --tenant contoso --json | jq 'select(.state == "found")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBaseline(cmd.Context(), s, false, func(b *ground) error {
				return b.each(func(t tenantSpec) error { return b.diagnose(cmd.Context(), t, asJSON) })
			})
		},
	}
	a.scopeFlags(cmd, &s)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (b *ground) diagnose(ctx context.Context, t tenantSpec, asJSON bool) error {
	c, err := b.client(t)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := baseline.Read(ctx, c, t.ID, t.spec)
	if err != nil {
		return err
	}
	answers := doctor.Examine(doctor.Seen{Spec: t.spec, State: state, More: doctor.Read(ctx, c, state), Now: time.Now()})
	found := 0
	for _, one := range answers {
		if one.State == doctor.Found {
			found++
		}
		if asJSON {
			err = errors.Join(err, b.p.json(struct {
				Tenant string `json:"tenant"`
				doctor.Answer
			}{t.Name, one}))
		}
	}
	if !asJSON {
		b.p.answers(t.Name, answers)
	}
	if found > 0 {
		err = errors.Join(err, fmt.Errorf("%s found", count(found, "thing")))
	}
	return err
}

// answers prints what was found, and for that why it matters and what to do.
func (p *printer) answers(tenant string, all []doctor.Answer) {
	var rows [][]cell
	for _, one := range all {
		st := map[doctor.State]style{doctor.Found: red, doctor.NotFound: green, doctor.Unknown: yellow}[one.State]
		rows = append(rows, []cell{{string(one.State), st}, {one.Question, bold}, {text: one.What}})
	}
	p.printf("%s\n", p.paint(bold, tenant))
	p.columns([]string{"STATE", "QUESTION", "WHAT"}, rows, 60)
	for _, one := range all {
		if one.State == doctor.Found {
			p.printf("\n%s: %s.\n  What to do: %s\n", p.paint(bold, one.Question), one.Why, one.Fix)
		}
	}
	p.printf("\n")
}
