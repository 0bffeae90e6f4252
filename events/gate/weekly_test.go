package gate_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events/gate"
)

// TestOnceAWeek: two workers do it once between them, at the same hour on both sides
// of the change of the clock, and however one of them fails or dies.
func TestOnceAWeek(t *testing.T) {
	for name, tt := range map[string]struct {
		fail  error
		again bool
		calls int
	}{
		"well":                    {nil, false, 1},
		"refused at first":        {errors.New("503"), false, 2},
		"nobody knows whether":    {unsure{errors.New("timeout")}, true, 2},
		"it cannot be, right now": {giveUp{errors.New("403")}, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				zone := berlin(t)
				time.Sleep(time.Until(time.Date(2000, 3, 22, 12, 0, 0, 0, zone))) // a Wednesday; the clock goes forward on Sunday
				var mu sync.Mutex
				var calls []time.Time
				s := newMemory()
				run := func(ctx context.Context) {
					w := &gate.Weekly{Store: s, Key: "report", Day: time.Monday, Clock: 8 * time.Hour, Zone: zone, Log: quiet}
					w.Do = func(_ context.Context, due time.Time, again bool) error {
						mu.Lock()
						defer mu.Unlock()
						if calls = append(calls, due); len(calls) == 1 {
							return tt.fail
						}
						if again != (tt.again && len(calls) == 2) {
							t.Errorf("call %d: it may have been done before: %v", len(calls), again)
						}
						return nil
					}
					if err := w.Run(ctx); err != nil {
						t.Error(err)
					}
				}
				done := func() []time.Time {
					mu.Lock()
					defer mu.Unlock()
					return slices.Clone(calls)
				}
				ctx, stop := context.WithCancel(t.Context())
				go run(ctx)
				go run(ctx)
				time.Sleep(24 * time.Hour)
				if calls := done(); len(calls) != 0 {
					t.Errorf("last week's, which nobody waits for, came at %v", calls)
				}
				time.Sleep(6 * 24 * time.Hour)
				monday := time.Date(2000, 3, 27, 8, 0, 0, 0, zone)
				if calls := done(); len(calls) != tt.calls || !calls[0].Equal(monday) || !calls[len(calls)-1].Equal(monday) {
					t.Errorf("%v", calls)
				}
				stop()
				synctest.Wait()

				// Nobody runs for three weeks: one makes up for them.
				time.Sleep(21 * 24 * time.Hour)
				before := len(done())
				ctx, stop = context.WithCancel(t.Context())
				defer stop()
				go run(ctx)
				go run(ctx)
				time.Sleep(24 * time.Hour)
				if calls := done(); len(calls) != before+1 || !calls[before].Equal(time.Date(2000, 4, 17, 8, 0, 0, 0, zone)) {
					t.Errorf("after three weeks: %v", calls[before:])
				}
				stop()
				synctest.Wait()
			})
		})
	}
}

// TestADeadWorkersReport: it is another one's after a while, who is told that it may
// have been sent.
func TestADeadWorkersReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := &gate.Weekly{Store: s, Key: "report", Day: time.Now().UTC().Weekday(), Clock: time.Hour, Zone: time.UTC, Log: quiet}
		ctx, die := context.WithCancel(t.Context())
		w.Do = func(context.Context, time.Time, bool) error { die(); return errors.New("dead") }
		go func() { _ = w.Run(ctx) }()
		time.Sleep(2 * time.Hour)
		if ctx.Err() == nil {
			t.Fatal("it was not even tried")
		}
		other := *w
		again := make(chan bool, 9)
		other.Do = func(_ context.Context, _ time.Time, a bool) error { again <- a; return nil }
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = other.Run(ctx) }()
		time.Sleep(2 * time.Hour)
		if len(again) != 1 || !<-again {
			t.Errorf("%d attempts of the other one", len(again))
		}
		stop()
		synctest.Wait()
	})
}
