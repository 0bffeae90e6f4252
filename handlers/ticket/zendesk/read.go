package zendesk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// An audit is one update of a ticket: who made it, and what was in it (docs:
// ticket audits).
type audit struct {
	Author  int64     `json:"author_id"`
	Created time.Time `json:"created_at"`
	Via     struct {
		Channel any `json:"channel"` // a name or a number
	} `json:"via"`
	Events []struct {
		Type  string          `json:"type"`
		HTML  string          `json:"html_body"`
		Body  string          `json:"body"`
		Field string          `json:"field_name"`
		Value json.RawMessage `json:"value"`
	} `json:"events"`
}

// Read shows a ticket and all its audits.
func (d *Desk) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	if _, err := strconv.ParseUint(ref, 10, 63); err != nil {
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil // no id of ours
	}
	me, err := d.account(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	var one struct {
		Ticket row    `json:"ticket"`
		Users  []user `json:"users"`
	}
	include := url.Values{"include": {"users"}} // docs: side-loading
	err = d.call(ctx, ticket.Call{Path: "/tickets/" + ref, Query: include, Into: &one})
	switch {
	case ticket.NotFound(err):
		return ticket.Ticket{Ref: ref, State: ticket.Gone}, nil
	case err != nil:
		return ticket.Ticket{}, err
	}
	t, people := d.ticket(one.Ticket), one.Users
	if one.Ticket.Assignee == me {
		t.Assignee = "" // to be solved it had to be ours
	}
	err = d.pages(ctx, "/tickets/"+ref+"/audits", include, func(get func(any) error) (meta, error) {
		var page struct {
			Audits []audit `json:"audits"`
			Users  []user  `json:"users"`
			Meta   meta    `json:"meta"`
		}
		err := get(&page)
		for _, a := range page.Audits {
			a.tell(&t, me)
		}
		people = append(people, page.Users...)
		return page.Meta, err
	})
	if err != nil {
		return ticket.Ticket{}, fmt.Errorf("read its audits: %w", err)
	}
	for _, u := range people {
		for _, who := range []*string{&t.Person, &t.Assignee} {
			if *who == called(u.ID) {
				*who = cmp.Or(handlers.Line(u.Name, 100), *who)
			}
		}
	}
	return t, nil
}

// tell adds to a ticket what an audit says of it. An author of -1 is Zendesk
// itself, and the channel rule a trigger or an automation (docs: activity stream,
// actor_id; via object reference); both are nobody.
func (a audit) tell(t *ticket.Ticket, me int64) {
	for _, e := range a.Events {
		switch {
		case e.Field == "status" && (e.Type == "Change" || e.Type == "Create"):
			var status string
			if t.Ended = (time.Time{}); json.Unmarshal(e.Value, &status) == nil && (status == "solved" || status == "closed") {
				t.Ended = a.Created
			}
		case e.Type == "Comment" && a.Author == me:
			text := e.Body
			if e.HTML != "" {
				text = ticket.Plain(e.HTML)
			}
			t.Notes = append(t.Notes, ticket.Said{At: a.Created, Text: text})
		}
	}
	switch {
	case a.Author == me:
		if a.Created.After(t.OursAt) {
			t.OursAt = a.Created
		}
	case a.Author > 0 && a.Via.Channel != "rule" && a.Created.After(t.PersonAt):
		t.Person, t.PersonAt = called(a.Author), a.Created
	}
}

// called is what somebody is called whose name is not known.
func called(id int64) string { return "user " + strconv.FormatInt(id, 10) }
