package servicenow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// An incident is a row as it is stored.
type incident struct {
	ID          string `json:"sys_id"`
	Number      string `json:"number"`
	Key         string `json:"correlation_id"`
	State       string `json:"state"`
	Active      string `json:"active"`
	Assignee    string `json:"assigned_to"`
	Description string `json:"description"`
	CreatedBy   string `json:"sys_created_by"`
	UpdatedBy   string `json:"sys_updated_by"`
	Created     stamp  `json:"sys_created_on"`
	Updated     stamp  `json:"sys_updated_on"`
	Resolved    stamp  `json:"resolved_at"`
	Closed      stamp  `json:"closed_at"`
}

const columns = "sys_id,number,correlation_id,state,active,assigned_to,description,sys_created_by,sys_updated_by,sys_created_on,sys_updated_on,resolved_at,closed_at"

// A stamp is a time as the Table API stores it, in UTC. Empty is the zero time.
type stamp struct{ time.Time }

// UnmarshalJSON reads the stored form; another one is that of a display value.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil || text == "" {
		return err
	}
	at, err := time.Parse(time.DateTime, text)
	s.Time = at
	return err
}

// The states of the base system (docs: incident states).
const (
	inProgress = "2"
	isResolved = "6"
	isClosed   = "7"
	isCanceled = "8"
)

const (
	pageSize = 100
	maxPages = 50
)

// rows are all that a query finds. The limit of a page counts rows that the
// account may not see (docs: Table API, sysparm_limit), so that a short page is no
// last one; X-Total-Count says how far to go.
func rows[T any](ctx context.Context, d *Desk, table, query, fields string) (out []T, total int, err error) {
	for n := range maxPages {
		q := url.Values{
			"sysparm_query": {query}, "sysparm_fields": {fields}, "sysparm_limit": {strconv.Itoa(pageSize)}, "sysparm_offset": {strconv.Itoa(n * pageSize)},
			"sysparm_display_value": {"false"}, "sysparm_exclude_reference_link": {"true"},
		}
		var page struct {
			Result []T `json:"result"`
		}
		head, err := d.call(ctx, ticket.Call{Path: table, Query: q, Into: &page})
		if err != nil {
			return nil, 0, err
		}
		out = append(out, page.Result...)
		if total, err = strconv.Atoi(head.Get("X-Total-Count")); err != nil {
			total = len(out) // an older release; a short page must do
			if len(page.Result) == pageSize {
				total = (n+1)*pageSize + 1
			}
		}
		if (n+1)*pageSize >= total {
			break
		}
	}
	return out, total, nil
}

// Find searches by correlation_id. The key is generated: it holds nothing that
// means something in an encoded query, such as ^ (docs: encoded query strings).
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	found, _, err := rows[incident](ctx, d, "incident", "correlation_id="+key+"^ORDERBYDESCsys_created_on", columns)
	if err != nil {
		return nil, err
	}
	var out []ticket.Ticket
	for _, i := range found {
		if i.Key != key {
			continue // the term was dropped: this is anybody's
		}
		t, err := d.ticket(i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (d *Desk) ticket(i incident) (ticket.Ticket, error) {
	t := ticket.Ticket{Ref: i.ID, Name: i.Number, Link: d.link(i.ID), Key: i.Key, Assignee: i.Assignee, Created: i.Created.Time}
	if _, err := strconv.Atoi(i.State); err != nil {
		return t, handlers.GiveUp(fmt.Errorf("servicenow shows the state %q, which is none: may the account read it?", handlers.Line(i.State, 50)))
	}
	switch {
	case i.State == isClosed, i.State == isCanceled, i.Active == "false":
		t.State, t.Ended = ticket.Closed, i.Closed.Time
	case i.State == isResolved: // and still active
		t.State, t.Ended = ticket.Resolved, i.Resolved.Time
	}
	return t, nil
}

func (d *Desk) link(id string) string { return d.URL + "/incident.do?sys_id=" + id }

// Open inserts an incident.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	route, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	w := d.weight(n.Event.Severity)
	body := map[string]any{
		"short_description": uncode(handlers.Line(n.Title, maxShort)), "description": ticket.Shorten(uncode(n.Text), maxLong),
		"impact": strconv.Itoa(w.Impact), "urgency": strconv.Itoa(w.Urgency), "assignment_group": route.Group,
		"correlation_id": n.Key, "correlation_display": "Curfew",
	}
	for field, id := range map[string]string{"company": route.Company, "caller_id": route.Caller, "parent_incident": n.Old.Ref} {
		if sysID.MatchString(id) {
			body[field] = id
		}
	}
	if err := ticket.Put(body, n.Event, d.Fields, route.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	var made struct {
		Result struct {
			ID     string `json:"sys_id"`
			Number string `json:"number"`
		} `json:"result"`
	}
	q := url.Values{"sysparm_fields": {"sys_id,number"}, "sysparm_display_value": {"false"}}
	if _, err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "incident", Query: q, Body: body, Into: &made}); err != nil {
		return ticket.Ticket{}, err
	}
	id := made.Result.ID
	if !sysID.MatchString(id) {
		return ticket.Ticket{}, handlers.Unsure(errors.New("servicenow took an incident and does not show its sys_id: may the account read incidents?"))
	}
	return ticket.Ticket{Ref: id, Name: made.Result.Number, Link: d.link(id), Key: n.Key, Created: time.Now().UTC(), Warning: warning}, nil
}

// Read shows an incident and its notes.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	if !sysID.MatchString(ref) {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil // no id of ours
	}
	var one struct {
		Result incident `json:"result"`
	}
	q := url.Values{"sysparm_fields": {columns}, "sysparm_display_value": {"false"}, "sysparm_exclude_reference_link": {"true"}}
	_, err := d.call(ctx, ticket.Call{Path: "incident/" + ref, Query: q, Into: &one})
	switch {
	case ticket.NotFound(err):
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	case err != nil:
		return ticket.Ticket{}, err
	}
	i := one.Result
	t, err := d.ticket(i)
	if err != nil {
		return ticket.Ticket{}, err
	}
	d.note(&t, i.CreatedBy, i.Created.Time, i.Description)
	d.note(&t, i.UpdatedBy, i.Updated.Time, "")
	if i.Assignee != "" && d.automation(i.UpdatedBy) {
		t.Person, t.PersonAt = "somebody", i.Updated.Time
	}
	return t, d.journal(ctx, &t)
}

// journal reads what was said on an incident. The fields work_notes and comments
// of the incident itself are always read as empty (docs: journal fields).
func (d *Desk) journal(ctx context.Context, t *ticket.Ticket) error {
	type entry struct {
		By   string `json:"sys_created_by"`
		At   stamp  `json:"sys_created_on"`
		Text string `json:"value"`
	}
	query := "element_id=" + t.Ref + "^elementINwork_notes,comments^ORDERBYsys_created_on"
	entries, total, err := rows[entry](ctx, d, "sys_journal_field", query, "element_id,value,sys_created_by,sys_created_on")
	if err != nil {
		return fmt.Errorf("read its notes: %w", err)
	}
	if total > 0 && len(entries) == 0 {
		return handlers.GiveUp(errors.New("servicenow has notes and shows none: the account must be allowed to read sys_journal_field"))
	}
	for _, e := range entries {
		d.note(t, e.By, e.At.Time, e.Text)
	}
	return nil
}

// note counts what somebody did on a ticket.
func (d *Desk) note(t *ticket.Ticket, by string, at time.Time, text string) {
	switch {
	case by == d.User:
		if at.After(t.OursAt) {
			t.OursAt = at
		}
		if text != "" {
			t.Notes = append(t.Notes, ticket.Said{At: at, Text: text})
		}
	case by != "" && !d.automation(by) && at.After(t.PersonAt):
		t.Person, t.PersonAt = by, at
	}
}

// Comment adds a work note.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return t, d.patch(ctx, t, map[string]any{"work_notes": workNote(n.Text)})
}

// Resolve sets the state, what a resolution must have, and the note, all in one.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	code := cmp.Or(d.CloseCode, "Solution provided")
	if n.Twin {
		code = cmp.Or(d.TwinCode, "Duplicate")
	}
	body := map[string]any{"state": isResolved, "close_code": code, "close_notes": ticket.Shorten(uncode(n.Text), maxLong)}
	if !n.Told {
		body["work_notes"] = workNote(n.Text)
	}
	return t, cannot(d.patch(ctx, t, body))
}

// Reopen sets the state of a resolved incident back.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return t, cannot(d.patch(ctx, t, map[string]any{"state": inProgress, "work_notes": workNote(n.Text)}))
}

func (d *Desk) patch(ctx context.Context, t ticket.Ticket, body map[string]any) error {
	q := url.Values{"sysparm_fields": {"sys_id"}}
	_, err := d.call(ctx, ticket.Call{Method: http.MethodPatch, Path: "incident/" + url.PathEscape(cmp.Or(t.Ref, "-")), Query: q, Body: body})
	return err
}

// cannot reads a refusal to change a state: rules and data policies answer 403
// (docs: REST API HTTP response codes).
func cannot(err error) error {
	if handlers.Read(err).Status == http.StatusForbidden {
		return fmt.Errorf("%w: %w", ticket.ErrCannot, err)
	}
	return ticket.Cannot(err)
}

var codeTag = regexp.MustCompile(`(?i)\[(/?code)\]`)

// uncode breaks the one thing that journals obey: between [code] and [/code] they
// show HTML (docs: render journal field entries as HTML).
func uncode(text string) string { return codeTag.ReplaceAllString(text, "[ $1]") }

func workNote(text string) string { return ticket.Shorten(uncode(text), maxNote) }
