package desktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// plain is a vendor with no ways of its own: texts are texts, a search shows
// pages of fifty, and new tickets a while after they were made.
type plain struct {
	lag time.Duration
	mu  sync.Mutex
	all []*row
}

type row struct {
	ID      int
	Key     string
	Title   string
	State   ticket.State
	Created time.Time
	Ended   time.Time
	Notes   []remark
	gone    bool
}

type remark struct {
	By, Text string
	At       time.Time
}

const (
	us    = "curfew"
	token = "canary-of-the-token"
)

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var in struct {
		Key, Title, Text string
		State            ticket.State
	}
	json.NewDecoder(r.Body).Decode(&in)
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/tickets/"))
	switch {
	case r.URL.Path == "/tickets" && r.Method == http.MethodGet:
		var found []*row
		for _, x := range p.all {
			if !x.gone && x.Key == r.FormValue("key") && time.Since(x.Created) >= p.lag {
				found = append(found, x)
			}
		}
		from, _ := strconv.Atoi(r.FormValue("from"))
		from = min(from, len(found))
		json.NewEncoder(w).Encode(found[from:min(from+50, len(found))])
	case r.URL.Path == "/tickets":
		x := &row{ID: len(p.all) + 1, Key: in.Key, Title: in.Title, Created: time.Now(), Notes: []remark{{us, in.Text, time.Now()}}}
		p.all = append(p.all, x)
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(x)
	case id < 1 || id > len(p.all) || p.all[id-1].gone:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		json.NewEncoder(w).Encode(p.all[id-1])
	default:
		p.all[id-1].change(us, in.Text, in.State)
		json.NewEncoder(w).Encode(p.all[id-1])
	}
}

func (x *row) change(by, text string, to ticket.State) {
	if text != "" {
		x.Notes = append(x.Notes, remark{by, text, time.Now()})
	}
	if x.State = to; to != ticket.Open {
		x.Ended = time.Now()
	}
}

// row is the one with a ref, for people's hands.
func (p *plain) row(ref string) *row {
	id, _ := strconv.Atoi(ref)
	return p.all[id-1]
}

func (p *plain) tickets() []Ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Ticket
	for _, x := range p.all {
		t := Ticket{Ref: strconv.Itoa(x.ID), Key: x.Key, State: x.State, Title: x.Title}
		if x.gone {
			t.State = ticket.Gone
		}
		for _, n := range x.Notes {
			if t.Texts = append(t.Texts, n.Text); strings.Contains(n.Text, "\t") {
				t.Markup = append(t.Markup, n.Text) // the one thing that this vendor obeys
			}
		}
		out = append(out, t)
	}
	return out
}

// A desk is plain's, as it should be.
type desk struct {
	api ticket.API
	lag time.Duration
}

func (d *desk) Check() error       { return d.api.Check() }
func (d *desk) Lag() time.Duration { return d.lag }

func (d *desk) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for {
		var page []*row
		q := url.Values{"key": {key}, "from": {strconv.Itoa(len(out))}}
		if _, err := d.api.Do(ctx, ticket.Call{Path: "/tickets", Query: q, Into: &page}); err != nil {
			return nil, err
		}
		for _, x := range page {
			out = append(out, x.ticket())
		}
		if len(page) < 50 {
			return out, nil
		}
	}
}

func (x *row) ticket() ticket.Ticket {
	t := ticket.Ticket{
		Ref: strconv.Itoa(x.ID), Name: fmt.Sprint("T-", x.ID), Link: fmt.Sprint("https://desk.example/", x.ID),
		Key: x.Key, State: x.State, Created: x.Created, Ended: x.Ended,
	}
	for _, n := range x.Notes {
		if n.By != us {
			t.Person, t.PersonAt = n.By, n.At
			continue
		}
		t.OursAt = n.At
		t.Notes = append(t.Notes, ticket.Said{At: n.At, Text: n.Text})
	}
	return t
}

func (d *desk) write(ctx context.Context, path string, body map[string]any) (ticket.Ticket, error) {
	var x row
	_, err := d.api.Do(ctx, ticket.Call{Method: http.MethodPost, Path: path, Body: body, Into: &x})
	return x.ticket(), err
}

func (d *desk) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return d.write(ctx, "/tickets", map[string]any{"key": n.Key, "title": n.Title, "text": n.Text})
}

func (d *desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return d.write(ctx, "/tickets/"+t.Ref, map[string]any{"text": n.Text, "state": t.State})
}

func (d *desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return d.write(ctx, "/tickets/"+t.Ref, map[string]any{"text": n.Text, "state": ticket.Resolved})
}

func (d *desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return d.write(ctx, "/tickets/"+t.Ref, map[string]any{"text": n.Text, "state": ticket.Open})
}

func (d *desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	var x row
	_, err := d.api.Do(ctx, ticket.Call{Path: "/tickets/" + url.PathEscape(ref), Into: &x})
	if ticket.NotFound(err) {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	}
	return x.ticket(), err
}

// newWorld is a world of plain, whose desk may be changed.
func newWorld(lag time.Duration, change func(*desk) ticket.Desk) func(testing.TB, Serve) World {
	return func(_ testing.TB, serve Serve) World {
		p := &plain{lag: lag}
		address, client := serve(p, nil)
		d := &desk{lag: lag, api: ticket.API{Base: address, Client: client, Secrets: []string{token}}}
		d.api.Authorize = func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}
		do := func(what func(*row)) func(string) {
			return func(ref string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				what(p.row(ref))
			}
		}
		w := World{
			Desk: d, Tickets: p.tickets, Secrets: []string{token},
			Touch:   do(func(x *row) { x.change("ben", "I have a look", x.State) }),
			Resolve: do(func(x *row) { x.change("ben", "", ticket.Resolved) }),
			Close:   do(func(x *row) { x.change("ben", "", ticket.Closed) }),
			Delete:  do(func(x *row) { x.gone = true }),
			Copy: func(ref string, n int) {
				p.mu.Lock()
				defer p.mu.Unlock()
				for range n {
					x := *p.row(ref)
					x.ID, x.Created, x.State, x.Ended = len(p.all)+1, time.Now(), ticket.Resolved, time.Now()
					x.Notes = slices.Clone(x.Notes)
					p.all = append(p.all, &x)
				}
			},
		}
		if change != nil {
			w.Desk = change(d)
		}
		return w
	}
}

// line is text as plain would not obey it.
func line(text string) string { return handlers.Line(text, 1000) }
