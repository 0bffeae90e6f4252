// Package mail tells the user of a device what is wrong with it, what to do and
// by when, by a mail that Graph sends from the tenant's own mailbox. It asks
// people to approve, too: those go to the address that their task names.
//
// sendMail takes no idempotency key, so the task's id is written into the mail
// as a property, and when it is open whether a mail went out, the sender's Sent
// Items are asked for it. Where they may not be read, the mail goes out once
// more after a while: a user who reads the same notice twice is better off than
// one whose device is reset without any. Such repeats end after five attempts.
//
// What may not be assumed: that a mail which was accepted was delivered or read.
package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Mailer is what this handler needs of Graph.
type Mailer interface {
	// SendMail sends a mail from the tenant's configured mailbox, with the key as a
	// property that Sent finds. Nil says that Graph took it on (202); an error that
	// is not Unsure says that it did not.
	SendMail(ctx context.Context, tenant, to, subject, html, text, key string) error

	// Sent reports whether a mail with that key is among the sent ones, where it
	// shows up late. An error that gives up says that this cannot be asked, for
	// want of a permission, say.
	Sent(ctx context.Context, tenant, key string) (bool, error)
}

// maxTries is how often a task may come back before a mail of which nobody can
// tell whether it went out is not sent once more.
const maxTries = 5

// Handler mails the users of devices.
type Handler struct {
	Mailer    Mailer
	Templates *Templates
	Ask       string                      // whom the user may ask, as a phrase: "the help desk, extension 100"; empty: "your IT help desk"
	AskIn     map[string]string           // the same for those who read a language, by its tag in lower case
	Language  string                      // for users of whom none is known, or none there is a template in; a BCP 47 tag; empty: English
	Plain     func(events.Case) bool      // whether the user is not told what was found is called; nil: never
	ResetDue  func(events.Case) time.Time // when the device will be reset, zero for not at all; nil: never said
	Zone      *time.Location              // in which users read times; nil: UTC
	Settle    time.Duration               // how long Sent Items may lag; zero: 5 minutes

	// Of mails that ask for approval. All may be nil.
	Speaks func(ctx context.Context, tenant, address string) string                            // in which language an addressee reads, if that is known
	Invite func(task, addressee, invitation string) (url string, expires time.Time)            // a link; none: the mail names the commands
	Stakes func(c events.Case, t events.Task, key string, when func(time.Time) string) []Stake // what to know before approving
	Key    func(ctx context.Context, c events.Case) string                                     // what is known of the BitLocker recovery key, or ""
	Tenant func(id string) string                                                              // what people call a tenant
}

// Do mails the user of the case's device by the task's template, or by the one
// that fits what was found if the task names none.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	to, err := h.recipient(c, t)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if t.Unsure {
		if fact, err := h.settle(ctx, c, t, to); fact != nil || err != nil {
			return fact, err
		}
	}
	name := cmp.Or(t.Template, fitting(c.Device))
	template, err := h.template(name, c, h.speaks(ctx, c, name, to))
	if err != nil {
		return nil, handlers.GiveUp(err)
	}
	data := h.data(name, c, h.language(template))
	if ForApprovers(name) {
		about, waits := asked(c, t.Ref, name)
		if !waits {
			return events.Done{Task: t.ID, Receipt: "not sent: nothing waits for this approval any more"}, nil
		}
		h.invitation(&data, c, about, to, t.ID, h.key(ctx, c, about))
	}
	m, err := template.message(data)
	if err != nil {
		return nil, handlers.GiveUp(err)
	}
	if err := h.Mailer.SendMail(ctx, c.Tenant, to, m.Subject, m.HTML, m.Text, t.ID); err != nil {
		return nil, handlers.Effect(fmt.Errorf("mail to %s: %w", to, err))
	}
	return done(t, to), nil
}

// speaks is the language of somebody who is asked to approve, as far as it is known.
func (h Handler) speaks(ctx context.Context, c events.Case, template, to string) string {
	if h.Speaks == nil || !ForApprovers(template) {
		return ""
	}
	return h.Speaks(ctx, c.Tenant, to)
}

// settle finds out whether the mail was sent. The plain error says that it was
// not, and that the task starts over.
func (h Handler) settle(ctx context.Context, c events.Case, t events.Task, to string) (events.Fact, error) {
	from := t.Asked
	if t.Begun != nil {
		from = t.Begun.At
	}
	settle := cmp.Or(h.Settle, 5*time.Minute)
	left := settle - time.Since(from)
	sent, err := h.Mailer.Sent(ctx, c.Tenant, t.ID)
	switch v := handlers.Read(err); {
	case sent && err == nil:
		return done(t, to), nil
	case err != nil && !v.GiveUp:
		return nil, handlers.Unsure(fmt.Errorf("mail: ask whether it was sent: %w", err))
	case left > 0:
		return nil, handlers.After(handlers.Unsure(errors.New("mail: it may have been sent; the sent items do not show it yet")), left)
	case err == nil:
		return nil, errors.New("mail: the sent items do not show it, so it was not sent: starting over")
	case t.Tries >= maxTries:
		return nil, handlers.GiveUp(fmt.Errorf("mail: cannot tell whether any attempt reached %s, and the sent items cannot be read: somebody should tell the user", to))
	}
	return nil, fmt.Errorf("mail: whether it was sent cannot be told; starting over, which may send it twice (%s)", err) //nolint:errorlint // that the record cannot be read gives nothing up
}

func done(t events.Task, to string) events.Fact {
	return events.Done{Task: t.ID, Receipt: "sent to " + to}
}

// recipient is where the user of the device reads mail, or whoever is asked to
// approve.
func (h Handler) recipient(c events.Case, t events.Task) (string, error) {
	if ForApprovers(t.Template) {
		return approver(t)
	}
	if t.Destination != "" && t.Destination != "user" {
		return "", handlers.GiveUp(fmt.Errorf("no destination is called %q; mail goes to the device's user", t.Destination))
	}
	d := c.Device
	if t.Rung == 0 {
		d = c.Inhabited() // who was told hears the end; a notice needs somebody who is there
	}
	to := cmp.Or(d.UserMail, d.User)
	if to == "" {
		return "", handlers.GiveUp(errors.New("the device has no primary user, so nobody can be told"))
	}
	if !plain(to) {
		return "", handlers.GiveUp(fmt.Errorf("%q, the device's user, is not a mail address", handlers.Line(to, 100)))
	}
	return to, nil
}

// approver is the address of somebody who is asked to approve.
func approver(t events.Task) (string, error) {
	if !plain(t.Destination) {
		return "", handlers.GiveUp(fmt.Errorf("%q is not a mail address, and template %s goes to those who may approve", handlers.Line(t.Destination, 100), t.Template))
	}
	return t.Destination, nil
}

// plain reports whether a text is a mail address and nothing else.
func plain(address string) bool {
	a, err := mail.ParseAddress(address)
	return err == nil && a.Address == address
}

// fitting is the template for a device whose rule names none.
func fitting(d events.Device) string {
	if handlers.Worst(d) > events.Low || len(d.OpenAlerts()) > 0 || len(d.ActiveMalware()) > 0 {
		return "threat-found"
	}
	return "noncompliant"
}
