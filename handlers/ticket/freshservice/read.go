package freshservice

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// Read shows a ticket, its notes and who changed it.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	if _, err := strconv.ParseUint(ref, 10, 63); err != nil {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil // no id of ours
	}
	me, err := d.account(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	r, err := d.view(ctx, ref, "stats")
	switch {
	case ticket.NotFound(err):
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	case err != nil:
		return ticket.Ticket{}, err
	}
	t := d.ticket(r, "")
	if t.State == ticket.Gone {
		return t, nil // in the trash, from which it is seldom fetched
	}
	if r.Responder == me {
		t.Assignee = ""
	}
	// Nothing says who made a ticket; one with our key was made by us.
	note(&t, me, me, r.Created.Time, ticket.Plain(r.Description))
	if err := d.conversations(ctx, &t, me); err != nil {
		return ticket.Ticket{}, fmt.Errorf("read its notes: %w", err)
	}
	if err := d.activities(ctx, &t, me); err != nil {
		return ticket.Ticket{}, fmt.Errorf("read who changed it: %w", err)
	}
	return t, nil
}

// conversations reads notes and replies.
func (d *Desk) conversations(ctx context.Context, t *ticket.Ticket, me int64) error {
	const size = 100 // the most that is allowed (docs: pagination)
	for n := range maxPages {
		var page struct {
			Conversations []struct {
				User    int64  `json:"user_id"`
				Body    string `json:"body"`
				Created stamp  `json:"created_at"`
			} `json:"conversations"`
		}
		q := url.Values{"page": {strconv.Itoa(n + 1)}, "per_page": {strconv.Itoa(size)}}
		if err := d.call(ctx, ticket.Call{Path: path(*t) + "/conversations", Query: q, Into: &page}); err != nil {
			return err
		}
		for _, c := range page.Conversations {
			note(t, c.User, me, c.Created.Time, ticket.Plain(c.Body))
		}
		if len(page.Conversations) < size {
			break
		}
	}
	return nil
}

// activities reads who has done something (docs: view activities of a ticket).
func (d *Desk) activities(ctx context.Context, t *ticket.Ticket, me int64) error {
	type activity struct {
		Actor struct {
			ID   int64  `json:"id"` // the desk's own automation has none
			Name string `json:"name"`
		} `json:"actor"`
		Created stamp `json:"created_at"`
	}
	var q url.Values
	names := map[string]string{}
	for range maxPages {
		var page struct {
			Activities []activity `json:"activities"`
			Of         []activity `json:"ticket_activities"` // the name in older answers
			Next       string     `json:"next_page_url"`
		}
		if err := d.call(ctx, ticket.Call{Path: path(*t) + "/activities", Query: q, Into: &page}); err != nil {
			return err
		}
		for _, a := range append(page.Activities, page.Of...) {
			note(t, a.Actor.ID, me, a.Created.Time, "")
			names[called(a.Actor.ID)] = handlers.Line(a.Actor.Name, 100)
		}
		next, err := url.Parse(page.Next)
		if err != nil || next.RawQuery == "" {
			break
		}
		q = next.Query() // of the address only what it asks for: it must lead to nobody else
	}
	t.Person, t.Assignee = cmp.Or(names[t.Person], t.Person), cmp.Or(names[t.Assignee], t.Assignee)
	return nil
}

// note counts what somebody did on a ticket.
func note(t *ticket.Ticket, by, me int64, at time.Time, text string) {
	switch {
	case by == me:
		if at.After(t.OursAt) {
			t.OursAt = at
		}
		if text != "" {
			t.Notes = append(t.Notes, ticket.Said{At: at, Text: text})
		}
	case by > 0 && at.After(t.PersonAt):
		t.Person, t.PersonAt = called(by), at
	}
}

// called is what somebody is called whose name is not known.
func called(id int64) string { return "user " + strconv.FormatInt(id, 10) }
