package ticket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// end resolves the ticket of a case that is over, or says so on it.
func (v visit) end(ctx context.Context) (events.Fact, error) {
	say := v.event.Telling.Say
	t, err := v.mine(ctx, refIn(v.task.Ref))
	switch {
	case err != nil:
		return nil, err
	case t.Ref == "":
		return events.Done{Task: v.task.ID}, nil
	case t.State != Open, v.hasSaid(t, left):
		return v.done(t), nil
	case v.task.Unsure && !v.said(t):
		return nil, v.wait(settle)
	case t.ByPerson():
		return v.leave(ctx, t, say("It is not resolved, because %1 has changed it since.", cmp.Or(handlers.Line(t.Person, 100), say("somebody"))))
	}
	n := v.note(resolved, say("The device was looked at again and is healthy: the ticket is resolved."))
	n.Told = v.said(t)
	switch _, err := v.desk.Resolve(ctx, t, n); {
	case errors.Is(err, ErrCannot):
		v.h.log().Warn("a desk has no way to resolve a ticket", "destination", v.task.Destination, "ticket", called(t), "err", err)
		return v.leave(ctx, t, say("It is not resolved, because this desk has no way to."))
	case err != nil:
		return nil, v.wrote("resolve ticket "+called(t), err)
	}
	switch after, err := v.desk.Read(ctx, t.Ref); {
	case err != nil:
		return nil, handlers.Unsure(fmt.Errorf("see whether ticket %s was resolved: %w", called(t), err))
	case after.State == Open:
		v.h.log().Warn("a desk took a resolution and did nothing: the account may not be allowed to", "destination", v.task.Destination, "ticket", called(t))
		return v.leave(ctx, after, say("It could not be resolved: Curfew's account may not be allowed to."))
	}
	return v.done(t), nil
}

// mine is the ticket with that ref, or the case's own if there is none: an
// address that has changed answers 404 too, and a person may have split tickets.
func (v visit) mine(ctx context.Context, ref string) (Ticket, error) {
	if ref != "" {
		if t, err := v.read(ctx, ref); err != nil || t.State != Gone {
			return t, err
		}
	}
	found, err := v.find(ctx, v.key)
	if err != nil {
		return Ticket{}, err
	}
	return v.keep(ctx, found)
}

// leave says on a ticket that its case is over, and leaves it to people.
func (v visit) leave(ctx context.Context, t Ticket, why string) (events.Fact, error) {
	if _, err := v.desk.Comment(ctx, t, v.note(left, v.event.Telling.Say("The device was looked at again and is healthy.")+" "+why)); err != nil {
		return nil, v.wrote("comment ticket "+called(t), err)
	}
	return v.done(t), nil
}

// keep returns the ticket that is the case's, as it is now: the oldest of the
// open ones, else the newest of the others. The other open ones are duplicates,
// made by requests whose answers were lost; they are resolved.
func (v visit) keep(ctx context.Context, all []Ticket) (Ticket, error) {
	all = slices.DeleteFunc(slices.Clone(all), func(t Ticket) bool { return t.Key != "" && t.Key != v.key })
	slices.SortFunc(all, Ticket.before)
	var kept, last Ticket
	for _, x := range all {
		if x.State != Open {
			if x.State != Gone {
				last = x
			}
			continue
		}
		t, err := v.read(ctx, x.Ref) // a search may be late
		switch {
		case err != nil:
			return Ticket{}, err
		case t.State != Open:
			last = t
		case kept.Ref == "":
			kept = t
		default:
			if err := v.drop(ctx, t, kept); err != nil {
				return Ticket{}, err
			}
		}
	}
	switch {
	case kept.Ref != "":
		return kept, nil
	case last.Ref != "":
		return v.read(ctx, last.Ref)
	}
	return Ticket{}, nil
}

// drop ends a duplicate, or says that it is one if a person has it. That it
// cannot be is no reason to do without the one that is kept.
func (v visit) drop(ctx context.Context, t, kept Ticket) error {
	if v.hasSaid(t, twin) && t.ByPerson() {
		return nil
	}
	n := v.note(twin, v.event.Telling.Say("This is a duplicate of ticket %1. %2", called(kept), kept.Link))
	n.Twin, n.Told = true, v.hasSaid(t, twin)
	var err error
	if !t.ByPerson() {
		if _, err = v.desk.Resolve(ctx, t, n); err == nil {
			return nil
		}
	}
	if (t.ByPerson() || errors.Is(err, ErrCannot)) && !n.Told {
		_, err = v.desk.Comment(ctx, t, n)
	}
	if err == nil || errors.Is(err, ErrCannot) || handlers.Read(err).GiveUp {
		v.h.log().Warn("a duplicate ticket was left open", "destination", v.task.Destination, "ticket", called(t), "kept", called(kept), "err", err)
		return nil
	}
	return v.wrote("resolve duplicate "+called(t), err)
}

// merge is all tickets once; what was found is preferred, for its times are all
// by the desk's clock.
func merge(found, known []Ticket) []Ticket {
	out := slices.Clone(found)
	for _, k := range known {
		if !slices.ContainsFunc(found, func(t Ticket) bool { return t.Ref == k.Ref }) {
			out = append(out, k)
		}
	}
	return out
}

// said reports whether the task has left its mark on a ticket.
func (v visit) said(t Ticket) bool {
	_, of := marks(t)
	return slices.ContainsFunc(of, func(m mark) bool { return m.task == digest(16, v.task.ID) && m.kind != twin && m.kind != left })
}

// hasSaid reports whether the ticket has a note of that kind, of this task.
func (v visit) hasSaid(t Ticket, k kind) bool {
	_, of := marks(t)
	return slices.ContainsFunc(of, func(m mark) bool {
		return m.kind == k && (k == twin || m.task == digest(16, v.task.ID))
	})
}

func (v visit) note(k kind, head string) Note {
	return Note{Task: v.task.ID, Text: note(head, v.event, newMark(k, v.task.ID, v.event)), Event: v.event}
}

func (v visit) find(ctx context.Context, key string) ([]Ticket, error) {
	found, err := v.desk.Find(ctx, key)
	if err != nil {
		return nil, v.unsure(fmt.Errorf("search for the case's ticket: %w", err))
	}
	return found, nil
}

func (v visit) read(ctx context.Context, ref string) (Ticket, error) {
	t, err := v.desk.Read(ctx, ref)
	if err != nil {
		return Ticket{}, v.unsure(fmt.Errorf("read ticket %s: %w", handlers.Line(ref, 100), err))
	}
	t.Ref = ref
	return t, nil
}

// lag is how long a ticket of an attempt may stay out of sight.
func (v visit) lag() time.Duration {
	if l, ok := v.desk.(Late); ok {
		return settle + max(0, l.Lag())
	}
	return settle
}

// wait puts an unsure task off until what it may have done must be to be seen.
// After that it was not done, and the task may begin anew.
func (v visit) wait(d time.Duration) error {
	if b := v.task.Begun; b != nil {
		if left := d - time.Since(b.At); left > 0 {
			return handlers.Unsure(handlers.After(handlers.Patience{Why: "nothing was found of an attempt that left no answer; it is looked for again"}, left))
		}
	}
	return handlers.Sure(handlers.After(handlers.Patience{Why: "an attempt that left no answer has done nothing; it begins anew"}, time.Second))
}

// unsure marks the error of a question: it leaves open what was open before.
func (v visit) unsure(err error) error {
	if v.task.Unsure {
		return handlers.Unsure(err)
	}
	return handlers.Sure(err)
}

// wrote marks the error of a write. Two that change a ticket at once get in each
// other's way: the loser looks again.
func (v visit) wrote(what string, err error) error {
	err = handlers.Effect(fmt.Errorf("%s: %w", what, err))
	if r := handlers.Read(err); r.Status == http.StatusConflict && r.GiveUp {
		err = v.inTheWay(handlers.Sure(handlers.After(patient(err), 5*time.Second)))
	}
	return err
}

// inTheWay gives a conflict up that does not end.
func (v visit) inTheWay(err error) error {
	if v.task.Tries >= maxTries {
		return handlers.GiveUp(err)
	}
	return err
}

// patient takes the mark of GiveUp off.
func patient(err error) error { return comesBack{err} }

type comesBack struct{ error }

func (e comesBack) Unwrap() error { return e.error }
func (e comesBack) GiveUp() bool  { return false }
