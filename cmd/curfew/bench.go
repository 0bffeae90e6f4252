package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/cmd/curfew/bench"
)

func newBenchCmd(a *app) *cobra.Command {
	var asJSON, short, ofCluster bool
	var dir, out, only string
	var long soaking
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast Curfew is on this machine and this disk",
		Long:  benchHelp(),
		Example: `  curfew bench
  curfew bench --short                     less of everything, in 50 seconds
  curfew bench --dir /var/lib/curfew       on the disk that a worker uses
  curfew bench --json | jq '.[] | select(.reached | not)'
  curfew bench --soak 30m --seed 7
  curfew bench --cluster                   three NATS servers and up to three workers`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("bench: where is this program? %w", err)
			}
			defer a.lean()() // as the worker does whose parts are measured here
			switch {
			case ofCluster && long.length > 0:
				return wrong(errors.New("--cluster and --soak are two things: say one"))
			case ofCluster:
				return a.benchCluster(cmd.Context(), program, dir, short, asJSON, out)
			case long.length > 0:
				return a.soak(cmd.Context(), program, dir, long, asJSON)
			}
			o := bench.Options{Program: program, Dir: dir, Size: bench.Full(), Scenarios: bench.Scenarios()}
			if short {
				o.Size = bench.Short()
			}
			o.Scenarios = slices.DeleteFunc(o.Scenarios, func(s bench.Scenario) bool { return !strings.Contains(s.Name, only) })
			if len(o.Scenarios) == 0 {
				return wrong(fmt.Errorf("bench: nothing that is measured is called %q; `curfew bench --help` lists what is", only))
			}
			if isTerminal(a.stderr) {
				began := time.Now()
				o.Progress = func(done, all int, name string) {
					fmt.Fprintf(a.stderr, "\r\x1b[K%4.0f s  %d of %d: %s", time.Since(began).Seconds(), done+1, all, name)
				}
				defer fmt.Fprint(a.stderr, "\r\x1b[K")
			}
			figures, err := bench.Run(cmd.Context(), o)
			if len(figures) == 0 || cmd.Context().Err() != nil {
				return err
			}
			return errors.Join(err, a.tellBench(figures, asJSON, out))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write one JSON array instead of the table")
	cmd.Flags().BoolVar(&short, "short", false, "measure less of everything")
	cmd.Flags().StringVar(&only, "only", "", "measure only what has this `TEXT` in its name, such as webhook")
	cmd.Flags().StringVar(&dir, "dir", "", "where to measure, a `DIR` on the disk in question; left out: that for temporary files")
	long.flags(cmd)
	cmd.Flags().BoolVar(&ofCluster, "cluster", false, "try a cluster instead")
	cmd.AddCommand(newBenchPartCmd())
	cmd.Flags().StringVar(&out, "out", "", "write the figures to a `FILE` as JSON, too")
	return cmd
}

// benchHelp says what bench does, and lists what it measures.
func benchHelp() string {
	var names []string
	for _, s := range bench.Scenarios() {
		names = append(names, "  "+s.Name)
	}
	return benchAbout + strings.Join(names, "\n")
}

const benchAbout = `Bench measures the real parts: the queue, the webhook, the worker as a process of its
own, against simulated tenants. Beside each figure stands its limit, measured in the
same run on the same disk: how fast the bare queue writes or a bare socket answers. Of
what has no such limit, such as memory, it is the most that it may be.

It takes some minutes and should have the machine for itself. It needs no
configuration, leaves nothing behind but the file with the figures, and ends with 0
if everything could be measured, whether a figure is reached or not.

With --soak it instead puts two workers under load for as long as that, while things
go wrong around them: the queue killed and gone, Graph, tokens, the desk and the pager
down, notifications lost and doubled. The seed repeats what goes wrong when. It ends
with 1 if something was lost or done twice, or if a worker or the journal grows.

What is measured:

`

// tellBench writes the figures.
func (a *app) tellBench(figures []bench.Figure, asJSON bool, out string) error {
	var errs []error
	if asJSON {
		errs = append(errs, bench.JSON(a.stdout, figures))
	} else {
		errs = append(errs, bench.Table(a.stdout, figures, a.colours(a.stdout)))
	}
	if out != "" {
		f, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, bench.JSON(f, figures), f.Close())
	}
	return errors.Join(errs...)
}
