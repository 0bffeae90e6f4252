package zendesk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A row is what Zendesk shows of a ticket.
type row struct {
	ID         int64     `json:"id"`
	ExternalID string    `json:"external_id"`
	Status     string    `json:"status"` // the category, if the account has statuses of its own
	Assignee   int64     `json:"assignee_id"`
	Created    time.Time `json:"created_at"`
}

type user struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// meta says how a list goes on (docs: pagination, cursors).
type meta struct {
	More  bool   `json:"has_more"`
	After string `json:"after_cursor"`
}

const (
	pageSize = 100
	maxPages = 60 // a ticket takes 5,000 comments
)

// pages asks for each page of a list, until take says that it was the last.
func (d *Desk) pages(ctx context.Context, path string, q url.Values, take func(get func(into any) error) (meta, error)) error {
	q.Set("page[size]", strconv.Itoa(pageSize))
	for range maxPages {
		m, err := take(func(into any) error { return d.call(ctx, ticket.Call{Path: path, Query: q, Into: into}) })
		if err != nil || !m.More || m.After == "" {
			return err
		}
		q.Set("page[after]", m.After)
	}
	return nil
}

// Find lists by external_id. The key is generated: it holds no comma, which would
// part two.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	err := d.pages(ctx, "/tickets", url.Values{"external_id": {key}}, func(get func(any) error) (meta, error) {
		var page struct {
			Tickets []row `json:"tickets"`
			Meta    meta  `json:"meta"`
		}
		err := get(&page)
		for _, r := range page.Tickets {
			if r.ExternalID == key {
				out = append(out, d.ticket(r))
			}
		}
		return page.Meta, err
	})
	return out, err
}

func (d *Desk) ticket(r row) ticket.Ticket {
	t := ticket.Ticket{Ref: strconv.FormatInt(r.ID, 10), Link: d.link(r.ID), Key: r.ExternalID, Created: r.Created}
	switch r.Status {
	case "solved":
		t.State = ticket.Resolved
	case "closed":
		t.State = ticket.Closed
	case "deleted":
		t.State = ticket.Gone
	}
	if r.Assignee != 0 {
		t.Assignee = called(r.Assignee)
	}
	return t
}

func (d *Desk) link(id int64) string { return d.URL + "/agent/tickets/" + strconv.FormatInt(id, 10) }

// note is a comment that customers do not see.
func note(text string) map[string]any {
	return map[string]any{"html_body": ticket.HTML(ticket.Shorten(text, maxText)), "public": false}
}

// Open makes a ticket, as a follow-up of one that is closed.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	place, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	body := map[string]any{"tags": append([]string{"curfew"}, d.Tags...), "group_id": place.Group}
	for field, id := range map[string]int64{"organization_id": place.Organization, "requester_id": place.Requester, "brand_id": place.Brand} {
		if id != 0 {
			body[field] = id
		}
	}
	names := d.Priorities
	if names == nil {
		names = priorities()
	}
	if p := names[n.Event.Severity]; p != "" {
		body["priority"] = p
	}
	if n.Old.State == ticket.Closed && n.Old.Ref != "" {
		body["via_followup_source_id"] = n.Old.Ref
	}
	if err := put(body, n.Event, d.Fields, place.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	body["subject"], body["comment"], body["external_id"] = handlers.Line(ticket.Literal(n.Title), 250), note(n.Text), n.Key
	var made struct {
		Ticket row `json:"ticket"`
	}
	err = d.call(ctx, ticket.Call{
		Method: http.MethodPost, Path: "/tickets", Body: map[string]any{"ticket": body}, Into: &made,
		Header: map[string]string{"Idempotency-Key": idempotency(n)},
	})
	switch {
	case handlers.Read(err).Status == http.StatusBadRequest && strings.Contains(err.Error(), "IdempotentRequestError"):
		return ticket.Ticket{}, madeBefore{err}
	case err != nil:
		return ticket.Ticket{}, err
	case made.Ticket.ID == 0:
		return ticket.Ticket{}, handlers.Unsure(errors.New("zendesk took a ticket and gave it no id"))
	}
	t := d.ticket(made.Ticket)
	t.Key, t.Created, t.Warning = n.Key, cmp.Or(t.Created, time.Now().UTC()), warning
	return t, nil
}

// put fills in the customer's own fields: custom ones are a list, by their ids
// (docs: tickets, setting custom field values).
func put(body map[string]any, e ticket.Event, of ...ticket.Fields) error {
	own := map[string]any{}
	if err := ticket.Put(own, e, of...); err != nil {
		return err
	}
	var custom []map[string]any
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if id, err := strconv.ParseInt(name, 10, 64); err == nil {
			custom = append(custom, map[string]any{"id": id, "value": own[name]})
		} else {
			body[name] = own[name]
		}
	}
	if custom != nil {
		body["custom_fields"] = custom
	}
	return nil
}

// idempotency is the idempotency key of a new ticket. It is the task's and not the
// case's: another task may well want another ticket within two hours, after the
// first was deleted.
func idempotency(n ticket.New) string {
	sum := sha256.Sum256([]byte(n.Key + "\x00" + n.Task))
	return "curfew-" + hex.EncodeToString(sum[:16])
}

// madeBefore says that the task has made a ticket within the last two hours, in
// other words: it is there, but was not found.
type madeBefore struct{ error }

func (e madeBefore) Unwrap() error           { return e.error }
func (madeBefore) GiveUp() bool              { return false }
func (madeBefore) Unsure() bool              { return true }
func (madeBefore) RetryAfter() time.Duration { return time.Minute }

// Comment adds an internal note.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return t, d.update(ctx, t, map[string]any{"comment": note(n.Text)})
}

// Resolve solves a ticket and says why, in one update: a rule might reopen it for
// a comment of its own. Without an assignee it cannot be solved (support docs:
// about system ticket rules), so then it is taken first.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	change := map[string]any{"status": "solved"}
	if t.Assignee == "" {
		me, err := d.account(ctx)
		if err != nil {
			return t, err
		}
		change["assignee_id"] = me
	}
	if !n.Told {
		change["comment"] = note(n.Text)
	}
	return t, ticket.Cannot(d.update(ctx, t, change))
}

// Reopen opens a solved ticket, and gives it back to its group if nobody but us
// has had it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	change := map[string]any{"status": "open", "comment": note(n.Text)}
	if t.Assignee == "" {
		change["assignee_id"] = nil
	}
	return t, ticket.Cannot(d.update(ctx, t, change))
}

func (d *Desk) update(ctx context.Context, t ticket.Ticket, change map[string]any) error {
	path := "/tickets/" + url.PathEscape(cmp.Or(t.Ref, "-"))
	if err := d.call(ctx, ticket.Call{Method: http.MethodPut, Path: path, Body: map[string]any{"ticket": change}}); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
