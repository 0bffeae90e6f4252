package ticket_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/ticket"
)

// A shelf is a desk that is only read.
type shelf struct {
	ticket.Desk
	read func(ctx context.Context, ref string) (ticket.Ticket, error)
}

func (s shelf) Check() error { return nil }

func (s shelf) Read(ctx context.Context, ref string) (ticket.Ticket, error) { return s.read(ctx, ref) }

// listen reads the desks for a while about one case with a ticket at each, and
// returns what was told.
func listen(t *testing.T, desks map[string]ticket.Desk, edit func(*events.Case), d time.Duration) (told []events.Answered) {
	t.Helper()
	c := handlerstest.Laptop()
	c.Open, c.Opened = true, time.Now()
	for name := range desks {
		c.Effects = append(c.Effects, events.Effect{Action: events.Ticket, Destination: name, Ref: "SEC-1 10001", At: time.Now()})
	}
	if edit != nil {
		edit(&c)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	a := &ticket.Answers{
		Handler: &ticket.Handler{Desks: desks}, Log: slog.New(slog.DiscardHandler),
		Cases: func(context.Context) iter.Seq2[events.Case, error] {
			return func(yield func(events.Case, error) bool) { yield(c, nil) }
		},
		Tell: func(_ context.Context, _ events.Key, f events.Fact, id string) error {
			mu.Lock()
			defer mu.Unlock()
			if !seen[id] {
				told = append(told, f.(events.Answered))
			}
			seen[id] = true
			return nil
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := a.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
	return told
}

func TestADeskThatHangsDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var reads int
		told := listen(t, map[string]ticket.Desk{
			"hangs": shelf{read: func(ctx context.Context, _ string) (ticket.Ticket, error) {
				<-ctx.Done()
				return ticket.Ticket{}, ctx.Err()
			}},
			"well": shelf{read: func(_ context.Context, ref string) (ticket.Ticket, error) {
				reads++
				return ticket.Ticket{Ref: ref, Person: "Ben", PersonAt: began.Add(time.Second)}, nil
			}},
		}, nil, time.Hour)
		if len(told) != 1 || told[0].Destination != "well" || reads < 11 || reads > 13 {
			t.Errorf("in an hour the other was read %d times and told %v", reads, told)
		}
	})
}

func TestANudgeIsHeededAtOnceAndNothingOfItBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads []time.Duration
		began := time.Now()
		desk := shelf{read: func(_ context.Context, ref string) (ticket.Ticket, error) {
			reads = append(reads, time.Since(began))
			return ticket.Ticket{Ref: ref}, nil
		}}
		c := handlerstest.Laptop()
		c.Open, c.Opened = true, began
		c.Effects = []events.Effect{{Action: events.Ticket, Destination: "desk", Ref: "SEC-1 10001", At: began}}
		told := 0
		a := &ticket.Answers{
			Handler: &ticket.Handler{Desks: map[string]ticket.Desk{"desk": desk}}, Log: slog.New(slog.DiscardHandler),
			Cases: func(context.Context) iter.Seq2[events.Case, error] {
				return func(yield func(events.Case, error) bool) { yield(c, nil) }
			},
			Tell: func(context.Context, events.Key, events.Fact, string) error { told++; return nil },
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		go func() {
			time.Sleep(time.Minute)
			for range 100 { // a swarm is one reading
				a.Nudge("desk", []byte(`{"issue": {"id": "10001", "fields": {"status": "Done"}}}`))
			}
			time.Sleep(time.Minute)
			a.Nudge("desk", []byte(`{"issue": {"id": "777"}}`))
		}()
		_ = a.Run(ctx)
		if len(reads) != 2 || reads[1] < time.Minute || reads[1] > time.Minute+3*time.Second || told != 0 {
			t.Errorf("it was read at %v, and %d things were told", reads, told)
		}
	})
}

func TestADeskIsGivenTheTimeItAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		listen(t, map[string]ticket.Desk{"desk": shelf{read: func(context.Context, string) (ticket.Ticket, error) {
			at = append(at, time.Since(began))
			return ticket.Ticket{}, handlers.After(errors.New("too much"), 25*time.Minute)
		}}}, nil, time.Hour)
		if len(at) != 3 || at[1] < 25*time.Minute {
			t.Errorf("it was asked at %v", at)
		}
	})
}

// What of a ticket is an answer, and whose.
func TestWhatCountsAsAnAnswer(t *testing.T) {
	ours := func(kind string) []ticket.Said {
		return []ticket.Said{{Text: "\nRef. curfew-" + kind + "-0123456789abcdef-01234567"}}
	}
	for name, tt := range map[string]struct {
		edit   func(*events.Case)
		ticket func(now time.Time) ticket.Ticket
		did    events.Answer
		by     string
	}{
		"nobody did anything": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{OursAt: now.Add(time.Minute), Notes: ours("o")}
		}, "", ""},
		"a remark": {nil, func(now time.Time) ticket.Ticket { return ticket.Ticket{Person: "Ben", PersonAt: now.Add(time.Minute)} }, events.Commented, "Ben"},
		"a remark from before the case opened again": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{Person: "Ben", PersonAt: now.Add(-time.Minute)}
		}, "", ""},
		"a remark that was heard": {
			func(c *events.Case) { c.Effects[0].Heard = time.Now().Add(time.Minute) },
			func(now time.Time) ticket.Ticket { return ticket.Ticket{Person: "Ben", PersonAt: now.Add(time.Minute)} }, "", "",
		},
		"taken": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{Person: "Ben", Assignee: "Ben", PersonAt: now.Add(time.Minute)}
		}, events.Took, "Ben"},
		"assigned by the desk itself": {nil, func(time.Time) ticket.Ticket { return ticket.Ticket{Assignee: "Ben"} }, "", ""},
		"resolved": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{State: ticket.Resolved, Person: "Ben", PersonAt: now.Add(time.Minute), Notes: ours("o")}
		}, events.Ended, "Ben"},
		"resolved, and Curfew said something a moment later": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{State: ticket.Resolved, Person: "Ben", PersonAt: now.Add(time.Minute), OursAt: now.Add(time.Hour), Notes: ours("r")}
		}, events.Ended, "Ben"},
		"resolved by Curfew": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{State: ticket.Resolved, Person: "Ben", PersonAt: now.Add(time.Minute), Ended: now.Add(time.Hour), OursAt: now.Add(time.Hour), Notes: append(ours("o"), ours("c")...)}
		}, "", ""},
		"closed by nobody who is named": {nil, func(now time.Time) ticket.Ticket {
			return ticket.Ticket{State: ticket.Closed, Ended: now.Add(time.Minute)}
		}, events.Ended, "somebody"},
		"gone":                                  {nil, func(time.Time) ticket.Ticket { return ticket.Ticket{State: ticket.Gone} }, events.Ended, "somebody who deleted it"},
		"gone, and the case is at work on that": {func(c *events.Case) { c.Effects[0].Ended = "somebody" }, func(time.Time) ticket.Ticket { return ticket.Ticket{State: ticket.Gone} }, "", ""},
		"a ticket of a case that is closed by now": {func(c *events.Case) { c.Open = false }, func(now time.Time) ticket.Ticket { return ticket.Ticket{Person: "Ben", PersonAt: now.Add(time.Minute)} }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				desk := shelf{read: func(context.Context, string) (ticket.Ticket, error) { return tt.ticket(now), nil }}
				told := listen(t, map[string]ticket.Desk{"desk": desk}, tt.edit, 20*time.Minute)
				switch {
				case tt.did == "" && len(told) == 0:
				case len(told) != 1 || told[0].Did != tt.did || told[0].By != tt.by || told[0].Ref != "SEC-1 10001":
					t.Errorf("got %+v, want that %q %s it", told, tt.by, tt.did)
				}
			})
		})
	}
}
