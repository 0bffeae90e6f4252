package desktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/ticket"
)

// A life is a case and what the journal would do about it.
type life struct {
	*events.Case
	s  *stage
	by *ticket.Handler
}

func (s *stage) live(c *events.Case) life { return life{c, s, s.worker} }

// laptop is the life of a new case about a laptop.
func (s *stage) laptop() life {
	c := handlerstest.Laptop()
	return s.live(&c)
}

// task is the next one of the case.
func (l life) task(a events.Action) events.Task {
	t := handlerstest.Task(*l.Case, order(a))
	l.Asked++
	if a == events.Close && len(l.Effects) > 0 {
		t.Ref = l.Effects[0].Ref
	}
	return t
}

// do asks for an action and sees it through.
func (l life) do(ctx context.Context, a events.Action) (events.Done, error) {
	return l.finish(ctx, l.task(a))
}

// finish sees a task through and notes what came of it in the case.
func (l life) finish(ctx context.Context, t events.Task) (events.Done, error) {
	fact, err := l.play(ctx, t)
	if err == nil {
		l.record(t, fact)
	}
	return fact, err
}

// record notes in the case what was done outside.
func (l life) record(t events.Task, fact events.Done) {
	l.Effects = slices.DeleteFunc(slices.Clone(l.Effects), func(e events.Effect) bool { return e.Destination == t.Destination })
	if t.Action == events.Ticket {
		l.Effects = append(l.Effects, events.Effect{Action: t.Action, Destination: t.Destination, Ref: fact.Receipt, Link: fact.Link})
	}
}

// call hands the task to the handler once and keeps what it says.
func (l life) call(ctx context.Context, t events.Task) (events.Fact, error) {
	fact, err := l.by.Do(ctx, *l.Case, t)
	l.s.note(fmt.Sprintf("%+v %v", fact, err))
	return fact, err
}

// errLong says that a task was put off too often.
var errLong = errors.New("the task does not end")

// play does a task to its end as the journal would: an attempt is begun, comes
// back when that is due, unsure if it was left so, and begins anew otherwise.
func (l life) play(ctx context.Context, t events.Task) (events.Done, error) {
	var last error
	for range 500 {
		if t.Begun == nil {
			t.Begun = &events.Attempt{ID: "attempt", At: time.Now().UTC()}
		}
		wait := time.Duration(0)
		fact, err := l.call(ctx, t)
		switch f := fact.(type) {
		case events.Done:
			return f, nil
		case events.Accepted:
			t.Accepted, t.Unsure = &events.Progress{At: time.Now().UTC(), Receipt: f.Receipt}, false
			wait = time.Until(f.Again)
		}
		if v := handlers.Read(err); err != nil {
			if v.GiveUp {
				return events.Done{}, err
			}
			last = err
			t.Tries++
			wait = max(v.After, time.Duration(min(t.Tries*t.Tries, 60))*time.Second)
			if t.Unsure = v.Unsure; !t.Unsure {
				t.Begun = nil
			}
		}
		if ctx.Err() != nil {
			return events.Done{}, ctx.Err()
		}
		time.Sleep(wait)
	}
	return events.Done{}, fmt.Errorf("%w: %w", errLong, last)
}
