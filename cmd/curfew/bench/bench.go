// Package bench measures what Curfew does, with its real parts: the queue on a
// real disk, the webhook on a socket, the worker as a process of its own. Only
// Microsoft is simulated.
//
// Each figure is given beside a limit that was measured in the same run on the
// same disk, before and after it: how fast the bare queue writes, or the bare
// socket answers. So the ratio says what Curfew costs, on any machine; and where
// the machine itself is too slow, the limit shows it. What has no such limit, such
// as memory, is given beside the most that it may be.
//
// What may not be assumed: that a figure is the same in the next run. Other
// programs, and the disk's own caches, move it by a third.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Options say what is measured and how.
type Options struct {
	Program   string // the curfew binary that plays the worker
	Dir       string // where to measure: a directory on the disk in question; empty: that of temporary files
	Size      Size
	Scenarios []Scenario

	// Progress, if set, is told what is being measured.
	Progress func(done, all int, name string)
}

// A Scenario measures one thing. It cleans up after itself, whatever comes.
type Scenario struct {
	Name string // what is being measured, for whoever waits
	Run  func(context.Context, *Rig) ([]Figure, error)
}

// Scenarios are those that every worker is measured by.
func Scenarios() []Scenario {
	return []Scenario{
		{"the webhook, one notification per POST", webhookSingle},
		{"the webhook, 100 notifications per POST", webhookMany},
		{"facts that change a case", keepChange},
		{"facts that change nothing", keepNothing},
		{"an idle worker", idle},
		{"from a notification to an action", act},
		{"many open cases", sleeping},
		{"the sweep of a big tenant", sweep},
		{"tenants beside some in trouble", neighbours},
	}
}

// Run measures the scenarios one after the other, and last the limits. A scenario
// that cannot be measured does not keep the others from it; the error tells.
func Run(ctx context.Context, o Options) (figures []Figure, err error) {
	dir, err := os.MkdirTemp(o.Dir, "curfew-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &Rig{Options: o, dir: dir}
	if r.limits, err = openLimits(ctx, filepath.Join(dir, "limits"), o.Size.Raw); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer func() { err = errors.Join(err, r.limits.close(ctx)) }()
	for i, s := range o.Scenarios {
		if o.Progress != nil {
			o.Progress(i, len(o.Scenarios), s.Name)
		}
		got, failed := s.Run(ctx, r)
		if ctx.Err() != nil {
			return figures, ctx.Err()
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("bench: %s: %w", s.Name, failed))
		}
		figures = append(figures, got...)
	}
	return append(figures, r.limits.figures()...), err
}

// A Size says how much is measured.
type Size struct {
	Raw   time.Duration // how long a limit is measured each time
	Load  time.Duration // how long the webhook is posted to
	Write time.Duration // how long the bare queue may take for what is counted here; on a slow disk it is less

	Changes int           // facts that change a case
	Nothing int           // facts that change nothing
	Settle  time.Duration // how long a worker has after its start until it is idle
	Idle    time.Duration // how long it is watched then
	Samples int           // devices that an action is waited for
	Cases   int           // open cases that sleep
	Due     int           // alarms due in one second
	Fleet   int           // devices of the tenant that is swept
	Sweep   time.Duration // between two sweeps of each of many tenants
	Ill     int           // devices of each that fall ill
	Watch   time.Duration // and in how long a time
}

// Full takes some minutes.
func Full() Size {
	return Size{
		Raw: time.Second, Load: 10 * time.Second, Write: 3 * time.Minute,
		Changes: 10_000, Nothing: 60_000, Settle: 15 * time.Second, Idle: 30 * time.Second, Samples: 200,
		Cases: 100_000, Due: 10_000, Fleet: 100_000,
		Sweep: 5 * time.Second, Ill: 20, Watch: time.Minute,
	}
}

// Short takes less than 50 s, on a machine that has nothing else to do.
func Short() Size {
	return Size{
		Raw: 200 * time.Millisecond, Load: 1500 * time.Millisecond, Write: 700 * time.Millisecond,
		Changes: 4000, Nothing: 20_000, Settle: time.Second, Idle: 2 * time.Second, Samples: 15,
		Cases: 4000, Due: 1000, Fleet: 10_000,
		Sweep: 2 * time.Second, Ill: 3, Watch: 3 * time.Second,
	}
}
