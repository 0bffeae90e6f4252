// Package pagertest proves that a pager of package page keeps the promises made
// there. Each vendor's package makes a [World] of its fake and calls [Run].
//
// Every rule runs in a bubble of virtual time and on a world of its own. What a
// rule asserts is what the person who is woken would see, not which calls were
// made; and when it is broken, it says which promise that breaks.
package pagertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
)

// A World is a pager and the fake of its vendor that it talks to.
type World struct {
	Pager   page.Pager
	Alerts  func() []Alert // all that there ever were, oldest first
	Calls   *fake.Faults   // fails the pager's calls
	Secrets []string       // what must never be seen in an error or a fact
}

// An Alert is what the person who is woken sees.
type Alert struct {
	Key   string // the case's id
	Open  bool
	Pages int      // how often it was triggered
	Texts []string // all that there is to read, each by itself
}

func (a Alert) String() string { return fmt.Sprintf("%s open=%v", a.Key, a.Open) }

// Serve puts a vendor's fake behind TLS and faults in memory. Its pager needs the
// address and a client for it.
func Serve(t testing.TB, vendor *fake.Server) page.Call {
	t.Helper()
	client := handlers.NewClient(handlers.Reach{Roots: vendor.Roots, Dial: vendor.Dial})
	t.Cleanup(func() { client.CloseIdleConnections(); vendor.Close() })
	return page.Call{Client: client, URL: vendor.URL}
}

// Run proves every rule. fresh makes a world in the bubble of a rule; what it
// starts must end by t.Cleanup.
func Run(t *testing.T, fresh func(testing.TB) World) {
	t.Run("page", func(t *testing.T) { handlerstest.Run(t, asHandler(fresh, events.Page)) })
	t.Run("resolve", func(t *testing.T) { handlerstest.Run(t, asHandler(fresh, events.Resolve)) })
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(fresh(t))
				if err := r.holds(t.Context(), s); err != nil {
					t.Errorf("%v\nThe promise: %s", err, r.promise)
				}
			})
		})
	}
}

const destination = "night"

// asHandler is a handler with this one pager, which is to page or to resolve.
func asHandler(fresh func(testing.TB) World, action events.Action) func(testing.TB) handlerstest.World {
	return func(t testing.TB) handlerstest.World {
		w := fresh(t)
		s := newStage(w)
		ref := ""
		if action == events.Resolve {
			var err error
			if ref, err = s.do(t.Context(), events.Page, ""); err != nil {
				t.Fatal(err)
			}
		}
		task := handlerstest.Task(s.c, events.Order{Action: action, Destination: destination})
		task.Ref = ref
		hw := handlerstest.World{
			Do: s.h.Do, Case: s.c, Task: task, Calls: w.Calls, Secrets: w.Secrets, HTTP: true,
			Effects: func() (out []string) {
				for _, a := range w.Alerts() {
					if action == events.Page || !a.Open {
						out = append(out, a.String())
					}
				}
				return out
			},
		}
		if action == events.Page {
			hw.Texts = func() (out []string) {
				for _, a := range w.Alerts() {
					out = append(out, a.Texts...)
				}
				return out
			}
		}
		return hw
	}
}

// A stage is where a rule plays.
type stage struct {
	World
	h *page.Handler
	c events.Case
}

func newStage(w World) *stage {
	return &stage{w, &page.Handler{Pagers: map[string]page.Pager{destination: w.Pager}, PerMinute: 10_000}, handlerstest.Laptop()}
}

// do does a new task.
func (s *stage) do(ctx context.Context, a events.Action, ref string) (string, error) {
	s.c.Asked++
	t := handlerstest.Task(s.c, events.Order{Action: a, Destination: destination})
	t.Ref = ref
	fact, err := s.h.Do(ctx, s.c, t)
	if err != nil {
		return "", err
	}
	done, ok := fact.(events.Done)
	if !ok {
		return "", fmt.Errorf("it ended in %T", fact)
	}
	return done.Receipt, nil
}

// shows checks what there is.
func (s *stage) shows(want ...string) error {
	var got []string
	for _, a := range s.Alerts() {
		state := "resolved"
		if a.Open {
			state = "open"
		}
		got = append(got, fmt.Sprintf("%s %s %d", a.Key, state, a.Pages))
	}
	if g, w := strings.Join(got, ", "), strings.Join(want, ", "); g != w {
		return fmt.Errorf("there is %q, want %q", g, w)
	}
	return nil
}

type rule struct {
	name    string
	promise string
	holds   func(ctx context.Context, s *stage) error
}

func rules() []rule {
	return []rule{
		{"one alert", "all pages of a case are one alert until it is resolved; the next one opens another", oneAlert},
		{"each case", "each case has an alert of its own", eachCase},
		{"nothing to resolve", "resolving what was never triggered, or is over, is done without an error", nothingToResolve},
		{"huge", "however much is wrong with a device, somebody is woken", huge},
		{"says what it is", "the alert says which device, whose, what is wrong and which case", says},
		{"refused", "when a page was refused for its number, it comes back later and later", refused},
	}
}

func oneAlert(ctx context.Context, s *stage) error {
	first := s.c.ID()
	ref, err := s.do(ctx, events.Page, "")
	if err != nil {
		return err
	}
	_, again := s.do(ctx, events.Page, ref)
	if err := errors.Join(again, s.shows(first+" open 2")); err != nil {
		return err
	}
	s.c.Episode++ // the case that resolves may be a later episode
	_, over := s.do(ctx, events.Resolve, ref)
	if err := errors.Join(over, s.shows(first+" resolved 2")); err != nil {
		return err
	}
	_, next := s.do(ctx, events.Page, "")
	return errors.Join(next, s.shows(first+" resolved 2", s.c.ID()+" open 1"))
}

func eachCase(ctx context.Context, s *stage) error {
	var want []string
	for i := range 3 {
		s.c.Key.Device = fmt.Sprintf("device-%d", i)
		s.c.Device.Key = s.c.Key
		want = append(want, s.c.ID()+" open 1")
		if _, err := s.do(ctx, events.Page, ""); err != nil {
			return err
		}
	}
	return s.shows(want...)
}

func nothingToResolve(ctx context.Context, s *stage) error {
	if _, err := s.do(ctx, events.Resolve, s.c.ID()); err != nil {
		return fmt.Errorf("never triggered: %w", err)
	}
	ref, err := s.do(ctx, events.Page, "")
	if err != nil {
		return err
	}
	for range 2 {
		if _, err := s.do(ctx, events.Resolve, ref); err != nil {
			return err
		}
	}
	return s.shows(s.c.ID() + " resolved 1")
}

func huge(ctx context.Context, s *stage) error {
	long := strings.Repeat("漢", 10_000)
	s.c.Device.Name, s.c.Device.User = long, long
	for range 1000 {
		s.c.Device.Malware = append(s.c.Device.Malware, events.Malware{Name: long, State: "active", Severity: "severe"})
		s.c.Device.Alerts = append(s.c.Device.Alerts, events.Alert{ID: long, Title: long, URL: "https://example.com/" + long})
		s.c.Attention = append(s.c.Attention, long)
	}
	_, err := s.do(ctx, events.Page, "")
	return errors.Join(err, s.shows(s.c.ID()+" open 1"))
}

func says(ctx context.Context, s *stage) error {
	if _, err := s.do(ctx, events.Page, ""); err != nil {
		return err
	}
	texts := strings.Join(s.Alerts()[0].Texts, "\n")
	for _, want := range []string{s.c.Device.Name, s.c.Device.User, handlers.Findings(s.c.Device)[0].What, s.c.ID()} {
		if !strings.Contains(texts, want) {
			return fmt.Errorf("it does not say %q: %s", want, texts)
		}
	}
	return nil
}

func refused(ctx context.Context, s *stage) error {
	var last time.Duration
	for tries := range 4 {
		s.Calls.Fail(1, fake.Fault{Status: 429})
		t := handlerstest.Task(s.c, events.Order{Action: events.Page, Destination: destination})
		t.Tries = tries
		_, err := s.h.Do(ctx, s.c, t)
		v := handlers.Read(err)
		if v.GiveUp || v.After <= last || v.After < 30*time.Second {
			return fmt.Errorf("try %d comes back after %v (the one before after %v): %w", tries, v.After, last, err)
		}
		last = v.After
		time.Sleep(last)
	}
	_, err := s.do(ctx, events.Page, "")
	return errors.Join(err, s.shows(s.c.ID()+" open 1"))
}
