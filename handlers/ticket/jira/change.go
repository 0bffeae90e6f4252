package jira

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"curfew/handlers/ticket"
)

// Comment says something to agents. In a project of Jira Service Management a
// comment is public unless it is marked as internal, by a property that other
// projects keep and do not heed.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	internal := []map[string]any{{"key": "sd.public.comment", "value": map[string]bool{"internal": true}}}
	body := map[string]any{"body": d.body(n.Text), "properties": internal}
	return t, d.call(ctx, ticket.Call{Method: http.MethodPost, Path: issuePath(t) + "/comment", Body: body})
}

// Resolve comments the issue and takes a transition to a status of the category
// done. The comment comes first: between the two it can be told from a resolved
// issue that nobody explained.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	tr, err := d.transition(ctx, t, d.ResolveBy, "done")
	if err != nil {
		return t, err
	}
	fields, err := tr.fill(d.Resolution, n.Twin)
	if err != nil {
		return t, err
	}
	if !n.Told {
		if _, err := d.Comment(ctx, t, n); err != nil {
			return t, err
		}
	}
	return t, d.take(ctx, t, tr, fields)
}

// Reopen takes a transition to a status of another category and says why. A
// comment that does not follow is made up for by the next, because the issue is
// open and does not hold it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	tr, err := d.transition(ctx, t, d.ReopenBy, "indeterminate", "new")
	if err != nil {
		return t, err
	}
	fields, err := tr.fill("", false)
	if err != nil {
		return t, err
	}
	if err := d.take(ctx, t, tr, fields); err != nil {
		return t, err
	}
	return d.Comment(ctx, t, n)
}

// A transition is one that an issue can take from the status it is in. Its id
// means nothing for another issue or status.
type transition struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	To   struct {
		Category struct {
			Key string `json:"key"`
		} `json:"statusCategory"`
	} `json:"to"`
	Fields map[string]struct {
		Required   bool `json:"required"`
		HasDefault bool `json:"hasDefaultValue"`
		Allowed    []struct {
			Name string `json:"name"`
		} `json:"allowedValues"`
	} `json:"fields"`
}

// transition is the one to take: that of a name, else the first to one of the
// categories, the better ones first.
func (d *Desk) transition(ctx context.Context, t ticket.Ticket, name string, categories ...string) (transition, error) {
	var can struct {
		Transitions []transition `json:"transitions"`
	}
	err := d.call(ctx, ticket.Call{Path: issuePath(t) + "/transitions", Query: url.Values{"expand": {"transitions.fields"}}, Into: &can})
	if err != nil {
		return transition{}, err
	}
	for _, category := range categories {
		for _, tr := range can.Transitions {
			if tr.To.Category.Key == category && (name == "" || strings.EqualFold(tr.Name, name)) {
				return tr, nil
			}
		}
	}
	var names []string
	for _, tr := range can.Transitions {
		names = append(names, tr.Name)
	}
	return transition{}, fmt.Errorf("%w: no transition %q to a status of the category %s; there are: %s", ticket.ErrCannot, name, strings.Join(categories, " or "), strings.Join(names, ", "))
}

// fill is what a transition's screen asks for. A resolution can be set only if it
// is on the screen (Jira Cloud docs: transition issue).
func (tr transition) fill(resolution string, twin bool) (map[string]any, error) {
	out := map[string]any{}
	for name, f := range tr.Fields {
		if name == "resolution" && len(f.Allowed) > 0 {
			wanted := []string{resolution, "Done"}
			if twin {
				wanted = []string{"Duplicate", resolution, "Done"}
			}
			pick := f.Allowed[0].Name
			for _, a := range f.Allowed {
				if rank(wanted, a.Name) < rank(wanted, pick) {
					pick = a.Name
				}
			}
			out[name] = map[string]string{"name": pick}
		} else if f.Required && !f.HasDefault {
			return nil, fmt.Errorf("%w: its transition %q demands the field %s", ticket.ErrCannot, tr.Name, name)
		}
	}
	return out, nil
}

// rank is the place of a name in a list, or behind all.
func rank(list []string, name string) int {
	if i := slices.IndexFunc(list, func(x string) bool { return strings.EqualFold(x, name) }); i >= 0 {
		return i
	}
	return len(list)
}

// take makes the transition. 400 is the answer of its conditions and validators.
func (d *Desk) take(ctx context.Context, t ticket.Ticket, tr transition, fields map[string]any) error {
	body := map[string]any{"transition": map[string]string{"id": tr.ID}}
	if len(fields) > 0 {
		body["fields"] = fields
	}
	return ticket.Cannot(d.call(ctx, ticket.Call{Method: http.MethodPost, Path: issuePath(t) + "/transitions", Body: body}))
}

func issuePath(t ticket.Ticket) string { return "/issue/" + url.PathEscape(cmp.Or(t.Ref, "-")) }
