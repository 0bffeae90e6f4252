package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/journal"
)

// TestNobodyActs: where a process only watches and no other acts, a person hears
// of it; one that is only started anew is not missed.
func TestNobodyActs(t *testing.T) {
	inWard(t, func(w *ward) {
		t := w.t
		w.rules = events.Policies{List: []events.Policy{{
			Name: "threat", When: always{}, ClearFor: time.Hour, ReopenWithin: time.Hour,
			Ladder: []events.Rung{{Do: []events.Order{{Action: events.Scan, Kind: "quick"}}}},
		}}}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		a := &absence{journal: w.j, log: quiet}
		wg.Go(func() { _ = a.watch(ctx) })
		attention := func() []string {
			c, _, err := w.j.Case(t.Context(), events.TenantKey(contoso))
			check(t, err)
			return c.Attention
		}
		act := func() (stop func()) {
			ctx, cancel := context.WithCancel(ctx)
			var wg sync.WaitGroup
			wg.Go(func() {
				_ = w.j.Serve(ctx, events.Scan, func(_ context.Context, _ events.Case, x events.Task) (events.Fact, error) {
					return events.Accepted{Task: x.ID, Again: time.Now().Add(time.Minute)}, nil
				}, journal.ServeOptions{})
			})
			return func() {
				cancel()
				wg.Wait()
			}
		}
		sick := w.admit(contoso, "d42", "LT-042", "anna@contoso.example")
		stop := act()
		sick.d.Threat = "highSeverity"
		sick.look()
		time.Sleep(20 * time.Minute) // it comes back every minute, and somebody is there
		if got := attention(); len(got) > 0 {
			t.Fatalf("%q", got)
		}
		stop()
		time.Sleep(4 * time.Minute)
		stop = act()
		time.Sleep(4 * time.Minute)
		stop()
		if got := attention(); len(got) > 0 {
			t.Errorf("missed after four minutes: %q", got)
		}
		time.Sleep(10 * time.Minute)
		if got := attention(); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "no process acts: start `curfew run --role act`") }) {
			t.Errorf("nobody is called: %q", got)
		}
		c, _, err := w.j.Case(t.Context(), events.TenantKey(contoso))
		check(t, err)
		trips := 0
		for _, r := range w.facts(events.TenantKey(contoso)) {
			if _, ok := r.(events.Tripped); ok {
				trips++
			}
		}
		if trips != 1 || !c.Open {
			t.Errorf("called %d times", trips)
		}
	})
}

// facts are those of a device.
func (w *ward) facts(k events.Key) (all []events.Fact) {
	w.t.Helper()
	for r, err := range w.j.Facts(w.t.Context(), k) {
		check(w.t, err)
		all = append(all, r.Fact)
	}
	return all
}
