// Package try shows Curfew at work without a Microsoft 365 tenant: simulated
// tenants, a help desk, a site of Jira and a pager on loopback, and the real program
// between them, as a process of its own with its real queue, configuration and TLS.
//
// At the end one of the tenants is set up by its baseline: planned, applied, and
// planned again.
//
// Each story makes something happen in a tenant, waits for what Curfew must do
// about it, and fails if it does not, does it twice, or does anything else. The
// stories run side by side. Nothing is skipped and nothing is pretended but the
// clouds of Microsoft and the vendors.
//
// What may not be assumed: the policies' times are seconds so that a demonstration
// fits into one minute. In a real rule file they are hours and days.
package try

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say how the stories are told.
type Options struct {
	Program string    // the curfew binary that plays the worker
	Out     io.Writer // where the stories are told
	JSON    bool      // as one object a line, for programs
	Color   bool
	Hold    bool // keep everything running after the stories, until ctx ends
}

// ErrWrong says that a story did not go as it must.
var ErrWrong = errors.New("a story went wrong")

// limit is how long one story may take before it counts as gone wrong.
const limit = 55 * time.Second

// Run tells the stories. It returns [ErrWrong] if one went wrong, after all of
// them have ended, and any other error if they could not be told at all.
func Run(ctx context.Context, o Options) (err error) {
	tell := newTeller(o)
	dir, err := os.MkdirTemp("", "curfew-try-")
	if err != nil {
		return fmt.Errorf("try: %w", err)
	}
	w, err := newWorld(ctx, dir, "3s", [][]string{
		{"contoso", "tailspin", "fabrikam", "adatum", "woodgrove", "litware"},
		{"northwind"}, // its worker is killed again and again
	})
	if err != nil {
		return errors.Join(fmt.Errorf("try: %w", err), os.RemoveAll(dir))
	}
	defer func() {
		w.close()
		if errors.Is(err, ErrWrong) {
			tell.note("the workers' logs and queues are left in %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	tell.note("simulated tenants at %s, a help desk, Jira, a pager; starting the workers", w.cloud.URL)
	if err := w.startWorkers(ctx, o.Program); err != nil {
		return fmt.Errorf("try: %w", err)
	}
	watching, stop := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	for _, wk := range w.workers {
		watchers.Go(func() { watch(watching, wk, tell) })
	}
	results := play(ctx, w, tell)
	if ctx.Err() == nil {
		results = append(results, settingUp(ctx, w, tell))
	}
	stop()
	watchers.Wait()
	ok := tell.summary(results)
	if o.Hold && ctx.Err() == nil {
		hold(ctx, w, tell)
	}
	if !ok {
		return ErrWrong
	}
	return nil
}

// play tells every story at once and waits for all.
func play(ctx context.Context, w *world, tell *teller) []result {
	list := stories()
	results := make([]result, len(list))
	var g errgroup.Group
	for i, s := range list {
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			start := time.Now()
			err := s.play(ctx, &stage{world: w, tell: tell, story: s.name})
			results[i] = result{Name: s.name, About: s.about, OK: err == nil, Seconds: time.Since(start).Seconds()}
			if err != nil {
				results[i].Error = err.Error()
			}
			tell.ended(results[i])
			return nil
		})
	}
	_ = g.Wait() // the stories' errors are in the results
	return results
}

func hold(ctx context.Context, w *world, tell *teller) {
	tell.note("everything keeps running until you press Ctrl-C; look around with:")
	for _, wk := range w.workers {
		tell.note("  curfew cases --config %s", wk.config)
	}
	<-ctx.Done()
}
