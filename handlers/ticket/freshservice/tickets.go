package freshservice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A row is what Freshservice shows of a ticket.
type row struct {
	ID          int64    `json:"id"`
	Status      int      `json:"status"`
	Responder   int64    `json:"responder_id"`
	Created     stamp    `json:"created_at"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"` // nil: not shown
	Deleted     bool     `json:"deleted"`
	Spam        bool     `json:"spam"`
	Stats       struct {
		Resolved stamp `json:"resolved_at"`
		Closed   stamp `json:"closed_at"`
	} `json:"stats"`
}

// A stamp is a time, or zero if it is none.
type stamp struct{ time.Time }

// UnmarshalJSON reads ISO 8601 as the API writes it.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			s.Time = t.UTC()
		}
	}
	return nil
}

// The states that all accounts have (docs: ticket attributes).
const (
	isOpen     = 2
	isResolved = 4
	isClosed   = 5
)

// Find filters by the tag. The key is generated: it holds no quote.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	found, err := d.filter(ctx, "tag:'"+key+"'")
	if err != nil {
		return nil, err
	}
	var out []ticket.Ticket
	slices.SortStableFunc(found, func(a, b row) int { return b.Created.Compare(a.Created.Time) })
	ended, looks := false, 0
	for _, r := range found {
		over := d.state(r) != ticket.Open
		if over && ended {
			continue // of those that have ended only the last one matters, and each look costs
		}
		if r.Tags == nil {
			if looks++; looks > maxLooks {
				return nil, handlers.GiveUp(fmt.Errorf("freshservice finds more than %d tickets by a tag that they do not show: may the key's agent see tags?", maxLooks))
			}
			seen, err := d.view(ctx, strconv.FormatInt(r.ID, 10), "tags")
			if ticket.NotFound(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			r.Tags = seen.Tags
		}
		if slices.Contains(r.Tags, key) {
			out = append(out, d.ticket(r, key))
			ended = ended || over
		}
	}
	return out, nil
}

// maxLooks bounds how many tickets are looked at to see whether they have the key.
// A case has one or two.
const maxLooks = 30

// perPage is the size of the filter's pages, which cannot be chosen (docs: filter
// tickets); maxPages bounds what is asked for.
const (
	perPage  = 30
	maxPages = 20
)

func (d *Desk) filter(ctx context.Context, query string) ([]row, error) {
	var out []row
	q := url.Values{"query": {`"` + query + `"`}}
	if d.workspaces() {
		q.Set("workspace_id", "0") // all of them (docs: list all tickets)
	}
	for n := range maxPages {
		var page struct {
			Tickets []row `json:"tickets"`
		}
		q.Set("page", strconv.Itoa(n+1))
		if err := d.call(ctx, ticket.Call{Path: "/tickets/filter", Query: q, Into: &page}); err != nil {
			return nil, err
		}
		out = append(out, page.Tickets...)
		if len(page.Tickets) < perPage {
			break
		}
	}
	return out, nil
}

// view is a ticket with what is included on top, each of which costs a call more.
func (d *Desk) view(ctx context.Context, ref, include string) (row, error) {
	var one struct {
		Ticket row `json:"ticket"`
	}
	err := d.call(ctx, ticket.Call{Path: "/tickets/" + url.PathEscape(cmp.Or(ref, "-")), Query: url.Values{"include": {include}}, Into: &one})
	return one.Ticket, err
}

func (d *Desk) state(r row) ticket.State {
	switch {
	case r.Deleted, r.Spam:
		return ticket.Gone
	case r.Status == isResolved:
		return ticket.Resolved
	case r.Status == isClosed, slices.Contains(d.Ended, r.Status):
		return ticket.Closed
	}
	return ticket.Open
}

func (d *Desk) ticket(r row, key string) ticket.Ticket {
	ref := strconv.FormatInt(r.ID, 10)
	t := ticket.Ticket{Ref: ref, Name: "INC-" + ref, Link: d.URL + "/a/tickets/" + ref, Key: key, State: d.state(r), Created: r.Created.Time}
	if r.Responder != 0 {
		t.Assignee = called(r.Responder)
	}
	if t.State != ticket.Open {
		t.Ended = r.Stats.Closed.Time
		if !r.Stats.Resolved.IsZero() {
			t.Ended = r.Stats.Resolved.Time
		}
	}
	return t
}

// Open makes a ticket.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	place, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	requester := place.Requester
	if requester == 0 {
		if requester, err = d.account(ctx); err != nil {
			return ticket.Ticket{}, err
		}
	}
	body := map[string]any{"status": isOpen, "priority": d.priority(n.Event.Severity), "group_id": place.Group, "requester_id": requester}
	for field, id := range map[string]int64{"workspace_id": place.Workspace, "department_id": place.Department} {
		if id != 0 {
			body[field] = id
		}
	}
	if err := put(body, n.Event, d.Fields, place.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	body["subject"], body["description"] = handlers.Line(ticket.Literal(n.Title), 250), text(n.Text)
	body["tags"] = append([]string{"curfew", n.Key}, d.Tags...)
	var made struct {
		Ticket row `json:"ticket"`
	}
	if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/tickets", Body: body, Into: &made}); err != nil {
		return ticket.Ticket{}, err
	}
	if made.Ticket.ID == 0 {
		return ticket.Ticket{}, handlers.Unsure(errors.New("freshservice took a ticket and gave it no id"))
	}
	t := d.ticket(made.Ticket, n.Key)
	t.Created, t.Warning = cmp.Or(t.Created, time.Now().UTC()), warning
	return t, nil
}

// put fills in the customer's fields; those of one's own of several places come
// together.
func put(body map[string]any, e ticket.Event, of ...ticket.Fields) error {
	own := map[string]any{}
	for _, f := range of {
		if err := ticket.Put(body, e, f); err != nil {
			return err
		}
		if custom, ok := body["custom_fields"].(map[string]any); ok {
			maps.Copy(own, custom)
		}
	}
	if len(own) > 0 {
		body["custom_fields"] = own
	}
	return nil
}

// text is one as descriptions and notes take it: HTML.
func text(s string) string { return ticket.HTML(ticket.Shorten(s, maxText)) }

// Comment adds a private note.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	body := map[string]any{"body": text(n.Text), "private": true}
	return t, d.call(ctx, ticket.Call{Method: http.MethodPost, Path: path(t) + "/notes", Body: body})
}

// Resolve says why and sets the state. The note comes first: between the two it
// can be told from a resolved ticket that nobody explained.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	change := map[string]any{"status": isResolved}
	if err := put(change, n.Event, d.Resolution); err != nil {
		return t, err
	}
	if !n.Told {
		if _, err := d.Comment(ctx, t, n); err != nil {
			return t, err
		}
	}
	return t, ticket.Cannot(d.update(ctx, t, change))
}

// Reopen sets the state back and says why. A note that does not follow is made up
// for by the next, because the ticket is open and does not hold it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	if err := ticket.Cannot(d.update(ctx, t, map[string]any{"status": isOpen})); err != nil {
		return t, err
	}
	return d.Comment(ctx, t, n)
}

func (d *Desk) update(ctx context.Context, t ticket.Ticket, change map[string]any) error {
	return d.call(ctx, ticket.Call{Method: http.MethodPut, Path: path(t), Body: change})
}

func path(t ticket.Ticket) string { return "/tickets/" + url.PathEscape(cmp.Or(t.Ref, "-")) }
