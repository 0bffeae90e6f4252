package desktest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/ticket"
)

// A rule is one promise, and how it is tried.
type rule struct {
	name    string
	promise string
	holds   func(ctx context.Context, fresh func() *stage) error
}

func rules() []rule {
	return []rule{
		{"opens", "a ticket says what is wrong, is found by its key alone, and is shown as it is", opens},
		{"repeats", "a repeat is a note with a count on the open ticket; the same is not said twice in an hour", repeats},
		{"lost answer", "a request whose answer was lost is settled by searching, however late the search is: one ticket", lostAnswer},
		{"conflict", "a conflict while a ticket is made is settled by searching: one ticket", conflict},
		{"verdicts", "what a repetition does not cure is given up; the rest comes back, and not before it was asked to", verdicts},
		{"gone", "a ticket that was deleted holds nothing up", gone},
		{"pages", "the open ticket is found behind any number of resolved ones with its key", pages},
		{"twins", "of two tickets of a case the older is kept, and the newer resolved with a word about the older", twins},
		{"person", "a ticket that a person has changed is told that the case is over, and left open; else it is resolved with the reason", person},
		{"resolved", "a ticket that somebody resolved already is left alone at the end", resolved},
		{"reopens", "a resolved ticket is reopened with the proof when the case needs it again soon", reopens},
		{"goes on", "a ticket that ended long ago, or of the case before, is named by a new one", goesOn},
		{"hostile text", "names from outside are shown and not obeyed, in texts and in searches", hostile},
		{"rate limit", "when a desk asks for time, no request is made before it has passed", rateLimit},
		{"dead desk", "a desk that does not answer is left alone for a while", deadDesk},
		{"thousand", "two workers and a thousand tasks at once, with time-outs, lost answers, conflicts and limits: one ticket", thousand},
	}
}

func opens(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l := s.laptop()
	done, err := l.do(ctx, events.Ticket)
	if err != nil {
		return err
	}
	all := s.Tickets()
	if len(all) != 1 {
		return fmt.Errorf("there are %d tickets", len(all))
	}
	t := all[0]
	if text := strings.Join(t.Texts, "\n"); t.State != ticket.Open || t.Key == "" || !strings.Contains(t.Title, "LT-042") || !strings.Contains(text, "Trojan:Win32/Example") || !strings.Contains(text, "SN042") {
		return fmt.Errorf("an agent sees %+v", t)
	}
	if !strings.HasSuffix(done.Receipt, t.Ref) || handlers.SafeLink(done.Link) == "" {
		return fmt.Errorf("the receipt of ticket %s is %+v", t.Ref, done)
	}
	found, err := s.Desk.Find(ctx, t.Key)
	if err != nil || len(found) != 1 || found[0].Ref != t.Ref || found[0].Key != t.Key || found[0].Created.IsZero() {
		return fmt.Errorf("by its key there is found: %+v, %w", found, err)
	}
	if found, err := s.Desk.Find(ctx, t.Key+"x"); err != nil || len(found) != 0 {
		return fmt.Errorf("by another key there is found: %+v, %w", found, err)
	}
	seen, err := s.worker.State(ctx, "desk", done.Receipt)
	if err != nil || seen.State != ticket.Open || len(seen.Notes) != 1 || seen.ByPerson() {
		return fmt.Errorf("it is read as %+v, %w", seen, err)
	}
	time.Sleep(time.Minute)
	s.Touch(t.Ref)
	if seen, err = s.worker.State(ctx, "desk", done.Receipt); err != nil || !seen.ByPerson() || seen.Person == "" || len(seen.Notes) != 1 {
		return fmt.Errorf("changed by a person, it is read as %+v, %w", seen, err)
	}
	return nil
}

func repeats(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l := s.laptop()
	notes := func(want int) error {
		if all := s.Tickets(); len(all) != 1 || len(all[0].Texts) != 1+want {
			return fmt.Errorf("there should be one ticket with %d notes: %+v", want, all)
		}
		return nil
	}
	say := func(want int) error {
		if _, err := l.do(ctx, events.Ticket); err != nil {
			return err
		}
		return notes(want)
	}
	for range 3 { // the same within minutes
		if err := say(0); err != nil {
			return err
		}
		time.Sleep(10 * time.Minute)
	}
	l.Attention = []string{"the mail could not be sent"}
	if err := say(1); err != nil {
		return err
	}
	time.Sleep(61 * time.Minute)
	if err := say(2); err != nil {
		return err
	}
	last := s.Tickets()[0].Texts[2]
	if !strings.Contains(last, "3 times") || !strings.Contains(last, "the mail could not be sent") {
		return fmt.Errorf("the last note is %q", last)
	}
	again := l.task(events.Ticket)
	again.ID = "the same task"
	time.Sleep(2 * time.Hour)
	for range 2 { // an answer that was lost after the note was taken
		s.writes.Fail(1, fake.Fault{Drop: true, Done: true})
		if _, err := l.finish(ctx, again); err != nil {
			return err
		}
		again.Unsure, again.Begun = true, &events.Attempt{ID: "attempt", At: time.Now()}
		if err := notes(3); err != nil {
			return err
		}
	}
	return nil
}

// losses are the ways in which nobody hears whether something was done.
func losses() []fake.Fault {
	return []fake.Fault{
		{Drop: true, Done: true}, {Drop: true}, {Hang: true, Done: true}, {Hang: true},
		{Status: 500, Done: true}, {Status: 502, Done: true}, {Status: 504, Done: true}, {Status: 504},
	}
}

func lostAnswer(ctx context.Context, fresh func() *stage) error {
	for _, f := range losses() {
		for _, times := range []int{1, 3} {
			s := fresh()
			l := s.laptop()
			if f.Done && times > 1 {
				continue // the first was done
			}
			s.writes.Fail(times, f)
			if _, err := l.do(ctx, events.Ticket); err != nil {
				return fmt.Errorf("after %+v: %w", f, err)
			}
			if all := s.Tickets(); len(all) != 1 || len(all[0].Texts) != 1 {
				return fmt.Errorf("after %+v there should be one ticket with no notes: %+v", f, all)
			}
		}
	}
	for _, asks := range []fake.Fault{{Status: 503}, {Drop: true}, {Status: 429, RetryAfter: "60"}} {
		s := fresh()
		l := s.laptop()
		t := l.task(events.Ticket)
		t.Begun = &events.Attempt{ID: "attempt", At: time.Now()}
		if _, err := l.call(ctx, t); err != nil { // and then the worker died
			return err
		}
		asks.For = 50 * time.Minute
		s.reads.Fail(-1, asks)
		t.Unsure = true
		if _, err := l.finish(ctx, t); err != nil {
			return err
		}
		if all := s.Tickets(); len(all) != 1 || len(all[0].Texts) != 1 {
			return fmt.Errorf("while the desk could not be read (%+v) something was done again: %+v", asks, all)
		}
	}
	return nil
}

func conflict(ctx context.Context, fresh func() *stage) error {
	for _, f := range []fake.Fault{{Status: 409, Done: true}, {Status: 409}} {
		s := fresh()
		l := s.laptop()
		s.writes.Fail(1, f)
		if _, err := l.do(ctx, events.Ticket); err != nil {
			return fmt.Errorf("after %+v: %w", f, err)
		}
		if all := s.Tickets(); len(all) != 1 || len(all[0].Texts) != 1 {
			return fmt.Errorf("after %+v there should be one ticket with no notes: %+v", f, all)
		}
	}
	return nil
}

func verdicts(ctx context.Context, fresh func() *stage) error {
	for _, status := range []int{400, 401, 403, 404, 422} {
		s := fresh()
		l := s.laptop()
		s.writes.Fail(-1, fake.Fault{Status: status}) // a token may be renewed once
		if _, err := l.do(ctx, events.Ticket); err == nil || !handlers.Read(err).GiveUp || len(s.Tickets()) > 0 {
			return fmt.Errorf("status %d for a new ticket is not given up: %v", status, err)
		}
		s.reads.Fail(-1, fake.Fault{Status: status})
		if _, err := l.call(ctx, l.task(events.Ticket)); err == nil || !handlers.Read(err).GiveUp {
			return fmt.Errorf("status %d for a question is not given up: %v", status, err)
		}
	}
	for _, status := range []int{408, 429, 500, 503, 504} {
		for _, to := range []string{"read", "write"} {
			s := fresh()
			l := s.laptop()
			server := map[string]*fake.Server{"read": s.reads, "write": s.writes}[to]
			server.Fail(1, fake.Fault{Status: status, RetryAfter: "120"})
			start := time.Now()
			if _, err := l.do(ctx, events.Ticket); err != nil {
				return fmt.Errorf("status %d for a %s: %w", status, to, err)
			}
			if took := time.Since(start); took < 2*time.Minute || len(s.Tickets()) != 1 {
				return fmt.Errorf("status %d for a %s, with Retry-After of 2m: %d tickets after %v", status, to, len(s.Tickets()), took)
			}
		}
	}
	return nil
}

func gone(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l := s.laptop()
	if _, err := l.do(ctx, events.Ticket); err != nil {
		return err
	}
	s.Delete(s.Tickets()[0].Ref)
	if _, err := l.do(ctx, events.Ticket); err != nil {
		return err
	}
	if n := len(s.open()); n != 1 {
		return fmt.Errorf("after the ticket was deleted, %d are open", n)
	}
	s.Delete(s.open()[0].Ref)
	_, err := l.do(ctx, events.Close)
	return err
}
