// Package page wakes people, and lets them sleep again. It serves the actions
// page and resolve, by whatever pager a destination is: each vendor's is a
// package below this one.
//
// All pages of a case to one destination are one alert, however often they are
// sent: the case's id is the key by which the other side folds them. The receipt
// of a page names that alert, and comes back in the task that resolves it.
//
// What may not be assumed: that a page which was taken has woken somebody. Pagers
// queue; who is woken, and when, is theirs to decide. That somebody is awake is
// known when they answer (see package handlers/page/hook).
package page

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A Pager is one destination of pages. It is safe for concurrent use.
type Pager interface {
	// Check reports every reason why it cannot be used.
	Check() error

	// Trigger opens the alert of the key, or adds to the one that is open, and
	// returns what to call it. Doing the same task twice is doing it once.
	Trigger(ctx context.Context, a Alert) (receipt string, err error)

	// Resolve ends the alert that a.Ref names, or that of the key. There may be
	// none any more, or there may never have been one: that is no error.
	Resolve(ctx context.Context, a Alert) error
}

// Limits of what is asked of one destination: one that hangs keeps a few workers,
// and not all; none of the vendors is asked for more than the strictest allows
// (PagerDuty docs: Events API v2, about 120 events a minute for a key).
const (
	slots     = 4
	perMinute = 100
)

// Handler pages. It must not be copied once used.
type Handler struct {
	Pagers map[string]Pager // by the name that rules use

	Languages map[string]string // in which pages are written, by destination; a BCP 47 tag; none: English

	PerMinute int // calls to one of them in a minute; zero: 100

	mu    sync.Mutex
	gates map[string]*handlers.Bulkhead
}

// Do opens the case's alert at the task's destination, or resolves it.
func (h *Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	receipt, err := h.call(ctx, t.Destination, alert(c, t, handlers.Telling{Language: h.Languages[t.Destination]}), t.Action == events.Resolve, t.Tries)
	if err != nil {
		return nil, err
	}
	return events.Done{Task: t.ID, Receipt: receipt}, nil
}

// Tell opens an alert that is of no case, such as one about many of them, and
// returns its receipt.
func (h *Handler) Tell(ctx context.Context, destination string, a Alert) (receipt string, err error) {
	return h.call(ctx, destination, a, false, 0)
}

// Over ends an alert that [Handler.Tell] has opened.
func (h *Handler) Over(ctx context.Context, destination string, a Alert) error {
	_, err := h.call(ctx, destination, a, true, 0)
	return err
}

// call makes the one call that opens or ends an alert, as the destination can bear it.
func (h *Handler) call(ctx context.Context, destination string, a Alert, over bool, tries int) (receipt string, err error) {
	p, err := handlers.Destination(h.Pagers, destination)
	if err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	g := h.gate(destination)
	leave, err := g.Enter()
	if err != nil {
		if a.Unsure { // it is no surer now
			err = handlers.Unsure(err)
		}
		return "", fmt.Errorf("page: destination %q: %w", destination, err)
	}
	defer leave()
	receipt = cmp.Or(a.Ref, a.Key)
	if over {
		err = p.Resolve(ctx, a)
	} else {
		receipt, err = p.Trigger(ctx, a)
	}
	if v := handlers.Read(err); v.Status == http.StatusTooManyRequests {
		err = handlers.After(err, max(v.After, backoff(tries)))
	}
	g.Heard(ctx, err)
	if err != nil {
		return "", fmt.Errorf("page: destination %q: %w", destination, handlers.Effect(err))
	}
	return receipt, nil
}

func (h *Handler) gate(destination string) *handlers.Bulkhead {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gates == nil {
		h.gates = map[string]*handlers.Bulkhead{}
	}
	if h.gates[destination] == nil {
		h.gates[destination] = &handlers.Bulkhead{Slots: slots, PerMinute: cmp.Or(h.PerMinute, perMinute)}
	}
	return h.gates[destination]
}

// backoff is the wait after 429: most pagers name none. PagerDuty asks for half a
// minute first and minutes later (PagerDuty docs: Events API v2, rate limits).
func backoff(tries int) time.Duration { return 30 * time.Second << min(tries, 5) }
