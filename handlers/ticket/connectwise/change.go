package connectwise

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// Comment adds a note of internal analysis, which sends no mail.
func (d *Desk) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	body := map[string]any{
		"text":                 ticket.Shorten(unlink(n.Text), maxText),
		"internalAnalysisFlag": true, "detailDescriptionFlag": false, "resolutionFlag": false, "processNotifications": false,
	}
	return t, d.call(ctx, ticket.Call{Method: http.MethodPost, Path: ticketPath(t) + "/notes", Body: body})
}

// Resolve says it and then enters a closed status.
func (d *Desk) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	s, err := d.status(ctx, t, d.Resolved, true)
	if err != nil {
		return t, err
	}
	if !n.Told {
		if _, err := d.Comment(ctx, t, n); err != nil {
			return t, err
		}
	}
	return t, d.enter(ctx, t, s)
}

// Reopen enters an open status and says why. A note that does not follow is made up
// for by the next, because the ticket is open and does not hold it.
func (d *Desk) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	s, err := d.status(ctx, t, d.Reopened, false)
	if err != nil {
		return t, err
	}
	if err := d.enter(ctx, t, s); err != nil {
		return t, err
	}
	return d.Comment(ctx, t, n)
}

// A status is one of a board.
type status struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Sort     int    `json:"sortOrder"`
	Closed   bool   `json:"closedStatus"`
	Default  bool   `json:"defaultFlag"`
	Inactive bool   `json:"inactive"`
}

// status is the one to enter: that of a name, else the board's default one or the
// first. People move tickets, so that the board is the one the ticket is on now.
func (d *Desk) status(ctx context.Context, t ticket.Ticket, name string, closed bool) (status, error) {
	r, ok, err := d.get(ctx, t.Ref)
	switch {
	case err != nil:
		return status{}, err
	case !ok:
		return status{}, handlers.GiveUp(fmt.Errorf("there is no ticket %q", handlers.Line(t.Ref, 50)))
	}
	found, err := all[status](ctx, d, fmt.Sprintf("/service/boards/%d/statuses", r.Board.ID), url.Values{"fields": {"id,name,sortOrder,closedStatus,defaultFlag,inactive"}})
	if err != nil {
		return status{}, fmt.Errorf("read the statuses of board %s: %w", handlers.Line(r.Board.Name, 50), err)
	}
	var names []string
	for _, s := range found {
		names = append(names, handlers.Line(s.Name, 50))
	}
	found = slices.DeleteFunc(found, func(s status) bool {
		return s.Inactive || s.Closed != closed || name != "" && !strings.EqualFold(bare(s.Name), bare(name))
	})
	if len(found) == 0 {
		return status{}, fmt.Errorf("%w: board %s has no status %q with closed=%v; it has: %s", ticket.ErrCannot, handlers.Line(r.Board.Name, 50), name, closed, strings.Join(names, ", "))
	}
	return slices.MinFunc(found, func(a, b status) int {
		if a.Default != b.Default {
			if a.Default {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID))
	}), nil
}

// bare is the name of a status without the > that many put before closed ones, to
// sort them last.
func bare(name string) string { return strings.TrimSpace(strings.TrimLeft(name, "> ")) }

// enter sets a status by a JSON Patch, which is a list also of one operation; PUT
// would empty all that it does not name (ConnectWiseManageAPI: Invoke-CWMUpdateMaster).
// 400 is the answer of a board that asks for more.
func (d *Desk) enter(ctx context.Context, t ticket.Ticket, s status) error {
	patch := []any{map[string]any{"op": "replace", "path": "status", "value": map[string]any{"id": s.ID}}}
	return ticket.Cannot(d.call(ctx, ticket.Call{Method: http.MethodPatch, Path: ticketPath(t), Body: patch}))
}

func ticketPath(t ticket.Ticket) string {
	return "/service/tickets/" + url.PathEscape(cmp.Or(t.Ref, "-"))
}
