package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"curfew/handlers"
)

// A desk that has not answered so many times in a row is left alone for a while,
// longer each time.
const (
	deadAfter = 3
	maxPause  = 5 * time.Minute
)

// A gate is in front of one desk. It keeps the time that the desk asked for, so
// that no task runs into a refusal that another one has heard already; it keeps
// everybody from a desk that does not answer, whose time-outs would fill all
// workers; and it lets one task of a case through at a time.
type gate struct {
	mu    sync.Mutex
	until time.Time // nobody goes through before
	why   error
	dead  int // calls in a row that nobody answered
	cases map[string]*turnstile
	made  map[string]making // by key
}

// A making is a ticket that a search may not show yet.
type making struct {
	task  string
	ref   string // empty: nobody knows whether it was made
	until time.Time
}

type turnstile struct {
	slot chan struct{}
	in   int // who holds it or waits
}

// enter waits until no other task of the case is inside. leave must be called if
// there is no error; every error means that nothing was done.
func (g *gate) enter(ctx context.Context, key string) (leave func(), err error) {
	g.mu.Lock()
	if wait := time.Until(g.until); wait > 0 {
		defer g.mu.Unlock()
		return nil, handlers.After(patience{fmt.Sprintf("left alone for %v, because of what it answered others: %v", wait.Round(time.Second), g.why)}, wait)
	}
	if g.cases == nil {
		g.cases = map[string]*turnstile{}
	}
	s := g.cases[key]
	if s == nil {
		s = &turnstile{slot: make(chan struct{}, 1)}
		g.cases[key] = s
	}
	s.in++
	g.mu.Unlock()
	out := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if s.in--; s.in == 0 {
			delete(g.cases, key)
		}
	}
	select {
	case s.slot <- struct{}{}:
		return func() { <-s.slot; out() }, nil
	case <-ctx.Done():
		out()
		return nil, fmt.Errorf("another task of the case is at the desk: %w", ctx.Err())
	}
}

// heard learns from what came of a visit.
func (g *gate) heard(ctx context.Context, err error) {
	v := handlers.Read(err)
	_, ours := errors.AsType[patience](err)
	if ours || err != nil && v.Status == 0 && (v.GiveUp || ctx.Err() != nil && !hung(ctx)) {
		return // it was not the desk
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil || v.Status != 0 && v.Status < 500 {
		g.dead = 0
	} else {
		g.dead++
	}
	pause := time.Duration(0)
	if v.Status == http.StatusTooManyRequests || v.Status == http.StatusServiceUnavailable {
		pause = v.After
	}
	if n := g.dead - deadAfter; n >= 0 {
		pause = max(pause, min(time.Second<<min(n, 10), maxPause))
	}
	if until := time.Now().Add(pause); pause > 0 && until.After(g.until) {
		g.until, g.why = until, err
	}
}

// hung reports whether a context ended because its time had passed.
func hung(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end)
}

// make remembers that a task has made a ticket, or may have, for as long as a
// search may not show it.
func (g *gate) make(key string, m making) {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.made, func(_ string, old making) bool { return !time.Now().Before(old.until) })
	if g.made == nil {
		g.made = map[string]making{}
	}
	g.made[key] = m
}

// making is what another task has made, or may have, a moment ago.
func (g *gate) making(key, task string) (m making, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok = g.made[key]
	return m, ok && m.task != task && time.Now().Before(m.until)
}

// patience says that a task waits, for no fault of the desk.
type patience struct{ why string }

func (p patience) Error() string { return p.why }
