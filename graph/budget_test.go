package graph

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd calls as fast as the gate lets it for a while and returns when it got
// through.
func crowd(t *testing.T, g *gate, k call, callers int, lasts time.Duration) []time.Time {
	t.Helper()
	var (
		mu      sync.Mutex
		through []time.Time
		wg      sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				asked := time.Now()
				leave, refusal := g.enter(ctx, k)
				if waited := time.Since(asked); waited > 2*patience {
					t.Errorf("waited for %v", waited)
				}
				if refusal != nil {
					pause(ctx, max(refusal.RetryAfter(), time.Millisecond))
					continue
				}
				mu.Lock()
				through = append(through, time.Now())
				mu.Unlock()
				leave()
			}
		})
	}
	wg.Wait()
	slices.SortFunc(through, time.Time.Compare)
	return through
}

// busiest is the most calls in any window.
func busiest(through []time.Time, window time.Duration) int {
	most, from := 0, 0
	for i, at := range through {
		for at.Sub(through[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func TestCallsStayUnderMicrosoftsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		service service
		write   bool
		window  time.Duration
		limit   int
	}{
		"Intune":                       {service: intune, window: 20 * time.Second, limit: 2000},
		"Intune, writes":               {service: intune, write: true, window: 20 * time.Second, limit: 200},
		"security":                     {service: security, window: time.Minute, limit: 150},
		"identity, at two units apart": {service: identity, window: 10 * time.Second, limit: 3500 / 2},
		"mailbox":                      {service: mailbox, window: 10 * time.Minute, limit: 10_000},
		"subscription":                 {service: subscribing, window: 20 * time.Second, limit: 1000},
		"audit logs":                   {service: auditing, window: 10 * time.Second, limit: 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBudget(0)[c.service]
				most := busiest(crowd(t, g, call{write: c.write}, 20, 3*c.window), c.window)
				if most > c.limit*81/100 {
					t.Errorf("%d in %v, of %d", most, c.window, c.limit)
				}
				if most < c.limit*6/10 {
					t.Errorf("only %d in %v, of %d: too shy", most, c.window, c.limit)
				}
			})
		})
	}
}

func TestWorkersShareTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []time.Time
		for range 4 {
			all = append(all, crowd(t, newBudget(4)[security], call{}, 3, time.Minute)...)
		}
		if len(all) > 121 { // four processes, one after the other here, in the same minute
			t.Errorf("%d in a minute", len(all))
		}
	})
}

func TestSweepsLeaveTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBudget(0)[security]
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { crowd(t, g, call{sweep: true}, 10, time.Minute) })
		time.Sleep(50 * time.Second) // the sweep has taken all it gets
		for i := range 12 {
			began := time.Now()
			leave, refusal := g.enter(ctx, call{})
			if refusal != nil || time.Since(began) != 0 {
				t.Fatalf("look %d: %v after %v", i, refusal, time.Since(began))
			}
			leave()
		}
		// While the looks use up what comes in, the sweep gets nothing.
		looks := make(chan []time.Time, 1)
		wg.Go(func() { looks <- crowd(t, g, call{}, 5, 30*time.Second) })
		time.Sleep(5 * time.Second)
		if _, refusal := g.enter(ctx, call{sweep: true}); refusal == nil || refusal.RetryAfter() == 0 || !refusal.local {
			t.Errorf("the sweep got through: %+v", refusal)
		}
		cancel()
		wg.Wait()
		if n := len(<-looks); n < 40 {
			t.Errorf("only %d looks", n)
		}
	})
}

func TestALongWaitIsNotSatThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBudget(0)[security]
		for range 30 {
			if _, refusal := g.enter(t.Context(), call{}); refusal != nil {
				t.Fatal(refusal)
			}
		}
		g.mu.Lock()
		g.all.ReserveN(time.Now(), 10) // ten are in line already
		g.mu.Unlock()
		began := time.Now()
		_, refusal := g.enter(t.Context(), call{})
		if refusal == nil || refusal.RetryAfter() < 7*time.Second || time.Since(began) != 0 || refusal.GiveUp() {
			t.Errorf("%+v after %v", refusal, time.Since(began))
		}
	})
}

func TestMicrosoftsWordClosesTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(0)
		g := b[intune]
		if after := g.heard(429, 2*time.Minute); after != 2*time.Minute {
			t.Error(after)
		}
		time.Sleep(30 * time.Second)
		if _, refusal := g.enter(t.Context(), call{}); refusal == nil || refusal.RetryAfter() != 90*time.Second {
			t.Errorf("%+v", refusal)
		}
		g.heard(429, time.Second) // a shorter word does not open it earlier
		if _, refusal := g.enter(t.Context(), call{}); refusal == nil || refusal.RetryAfter() != 90*time.Second {
			t.Errorf("%+v", refusal)
		}
		if _, refusal := b[security].enter(t.Context(), call{}); refusal != nil {
			t.Error("another service is closed too")
		}
		time.Sleep(90 * time.Second)
		if _, refusal := g.enter(t.Context(), call{}); refusal != nil {
			t.Error(refusal)
		}
		if g.heard(503, 0); !g.closed.Before(time.Now().Add(time.Second)) {
			t.Error("a 503 that says nothing closes nothing")
		}
		// Some services send 429 and do not say when.
		for _, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute} {
			if got := g.heard(429, 0); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		}
		g.heard(200, 0)
		if got := g.heard(429, 0); got != 10*time.Second {
			t.Error(got)
		}
	})
}

func TestFourMailsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBudget(0)[mailbox]
		var leaves []func()
		for range mailAtOnce {
			leave, refusal := g.enter(t.Context(), call{})
			if refusal != nil {
				t.Fatal(refusal)
			}
			leaves = append(leaves, leave)
		}
		if _, refusal := g.enter(t.Context(), call{}); refusal == nil || refusal.RetryAfter() == 0 {
			t.Error("a fifth got in")
		}
		leaves[0]()
		if _, refusal := g.enter(t.Context(), call{}); refusal != nil {
			t.Error(refusal)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, refusal := g.enter(ctx, call{}); refusal == nil || refusal.GiveUp() {
			t.Errorf("%+v", refusal)
		}
	})
}
