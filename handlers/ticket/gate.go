package ticket

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"curfew/handlers"
)

// A gate is in front of one desk: a bulkhead that lets one task of a case through
// at a time.
type gate struct {
	handlers.Bulkhead

	mu    sync.Mutex
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
	if err := g.Ready(); err != nil {
		return nil, err
	}
	g.mu.Lock()
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
