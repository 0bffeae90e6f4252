package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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

// mostRecovery is how long work may stand still after something was killed, in seconds.
const mostRecovery = 10

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
		facts := bench.Figure{Name: workers(rate.Workers) + ": facts that change a case", Value: rate.Facts, Unit: "/s", Limit: rate.Raw, Ratio: rate.Facts / rate.Raw, Reached: true}
		devices := bench.Figure{Name: workers(rate.Workers) + ": devices seen through", Value: rate.Devices, Unit: "/s", Limit: rate.Most, Ratio: rate.Devices / rate.Most, Reached: true}
		if i > 0 {
			was := r.Rates[i-1]
			facts.Must, devices.Must = "more than with fewer, or ≥ 0.2 of the limit", "more than with fewer"
			facts.Reached = rate.Facts > was.Facts || facts.Ratio >= 0.2
			devices.Reached = rate.Devices > was.Devices
		}
		all = append(all, facts, devices)
	}
	worst := map[string]float64{}
	var order []string
	for _, b := range r.Blows {
		if _, known := worst[b.What]; !known {
			order = append(order, b.What)
		}
		worst[b.What] = max(worst[b.What], b.Seconds)
	}
	for _, what := range order {
		f := bench.Figure{Name: what + ": every partition is served again", Value: worst[what], Unit: "s", Limit: mostRecovery, Ratio: worst[what] / mostRecovery, Reached: true}
		if strings.Contains(what, "killed") { // a server that is cut off leaves its clients in the dark for longer
			f.Reached, f.Must = worst[what] < mostRecovery, fmt.Sprintf("< %d s", mostRecovery)
		}
		all = append(all, f)
	}
	none := func(what string, is, of int) {
		all = append(all, bench.Figure{Name: what, Value: float64(is), Unit: fmt.Sprintf("of %d", of), Reached: is == 0, Must: "none"})
	}
	none("acknowledged devices that were lost", r.Lost, r.Devices)
	none("effects that were doubled", r.Doubled, r.Effects)
	none("devices whose facts were taken in another order", r.Mixed, r.Chatty)
	return all
}

func workers(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return fmt.Sprintf("%d workers", n)
}
