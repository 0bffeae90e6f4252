package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/events"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
)

// What a worker hands to others to be told by them. A nil o, of a worker without
// metrics, wants to be told nothing.

func (o *observer) arounds() graph.Around {
	if o == nil {
		return nil
	}
	return o.around
}

func (o *observer) takes() func(journal.Transition) {
	if o == nil {
		return nil
	}
	return o.took
}

func (o *observer) reports(next func(graph.Swept)) func(graph.Swept) {
	if o == nil {
		return next
	}
	return func(s graph.Swept) {
		o.swept(s)
		next(s)
	}
}

func (o *observer) measure(all map[events.Action]handlers.Func) {
	if o == nil {
		return
	}
	for a, do := range all {
		all[a] = o.measured(do)
	}
}

// around counts a request to Microsoft. It is a [graph.Around].
func (o *observer) around(ctx context.Context, r graph.Request) (context.Context, func(error)) {
	began := time.Now()
	return ctx, func(err error) {
		outcome := graph.Outcome(err)
		o.metrics.Count(metrics.GraphCalls, 1, r.Tenant, r.Service, outcome)
		if outcome != "budget" {
			o.metrics.Took(metrics.GraphTook, time.Since(began), r.Service)
		}
	}
}

// swept takes in how a sweep ended.
func (o *observer) swept(s graph.Swept) {
	outcome := "incomplete"
	if s.Complete {
		outcome = "complete"
	}
	o.metrics.Count(metrics.SweepsEnded, 1, o.tenant(s.Tenant), s.Kind, outcome)
	o.memory.swept(s)
}

// took counts a fact that was taken.
func (o *observer) took(t journal.Transition) {
	kind := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", t.Fact), "events."))
	o.metrics.Count(metrics.Facts, 1, kind, strconv.FormatBool(t.Changed))
	o.metrics.Took(metrics.FactWait, t.Waited)
	_, seen := t.Fact.(events.Seen)
	_, alerted := t.Fact.(events.Alerted)
	if !seen && !alerted {
		return
	}
	by := o.finds.by(t.Is.Key, seen)
	if t.Changed && t.Was.Device.Risk() != t.Is.Device.Risk() {
		o.metrics.Count(metrics.Changes, 1, o.tenant(t.Is.Tenant), by)
	}
}

// measured counts what comes of tasks.
func (o *observer) measured(do handlers.Func) handlers.Func {
	return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
		began := time.Now()
		f, err := do(ctx, c, t)
		outcome, took := outcomeOf(f, err), time.Since(began)
		name, ok := o.destination(t)
		o.metrics.Count(metrics.Attempts, 1, string(t.Action), outcome)
		spanSays(ctx, t, outcome, name)
		if outcome == "held" {
			return f, err // it was not tried
		}
		o.metrics.Took(metrics.TaskTook, took, string(t.Action))
		if ok {
			o.metrics.Count(metrics.DeskCalls, 1, name, outcome)
			if outcome != "later" {
				o.metrics.Took(metrics.DeskTook, took, name)
			}
		}
		return f, err
	}
}

// destination is where a task goes, if it is a destination of the configuration.
func (o *observer) destination(t events.Task) (string, bool) {
	switch t.Action {
	case events.Ticket, events.Close, events.Page, events.Resolve:
	default:
		return "", false // of a mail it is somebody's address
	}
	if _, ok := o.conf.Destinations[t.Destination]; ok {
		return t.Destination, true
	}
	return "other", true
}

// outcomeOf is what came of a task, in a word.
func outcomeOf(f events.Fact, err error) string {
	switch v := handlers.Read(err); {
	case err == nil:
		return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", f), "events."))
	case v.GiveUp:
		return "given_up"
	case v.Unsure:
		return "unsure"
	}
	if _, ok := errors.AsType[handlers.Patience](err); ok {
		return "later"
	}
	return "failed"
}

// finds remember who made Curfew look at a device, until it has looked: for a
// bounded number of devices, and in this process only.
type finds struct {
	mu   sync.Mutex
	told map[events.Key]string
}

// mostFinds is of how many devices it is remembered. Of more it is not known.
const mostFinds = 50_000

func newFinds() *finds { return &finds{told: map[events.Key]string{}} }

// weight says who counts, of several that told of the same device.
func weight(who string) int {
	return map[string]int{"sweep": 1, "nudge": 2, "webhook": 3}[who]
}

func (f *finds) tell(k events.Key, who string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was, ok := f.told[k]; ok && weight(was) >= weight(who) || !ok && len(f.told) >= mostFinds {
		return
	}
	f.told[k] = who
}

// by is who told of a device; forget says that this was the look.
func (f *finds) by(k events.Key, forget bool) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	who, ok := f.told[k]
	if !ok {
		return "other"
	}
	if forget {
		delete(f.told, k)
	}
	return who
}

// A telling is the sink of somebody who makes Curfew look.
type telling struct {
	graph.Sink
	finds *finds
	who   string
}

// Append implements [graph.Sink].
func (t telling) Append(ctx context.Context, k events.Key, f events.Fact, id string) error {
	t.finds.tell(k, t.who)
	return t.Sink.Append(ctx, k, f, id)
}

// told is a sink through which who tells. A nil o does not care.
func (o *observer) told(s graph.Sink, who string) graph.Sink {
	if o == nil {
		return s
	}
	return telling{s, o.finds, who}
}
