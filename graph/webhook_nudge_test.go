package graph_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/graph"
)

// A sweeper counts sweeps, and does each as a test says.
type sweeper struct {
	runs []time.Duration // when each began, since the start
	from time.Time
	how  func(ctx context.Context, n int) error
}

func (s *sweeper) sweep(ctx context.Context) error {
	s.runs = append(s.runs, time.Since(s.from))
	if s.how == nil {
		return nil
	}
	return s.how(ctx, len(s.runs))
}

// serving runs a story with one tenant's nudges being served.
func serving(t *testing.T, s *sweeper, tell func(t *testing.T, shelf *shelf, n *graph.Nudges, restart func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		shelf := newShelf()
		s.from = time.Now()
		n := &graph.Nudges{State: shelf}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		serve := func() { done <- n.Serve(ctx, contosoID, s.sweep) }
		go serve()
		stop := func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		tell(t, shelf, n, func() {
			stop()
			ctx, cancel = context.WithCancel(t.Context())
			*n = graph.Nudges{State: shelf}
			go serve()
			synctest.Wait()
		})
		stop()
	})
}

func asks(t *testing.T, n *graph.Nudges) {
	t.Helper()
	if err := n.Ask(t.Context(), contosoID); err != nil {
		t.Error(err)
	}
}

func TestANudgeIsServedOnceAndAtOnce(t *testing.T) {
	s := &sweeper{}
	serving(t, s, func(t *testing.T, _ *shelf, n *graph.Nudges, restart func()) {
		later(time.Hour)
		asks(t, n)
		later(0)
		restart()
		later(days(1))
		if len(s.runs) != 1 || s.runs[0] != time.Hour {
			t.Errorf("swept at %v", s.runs)
		}
	})
}

func TestANudgeSurvivesTheProcess(t *testing.T) {
	s := &sweeper{how: func(ctx context.Context, n int) error {
		if n == 1 { // the first is cut short
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	serving(t, s, func(t *testing.T, _ *shelf, n *graph.Nudges, restart func()) {
		asks(t, n)
		later(time.Hour)
		restart()
		later(time.Hour)
		restart()
		later(time.Hour)
		if len(s.runs) != 2 {
			t.Errorf("swept at %v, want twice", s.runs)
		}
	})
}

func TestWhatComesDuringASweepIsForTheNext(t *testing.T) {
	s := &sweeper{how: func(context.Context, int) error { time.Sleep(10 * time.Minute); return nil }}
	serving(t, s, func(t *testing.T, _ *shelf, n *graph.Nudges, _ func()) {
		asks(t, n)
		later(5 * time.Minute)
		for range 20 {
			asks(t, n)
		}
		later(days(1))
		if len(s.runs) != 2 || s.runs[1] != 11*time.Minute {
			t.Errorf("swept at %v, want at once and again a minute after", s.runs)
		}
	})
}

func TestASweepThatFailsIsRunAgain(t *testing.T) {
	s := &sweeper{how: func(_ context.Context, n int) error {
		if n <= 5 {
			return errors.New("half of it could not be read")
		}
		return nil
	}}
	serving(t, s, func(t *testing.T, _ *shelf, n *graph.Nudges, _ func()) {
		asks(t, n)
		later(days(1))
		if len(s.runs) != 6 || s.runs[5] < 10*time.Minute || s.runs[5] > time.Hour {
			t.Errorf("swept at %v", s.runs)
		}
	})
}

func TestANudgeIsTakenOverFromAWorkerThatIsGone(t *testing.T) {
	s := &sweeper{}
	serving(t, s, func(t *testing.T, shelf *shelf, _ *graph.Nudges, _ func()) {
		later(time.Hour)
		asks(t, &graph.Nudges{State: shelf}) // another worker's, which dies
		later(time.Hour)
		if len(s.runs) != 1 || s.runs[0] > 90*time.Minute {
			t.Errorf("swept at %v, want once within 20 minutes or so", s.runs)
		}
	})
}

func TestANudgeThatCannotBeKeptIsAnError(t *testing.T) {
	s := &sweeper{}
	serving(t, s, func(t *testing.T, shelf *shelf, n *graph.Nudges, _ func()) {
		shelf.set(func(op, _ string) error { return errors.New("no space left") })
		if err := n.Ask(t.Context(), contosoID); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("said %v", err)
		}
		shelf.set(nil)
		asks(t, n)
		later(time.Second)
		if len(s.runs) != 1 {
			t.Errorf("swept at %v", s.runs)
		}
	})
	if err := new(graph.Nudges).Serve(t.Context(), contosoID, s.sweep); err == nil {
		t.Error("no state, and nobody says so")
	}
}

func TestTheStateMayBeDamagedOrOutForAWhile(t *testing.T) {
	s := &sweeper{}
	serving(t, s, func(t *testing.T, shelf *shelf, n *graph.Nudges, restart func()) {
		shelf.kept["nudge."+contosoID] = kept{value: []byte("not JSON"), rev: 99}
		restart() // who knows what it was: sweep
		later(time.Hour)
		if len(s.runs) != 1 {
			t.Fatalf("swept at %v", s.runs)
		}
		asks(t, n)
		shelf.set(func(op, _ string) error { return errors.New("no connection") })
		later(time.Hour)
		shelf.set(nil)
		later(time.Hour)
		if len(s.runs) < 2 {
			t.Errorf("swept at %v", s.runs)
		}
		restart()
		before := len(s.runs)
		later(days(1))
		if len(s.runs) != before {
			t.Error("a nudge that was served is served again")
		}
	})
}
