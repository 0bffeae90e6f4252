package halopsa

import (
	"cmp"
	"context"
	"encoding/json"
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

// A row is what Halo shows of a ticket.
type row struct {
	ID       int    `json:"id"`
	Summary  string `json:"summary"`
	Details  string `json:"details"`
	HTML     string `json:"details_html"`
	Status   int    `json:"status_id"`
	Client   int    `json:"client_id"`
	Agent    int    `json:"agent_id"`
	Name     string `json:"agent_name"`
	Occurred stamp  `json:"dateoccurred"`
	Closed   stamp  `json:"dateclosed"`
	Deleted  bool   `json:"deleted"`
}

// An action is what somebody did on a ticket.
type action struct {
	ID          int    `json:"id"`
	Who         string `json:"who"`
	Agent       int    `json:"who_agentid"`
	Type        int    `json:"who_type"` // 0 a user, 1 an agent
	Application string `json:"actionby_application_id"`
	At          stamp  `json:"datetime"`
	Note        string `json:"note"`
	HTML        string `json:"note_html"`
}

// A stamp is a time as Halo writes it: UTC, without saying so. A year before 1970
// stands for none.
type stamp struct{ time.Time }

// UnmarshalJSON reads it with a zone too; what is none is the zero time.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil // null
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 {
			s.Time = at.UTC()
			break
		}
	}
	return nil
}

const (
	pageSize = 50
	maxPages = 50
	// A ticket's last actions that are read; Halo shows the newest. Each has some
	// sixty fields, and an answer must stay below a megabyte.
	maxActions = 100
)

// Find searches the summaries for the key, which is generated.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for n := range maxPages {
		// The parameter is called pageinate (HaloAPI: Get-HaloTicket).
		q := url.Values{
			"search_summary": {key}, "pageinate": {"true"}, "page_size": {strconv.Itoa(pageSize)}, "page_no": {strconv.Itoa(n + 1)},
			"order": {"id"}, "orderdesc": {"true"},
		}
		var page struct {
			Count   int   `json:"record_count"`
			Tickets []row `json:"tickets"`
		}
		if err := d.call(ctx, ticket.Call{Path: "/Tickets", Query: q, Into: &page}); err != nil {
			return nil, err
		}
		for _, r := range page.Tickets {
			if keyed(r.Summary, key) { // or the filter was not understood
				out = append(out, d.ticket(r, key))
			}
		}
		if len(page.Tickets) == 0 || (n+1)*pageSize >= page.Count {
			break
		}
	}
	return out, nil
}

func (d *Desk) ticket(r row, key string) ticket.Ticket {
	t := ticket.Ticket{Ref: strconv.Itoa(r.ID), Link: d.link(r.ID), Key: key, Created: r.Occurred.Time}
	switch {
	case r.Deleted:
		t.State = ticket.Gone
	case d.ended(r.Status):
		t.State, t.Ended = ticket.Resolved, r.Closed.Time
	}
	if r.Agent > unassigned {
		t.Assignee = handlers.Line(cmp.Or(r.Name, "agent "+strconv.Itoa(r.Agent)), 200)
	}
	return t
}

func (d *Desk) link(id int) string { return d.URL + "/tickets?id=" + strconv.Itoa(id) }

// one reads the answer to a list of one that was sent: an object, or a list of one
// (CIPP takes both).
func one[T any](raw json.RawMessage) (made T, err error) {
	if raw := strings.TrimSpace(string(raw)); strings.HasPrefix(raw, "[") {
		var all []T
		if err := json.Unmarshal([]byte(raw), &all); err != nil || len(all) == 0 {
			return made, errors.Join(err, errors.New("an empty list"))
		}
		return all[0], nil
	}
	return made, json.Unmarshal(raw, &made)
}

// Open makes a ticket. What is written is always a list, also for one (CIPP:
// New-HaloPSATicket).
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	place, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	body := map[string]any{
		"client_id": place.Client, "tickettype_id": place.Type,
		// No template of the ticket type may put its own text over ours, and no field
		// that people must fill in may hold it up (CIPP).
		"donotapplytemplateintheapi": true, "_novalidate": true,
	}
	if place.Site > 0 {
		body["site_id"] = place.Site
	}
	if place.User > 0 {
		body["user_id"] = place.User
	} else { // the general user of the client (CIPP)
		body["usertype"], body["userlookup"] = 1, map[string]any{"id": -1, "lookupdisplay": "Enter Details Manually"}
	}
	if place.Team != "" {
		body["team"] = place.Team
	}
	ids := d.Priorities
	if ids == nil {
		ids = map[string]int{"compromised": 1, "high": 2, "medium": 3, "low": 4, "informational": 4, "clear": 4}
	}
	if id := ids[n.Event.Severity]; id > 0 {
		body["priority_id"] = id
	}
	if err := ticket.Put(body, n.Event, d.Fields, place.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	body["summary"], body["details_html"] = summary(n.Title, n.Key), ticket.HTML(ticket.Shorten(n.Text, maxText))
	var answer json.RawMessage
	if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/Tickets", Body: []any{body}, Into: &answer}); err != nil {
		return ticket.Ticket{}, err
	}
	made, err := one[row](answer)
	if err != nil || made.ID == 0 {
		return ticket.Ticket{}, handlers.Unsure(errors.New("halo took a ticket and gave it no id"))
	}
	if made.Client != 0 && made.Client != place.Client {
		warning = strings.TrimPrefix(warning+fmt.Sprintf("; halo put the ticket under client %d, not %d: may the agent see that client?", made.Client, place.Client), "; ")
	}
	t := d.ticket(row{ID: made.ID}, n.Key)
	t.Created, t.Warning = time.Now().UTC(), warning
	return t, nil
}

// Read shows a ticket and what was done on it.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	if id, err := strconv.ParseUint(ref, 10, 31); err != nil || id == 0 {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil // no id of ours
	}
	me, err := d.agent(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	var r row
	err = d.call(ctx, ticket.Call{Path: "/Tickets/" + ref, Query: url.Values{"includedetails": {"true"}}, Into: &r})
	switch {
	case ticket.NotFound(err):
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	case err != nil:
		return ticket.Ticket{}, err
	case r.ID == 0:
		return ticket.Ticket{}, fmt.Errorf("halo shows something else than ticket %s", ref)
	}
	t := d.ticket(r, "")
	t.OursAt = r.Occurred.Time
	t.Notes = []ticket.Said{{At: r.Occurred.Time, Text: text(r.HTML, r.Details)}}
	actions, err := d.actions(ctx, ref)
	if err != nil {
		return ticket.Ticket{}, err
	}
	for _, a := range actions {
		d.note(&t, me, a)
	}
	return t, nil
}

// actions are the last ones of a ticket, oldest first.
func (d *Desk) actions(ctx context.Context, ref string) ([]action, error) {
	var page struct {
		Actions []action `json:"actions"`
	}
	q := url.Values{"ticket_id": {ref}, "count": {strconv.Itoa(maxActions)}, "includehtmlnote": {"true"}}
	if err := d.call(ctx, ticket.Call{Path: "/Actions", Query: q, Into: &page}); err != nil {
		return nil, fmt.Errorf("read its actions: %w", err)
	}
	slices.SortFunc(page.Actions, func(a, b action) int { return cmp.Compare(a.ID, b.ID) })
	return page.Actions, nil
}

// note counts what somebody did on a ticket. Actions by nobody, and those of other
// applications that the desk knows, are automation.
func (d *Desk) note(t *ticket.Ticket, me int, a action) {
	switch {
	case a.Agent == me:
		if a.At.After(t.OursAt) {
			t.OursAt = a.At.Time
		}
		// The first action shows the ticket's own text once more.
		if said := text(a.HTML, a.Note); said != "" && said != t.Notes[0].Text {
			t.Notes = append(t.Notes, ticket.Said{At: a.At.Time, Text: said})
		}
	case a.Type != 0 && a.Agent <= unassigned, a.Application != "" && slices.Contains(d.Automation, a.Application):
	case a.At.After(t.PersonAt):
		t.Person, t.PersonAt = cmp.Or(a.Who, "somebody"), a.At.Time
	}
}

// text is what is said in HTML, or else as it is, as lines.
func text(markup, plain string) string {
	if markup != "" {
		plain = ticket.Plain(markup)
	}
	return strings.TrimSpace(strings.ReplaceAll(plain, "\r", ""))
}

// Comment adds a private note.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	id, err := number(t)
	if err != nil {
		return t, err
	}
	body := map[string]any{
		"ticket_id": id, "outcome_id": cmp.Or(d.Outcome, private), "hiddenfromuser": true, "sendemail": false,
		"note_html": ticket.HTML(ticket.Shorten(n.Text, maxText)),
	}
	return t, d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/Actions", Body: []any{body}})
}

// Resolve says it and then sets the status, which an action would not do by itself.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if !n.Told {
		if _, err := d.Comment(ctx, t, n); err != nil {
			return t, err
		}
	}
	return t, d.enter(ctx, t, cmp.Or(d.Resolved, closed))
}

// Reopen sets the status and says why. A note that does not follow is made up for
// by the next, because the ticket is open and does not hold it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if err := d.enter(ctx, t, cmp.Or(d.Reopened, inProgress)); err != nil {
		return t, err
	}
	return d.Comment(ctx, t, n)
}

// enter sets a status: there is no PATCH, but a POST with the ticket's id (HaloAPI:
// Set-HaloTicket). 400 is the answer of a status, or a closure, that its type does
// not allow.
func (d *Desk) enter(ctx context.Context, t ticket.Ticket, status int) error {
	id, err := number(t)
	if err != nil {
		return err
	}
	return ticket.Cannot(d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/Tickets", Body: []any{map[string]any{"id": id, "status_id": status}}}))
}

// number is a ticket's id. Without one a POST would make a new ticket.
func number(t ticket.Ticket) (int, error) {
	id, err := strconv.ParseUint(t.Ref, 10, 31)
	if err != nil || id == 0 {
		return 0, handlers.GiveUp(fmt.Errorf("%q is no id of a ticket", handlers.Line(t.Ref, 50)))
	}
	return int(id), nil
}
