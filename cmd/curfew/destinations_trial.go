package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/ticket"
)

// A trial is one test of a destination.
type trial struct {
	id     string // letters, digits and -
	tenant string
	at     time.Time
	tell   func(step) error
}

// A step is what one step of it led to.
type step struct {
	Step string `json:"step"`
	OK   bool   `json:"ok"`
	Took int64  `json:"took"` // milliseconds
	Said string `json:"said"`
}

const (
	trialTitle  = "TEST of Curfew: nothing is wrong, please ignore"
	trialText   = "Somebody tests whether Curfew reaches this place. No device is at risk, and nobody needs to do anything."
	trialWithin = time.Minute // one step
)

func trialID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // which never fails
	return "curfew-test-" + hex.EncodeToString(b[:])
}

// do does a step and tells of it.
func (t *trial) do(ctx context.Context, name string, what func(context.Context) (string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, trialWithin)
	defer cancel()
	began := time.Now()
	said, err := what(ctx)
	s := step{name, err == nil, time.Since(began).Milliseconds(), said}
	if err != nil {
		s.Said = oneLine(err)
		err = fmt.Errorf("the test did not get past the step %s", name)
	}
	return errors.Join(err, t.tell(s))
}

func (t *trial) event() ticket.Event {
	return ticket.Event{
		Version: 1, Kind: "opened", Case: t.id, Asked: t.at, Summary: trialTitle, Severity: "low", Policy: "test",
		Device: ticket.Device{Tenant: t.tenant, ID: t.id, Name: "TEST"},
	}
}

func (t *trial) note(task, text, ref string) ticket.Note {
	n := ticket.Note{Task: t.id + "-" + task, Text: text + "\n\nRef. " + t.id, Event: t.event()}
	n.Event.Ref = ref
	return n
}

// desk opens a ticket, takes it through its life and resolves it.
func (t *trial) desk(ctx context.Context, d ticket.Desk) error {
	var made ticket.Ticket
	var open bool
	shown := func(x ticket.Ticket) string {
		return handlers.Line(cmp.Or(x.Name, x.Ref, "taken, without an id")+" "+x.Link, 300)
	}
	type part struct {
		name string
		do   func(context.Context) (string, error)
	}
	read := func(want ticket.State) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			now, err := d.Read(ctx, made.Ref)
			switch {
			case err != nil:
				return "", err
			case now.State != want && (want == ticket.Open || now.State != ticket.Closed):
				return "", fmt.Errorf("the ticket is %s, not %s: the account may lack a permission", now.State, want)
			}
			open = now.State == ticket.Open
			return fmt.Sprintf("it is %s, assigned to %s", now.State, cmp.Or(handlers.Line(now.Assignee, 100), "nobody")), nil
		}
	}
	parts := []part{
		{"check", func(context.Context) (string, error) { return "its configuration can be used", d.Check() }},
		{"find", func(ctx context.Context) (string, error) {
			found, err := d.Find(ctx, t.id)
			return fmt.Sprintf("%d tickets with the key %s", len(found), t.id), err
		}},
		{"open", func(ctx context.Context) (string, error) {
			var err error
			if made, err = d.Open(ctx, ticket.New{Key: t.id, Title: trialTitle, Note: t.note("open", trialText, "")}); err != nil {
				return "", err
			}
			open = true
			if made.Warning != "" {
				return shown(made) + "; " + made.Warning, nil
			}
			return shown(made), nil
		}},
		{"read", read(ticket.Open)},
		{"comment", func(ctx context.Context) (string, error) {
			_, err := d.Comment(ctx, made, t.note("comment", "A remark of the test.", made.Ref))
			return "it was commented", err
		}},
		{"resolve", func(ctx context.Context) (string, error) {
			_, err := d.Resolve(ctx, made, t.note("resolve", "The test is over.", made.Ref))
			return "it was resolved", err
		}},
		{"read", read(ticket.Resolved)},
	}
	for _, s := range parts {
		if folds(d) && (s.name == "find" || s.name == "read") {
			continue
		}
		if err := t.do(ctx, s.name, s.do); err != nil {
			if open && made.Ref != "" {
				err = fmt.Errorf("%w; ticket %s is left open", err, shown(made))
			}
			return err
		}
	}
	return nil
}

// pager opens an alert and resolves it.
func (t *trial) pager(ctx context.Context, p page.Pager) error {
	a := page.Alert{
		Task: t.id + "-open", Key: t.id, Asked: t.at, Begun: t.at, Tenant: t.tenant, Device: t.id, Name: "TEST",
		Policy: "test", State: "open", Summary: trialTitle, Severity: page.Warning,
	}
	err := t.do(ctx, "check", func(context.Context) (string, error) { return "its configuration can be used", p.Check() })
	if err != nil {
		return err
	}
	var receipt string
	if err := t.do(ctx, "trigger", func(ctx context.Context) (said string, err error) {
		receipt, err = p.Trigger(ctx, a)
		return "taken, as " + handlers.Line(receipt, 200), err
	}); err != nil {
		return err
	}
	a.Task, a.Ref = t.id+"-resolve", receipt
	err = t.do(ctx, "resolve", func(ctx context.Context) (string, error) { return "it was resolved", p.Resolve(ctx, a) })
	if err != nil {
		err = fmt.Errorf("%w; the alert %s may still be open", err, t.id)
	}
	return err
}
