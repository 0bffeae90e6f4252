package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/cmd/curfew/bench"
	"curfew/cmd/curfew/cluster"
)

// newBenchPartCmd is a process of the cluster that `curfew bench --cluster` tries.
func newBenchPartCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "part",
		Short:   "Be a part of the cluster that --cluster tries; it reads from standard input which",
		Long:    "Be a server or a worker of the cluster that `curfew bench --cluster` tries. It is\nstarted by that, and ends with it.",
		Example: "  curfew bench --cluster",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cluster.Part(cmd.Context(), os.Stdin) },
	}
}

// How long work may stand still after something was killed, in seconds: at all, or
// where NATS needed more elections than one, after the last of them.
const (
	mostRecovery      = 10
	mostAfterElection = 3
)

// benchCluster tries a cluster, and tells what came of it.
func (a *app) benchCluster(ctx context.Context, program, dir string, short, asJSON bool, out string) error {
	dir, err := os.MkdirTemp(dir, "curfew-cluster-")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	o := cluster.Options{Command: []string{program, "bench", "part"}, Dir: dir, Rounds: 3, Rate: 10, Measure: 5 * time.Second}
	if short {
		o.Rounds, o.Rate, o.Measure = 1, 5, 2*time.Second
	}
	if isTerminal(a.stderr) {
		o.Told = a.stderr
	}
	r, err := cluster.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("%w; logs and queues are left in %s", err, dir)
	}
	err = a.tellBench(clusterFigures(r), asJSON, out)
	if len(r.Wrong) > 0 {
		return errors.Join(err, fmt.Errorf("bench: %s; logs and queues are left in %s", strings.Join(r.Wrong, "; "), dir))
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// clusterFigures are what was measured, in the form of the other figures.
func clusterFigures(r *cluster.Report) []bench.Figure {
	var all []bench.Figure
	for i, rate := range r.Rates {
		facts := bench.Figure{Name: workers(rate.Workers) + ": facts that change a case", Value: rate.Facts, Unit: "/s", Limit: rate.Bare, Ratio: rate.Facts / rate.Bare, Reached: true}
		devices := bench.Figure{Name: workers(rate.Workers) + ": devices seen through", Value: rate.Devices, Unit: "/s", Limit: rate.Most, Ratio: rate.Devices / rate.Most, Reached: true}
		if i > 0 {
			was := r.Rates[i-1]
			facts.Must, devices.Must = "more than with fewer, or ≥ 0.6 of the limit", "more than with fewer"
			facts.Reached = rate.Facts > was.Facts || facts.Ratio >= 0.6
			devices.Reached = rate.Devices > was.Devices
		}
		all = append(all, facts, devices)
	}
	all = append(all, recoveries(r.Blows)...)
	none := func(what string, is, of int) {
		all = append(all, bench.Figure{Name: what, Value: float64(is), Unit: fmt.Sprintf("of %d", of), Reached: is == 0, Must: "none"})
	}
	none("acknowledged devices that were lost", r.Lost, r.Devices)
	none("effects that were doubled", r.Doubled, r.Effects)
	none("devices whose facts were taken in another order", r.Mixed, r.Chatty)
	return all
}

// recoveries are the worst of each kind of blow.
func recoveries(blows []cluster.Blow) []bench.Figure {
	var all []bench.Figure
	for _, b := range blows {
		name := b.What + ": every partition is served again"
		i := slices.IndexFunc(all, func(f bench.Figure) bool { return f.Name == name })
		if i < 0 {
			i = len(all)
			all = append(all, bench.Figure{Name: name, Unit: "s", Limit: mostRecovery, Reached: true})
		}
		f := &all[i]
		f.Value = max(f.Value, b.Seconds)
		f.Ratio = f.Value / f.Limit
		if strings.Contains(b.What, "killed") { // a server that is cut off leaves its clients in the dark for longer
			f.Must = fmt.Sprintf("< %d s, or < %d s after NATS's last election", mostRecovery, mostAfterElection)
			f.Reached = f.Reached && (b.Seconds < mostRecovery || b.Elected > 0 && b.Seconds-b.Elected < mostAfterElection)
		}
	}
	return all
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}
