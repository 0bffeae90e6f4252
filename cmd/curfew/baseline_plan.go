package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"curfew/graph/baseline"
)

func newBaselinePlanCmd(a *app) *cobra.Command {
	var s baselineScope
	var out string
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Read tenants and say what would make them as the file says",
		Long: `Read the tenants of a baseline file and say what would be done to make them so:

  +  create      an object is made
  ~  change      properties of one that is Curfew's get other values
  >  adopt       an object that the file adopts becomes Curfew's
  ?  undecided   something there looks alike: nothing is done until the file says
                 adopt: {KEY: ID}, or adopt: {KEY: new} to make one beside it

Nothing is written. Each tenant is planned for the stage that its rollout is at.

It ends with 0 if there is nothing to do, with 2 if there is, and with 1 if
something went wrong, the configuration included, or a part cannot be planned.

With --json each line is one tenant's plan. With --out the plans go into a file that
"curfew baseline apply" takes.`,
		Example: `  curfew baseline plan -c curfew.yaml --tenant contoso
  curfew baseline plan --out plan.json && curfew baseline apply plan.json
  curfew baseline plan --json | jq '.steps[] | select(.action != "nothing")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := a.withBaseline(cmd.Context(), s, false, func(b *ground) error {
				return b.planAll(cmd.Context(), out, asJSON, all)
			})
			var known exit
			if err != nil && cmd.Context().Err() == nil && !errors.Is(err, errChanges) && errors.As(err, &known) {
				return exit{exitFailed, err} // 2 says that there are changes
			}
			return err
		},
	}
	a.scopeFlags(cmd, &s)
	cmd.Flags().StringVar(&out, "out", "", "write the plans into this `FILE`, for apply")
	cmd.Flags().BoolVar(&all, "all", false, "show also what is as it should be")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// errChanges is the error of a plan that has something to do.
var errChanges = errors.New("there is something to do")

// A planFile is what --out writes. It holds no secret, but who runs what where.
type planFile struct {
	Version int              `json:"version"`
	Plans   []*baseline.Plan `json:"plans"`
}

const planVersion = 1

// planAll plans for every tenant; the trouble of one is no other's.
func (b *ground) planAll(ctx context.Context, out string, asJSON, all bool) error {
	var errs []error
	file := planFile{Version: planVersion}
	work := 0
	for _, t := range b.tenants {
		p, err := b.planOne(ctx, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Name, err))
			continue
		}
		file.Plans = append(file.Plans, p)
		if asJSON {
			errs = append(errs, b.p.json(p))
		} else {
			b.p.plan(p, all)
		}
		work += len(p.Work()) + len(p.Open())
		if p.Refused() || p.Blocked() {
			errs = append(errs, fmt.Errorf("%s: not everything can be planned; the notes say why", t.Name))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if out != "" {
		errs = append(errs, writePlans(out, file))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if work > 0 {
		return exit{exitWrong, fmt.Errorf("%w: %s", errChanges, count(work, "object"))}
	}
	return nil
}

func (b *ground) planOne(ctx context.Context, t tenantSpec) (*baseline.Plan, error) {
	c, err := b.client(t)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return b.plan(ctx, t, c)
}

// writePlans writes a file that is as it was, or as it is to be.
func writePlans(name string, file planFile) (err error) {
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".plan-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the plan: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// maxPlans bounds a file of plans.
const maxPlans = 64 << 20

func readPlans(name string) (planFile, error) {
	var file planFile
	data, err := readBounded(name, maxPlans+1)
	switch {
	case err != nil:
		return file, wrong(fmt.Errorf("cannot read %s: %s", name, reason(err)))
	case len(data) > maxPlans:
		return file, wrong(fmt.Errorf("%s has more than %d MB", name, maxPlans>>20))
	}
	if err := json.Unmarshal(data, &file); err != nil || file.Version != planVersion {
		return file, wrong(fmt.Errorf("%s is no plan of this version: make one with `curfew baseline plan --out %s`", name, name))
	}
	return file, nil
}
