// Package maildesk keeps tickets at a desk that is reached by mail only: one mail
// when a case begins, one when there is more to say of it, and one when it is over.
//
// What holds the mails of a case together:
//
//   - A token in each subject, such as [#contoso-5d41402abc4b2a76], which is the same
//     for as long as it is the same case. The desk must be told to file by it (a
//     mail rule, a filter, a merge rule): most know only numbers of their own.
//   - The headers Message-ID, In-Reply-To and References (RFC 5322, 3.6.4), made of
//     the case and the task, if the mailer can set them ([Threader]). Graph cannot:
//     sendMail takes headers of one's own only, whose names begin with x- (Graph
//     docs: message, internetMessageHeaders, 2025; others are refused with
//     InvalidInternetMessageHeader).
//
// What is guaranteed beyond that: a mail whose sending left no answer is looked for
// among the sent ones before it is sent again. Where these may not be read, it is
// sent again after a while, at most five times: a desk can fold a second mail, but
// not miss the first. Mails are plain text, and begin with words of ours, because
// desks take commands from the first lines of what agents send (such as #status
// solved: Zendesk support docs, mail API, 2025).
//
// What may not be assumed: that a mail which was accepted was delivered or filed;
// that anything comes back. A desk that is reached by mail is not searched or read,
// so nobody acknowledges there, and a case's end is only told.
package maildesk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// Mailer sends mails. Graph's is one.
type Mailer interface {
	// SendMail sends a mail from the tenant's configured mailbox, with the key as a
	// property that Sent finds. An error that is not Unsure says that it was not sent.
	SendMail(ctx context.Context, tenant, to, subject, html, text, key string) error

	// Sent reports whether a mail with that key is among the sent ones, where it
	// shows up late. An error that gives up says that this cannot be asked.
	Sent(ctx context.Context, tenant, key string) (bool, error)
}

// Threader is a Mailer that can set the headers by which mails are threaded.
type Threader interface {
	SendInThread(ctx context.Context, tenant, to, subject, html, text, key string, t Thread) error
}

// A Thread is where a mail belongs: the values of its headers. The same task has
// the same ones, so that a desk knows a mail that was sent twice.
type Thread struct {
	MessageID  string
	InReplyTo  string // empty: it is the first
	References string // empty: it is the first
}

// A Desk is a help desk that is reached by mail.
type Desk struct {
	Mailer    Mailer
	Customers ticket.Customers[Place]
	Settle    time.Duration // how late sent mails may show; zero: five minutes
}

// A Place is where the mails about a customer go.
type Place struct {
	To   string `json:"to"`             // the desk's address, or the customer's own at the desk
	From string `json:"from,omitempty"` // the id of the tenant whose mailbox sends; empty: the device's own
	Tag  string `json:"tag,omitempty"`  // what tokens begin with; empty: curfew
}

// maxTries is how often a task may come back before a mail of which nobody can
// tell whether it was sent is not sent once more.
const maxTries = 5

var (
	// Tags begin with a letter: many desks take #123 for a ticket of theirs.
	tagText = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	token   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}-[0-9a-f]{16}$`)
)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.Customers.Check("address", Place.check)}
	if d.Mailer == nil {
		errs = append(errs, errors.New("it has nobody to send its mails"))
	}
	return errors.Join(errs...)
}

func (p Place) check() error {
	var err error
	if a, bad := mail.ParseAddress(p.To); bad != nil || a.Address != p.To {
		err = fmt.Errorf("%q is not a mail address", handlers.Line(p.To, 100))
	}
	if p.Tag != "" && (len(p.Tag) > 24 || !tagText.MatchString(p.Tag)) {
		err = errors.Join(err, fmt.Errorf("the tag %q must be a small letter and then small letters, digits and single hyphens, 24 at most", handlers.Line(p.Tag, 50)))
	}
	return err
}

// Folds is true: nothing is searched here.
func (d *Desk) Folds() bool { return true }

// Find finds nothing: a mailbox is not asked.
func (d *Desk) Find(context.Context, string) ([]ticket.Ticket, error) { return nil, nil }

// Read shows nothing but the ref: a mailbox is not asked.
func (d *Desk) Read(_ context.Context, ref string) (ticket.Ticket, error) {
	return ticket.Ticket{Ref: ref}, nil
}

// Open sends the first mail of a case.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return d.send(ctx, "", n.Note, n.Event.Telling.Say("A device needs somebody to look after it."), n.Title)
}

// Comment sends what is new.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	say := n.Event.Telling.Say
	return d.send(ctx, t.Ref, n, say("There is more to say of a device that was reported before."), say("Still at risk: %1", n.Event.Summary))
}

// Reopen is no more than a comment.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return d.Comment(ctx, t, n)
}

// Resolve says that the case is over, if a mail has said that it began.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if !token.MatchString(t.Ref) {
		return ticket.Ticket{}, nil // a mail now would make a ticket
	}
	say := n.Event.Telling.Say
	return d.send(ctx, t.Ref, n, say("The device was looked at again and is healthy: the ticket can be closed."), say("Over: %1", n.Event.Summary))
}

// send sends a mail, unless it was sent already. ref is the token of the mails
// before.
func (d *Desk) send(ctx context.Context, ref string, n ticket.Note, head, subject string) (ticket.Ticket, error) {
	place, warning, err := d.Customers.Of(n.Event.Device.Tenant)
	if err != nil {
		return ticket.Ticket{}, err
	}
	from := cmp.Or(place.From, n.Event.Device.Tenant)
	first := !token.MatchString(ref)
	t := ticket.Ticket{Ref: ref}
	if first { // else it stays as it was, whatever places are called now
		t = ticket.Ticket{Ref: cmp.Or(place.Tag, "curfew") + "-" + digest(n.Event.Case), Warning: warning}
	}
	key := "curfew-ticket-" + digest(n.Task) + digest(t.Ref)
	if !n.Began.IsZero() {
		if sent, err := d.settle(ctx, from, key, n); sent || err != nil {
			return t, err
		}
	}
	subject = "[#" + t.Ref + "] " + tokenless(handlers.Line(subject, 200))
	text := body(head, warning, n.Event, t.Ref)
	if th, ok := d.Mailer.(Threader); ok {
		err = th.SendInThread(ctx, from, place.To, subject, "", text, key, thread(n.Event.Case, n.Task, first))
	} else {
		err = d.Mailer.SendMail(ctx, from, place.To, subject, "", text, key)
	}
	if err != nil {
		return ticket.Ticket{}, handlers.Effect(fmt.Errorf("mail to %s: %w", place.To, err))
	}
	return t, nil
}

// settle finds out whether a mail was sent. Its plain error says that it was not,
// or that nobody can tell, and that the task starts over.
func (d *Desk) settle(ctx context.Context, tenant, key string, n ticket.Note) (sent bool, err error) {
	sent, err = d.Mailer.Sent(ctx, tenant, key)
	blind := handlers.Read(err).GiveUp
	switch left := cmp.Or(d.Settle, 5*time.Minute) - time.Since(n.Began); {
	case sent && err == nil:
		return true, nil
	case err != nil && !blind:
		return false, handlers.Unsure(fmt.Errorf("ask whether a mail was sent: %w", err))
	case left > 0:
		return false, handlers.After(handlers.Unsure(errors.New("the mail may have been sent; the sent items do not show it yet")), left)
	case blind && n.Tries >= maxTries:
		return false, handlers.Unknown(errors.New("cannot tell whether any attempt reached the desk, and the sent items cannot be read: somebody should tell it"))
	case blind:
		return false, fmt.Errorf("whether the mail was sent cannot be told; starting over, which may send it twice (%s)", err) //nolint:errorlint // that the record cannot be read gives nothing up
	}
	return false, errors.New("the sent items do not show the mail, so it was not sent: starting over")
}

// body is the text of a mail.
func body(head, warning string, e ticket.Event, ref string) string {
	if warning != "" {
		head += "\nAttention: " + warning
	}
	return head + "\n\n" + e.Telling.Say("In short: %1", tokenless(e.Text())) + "\n" +
		e.Telling.Say("All mails about this case have %1 in their subject. It is case %2 of Curfew, which does not read answers to this mail.", "[#"+ref+"]", handlers.Line(e.Case, 300)) + "\n"
}

// tokenless is a text from outside in which nothing looks like a token, lest a
// device's name file its mail with another case's.
func tokenless(text string) string { return strings.ReplaceAll(text, "[#", "[ #") }

// thread is where a mail of a case belongs. The first one is named after the case
// alone, so that the others can name it without having seen it.
func thread(id, task string, first bool) Thread {
	root := "<curfew." + digest(id) + "@curfew.invalid>" // no host has this name (RFC 2606)
	if first {
		return Thread{MessageID: root}
	}
	return Thread{MessageID: "<curfew." + digest(id) + "." + digest(task) + "@curfew.invalid>", InReplyTo: root, References: root}
}

// digest is 16 hex digits of a hash.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
