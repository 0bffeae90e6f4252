package autotask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A row is what Autotask shows of a ticket. All times are UTC (docs: Tickets
// entity).
type row struct {
	ID          int64     `json:"id"`
	Number      string    `json:"ticketNumber"`
	Key         string    `json:"externalID"`
	Status      int       `json:"status"`
	Assigned    int64     `json:"assignedResourceID"`
	Creator     int64     `json:"creatorResourceID"`
	Description string    `json:"description"`
	Created     time.Time `json:"createDate"`
	Completed   time.Time `json:"completedDate"`
}

type note struct {
	Text    string    `json:"description"`
	Creator int64     `json:"creatorResourceID"`
	Contact int64     `json:"createdByContactID"` // who it is from instead
	Created time.Time `json:"createDateTime"`
}

// A change is one of a ticket's fields.
type change struct {
	By int64     `json:"resourceID"`
	At time.Time `json:"date"`
}

// What is shipped with every PSA.
const (
	isNew         = 1 // status
	isComplete    = 5 // status
	ticketNote    = 1 // type of a note
	internalOnly  = 2 // who sees a note
	administrator = 4 // the resource that rules act as
)

const (
	pageSize = 100 // at most 500, but an answer must stay below a megabyte
	maxPages = 50
)

// query are all rows that have a value in a field. The next page is at an address
// of its own, to be asked for with the same method and body (go-autotask: crud.go).
func query[T any](ctx context.Context, d *Desk, entity, field string, value any, shown ...string) ([]T, error) {
	body := map[string]any{"MaxRecords": pageSize, "filter": []any{map[string]any{"op": "eq", "field": field, "value": value}}}
	if len(shown) > 0 {
		body["IncludeFields"] = shown
	}
	var out []T
	path := "/" + entity + "/query"
	for range maxPages {
		var page struct {
			Items   []T `json:"items"`
			Details struct {
				Next string `json:"nextPageUrl"`
			} `json:"pageDetails"`
		}
		if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: path, Body: body, Into: &page, Asks: true}); err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if path = page.Details.Next; path == "" || len(page.Items) == 0 {
			break
		}
	}
	return out, nil
}

// Find asks for the externalID.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	rows, err := query[row](ctx, d, "Tickets", "externalID", key, "id", "ticketNumber", "externalID", "status", "assignedResourceID", "createDate", "completedDate")
	if err != nil {
		return nil, err
	}
	z, _, err := d.in(ctx)
	var out []ticket.Ticket
	for _, r := range rows {
		if r.Key == key {
			out = append(out, d.ticket(z, r))
		}
	}
	return out, err
}

func (d *Desk) ticket(z zone, r row) ticket.Ticket {
	id := strconv.FormatInt(r.ID, 10)
	t := ticket.Ticket{Ref: id, Name: r.Number, Key: r.Key, Created: r.Created}
	if z.web != "" {
		t.Link = z.web + "Mvc/ServiceDesk/TicketDetail.mvc?ticketId=" + id
	}
	if r.Status == cmp.Or(d.Complete, isComplete) || slices.Contains(d.Ended, r.Status) {
		t.State, t.Ended = ticket.Resolved, r.Completed
	}
	if r.Assigned != 0 {
		t.Assignee = resource(r.Assigned)
	}
	return t
}

func resource(id int64) string { return "resource " + strconv.FormatInt(id, 10) }

// Open makes a ticket, of which no more than the id is answered.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	place, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	ids := d.Priorities
	if ids == nil {
		ids = map[string]int{"compromised": 1, "high": 1, "medium": 2, "low": 3, "informational": 3, "clear": 3}
	}
	body := map[string]any{"companyID": place.Company, "status": cmp.Or(d.New, isNew), "priority": cmp.Or(ids[n.Event.Severity], ids["clear"], 3)} // it must have one
	for field, id := range map[string]int64{"queueID": place.Queue, "assignedResourceID": place.Resource, "assignedResourceRoleID": place.Role, "ticketCategory": place.Category} {
		if id != 0 {
			body[field] = id
		}
	}
	if err := ticket.Put(body, n.Event, d.Fields, place.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	body["title"], body["description"], body["externalID"] = handlers.Line(n.Title, maxTitle), ticket.Shorten(n.Text, maxText), n.Key
	var made struct {
		ID int64 `json:"itemId"`
	}
	if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/Tickets", Body: body, Into: &made}); err != nil {
		return ticket.Ticket{}, err
	}
	if made.ID == 0 {
		return ticket.Ticket{}, handlers.Unsure(errors.New("autotask took a ticket and gave it no id"))
	}
	z, _, err := d.in(ctx)
	if err != nil {
		return ticket.Ticket{}, handlers.Unsure(err) // it was made
	}
	t := d.ticket(z, row{ID: made.ID, Key: n.Key, Created: time.Now().UTC()})
	t.Warning = warning
	return t, nil
}

// Read shows a ticket, its notes and who changed it.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	gone := ticket.Ticket{Ref: ref, State: ticket.Gone}
	id, err := number(ref)
	if err != nil {
		return gone, nil // no id of ours
	}
	var one struct {
		Item *row `json:"item"`
	}
	switch err := d.call(ctx, ticket.Call{Path: "/Tickets/" + ref, Into: &one}); {
	case ticket.NotFound(err), err == nil && one.Item == nil:
		return gone, nil
	case err != nil:
		return ticket.Ticket{}, err
	}
	z, _, err := d.in(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	r := *one.Item
	t := d.ticket(z, r)
	me := cmp.Or(d.Resource, r.Creator)
	d.count(&t, me, r.Creator, r.Created, r.Description)
	notes, err := query[note](ctx, d, "TicketNotes", "ticketID", id)
	if err != nil {
		return ticket.Ticket{}, fmt.Errorf("read its notes: %w", err)
	}
	for _, n := range notes {
		if n.Contact != 0 && n.Created.After(t.PersonAt) {
			t.Person, t.PersonAt = "a contact", n.Created
			continue
		}
		d.count(&t, me, n.Creator, n.Created, n.Text)
	}
	// The history takes one filter, of the ticket, and no other (docs: TicketHistory
	// entity). The ticket itself names only the last activity, which may be ours.
	changes, err := query[change](ctx, d, "TicketHistory", "ticketID", id)
	if err != nil {
		return ticket.Ticket{}, fmt.Errorf("read its history: %w", err)
	}
	for _, c := range changes {
		d.count(&t, me, c.By, c.At, "")
	}
	return t, nil
}

// count takes note of what somebody did on a ticket.
func (d *Desk) count(t *ticket.Ticket, me, by int64, at time.Time, text string) {
	automation := d.Automation
	if automation == nil {
		automation = []int64{administrator}
	}
	switch {
	case by == 0 || by != me && slices.Contains(automation, by):
	case by == me:
		if at.After(t.OursAt) {
			t.OursAt = at
		}
		if text != "" {
			t.Notes = append(t.Notes, ticket.Said{At: at, Text: strings.ReplaceAll(text, "\r", "")})
		}
	case at.After(t.PersonAt):
		t.Person, t.PersonAt = resource(by), at
	}
}

// Comment adds an internal note. Notes are made below their ticket (docs:
// TicketNotes entity).
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if _, err := number(t.Ref); err != nil {
		return t, err
	}
	body := map[string]any{
		"title": "Curfew", "description": ticket.Shorten(n.Text, maxNote),
		"noteType": cmp.Or(d.NoteType, ticketNote), "publish": cmp.Or(d.Publish, internalOnly),
	}
	return t, d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/Tickets/" + t.Ref + "/Notes", Body: body})
}

// Resolve says it and then completes the ticket.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if !n.Told {
		if _, err := d.Comment(ctx, t, n); err != nil {
			return t, err
		}
	}
	return t, d.enter(ctx, t, cmp.Or(d.Complete, isComplete))
}

// Reopen sets the status and says why. A note that does not follow is made up for
// by the next, because the ticket is open and does not hold it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if err := d.enter(ctx, t, cmp.Or(d.Reopened, isNew)); err != nil {
		return t, err
	}
	return d.Comment(ctx, t, n)
}

// enter sets a status: by PATCH, with the id in the body; PUT would empty all that
// it does not name (docs: Tickets entity).
func (d *Desk) enter(ctx context.Context, t ticket.Ticket, status int) error {
	id, err := number(t.Ref)
	if err != nil {
		return err
	}
	return cannot(d.call(ctx, ticket.Call{Method: http.MethodPatch, Path: "/Tickets", Body: map[string]any{"id": id, "status": status}}))
}

// number is the id in a ref.
func number(ref string) (int64, error) {
	id, err := strconv.ParseInt(ref, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != ref {
		return 0, handlers.GiveUp(fmt.Errorf("%q is no id of a ticket", handlers.Line(ref, 50)))
	}
	return id, nil
}
