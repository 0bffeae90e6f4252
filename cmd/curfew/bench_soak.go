package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"curfew/cmd/curfew/try"
)

// A soaking is how the soak of `curfew bench` is asked for.
type soaking struct {
	length time.Duration // zero: it is not
	rate   int
	seed   uint64
}

func (s *soaking) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&s.length, "soak", 0, "let things go wrong under load for a `TIME` such as 30m, and see what it does")
	cmd.Flags().IntVar(&s.rate, "rate", 200, "with --soak: `NOTIFICATIONS` a second")
	cmd.Flags().Uint64Var(&s.seed, "seed", 0, "with --soak: the `NUMBER` of an earlier one, to repeat it; left out: another one")
}

func (a *app) soak(ctx context.Context, program, dir string, s soaking, asJSON bool) error {
	dir, err := os.MkdirTemp(dir, "curfew-soak-")
	if err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	r, err := try.Soak(ctx, try.SoakOptions{Program: program, Dir: dir, For: s.length, Rate: s.rate, Seed: s.seed, Told: a.stderr})
	if err != nil {
		return fmt.Errorf("%w; logs and queue are left in %s", err, dir)
	}
	if asJSON {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = tellSoak(a.stdout, r)
	}
	if len(r.Wrong) > 0 {
		return errors.Join(err, fmt.Errorf("soak, seed %d: %d things went wrong; logs and queue are left in %s", r.Seed, len(r.Wrong), dir))
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// tellSoak writes what came of a soak.
func tellSoak(w io.Writer, r *try.SoakReport) error {
	fmt.Fprintf(w, "seed %d: %.0f s, %d notifications, %d facts (%.0f/s), %d of %d illnesses found\n", r.Seed, r.Seconds, r.Offered, r.Facts, r.PerSecond, r.Found, r.Illnesses)
	fmt.Fprintf(w, "%d mails, %d tickets, %d incidents\n\n", r.Mails, r.Tickets, r.Incidents)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WENT WRONG\tTIMES")
	for _, kind := range r.Kinds() {
		fmt.Fprintf(t, "%s\t%d\n", kind, r.Faults[kind])
	}
	fmt.Fprintln(t, "\nWORKER\tBEGAN\tENDED\tMOST\tMAY GROW BY\tFLAT")
	for _, g := range r.Trends {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%.0f %s\t%s\n", g.What, g.First, g.Last, g.Most, g.Allowed, g.Unit, yes(g.OK))
	}
	fmt.Fprintln(t, "\nJOURNAL\tMEASURED\tFORETOLD\t\t\tKEPT")
	for _, g := range r.Journal {
		fmt.Fprintf(t, "%s\t%.1f\tat most %.1f %s\t\t\t%s\n", g.What, g.Measured, g.Foretold, g.Unit, yes(g.OK))
	}
	err := t.Flush()
	for _, wrong := range r.Wrong {
		fmt.Fprintln(w, "WRONG: "+wrong)
	}
	return err
}
