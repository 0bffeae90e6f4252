package graph

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A service is a part of Graph with limits of its own.
type service int

const (
	intune service = iota
	security
	identity
	mailbox
	subscribing
	endpoint      // Defender for Endpoint's own API
	investigating // the one call of it that has a limit apart
	auditing      // Entra's logs
	conditional   // Conditional Access
	teams         // its activity feed
	services      // how many
)

func (s service) String() string {
	return [...]string{"Intune", "security", "identity", "mailbox", "subscription", "Defender for Endpoint", "investigations", "audit log", "Conditional Access", "Teams"}[s]
}

// An allowance is how much of a service one app may use in one tenant. In any
// window w, at most burst + rate×w calls go out.
type allowance struct {
	perSecond float64
	burst     int
}

// The allowances come to 80 % of Microsoft's limits over the window that each is
// stated for (Graph docs: throttling-limits, and its include for Intune devices):
//
//	Intune devices   2,000 in 20 s, of these writes 200 in 20 s
//	security         150 in 60 s
//	identity         3,500 resource units in 10 s in the smallest tenants, where a
//	                 call costs up to 2: so counted twice
//	mailbox          10,000 in 10 min, 4 at a time
//	subscription     writes 1,000 in 20 s; there are no others to speak of
//	Defender         100 in 60 s for each call, 1,500 in an hour (Defender docs:
//	                 get-machines and others, 2025-03); counted together
//	investigations   50 in an hour (Defender docs: initiate-autoir-investigation)
//	audit logs       5 in 10 s
//	Teams            5 activity notifications in a second
//	Conditional      callers report 1 in a second, refused without a Retry-After;
//	Access           no page of Microsoft's says so
func (s service) allowance() allowance {
	return [...]allowance{
		intune:        {70, 200},
		security:      {1.5, 30},
		identity:      {100, 400},
		mailbox:       {12, 80},
		subscribing:   {30, 200},
		endpoint:      {40.0 / 60, 40},
		investigating: {30.0 / 3600, 10},
		auditing:      {0.1, 3},
		conditional:   {0.8, 1},
		teams:         {2, 2},
	}[s]
}

var (
	intuneWrites = allowance{6, 40}
	endpointHour = allowance{1160.0 / 3600, 40}
)

const (
	mailAtOnce = 4               // Graph docs: throttling-limits, Outlook
	patience   = 2 * time.Second // the longest a call waits here
	// leastWait keeps a sweep that lacks a hair's breadth from asking all the time.
	leastWait = 100 * time.Millisecond
	// reserved is the part of a burst that sweeps leave to actions and looks.
	reserved = 0.4
)

// Throttling without Retry-After is answered with this, doubled each time.
const (
	firstPause = 10 * time.Second
	lastPause  = 5 * time.Minute
)

// pause is the first one. Of Conditional Access the limit is known to be by the
// second, and not to say when.
func (s service) pause() time.Duration {
	if s == conditional {
		return 2 * time.Second
	}
	return firstPause
}

// A budget keeps one tenant's calls under Microsoft's limits.
type budget [services]*gate

func newBudget(workers int) *budget {
	share := float64(max(workers, 1))
	limiter := func(a allowance) *rate.Limiter {
		return rate.NewLimiter(rate.Limit(a.perSecond/share), max(int(float64(a.burst)/share), 1))
	}
	var b budget
	for s := range services {
		b[s] = &gate{service: s, all: limiter(s.allowance())}
	}
	b[intune].writes = limiter(intuneWrites)
	b[endpoint].writes = limiter(endpointHour) // of all its calls: each says it is a write
	b[mailbox].slots = make(chan struct{}, mailAtOnce)
	return &b
}

// A gate is the budget of one service.
type gate struct {
	service service
	slots   chan struct{} // calls at one time; nil: any number

	mu      sync.Mutex
	all     *rate.Limiter
	writes  *rate.Limiter // nil: no limit of their own
	closed  time.Time     // Microsoft said not before then
	strikes int           // how often in a row it said so without saying when
}

// enter takes a call's place in the budget, waiting for at most [patience]. When
// that does not suffice it says how long would, and takes nothing. leave must be
// called after the call.
func (g *gate) enter(ctx context.Context, k call) (leave func(), refusal *Error) {
	wait, undo := g.reserve(k, time.Now())
	if undo == nil {
		return nil, g.later(wait)
	}
	if wait > 0 && !pause(ctx, wait) {
		undo()
		return nil, &Error{Message: "called off while waiting for the budget", Err: ctx.Err()}
	}
	if g.slots == nil {
		return func() {}, nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return func() { <-g.slots }, nil
	case <-timer.C:
		return nil, g.later(patience)
	case <-ctx.Done():
		return nil, &Error{Message: "called off while waiting for the budget", Err: ctx.Err()}
	}
}

// pause waits and reports whether the time passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (g *gate) later(wait time.Duration) *Error {
	return &Error{local: true, After: wait, Message: fmt.Sprintf("the %s budget of this tenant is used up; nothing was sent", g.service)}
}

// reserve says how long a call must wait and, if it may wait here, how to give
// the place back (undo is nil if it may not). A sweep takes only what is above
// the reserve, and never waits in line before an action or a look.
func (g *gate) reserve(k call, now time.Time) (wait time.Duration, undo func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait = g.closed.Sub(now); wait > 0 {
		return wait, nil
	}
	if k.sweep {
		keep := reserved*float64(g.all.Burst()) + 1
		if short := keep - g.all.TokensAt(now); short > 0 && g.all.Burst() > 1 {
			wait = time.Duration(short / float64(g.all.Limit()) * float64(time.Second))
			return max(wait, leastWait), nil
		}
	}
	held := []*rate.Reservation{g.all.ReserveN(now, 1)}
	if k.write && g.writes != nil {
		held = append(held, g.writes.ReserveN(now, 1))
	}
	wait = 0
	for _, r := range held {
		wait = max(wait, r.DelayFrom(now))
	}
	undo = func() {
		for _, r := range held {
			r.Cancel()
		}
	}
	if wait > patience {
		undo()
		return wait, nil
	}
	return wait, undo
}

// heard takes in what Microsoft answered: a 429, or a 503 with a Retry-After,
// closes the gate until then. It gives back how long that is.
func (g *gate) heard(status int, after time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case status == 429 && after == 0:
		after = min(g.service.pause()<<min(g.strikes, 10), lastPause)
		g.strikes++
	case status == 429, status == 503 && after > 0:
	case status < 400:
		g.strikes = 0
		return after
	default:
		return after
	}
	if until := time.Now().Add(after); until.After(g.closed) {
		g.closed = until
	}
	return after
}
