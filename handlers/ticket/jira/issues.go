package jira

import (
	"cmp"
	"context"
	"encoding/json"
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

// An issue is what Jira shows of one.
type issue struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Fields struct {
		Status struct {
			Category struct {
				Key string `json:"key"` // new, indeterminate or done
			} `json:"statusCategory"`
		} `json:"status"`
		Assignee    *user           `json:"assignee"`
		Creator     user            `json:"creator"`
		Labels      []string        `json:"labels"`
		Created     stamp           `json:"created"`
		Resolved    stamp           `json:"resolutiondate"`
		Changed     stamp           `json:"statuscategorychangedate"` // Cloud only
		Description json.RawMessage `json:"description"`
	} `json:"fields"`
	Changelog struct {
		Histories []change `json:"histories"`
	} `json:"changelog"`
}

// A change is one of the changelog.
type change struct {
	Author  user  `json:"author"`
	Created stamp `json:"created"`
}

type comment struct {
	Author  user            `json:"author"`
	Body    json.RawMessage `json:"body"`
	Created stamp           `json:"created"`
	Editor  user            `json:"updateAuthor"`
	Updated stamp           `json:"updated"`
}

// A stamp is a time as Jira writes it: ISO 8601 without a colon in the zone.
type stamp struct{ time.Time }

// UnmarshalJSON reads both forms; what is none is the zero time.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil // null
	}
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			s.Time = t.UTC()
			break
		}
	}
	return nil
}

const (
	pageSize = 100
	maxPages = 50 // of what one ticket can have
)

func shown() []string {
	return []string{"status", "assignee", "creator", "labels", "created", "resolutiondate", "statuscategorychangedate"}
}

// Find searches by the label.
func (d *Desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	token := ""
	for n := range maxPages {
		// The key is generated, so that it needs no escape; quotes are for the hyphen.
		ask := map[string]any{"jql": fmt.Sprintf(`labels = %q ORDER BY created DESC`, key), "fields": shown(), "maxResults": pageSize}
		path := "/search/jql" // /search is gone from Cloud (changelog CHANGE-2046), and Data Center knows nothing else
		switch {
		case !d.cloud():
			path, ask["startAt"] = "/search", n*pageSize
		case token != "":
			ask["nextPageToken"] = token
		}
		var page struct {
			Issues []issue `json:"issues"`
			Next   string  `json:"nextPageToken"`
			Total  int     `json:"total"`
		}
		if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: path, Body: ask, Into: &page, Asks: true}); err != nil {
			return nil, err
		}
		for _, i := range page.Issues {
			if slices.Contains(i.Fields.Labels, key) {
				out = append(out, d.ticket(i, key))
			}
		}
		if token = page.Next; token == "" && (n+1)*pageSize >= page.Total {
			break
		}
	}
	return out, nil
}

func (d *Desk) ticket(i issue, key string) ticket.Ticket {
	t := ticket.Ticket{Ref: i.ID, Name: i.Key, Link: d.link(i.Key), Key: key, Created: i.Fields.Created.Time}
	if i.Fields.Status.Category.Key == "done" { // a resolution may be left over or missing
		t.State = ticket.Resolved
		t.Ended = latest(i.Fields.Resolved.Time, i.Fields.Changed.Time)
	}
	if a := i.Fields.Assignee; a != nil {
		t.Assignee = handlers.Line(cmp.Or(a.DisplayName, a.id()), 200)
	}
	return t
}

// Open creates an issue.
func (d *Desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	route, n, warning, err := d.Customers.Place(n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	fields := map[string]any{
		"project": map[string]string{"key": route.Project}, "issuetype": map[string]string{"name": cmp.Or(route.Type, "Task")},
		"summary": handlers.Line(n.Title, maxSummary), "description": d.body(n.Text),
		"labels": append([]string{"curfew", n.Key}, d.Labels...),
	}
	names := d.Priorities
	if names == nil {
		names = priorities()
	}
	if name := names[n.Event.Severity]; name != "" {
		fields["priority"] = map[string]string{"name": name}
	}
	if err := ticket.Put(fields, n.Event, d.Fields, route.Fields); err != nil {
		return ticket.Ticket{}, err
	}
	var made issue
	if err := d.call(ctx, ticket.Call{Method: http.MethodPost, Path: "/issue", Body: map[string]any{"fields": fields}, Into: &made}); err != nil {
		return ticket.Ticket{}, err
	}
	if made.ID == "" {
		return ticket.Ticket{}, handlers.Unsure(fmt.Errorf("jira took an issue for %s and gave it no id", route.Project))
	}
	return ticket.Ticket{Ref: made.ID, Name: made.Key, Link: d.link(made.Key), Key: n.Key, Created: time.Now().UTC(), Warning: warning}, nil
}

// Read shows an issue, its comments and who changed it.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	if _, err := strconv.ParseUint(ref, 10, 63); err != nil {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil // no id of ours
	}
	me, err := d.account(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	var i issue
	q := url.Values{"fields": {strings.Join(append(shown(), "description"), ",")}}
	if !d.cloud() {
		q.Set("expand", "changelog") // all of it; Cloud has pages of their own
	}
	err = d.call(ctx, ticket.Call{Path: "/issue/" + ref, Query: q, Into: &i})
	switch {
	case ticket.NotFound(err):
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	case err != nil:
		return ticket.Ticket{}, err
	}
	t := d.ticket(i, "")
	note(&t, me, i.Fields.Creator, i.Fields.Created.Time, plain(i.Fields.Description))
	comments, err := all[comment](ctx, d, "/issue/"+ref+"/comment", "comments")
	if err != nil {
		return ticket.Ticket{}, err
	}
	for _, c := range comments {
		note(&t, me, c.Author, c.Created.Time, plain(c.Body))
		note(&t, me, c.Editor, c.Updated.Time, "")
	}
	changes := i.Changelog.Histories
	if d.cloud() {
		if changes, err = all[change](ctx, d, "/issue/"+ref+"/changelog", "values"); err != nil {
			return ticket.Ticket{}, err
		}
	}
	for _, c := range changes {
		note(&t, me, c.Author, c.Created.Time, "")
	}
	return t, nil
}

// note counts what somebody did on a ticket. Apps are the desk's automation.
func note(t *ticket.Ticket, me string, by user, at time.Time, text string) {
	switch {
	case by.id() == me:
		t.OursAt = latest(t.OursAt, at)
		if text != "" {
			t.Notes = append(t.Notes, ticket.Said{At: at, Text: text})
		}
	case by.id() != "" && by.AccountType != "app" && at.After(t.PersonAt):
		t.Person, t.PersonAt = cmp.Or(by.DisplayName, by.id(), "somebody"), at
	}
}

// all are the values of every page, oldest first.
func all[T any](ctx context.Context, d *Desk, path, name string) ([]T, error) {
	var out []T
	for range maxPages {
		var page map[string]json.RawMessage
		q := url.Values{"startAt": {strconv.Itoa(len(out))}, "maxResults": {strconv.Itoa(pageSize)}}
		if err := d.call(ctx, ticket.Call{Path: path, Query: q, Into: &page}); err != nil {
			return nil, err
		}
		var values []T
		var total int
		if json.Unmarshal(page[name], &values) != nil || json.Unmarshal(page["total"], &total) != nil {
			return nil, fmt.Errorf("jira shows no %s of an issue", name)
		}
		out = append(out, values...)
		if len(values) == 0 || len(out) >= total {
			break
		}
	}
	return out, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
