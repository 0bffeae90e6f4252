package ticket

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Answers reads the tickets of open cases and tells their cases what people did
// there. Every desk is read on its own: one that is slow or down delays no other.
// Desks that keep their tickets by themselves ([Folding]) are not read.
//
// An answer is told at least once, with the same id each time; what was done while
// a desk could not be read, or Curfew was not there, is told afterwards. Of several
// things done between two readings only the last is. It must not be copied once
// used.
type Answers struct {
	Handler *Handler
	Cases   func(context.Context) iter.Seq2[events.Case, error]
	Tell    func(ctx context.Context, k events.Key, f events.Fact, id string) error

	Every  time.Duration // from one reading of a ticket to the next; zero: five minutes
	AtOnce int           // readings under way at a desk; zero: four
	Log    *slog.Logger

	mu     sync.Mutex
	nudges map[string]chan []byte // by desk
}

const readWithin = 30 * time.Second // one ticket

// Run reads until ctx ends.
func (a *Answers) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for name, desk := range a.Handler.Desks {
		if f, ok := desk.(Folding); ok && f.Folds() || desk.Check() != nil {
			continue // which its tasks tell of
		}
		r := &reader{Answers: a, desk: name, assigned: map[string]string{}}
		wg.Go(func() { r.run(ctx) })
		wg.Go(func() { r.heed(ctx) })
	}
	wg.Wait()
	<-ctx.Done()
	return ctx.Err()
}

// A reader reads one desk.
type reader struct {
	*Answers
	desk string

	mu       sync.Mutex
	assigned map[string]string // who had each ticket when it was last read, by its receipt
	down     error             // why the desk is not read now
	wait     time.Duration     // the time it asked for
}

// A watched is a ticket of an open case.
type watched struct {
	c events.Case
	e events.Effect
}

func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		wait := r.pass(ctx)
		sleep(ctx, max(wait, r.every()-time.Since(began), time.Second))
	}
}

func (r *reader) every() time.Duration {
	return cmp.Or(r.Every, 5*time.Minute)
}

// pass reads every ticket once, spread over the time between two passes. It ends
// where the desk does not answer, and returns how long to leave it alone.
func (r *reader) pass(ctx context.Context) time.Duration {
	all := r.tickets(ctx)
	r.keepOnly(all)
	slots := make(chan struct{}, cmp.Or(r.AtOnce, 4))
	var wg sync.WaitGroup
	defer wg.Wait()
	was := r.trouble()
	r.setTrouble(nil, 0)
	for i, x := range all {
		slots <- struct{}{}
		wg.Go(func() {
			r.read(ctx, x)
			<-slots
		})
		if i+1 < len(all) {
			sleep(ctx, r.every()/time.Duration(len(all)))
		}
		if ctx.Err() != nil || r.trouble() != nil {
			break
		}
	}
	wg.Wait()
	switch now := r.trouble(); {
	case ctx.Err() != nil:
	case now != nil && was == nil:
		r.Log.Warn("a desk cannot be read; what people do there is not seen until it can", "destination", r.desk, "err", now)
	case now == nil && was != nil && len(all) > 0:
		r.Log.Info("a desk is read again", "destination", r.desk)
	case now == nil && was != nil:
		r.setTrouble(was, 0) // nothing was asked, so nobody knows
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wait
}

// tickets are those of open cases at this desk.
func (r *reader) tickets(ctx context.Context) (out []watched) {
	for c, err := range r.Cases(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				r.Log.Warn("a case cannot be read, so neither can its ticket", "destination", r.desk, "err", err)
			}
			continue
		}
		for _, e := range c.Effects {
			if c.Open && e.Action == events.Ticket && e.Destination == r.desk && e.Ref != "" {
				out = append(out, watched{c, e})
			}
		}
	}
	return out
}

// keepOnly forgets who had tickets that are not read any more.
func (r *reader) keepOnly(all []watched) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.assigned, func(ref, _ string) bool {
		return !slices.ContainsFunc(all, func(x watched) bool { return x.e.Ref == ref })
	})
}

// read reads one ticket and tells what was done there.
func (r *reader) read(ctx context.Context, x watched) {
	reading, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	t, err := r.Handler.State(reading, r.desk, x.e.Ref)
	if err != nil {
		switch v := handlers.Read(err); {
		case ctx.Err() != nil:
		case v.Status == 0, v.Status >= 500, slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests}, v.Status):
			r.setTrouble(err, v.After)
		default:
			r.Log.Warn("a ticket cannot be read", "destination", r.desk, "ticket", handlers.Line(x.e.Ref, 200), "err", err)
		}
		return
	}
	r.mu.Lock()
	before, known := r.assigned[x.e.Ref]
	r.assigned[x.e.Ref] = t.Assignee
	r.mu.Unlock()
	f, ok := answered(x, t, known && before != t.Assignee, time.Now())
	if !ok {
		return
	}
	id := "answered-" + digest(20, f.Destination, f.Ref, f.At.UnixNano())
	if err := r.Tell(ctx, x.c.Key, f, id); err != nil && ctx.Err() == nil {
		r.Log.Warn("what somebody did on a ticket is told later", "destination", r.desk, "err", err)
	}
}

func (r *reader) trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}

func (r *reader) setTrouble(err error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down, r.wait = err, wait
}

// answered is what a person did on a ticket that the case has not heard of.
func answered(x watched, t Ticket, handedOver bool, now time.Time) (events.Answered, bool) {
	f := events.Answered{Action: events.Ticket, Destination: x.e.Destination, Ref: x.e.Ref, By: handlers.Line(t.Person, 200), At: t.PersonAt}
	since := x.c.Opened
	switch {
	case t.State == Gone:
		// No desk says who deleted a ticket, or when. In whole hours, so that it is
		// said once; not while the case acts on it.
		f.Did, f.By, f.At, since = events.Ended, "somebody who deleted it", now.Truncate(time.Hour), time.Time{}
		if x.e.Ended != "" || slices.ContainsFunc(x.c.Pending, func(task events.Task) bool { return task.Destination == x.e.Destination }) {
			return f, false
		}
	case t.State != Open:
		if endedByUs(t) {
			return f, false
		}
		f.Did = events.Ended
		if t.Ended.After(f.At) {
			f.At = t.Ended
		}
	case t.Assignee != "" && (handedOver || t.Assignee == t.Person):
		f.Did, f.By = events.Took, handlers.Line(t.Assignee, 200)
	default:
		f.Did = events.Commented
	}
	if f.By == "" {
		f.By = "somebody"
	}
	f.At = f.At.UTC()
	return f, f.At.After(since) && f.At.After(x.e.Heard)
}

// endedByUs reports whether our last word on a ticket was that it is resolved. If
// not, somebody else has ended it, whatever was said there afterwards.
func endedByUs(t Ticket) bool {
	_, of := marks(t)
	return len(of) > 0 && (of[len(of)-1].kind == resolved || of[len(of)-1].kind == twin)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
