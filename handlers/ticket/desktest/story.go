package desktest

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
)

// A Story is one case at a desk.
type Story struct {
	Case    events.Case // an open one about a laptop; the story may change it
	Desk    ticket.Desk
	Handler *ticket.Handler // knows the desk as "desk"
}

// Tell tells a story in a bubble of virtual time, with a desk that reaches a
// vendor's fake and is edited, if edit is not nil. Use the story's context and not
// the test's.
func Tell[D ticket.Desk](t *testing.T, vendor http.Handler, desk func(address string, client *http.Client) D, edit func(D), tell func(context.Context, *Story)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := fake.Pipe(vendor)
		if err != nil {
			t.Fatal(err)
		}
		client := handlers.NewClient(handlers.Reach{Roots: server.Roots, Dial: server.Dial})
		defer server.Close()
		defer client.CloseIdleConnections()
		d := desk(server.URL, client)
		if edit != nil {
			edit(d)
		}
		tell(t.Context(), &Story{Case: handlerstest.Laptop(), Desk: d, Handler: &ticket.Handler{Desks: map[string]ticket.Desk{"desk": d}}})
	})
}

// Do does a new task of the case once and notes in the case what came of it.
func (s *Story) Do(ctx context.Context, a events.Action) (events.Fact, error) {
	l := life{Case: &s.Case}
	t := l.task(a)
	fact, err := s.Handler.Do(ctx, s.Case, t)
	if done, ok := fact.(events.Done); ok {
		l.record(t, done)
	}
	return fact, err
}

// Open lets the case have a ticket and notes that it has, even while the desk's
// search may not show it.
func (s *Story) Open(ctx context.Context) error {
	fact, err := s.Do(ctx, events.Ticket)
	if a, ok := fact.(events.Accepted); ok {
		l := life{Case: &s.Case}
		l.record(events.Task{Order: events.Order{Action: events.Ticket, Destination: "desk"}}, events.Done{Receipt: a.Receipt})
	}
	return err
}
