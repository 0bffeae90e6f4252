package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A Desk is one help desk of one vendor. It says what its vendor wants to hear
// and decides nothing: which ticket is the case's, whether it is commented,
// resolved or opened anew is decided in [Handler].
//
// All methods may be called from several goroutines. Their errors are marked as
// package handlers says: GiveUp for what repeating does not cure, Unsure for a
// write that may have been done. [API] does so. A write returns the ticket as far
// as the answer shows it; what is zero is taken to be as it was.
type Desk interface {
	// Check reports every reason why the desk cannot be used. It asks nobody.
	Check() error

	// Find returns the tickets that carry the key, in any state and order. It may
	// leave out those that were closed long ago, and may know a new one only
	// after a while; see [Late].
	Find(ctx context.Context, key string) ([]Ticket, error)

	// Open makes a ticket. It is not repeated by the desk, whatever happens.
	Open(ctx context.Context, n New) (Ticket, error)

	// Comment says something on a ticket, to agents only.
	Comment(ctx context.Context, t Ticket, n Note) (Ticket, error)

	// Resolve says it and takes the ticket out of the queue, in a way that can be
	// taken back. Its error is [ErrCannot] if this desk has no way to.
	Resolve(ctx context.Context, t Ticket, n Note) (Ticket, error)

	// Reopen takes a resolved ticket up again and says why. Its error is
	// [ErrCannot] if the desk has no way to; then a new one is opened.
	Reopen(ctx context.Context, t Ticket, n Note) (Ticket, error)

	// Read returns the ticket as it is now, never from an index that is late, with
	// its notes. One that is not there (any more) has the state [Gone] and is no
	// error.
	Read(ctx context.Context, ref string) (Ticket, error)
}

// Late is a Desk whose search does not know at once what was opened.
type Late interface {
	// Lag is how late Find may be. A ticket whose making left no answer is looked
	// for until then before another is made, and one that was made counts as done
	// only then, when no second one has turned up.
	Lag() time.Duration
}

// Folding is a Desk whose other side keeps one ticket for each case by itself: it
// does each [Note.Task] once, however often it hears of it. Nothing is searched,
// read back or settled there.
type Folding interface{ Folds() bool }

// ErrCannot says that a desk has no way to do what it was asked to, such as a
// workflow without a transition. The ticket is as it was.
var ErrCannot = errors.New("the desk has no way to do that")

// A State is how far a ticket has come, in words that all vendors share.
type State int

// The states. A ticket that waits for somebody is open. Resolved ones can be
// reopened, closed ones cannot.
const (
	Open State = iota
	Resolved
	Closed
	Gone
)

func (s State) String() string {
	return [...]string{"open", "resolved", "closed", "gone"}[max(Open, min(s, Gone))]
}

// A Ticket is what a desk shows of one.
type Ticket struct {
	Ref      string    // what [Desk.Read] takes: the id that never changes, at most 200 characters
	Name     string    // what people call it, such as SEC-24; empty: Ref
	Link     string    // where people find it, https
	Key      string    // the key it carries; empty: the desk does not show it
	State    State     //
	Assignee string    // who has it; empty: nobody
	Created  time.Time //
	Ended    time.Time // when it was resolved or closed; zero: it is open, or the desk does not say

	// The last change or remark that was not made through Curfew's own account,
	// nor by the desk's automation, and the last that was; only from [Desk.Read].
	Person   string
	PersonAt time.Time
	OursAt   time.Time

	// Notes are the texts on it by Curfew's own account, the description
	// included, as plain lines, at least the last fifty; only from [Desk.Read].
	Notes []Said

	// Warning is what somebody should mend, such as a customer without a queue;
	// only from [Desk.Open].
	Warning string
}

// ByPerson reports whether a person has changed the ticket since Curfew last did.
// Desks count in whole seconds; a draw counts as a person's.
func (t Ticket) ByPerson() bool { return !t.PersonAt.IsZero() && !t.PersonAt.Before(t.OursAt) }

// as is the ticket with what an answer shows of it.
func (t Ticket) as(answer Ticket) Ticket {
	if answer.Ref != "" {
		t.Ref = answer.Ref
	}
	if answer.Link != "" {
		t.Link = answer.Link
	}
	return t
}

// Said is a text on a ticket.
type Said struct {
	At   time.Time
	Text string
}

// New is a ticket to be made.
type New struct {
	Key   string // letters, digits and -, at most 40: to be kept where Find looks
	Title string // one line, at most 250 characters; cut it with [handlers.Line]
	Note         // the description
	Old   Ticket // the one before, if this goes on where that ended; zero: none
}

// A Note is something to say on a ticket. All that comes from outside in Text,
// Title and Event is a [handlers.Line], but may hold any markup: a desk must see
// to it that it is shown, not obeyed.
type Note struct {
	Task  string // the task's id, at most 200 characters: the idempotency key
	Text  string // plain lines; a desk shows all of them, the last one ends in a mark
	Event Event  // what the case is about
	Told  bool   // of resolve: Text is on the ticket already
	Twin  bool   // of resolve: it is a duplicate of another ticket

	// Only a desk that is [Folding] has to settle by itself what an attempt of the
	// task did that left no answer: when it began (zero: there was none), and how
	// often the task has come back.
	Began time.Time
	Tries int
}

// Customers says where the tickets of each tenant go: to a queue, a board, a
// company of the desk. R is the vendor's kind of place.
//
// A tenant that is not in it goes to the triage place with a warning, never to
// another customer's and never to the desk's own default.
type Customers[R any] struct {
	Routes map[string]R // by tenant, as the configuration calls it
	Triage *R           // nil: tickets of other tenants are given up
}

// Of returns the place of a tenant's tickets. The warning says that it is the
// triage place.
func (c Customers[R]) Of(tenant string) (place R, warning string, err error) {
	if place, ok := c.Routes[tenant]; ok {
		return place, "", nil
	}
	if c.Triage == nil {
		return place, "", handlers.GiveUp(fmt.Errorf("no queue is configured for the tickets of tenant %q, and none for triage: add it to the destination's customers", tenant))
	}
	return *c.Triage, fmt.Sprintf("tenant %s is not in the customer map of this destination, so its ticket went to triage", handlers.Line(tenant, 100)), nil
}

// Place is [Customers.Of] for a new ticket, whose text then begins with the
// warning.
func (c Customers[R]) Place(n New) (place R, placed New, warning string, err error) {
	place, warning, err = c.Of(n.Event.Device.Tenant)
	if warning != "" {
		n.Text = "Attention: " + warning + "\n\n" + n.Text
	}
	return place, n, warning, err
}

// Check reports what is wrong with every place, and that there is none at all. what
// is what a place mainly names, such as "project".
func (c Customers[R]) Check(what string, of func(R) error) error {
	var errs []error
	check := func(who string, place R) {
		if err := of(place); err != nil {
			errs = append(errs, fmt.Errorf("customer %s: %w", who, err))
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.Routes)) {
		check(tenant, c.Routes[tenant])
	}
	switch {
	case c.Triage != nil:
		check("triage", *c.Triage)
	case len(c.Routes) == 0:
		errs = append(errs, fmt.Errorf("it has no %s for any tenant, and none for triage", what))
	}
	return errors.Join(errs...)
}

// Risk is the severity of an event as a level.
func (e Event) Risk() events.Level {
	for l := events.Clear; l <= events.Compromised; l++ {
		if l.String() == e.Severity {
			return l
		}
	}
	return events.Clear
}

// before reports whether a was opened before b, or is the lesser of two that were
// opened at once, so that all who look keep the same.
func (t Ticket) before(b Ticket) int {
	if n := t.Created.Compare(b.Created); n != 0 {
		return n
	}
	if n := len(t.Ref) - len(b.Ref); n != 0 {
		return n
	}
	return strings.Compare(t.Ref, b.Ref)
}
