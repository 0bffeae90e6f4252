package connectwise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A row is what ConnectWise shows of a ticket.
type row struct {
	ID         int64     `json:"id"`
	XRef       string    `json:"externalXRef"`
	Custom     []custom  `json:"customFields"`
	Board      reference `json:"board"`
	Owner      reference `json:"owner"`
	Closed     bool      `json:"closedFlag"`
	ClosedDate time.Time `json:"closedDate"`
	Info       struct {
		Entered   time.Time `json:"dateEntered"`
		EnteredBy string    `json:"enteredBy"`
		Updated   time.Time `json:"lastUpdated"`
		UpdatedBy string    `json:"updatedBy"`
	} `json:"_info"`
}

type custom struct {
	ID    int64 `json:"id"`
	Value any   `json:"value"` // of the field's type
}

// key is what a ticket carries.
func (d *Desk) key(r row) string {
	if d.KeyField.ID == 0 {
		return r.XRef
	}
	for _, c := range r.Custom {
		if text, ok := c.Value.(string); ok && c.ID == d.KeyField.ID {
			return text
		}
	}
	return ""
}

type reference struct {
	ID         int64  `json:"id"`
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
}

const (
	columns  = "id,externalXRef,customFields,board,owner,closedFlag,closedDate,_info"
	pageSize = 100 // at most 1,000 (docs: PSA Pagination), but an answer must stay below a megabyte
	maxPages = 50
)

// all are the rows of every page, in the order of their ids.
func all[T any](ctx context.Context, d *Desk, path string, q url.Values) ([]T, error) {
	q.Set("pageSize", strconv.Itoa(pageSize))
	q.Set("orderBy", "id asc") // without it pages may overlap
	var out []T
	for n := range maxPages {
		q.Set("page", strconv.Itoa(n+1))
		var page []T
		if err := d.call(ctx, ticket.Call{Path: path, Query: q, Into: &page}); err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < pageSize {
			break
		}
	}
	return out, nil
}

// Find asks for the key, which is generated: it holds no quote, for which conditions
// have no escape.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	q := url.Values{"fields": {columns}}
	if d.KeyField.ID == 0 {
		q.Set("conditions", `externalXRef="`+key+`"`)
	} else {
		q.Set("customFieldConditions", `caption="`+d.KeyField.Caption+`" AND value="`+key+`"`)
	}
	rows, err := all[row](ctx, d, "/service/tickets", q)
	if ticket.NotFound(err) {
		return nil, fmt.Errorf("connectwise has no tickets at this url; is it that of the right region? %w", err)
	}
	var out []ticket.Ticket
	for _, r := range rows {
		if d.key(r) == key {
			out = append(out, d.ticket(r))
		}
	}
	return out, err
}

func (d *Desk) ticket(r row) ticket.Ticket {
	id := strconv.FormatInt(r.ID, 10)
	t := ticket.Ticket{Ref: id, Link: d.link(id), Key: d.key(r), Created: r.Info.Entered, Assignee: handlers.Line(cmp.Or(r.Owner.Name, r.Owner.Identifier), 200)}
	if r.Closed {
		t.State, t.Ended = ticket.Resolved, r.ClosedDate
	}
	return t
}

// Open makes a ticket: 201.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	place, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	severity, impact := weight(n.Event.Severity)
	body := map[string]any{
		"company": map[string]string{"identifier": place.Company}, "board": map[string]string{"name": place.Board},
		"severity": severity, "impact": impact,
	}
	for field, name := range map[string]string{"status": place.Status, "team": place.Team, "type": place.Type, "priority": d.Priorities[n.Event.Severity]} {
		if name != "" {
			body[field] = map[string]string{"name": name}
		}
	}
	if err := ticket.Put(body, n.Event, d.Fields, place.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	body["summary"], body["initialInternalAnalysis"] = handlers.Line(n.Title, maxSummary), ticket.Shorten(unlink(n.Text), maxText)
	if d.KeyField.ID == 0 {
		body["externalXRef"] = n.Key
	} else {
		others, _ := body["customFields"].([]any)
		body["customFields"] = append(slices.Clone(others), custom{d.KeyField.ID, n.Key})
	}
	var made row
	if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/service/tickets", Body: body, Into: &made}); err != nil {
		return ticket.Ticket{}, err
	}
	if made.ID == 0 {
		return ticket.Ticket{}, handlers.Unsure(errors.New("connectwise took a ticket and gave it no id"))
	}
	t := d.ticket(made)
	t.Key, t.Warning = n.Key, warning
	if by := made.Info.EnteredBy; by != "" && !d.ours(by) { // its own notes would be taken for a person's
		t.Warning = strings.TrimPrefix(fmt.Sprintf("%s; connectwise calls the API member %s, not %s: correct the destination's member", warning, handlers.Line(by, 100), handlers.Line(d.Member, 100)), "; ")
	}
	t.Created = cmp.Or(t.Created, time.Now().UTC())
	return t, nil
}

// get reads a ticket. ok is false if there is none. The cloud answers 404 to keys
// that are wrong, too (docs: PSA API Requests, statuses); that comes to light in
// Find, which is asked before a ticket that is not there is made again.
func (d *Desk) get(ctx context.Context, ref string) (r row, ok bool, err error) {
	if id, err := strconv.ParseInt(ref, 10, 64); err != nil || id <= 0 {
		return r, false, nil // no id of ours
	}
	err = d.call(ctx, ticket.Call{Path: "/service/tickets/" + ref, Query: url.Values{"fields": {columns}}, Into: &r})
	switch {
	case ticket.NotFound(err):
		return r, false, nil
	case err == nil && r.ID == 0:
		err = fmt.Errorf("connectwise shows something else than ticket %s", ref)
	}
	return r, true, err
}

// A note is one of a ticket's.
type note struct {
	Text      string    `json:"text"`
	CreatedBy string    `json:"createdBy"` // a member's id, or a contact
	Created   time.Time `json:"dateCreated"`
	Member    reference `json:"member"`
	Contact   reference `json:"contact"`
}

// Read shows a ticket, its notes and who changed it.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	r, ok, err := d.get(ctx, ref)
	switch {
	case err != nil:
		return ticket.Ticket{}, err
	case !ok:
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	}
	t := d.ticket(r)
	d.count(&t, r.Info.EnteredBy, r.Info.Entered, "")
	d.count(&t, r.Info.UpdatedBy, r.Info.Updated, "")
	if r.Owner != (reference{}) && d.automation(r.Info.UpdatedBy) {
		t.Person, t.PersonAt = "somebody", r.Info.Updated
	}
	notes, err := all[note](ctx, d, "/service/tickets/"+ref+"/notes", url.Values{})
	if err != nil {
		return ticket.Ticket{}, fmt.Errorf("read its notes: %w", err)
	}
	for _, n := range notes {
		by := cmp.Or(n.CreatedBy, n.Member.Identifier, n.Contact.Name)
		if n.Contact != (reference{}) && !d.ours(by) {
			by = cmp.Or(n.Contact.Name, by, "a contact")
		}
		d.count(&t, by, n.Created, n.Text)
	}
	return t, nil
}

// count takes note of what somebody did on a ticket.
func (d *Desk) count(t *ticket.Ticket, by string, at time.Time, text string) {
	switch {
	case by == "" || d.automation(by):
	case d.ours(by):
		if at.After(t.OursAt) {
			t.OursAt = at
		}
		if text != "" {
			t.Notes = append(t.Notes, ticket.Said{At: at, Text: strings.ReplaceAll(text, "\r", "")})
		}
	case at.After(t.PersonAt):
		t.Person, t.PersonAt = by, at
	}
}
