// Package handlerstest proves that a handler keeps what package handlers
// promises. Each handler's test makes a [World] and calls [Run].
//
// Every rule runs in a bubble of virtual time and on a world of its own. What a
// rule asserts is the state of the other side, not which calls were made; and
// when it is broken, it says which promise that breaks.
package handlerstest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

// A World is a handler and the other side that it talks to.
type World struct {
	Do   handlers.Func
	Case events.Case
	Task events.Task // as the queue first hands it out

	Effects func() []string // what was done outside that this task can do, a line for each
	Texts   func() []string // what people outside get to read; nil: nothing
	Calls   *fake.Faults    // fails the calls that have the effect
	Reads   *fake.Faults    // fails the calls that only ask; nil: the handler asks nothing
	Secrets []string        // what must never be seen in an error or a fact
	HTTP    bool            // the handler makes the calls itself, so it must also end them itself

	seen *notes
}

// notes are what came out of a handler, to be searched for secrets.
type notes struct {
	mu    sync.Mutex
	texts []string
}

// Run proves every rule. fresh makes a world in the bubble of a rule; what it
// starts must end by t.Cleanup.
func Run(t *testing.T, fresh func(testing.TB) World) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if err := r.check(t, fresh); err != nil {
				t.Errorf("%v\nThe promise: %s", err, r.promise)
			}
		})
	}
}

// check runs a rule on a new world.
func (r rule) check(t *testing.T, fresh func(testing.TB) World) (err error) {
	synctest.Test(t, func(t *testing.T) {
		err = r.holds(t.Context(), func() World {
			w := fresh(t)
			w.seen = &notes{}
			return w
		})
	})
	return err
}

// do calls the handler once and keeps what it says.
func (w World) do(ctx context.Context, t events.Task) (events.Fact, error) {
	fact, err := w.Do(ctx, w.Case, t)
	if (fact == nil) == (err == nil) {
		return fact, handlers.GiveUp(fmt.Errorf("the handler returned fact %v and error %v; it must be one of the two", fact, err))
	}
	text, _ := json.Marshal(fact) // facts are made to be stored
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.texts = append(w.seen.texts, string(text), fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err))
	return fact, err
}

// leaks returns what was said that holds a secret.
func (w World) leaks() error {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	for _, text := range w.seen.texts {
		for _, s := range w.Secrets {
			if strings.Contains(text, s) {
				return fmt.Errorf("the secret %q is in %q", s, text)
			}
		}
	}
	return nil
}

// play does a task to its end as the journal would: it begins it, calls again
// what was accepted, delayed or left unsure, when that is due, and ends with the
// last fact. A task that gives up ends as events.Failed.
func (w World) play(ctx context.Context, t events.Task) (events.Fact, error) {
	for range 1000 {
		if t.Begun == nil && t.Action.Effect() {
			t.Begun = &events.Attempt{ID: "attempt", At: time.Now().UTC()}
		}
		fact, err := w.do(ctx, t)
		v := handlers.Read(err)
		a, accepted := fact.(events.Accepted)
		switch {
		case accepted:
			if t.Accepted == nil {
				t.Accepted = &events.Progress{At: time.Now().UTC()}
			}
			if a.Receipt != "" {
				t.Accepted = &events.Progress{At: t.Accepted.At, Receipt: a.Receipt}
			}
			t.Unsure = false
			if !a.Again.After(time.Now()) {
				return nil, fmt.Errorf("accepted, and to be asked again at %v, which has passed", a.Again)
			}
			time.Sleep(time.Until(a.Again))
			continue
		case err == nil:
			return fact, nil
		case v.GiveUp:
			return events.Failed{Task: t.ID, Reason: err.Error()}, nil
		}
		t.Unsure = v.Unsure
		if !v.Unsure {
			t.Begun = nil
		}
		t.Tries++
		time.Sleep(max(v.After, time.Duration(min(t.Tries*t.Tries, 600))*time.Second))
	}
	return nil, fmt.Errorf("the task does not end; its last error is that of task %+v", t)
}

// want is how many effects the task has when it is done.
func (w World) want() int {
	if w.Task.Action.Effect() {
		return 1
	}
	return 0
}

// once checks that the task had its effect, and had it once. A destructive one
// may also have been left to a person.
func (w World) once(fact events.Fact, err error) error {
	if err != nil {
		return err
	}
	n := len(w.Effects())
	f, failed := fact.(events.Failed)
	switch {
	case failed && w.Task.Action.Destructive() && n <= w.want():
		return nil
	case failed:
		return fmt.Errorf("the task was given up (%s); there are effects: %q", f.Reason, w.Effects())
	case n != w.want():
		return fmt.Errorf("the task ended with %T and %d effects outside, not %d: %q", fact, n, w.want(), w.Effects())
	}
	return nil
}
