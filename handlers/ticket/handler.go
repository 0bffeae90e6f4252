package ticket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Handler keeps the tickets of cases: at most one that is open for each case and
// desk. It must not be copied once used.
type Handler struct {
	Desks map[string]Desk // by the name that rules use

	// ReopenWithin is how long after its end a ticket is reopened when the same
	// case needs it again; later a new one goes on from it. Zero: three days.
	ReopenWithin time.Duration
	Reopen       map[string]time.Duration // instead, by desk

	Languages map[string]string // in which tickets are written, by desk; a BCP 47 tag; none: English

	// Every is how often at most a ticket is told again what was said of it last.
	// Zero: an hour.
	Every time.Duration

	Log *slog.Logger // hears what somebody should mend; nil: nobody does

	mu    sync.Mutex
	gates map[string]*gate
}

const (
	// settle is how long after an attempt began its request may still arrive at a
	// desk: longer than any handler is given.
	settle = time.Minute
	// breath is the least time between two remarks on a ticket.
	breath = time.Minute
	// maxTries bounds how often a desk may answer that something is in the way.
	maxTries = 20
)

// Do opens the ticket of the case at that desk or adds to it, or resolves it.
func (h *Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	desk, err := handlers.Destination(h.Desks, t.Destination)
	if err != nil {
		return nil, fmt.Errorf("ticket: %w", err)
	}
	e := event(c, t, handlers.Telling{Language: h.Languages[t.Destination]})
	g := h.gate(t.Destination)
	v := visit{h: h, gate: g, desk: desk, task: t, event: e, key: key(e.Case, t.Destination)}
	v.receipt, _ = known(c, t)
	leave, err := g.enter(ctx, v.key)
	if err != nil {
		return nil, fmt.Errorf("ticket: desk %q: %w", t.Destination, v.unsure(err))
	}
	defer leave()
	done, err := v.do(ctx)
	g.Heard(ctx, err)
	if err != nil {
		return nil, fmt.Errorf("ticket: desk %q: %w", t.Destination, err)
	}
	return done, nil
}

// State returns a ticket as its desk shows it now, by the receipt that the case
// keeps of it. Of a desk that [Folding] keeps its tickets it shows nothing.
func (h *Handler) State(ctx context.Context, destination, receipt string) (Ticket, error) {
	desk, err := handlers.Destination(h.Desks, destination)
	if err != nil {
		return Ticket{}, fmt.Errorf("ticket: %w", err)
	}
	g := h.gate(destination)
	if err := g.Ready(); err != nil {
		return Ticket{}, fmt.Errorf("ticket: desk %q: %w", destination, err)
	}
	found, err := desk.Read(ctx, refIn(receipt))
	g.Heard(ctx, err)
	if err != nil {
		return Ticket{}, fmt.Errorf("ticket: desk %q: %w", destination, handlers.Sure(err))
	}
	return found, nil
}

func (h *Handler) gate(destination string) *gate {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gates == nil {
		h.gates = map[string]*gate{}
	}
	if h.gates[destination] == nil {
		h.gates[destination] = &gate{}
	}
	return h.gates[destination]
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// A visit does one task at its desk.
type visit struct {
	h       *Handler
	gate    *gate
	desk    Desk
	task    events.Task
	event   Event
	key     string
	receipt string // of the ticket that the case has here; empty: none that it knows of
}

func (v visit) do(ctx context.Context) (events.Fact, error) {
	if f, ok := v.desk.(Folding); ok && f.Folds() {
		return v.tell(ctx)
	}
	if v.task.Action == events.Close {
		return v.end(ctx)
	}
	return v.open(ctx)
}

// tell hands the task to a desk that does the rest by itself.
func (v visit) tell(ctx context.Context) (events.Fact, error) {
	n := Note{Task: v.task.ID, Event: v.event, Tries: v.task.Tries}
	if v.task.Unsure {
		if n.Began = v.task.Asked; v.task.Begun != nil {
			n.Began = v.task.Begun.At
		}
	}
	var t Ticket
	var err error
	switch {
	case v.task.Action == events.Close:
		t, err = v.desk.Resolve(ctx, Ticket{Ref: v.task.Ref}, n)
	case v.event.Kind == "updated":
		t, err = v.desk.Comment(ctx, Ticket{Ref: v.event.Ref}, n)
	default:
		t, err = v.desk.Open(ctx, New{Key: v.key, Title: title(v.event), Note: n})
	}
	if err != nil {
		return nil, err
	}
	if t.Warning != "" {
		v.warn(t)
	}
	return events.Done{Task: v.task.ID, Receipt: t.Ref, Link: t.Link}, nil
}

// warn says what somebody should mend at the desk or in the configuration.
func (v visit) warn(t Ticket) {
	v.h.log().Warn("a ticket is open, but not all about it is as it should be", "destination", v.task.Destination, "ticket", called(t), "why", t.Warning)
}

func (v visit) done(t Ticket) events.Fact {
	return events.Done{Task: v.task.ID, Receipt: receipt(t), Link: handlers.SafeLink(t.Link)}
}

// open sees to it that the case has one open ticket and that it says what there
// is to say.
func (v visit) open(ctx context.Context) (events.Fact, error) {
	var all []Ticket
	ref := v.ref()
	if m, ok := v.gate.making(v.key, v.task.ID); ok && ref == "" {
		if ref = m.ref; ref == "" {
			return nil, v.unsure(handlers.After(handlers.Patience{Why: "another task may have opened the ticket just now"}, time.Until(m.until)))
		}
	}
	if ref != "" { // what is known need not be searched
		t, err := v.read(ctx, ref)
		if err != nil {
			return nil, err
		}
		if t.State == Open && v.task.Accepted == nil {
			return v.add(ctx, t)
		}
		all = append(all, t)
	}
	found, err := v.find(ctx, v.key)
	if err != nil {
		return nil, err
	}
	t, err := v.keep(ctx, merge(found, all))
	switch {
	case err != nil:
		return nil, err
	case v.task.Accepted != nil:
		return v.done(t), nil // a person may have ended it meanwhile
	case t.State == Open && t.Ref != "":
		return v.add(ctx, t)
	case v.said(t):
		return v.done(t), nil
	case v.task.Unsure:
		return nil, v.wait(v.lag())
	case t.State == Resolved && t.Ref != "" && time.Since(cmp.Or(t.Ended, t.OursAt)) <= cmp.Or(v.h.Reopen[v.task.Destination], v.h.ReopenWithin, 3*24*time.Hour):
		return v.reopen(ctx, t)
	}
	return v.make(ctx, t)
}

// ref is that of the ticket which the case, or this task, has here already.
func (v visit) ref() string {
	if v.task.Accepted != nil {
		return refIn(v.task.Accepted.Receipt)
	}
	return refIn(v.receipt)
}

// make opens a ticket, unless one turns up.
func (v visit) make(ctx context.Context, old Ticket) (events.Fact, error) {
	if old.State == Gone {
		old = Ticket{}
	}
	if prior := earlier(v.event.Case); old.Ref == "" && prior != "" {
		found, err := v.find(ctx, key(prior, v.task.Destination))
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			old = slices.MaxFunc(found, Ticket.before)
		}
	}
	n := v.note(opened, "")
	n.Text = description(v.event, old, newMark(opened, v.task.ID, v.event))
	t, err := v.desk.Open(ctx, New{Key: v.key, Title: title(v.event), Note: n, Old: old})
	if handlers.Read(err).Status == http.StatusConflict {
		// Something has the same key: most likely a request whose answer was lost.
		err = v.inTheWay(handlers.Unsure(handlers.After(patient(err), v.lag())))
	}
	if err != nil {
		if err = v.wrote("open a ticket", err); handlers.Read(err).Unsure {
			v.gate.make(v.key, making{task: v.task.ID, until: time.Now().Add(v.lag())})
		}
		return nil, err
	}
	v.gate.make(v.key, making{v.task.ID, t.Ref, time.Now().Add(v.lag())})
	if t.Warning != "" {
		v.warn(t)
	}
	if lag := v.lag(); lag > settle {
		return events.Accepted{Task: v.task.ID, Receipt: receipt(t), Again: time.Now().Add(lag)}, nil
	}
	found, err := v.find(ctx, v.key)
	if err != nil {
		return nil, handlers.Unsure(err)
	}
	if !slices.ContainsFunc(found, func(f Ticket) bool { return f.Ref == t.Ref }) {
		v.h.log().Warn("a ticket is not found by the key that it was given: the account may not be allowed to write the field", "destination", v.task.Destination, "ticket", called(t))
	}
	kept, err := v.keep(ctx, merge(found, []Ticket{t}))
	if err != nil {
		return nil, handlers.Unsure(err)
	}
	return v.done(kept), nil
}

// add says on an open ticket what is new, or says again what is not.
func (v visit) add(ctx context.Context, t Ticket) (events.Fact, error) {
	if v.said(t) {
		return v.done(t), nil
	}
	if v.task.Unsure {
		return nil, v.wait(settle)
	}
	m := newMark(repeated, v.task.ID, v.event)
	texts, of := marks(t)
	count := 1
	for _, x := range of {
		if x.alarms() {
			count++
		}
	}
	if n := len(of); n > 0 {
		switch ago := max(0, time.Since(texts[n-1].At)); {
		case of[n-1].content == m.content && of[n-1].alarms() && ago < cmp.Or(v.h.Every, time.Hour):
			return v.done(t), nil // it stands there, and is not old
		case of[n-1].content != m.content && ago < breath:
			return nil, handlers.After(handlers.Patience{Why: "the ticket was told something a moment ago"}, breath-ago)
		}
	}
	head := v.event.Telling.Say("The device is still at risk; this was reported %1 times.", strconv.Itoa(count))
	n := v.note(repeated, head)
	answer, err := v.desk.Comment(ctx, t, n)
	if err != nil {
		return nil, v.wrote("comment ticket "+called(t), err)
	}
	return v.done(t.as(answer)), nil
}

// reopen takes a ticket up again, or goes on from it by a new one.
func (v visit) reopen(ctx context.Context, t Ticket) (events.Fact, error) {
	answer, err := v.desk.Reopen(ctx, t, v.note(reopened, v.event.Telling.Say("The ticket is reopened: the device is at risk, as this shows.")))
	switch {
	case errors.Is(err, ErrCannot):
		return v.make(ctx, t)
	case err != nil:
		return nil, v.wrote("reopen ticket "+called(t), err)
	}
	return v.done(t.as(answer)), nil
}
