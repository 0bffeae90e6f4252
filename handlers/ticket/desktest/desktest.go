// Package desktest proves that a desk of package ticket keeps the promises made
// there. Each vendor's package makes a [World] of its fake and calls [Run].
//
// Every rule runs in a bubble of virtual time and on a world of its own. What a
// rule asserts is what an agent of the desk would see, not which calls were made;
// and when it is broken, it says which promise that breaks.
package desktest

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/ticket"
)

// A World is a desk and the fake of its vendor that it talks to.
type World struct {
	Desk    ticket.Desk
	Tickets func() []Ticket // all that there are, oldest first
	Secrets []string        // what must never be seen in an error, a fact or a log

	// What people do at the desk, each as somebody else than Curfew's account.
	Touch   func(ref string)        // takes the ticket, or remarks on it
	Resolve func(ref string)        //
	Close   func(ref string)        // for good; nil: the desk knows no such state
	Delete  func(ref string)        //
	Copy    func(ref string, n int) // makes n resolved copies, key and all
}

// A Ticket is what an agent of the desk sees of one.
type Ticket struct {
	Ref    string // as [ticket.Ticket.Ref]
	Key    string
	State  ticket.State
	Title  string
	Texts  []string // the description, then the notes, oldest first, without their markup
	Markup []string // what is more than text in the title and the texts: links, mentions, tags, macros
}

// Serve puts a vendor's fake behind TLS and faults, and returns its address and a
// client that reaches it. asks reports whether a request changes nothing although
// it is not a GET, such as a search or one for a token; nil: none does.
type Serve func(fake http.Handler, asks func(*http.Request) bool) (address string, client *http.Client)

// Run proves every rule. fresh makes a world in the bubble of a rule; it serves
// its fake once.
func Run(t *testing.T, fresh func(testing.TB, Serve) World) {
	t.Run("handler", func(t *testing.T) { handlerstest.Run(t, asHandler(fresh, events.Ticket)) })
	t.Run("closer", func(t *testing.T) { handlerstest.Run(t, asHandler(fresh, events.Close)) })
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if err := r.check(t, fresh); err != nil {
				t.Errorf("%v\nThe promise: %s", err, r.promise)
			}
		})
	}
}

// check runs a rule on new worlds, and looks what was said in them for secrets.
func (r rule) check(t *testing.T, fresh func(testing.TB, Serve) World) (err error) {
	synctest.Test(t, func(t *testing.T) {
		var stages []*stage
		err = r.holds(t.Context(), func() *stage {
			s := newStage(t, fresh)
			stages = append(stages, s)
			return s
		})
		for _, s := range stages {
			if err == nil {
				err = s.leaks()
			}
		}
	})
	return err
}

// A stage is a world with faults to order and a worker.
type stage struct {
	World
	*front
	worker *ticket.Handler
	log    *logged
	mu     sync.Mutex
	said   []string
}

func newStage(t testing.TB, fresh func(testing.TB, Serve) World) *stage {
	s := &stage{log: &logged{}}
	s.World = fresh(t, func(vendor http.Handler, asks func(*http.Request) bool) (string, *http.Client) {
		var err error
		if s.front, err = newFront(vendor, asks); err != nil {
			t.Fatal(err)
		}
		client := handlers.NewClient(handlers.Reach{Roots: s.all.Roots, Dial: s.all.Dial})
		t.Cleanup(func() { client.CloseIdleConnections(); s.front.close() })
		return s.all.URL, client
	})
	s.worker = s.newWorker()
	return s
}

// newWorker is one more worker at the same desk, as another process would be.
func (s *stage) newWorker() *ticket.Handler {
	log := slog.New(slog.NewTextHandler(s.log, nil))
	return &ticket.Handler{Desks: map[string]ticket.Desk{"desk": s.Desk}, Log: log}
}

func (s *stage) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, text)
}

// leaks says which secret was seen.
func (s *stage) leaks() error {
	text := strings.Join(s.said, "\n") + s.log.String()
	for _, secret := range s.Secrets {
		if strings.Contains(text, secret) {
			return fmt.Errorf("the secret %q is in what was said: %s", secret, text)
		}
	}
	return nil
}

// open are the tickets that are not resolved.
func (s *stage) open() []Ticket {
	var out []Ticket
	for _, t := range s.Tickets() {
		if t.State == ticket.Open {
			out = append(out, t)
		}
	}
	return out
}

// asHandler is the desk as a handler that package handlerstest can prove: of one
// action, whose effects are what agents see.
func asHandler(fresh func(testing.TB, Serve) World, action events.Action) func(testing.TB) handlerstest.World {
	return func(t testing.TB) handlerstest.World {
		s := newStage(t, fresh)
		c := handlerstest.Laptop()
		if action == events.Close {
			if _, err := s.live(&c).do(t.Context(), events.Ticket); err != nil {
				t.Fatal(err)
			}
		}
		task := handlerstest.Task(c, order(action))
		if action == events.Close {
			task.Ref = c.Effects[0].Ref
		}
		return handlerstest.World{
			Do: s.worker.Do, Case: c, Task: task, Calls: &s.all.Faults, Secrets: s.Secrets, HTTP: true,
			Effects: func() []string { return effects(s.Tickets(), action) },
			Texts:   textsOf(s, action),
		}
	}
}

func textsOf(s *stage, action events.Action) func() []string {
	if action == events.Close {
		return nil // says nothing of the device
	}
	return func() []string {
		var out []string
		for _, t := range s.Tickets() {
			out = append(append(out, t.Title), t.Texts...)
		}
		return out
	}
}

// effects are what the action did: each text that was written, or that the
// ticket is resolved.
func effects(all []Ticket, action events.Action) (out []string) {
	for _, t := range all {
		switch {
		case action != events.Close:
			out = append(out, t.Texts...)
		case t.State != ticket.Open:
			out = append(out, "resolved "+t.Ref)
		}
	}
	return out
}

func order(a events.Action) events.Order { return events.Order{Action: a, Destination: "desk"} }
