package desktest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
)

// begin opens a ticket and lets some time pass.
func begin(ctx context.Context, s *stage) (life, Ticket, error) {
	l := s.laptop()
	if _, err := l.do(ctx, events.Ticket); err != nil {
		return l, Ticket{}, err
	}
	time.Sleep(10 * time.Minute)
	return l, s.Tickets()[0], nil
}

func pages(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l, first, err := begin(ctx, s)
	if err != nil {
		return err
	}
	s.Copy(first.Ref, 250)
	time.Sleep(time.Hour)
	l.Effects = nil // nothing is known of it: it has to be found
	l.Attention = []string{"the mail could not be sent"}
	if _, err := l.do(ctx, events.Ticket); err != nil {
		return err
	}
	if open := s.open(); len(open) != 1 || open[0].Ref != first.Ref || len(open[0].Texts) != 2 {
		return fmt.Errorf("behind 250 resolved copies the open ticket was not found and told: %+v", open)
	}
	return nil
}

func twins(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l, first, err := begin(ctx, s)
	if err != nil {
		return err
	}
	second, err := s.Desk.Open(ctx, ticket.New{Key: first.Key, Title: "the second", Note: ticket.Note{Text: "the second\nRef. curfew-o-0000000000000000-00000000", Event: ticket.Event{Device: ticket.Device{Tenant: l.Tenant}}}})
	if err != nil {
		return err
	}
	time.Sleep(time.Hour)
	l.Effects, l.Attention = nil, []string{"the mail could not be sent"}
	if _, err := l.do(ctx, events.Ticket); err != nil {
		return err
	}
	open, all := s.open(), s.Tickets()
	if len(open) != 1 || open[0].Ref != first.Ref || len(open[0].Texts) != 2 {
		return fmt.Errorf("the older one, %s, should be open and told: %+v", first.Ref, open)
	}
	if text := strings.Join(all[len(all)-1].Texts, "\n"); !strings.Contains(text, "duplicate of ticket") || all[len(all)-1].Ref != second.Ref {
		return fmt.Errorf("the newer one, %s, does not name the older: %+v", second.Ref, all)
	}
	return nil
}

func person(ctx context.Context, fresh func() *stage) error {
	for _, touched := range []bool{false, true} {
		for _, f := range append(losses(), fake.Fault{}, fake.Fault{Status: 409}) {
			s := fresh()
			l, first, err := begin(ctx, s)
			if err != nil {
				return err
			}
			if touched {
				s.Touch(first.Ref)
				time.Sleep(10 * time.Minute)
			}
			before := len(s.Tickets()[0].Texts)
			if f != (fake.Fault{}) {
				s.writes.Fail(1, f)
			}
			if _, err := l.do(ctx, events.Close); err != nil {
				return fmt.Errorf("after %+v: %w", f, err)
			}
			t := s.Tickets()[0]
			said := strings.Join(t.Texts[before:], "\n")
			if !touched && (t.State == ticket.Open || !strings.Contains(said, "is healthy")) {
				return fmt.Errorf("nobody had changed it (fault %+v): %+v", f, t)
			}
			if touched && (t.State != ticket.Open || !strings.Contains(said, "It is not resolved, because")) {
				return fmt.Errorf("a person had changed it (fault %+v): %+v", f, t)
			}
			if n := len(t.Texts) - before; n != 1 {
				return fmt.Errorf("%d notes say that the case is over (fault %+v): %+v", n, f, t)
			}
		}
	}
	return nil
}

func resolved(ctx context.Context, fresh func() *stage) error {
	for _, ends := range []func(*stage) func(string){
		func(s *stage) func(string) { return s.Resolve },
		func(s *stage) func(string) { return s.Close },
	} {
		s := fresh()
		l, first, err := begin(ctx, s)
		if err != nil {
			return err
		}
		end := ends(s)
		if end == nil {
			continue
		}
		end(first.Ref)
		before := s.Tickets()[0]
		if _, err := l.do(ctx, events.Close); err != nil {
			return err
		}
		if after := s.Tickets()[0]; after.State == ticket.Open || len(after.Texts) != len(before.Texts) {
			return fmt.Errorf("it was resolved already, and is now %+v", after)
		}
	}
	return nil
}

func reopens(ctx context.Context, fresh func() *stage) error {
	for _, f := range append(losses(), fake.Fault{}) {
		s := fresh()
		l, first, err := begin(ctx, s)
		if err != nil {
			return err
		}
		if _, err := l.do(ctx, events.Close); err != nil {
			return err
		}
		time.Sleep(24 * time.Hour)
		if f != (fake.Fault{}) {
			s.writes.Fail(1, f)
		}
		done, err := l.do(ctx, events.Ticket)
		if err != nil {
			return fmt.Errorf("after %+v: %w", f, err)
		}
		all := s.Tickets()
		if len(all) != 1 || all[0].State != ticket.Open || !strings.HasSuffix(done.Receipt, first.Ref) {
			return fmt.Errorf("a day later (fault %+v) there are %+v", f, all)
		}
		if last := all[0].Texts[len(all[0].Texts)-1]; len(all[0].Texts) != 3 || !strings.Contains(last, "Trojan:Win32/Example") {
			return fmt.Errorf("reopened (fault %+v), it says %q", f, all[0].Texts)
		}
	}
	return nil
}

func goesOn(ctx context.Context, fresh func() *stage) error {
	for name, tt := range map[string]func(*stage, life, Ticket) error{
		"ten days later": func(_ *stage, l life, _ Ticket) error {
			_, err := l.do(ctx, events.Close)
			time.Sleep(10 * 24 * time.Hour)
			return err
		},
		"the next case": func(_ *stage, l life, _ Ticket) error {
			_, err := l.do(ctx, events.Close)
			l.Episode++
			l.Effects = nil
			time.Sleep(time.Hour)
			return err
		},
		"closed for good": func(s *stage, _ life, t Ticket) error {
			if s.Close == nil {
				s.Resolve(t.Ref)
				time.Sleep(10 * 24 * time.Hour)
				return nil
			}
			s.Close(t.Ref)
			time.Sleep(time.Hour)
			return nil
		},
	} {
		s := fresh()
		l, first, err := begin(ctx, s)
		if err != nil {
			return err
		}
		if err := tt(s, l, first); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		done, err := l.do(ctx, events.Ticket)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		open := s.open()
		if len(open) != 1 || open[0].Ref == first.Ref || !strings.HasSuffix(done.Receipt, open[0].Ref) {
			return fmt.Errorf("%s: open are %+v; the receipt is %q", name, open, done.Receipt)
		}
		if text := strings.Join(open[0].Texts, "\n"); !strings.Contains(text, "This goes on from ticket") {
			return fmt.Errorf("%s: it does not name ticket %s: %q", name, first.Ref, text)
		}
	}
	return nil
}
