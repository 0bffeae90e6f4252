// Package oncall pages without a vendor: it mails whoever is on call by a rota,
// or calls a webhook of theirs, and after some pages that nobody answered goes on
// to the next person.
//
// There is no alert that somebody could acknowledge: they say "curfew ack", or
// their webhook answers at the door of the destination. The receipt of a page says
// how many there were and whom the last one went to.
//
// A mail carries no idempotency key: when it is open whether one went out, the
// sent items are asked. Where they cannot be read it is sent once more: to be
// woken twice is better than not at all.
package oncall

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/rota"
	"curfew/handlers/page/webhook"
)

// A Mailer sends mails from a tenant's own mailbox. Graph's tenants are one.
type Mailer interface {
	SendMail(ctx context.Context, tenant, to, subject, html, text, key string) error
	Sent(ctx context.Context, tenant, key string) (bool, error)
}

// A Person is how somebody is woken: by mail, webhook or both.
type Person struct {
	Mail string
	Hook *webhook.Hook // nil: none
}

// A Pager wakes the people of one rotation.
type Pager struct {
	Rota      rota.Rota
	Rotation  string
	People    map[string]Person
	NextAfter int // pages that one person does not answer before the next is woken; zero: 1
	Mailer    Mailer
}

// settle is how long sent items may lag behind.
const settle = time.Minute

// Check reports every reason why nobody could be woken.
func (p Pager) Check() error {
	rot, ok := p.Rota.Rotations[p.Rotation]
	if !ok {
		return fmt.Errorf("there is no rotation %q", p.Rotation)
	}
	var errs []error
	for _, name := range rot.Order {
		who := p.People[name]
		if who.Mail == "" && who.Hook == nil {
			errs = append(errs, fmt.Errorf("%s has neither a mail address nor a webhook", name))
		}
		if who.Hook != nil {
			if err := who.Hook.Check(); err != nil {
				errs = append(errs, fmt.Errorf("the webhook of %s: %w", name, err))
			}
		}
		if who.Mail != "" && p.Mailer == nil {
			errs = append(errs, errors.New("there is nothing to send mails by"))
		}
	}
	return errors.Join(errs...)
}

// Trigger wakes whose turn it is.
func (p Pager) Trigger(ctx context.Context, a page.Alert) (string, error) {
	n, _ := last(a.Ref)
	n++
	people := p.Rota.People(p.Rotation, a.Begun)
	if len(people) == 0 {
		return "", handlers.GiveUp(fmt.Errorf("nobody is on call in rotation %s", p.Rotation))
	}
	name := people[(n-1)/max(1, p.NextAfter)%len(people)]
	say, number := a.Telling.Say, strconv.Itoa(n)
	subject := say("Page %1: %2", number, a.Summary)
	text := say("You are on call (%1), and this is page %2 of the case.", p.Rotation, number) + "\n\n" + page.Plain(a.Text()) + "\n\n" + say("To take it on: %1", "curfew ack "+a.Device) + "\n"
	if a.Title != "" {
		subject, text = a.Title, say("You are on call (%1).", p.Rotation)+"\n\n"+page.Plain(a.Text())+"\n"
	}
	err := p.tell(ctx, name, a, "page", a.Key, subject, text)
	if err != nil {
		return "", fmt.Errorf("wake %s: %w", name, err)
	}
	return fmt.Sprintf("%s page %d to %s", a.Key, n, name), nil
}

// Resolve tells whom the last page went to that it is over.
func (p Pager) Resolve(ctx context.Context, a page.Alert) error {
	_, name := last(a.Ref)
	if _, ok := p.People[name]; !ok {
		return nil // nobody was woken, or they are gone
	}
	key, _, _ := strings.Cut(a.Which(), " ")
	say := a.Telling.Say
	err := p.tell(ctx, name, a, "resolved", key, say("Over: %1", a.Summary), say("The case is over; there is nothing to do any more.")+"\n\n"+say("Case: %1", key)+"\n")
	if err != nil {
		return fmt.Errorf("tell %s: %w", name, err)
	}
	return nil
}

// last reads a receipt: how many pages there were, and whom the last one went to.
func last(receipt string) (n int, name string) {
	parts := strings.Split(receipt, " ")
	if len(parts) != 5 || parts[1] != "page" || parts[3] != "to" {
		return 0, ""
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n < 0 || n > 1_000_000 {
		return 0, ""
	}
	return n, parts[4]
}

// tell reaches a person by all there is of them. A webhook folds what comes twice.
func (p Pager) tell(ctx context.Context, name string, a page.Alert, kind, key, subject, text string) error {
	who, ok := p.People[name]
	if !ok || who.Mail == "" && who.Hook == nil {
		return handlers.GiveUp(errors.New("no way to reach them is configured"))
	}
	var hooked error
	if who.Hook != nil {
		e := webhook.Of(a, kind)
		e.Case, e.Person = key, name
		if hooked = who.Hook.Send(ctx, a.Task, e); hooked == nil && who.Mail == "" {
			return nil
		}
		if hooked != nil && who.Mail == "" {
			return hooked
		}
	}
	// One way is enough to wake them: a webhook that is dead holds no mail back.
	if err := p.mail(ctx, who.Mail, a, subject, text); err != nil && (hooked != nil || who.Hook == nil || !handlers.Read(err).GiveUp) {
		return errors.Join(err, hooked)
	}
	return nil
}

func (p Pager) mail(ctx context.Context, to string, a page.Alert, subject, text string) error {
	if a.Unsure {
		sent, err := p.Mailer.Sent(ctx, a.Tenant, a.Task)
		switch left := settle - time.Since(a.Begun); {
		case err == nil && sent:
			return nil
		case err != nil && !handlers.Read(err).GiveUp:
			return handlers.Unsure(fmt.Errorf("ask whether the mail was sent: %w", err))
		case err == nil && left > 0:
			return handlers.After(handlers.Unsure(errors.New("the mail may have been sent; the sent items do not show it yet")), left)
		}
	}
	return handlers.Effect(p.Mailer.SendMail(ctx, a.Tenant, to, handlers.Line(subject, 200), "", text, a.Task))
}
