package mail

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// The templates of mails that ask people to approve something. They go to the
// addresses that the task names, and to nobody else.
const (
	Approve         = "approve"           // here
	ApproveInIntune = "approve-in-intune" // there, where Multi Admin Approval asks for it (Intune docs: multi-admin-approval, 2026-05)
)

// ForApprovers reports whether a template is for those who may approve, so that
// no rule can send it to a device's user.
func ForApprovers(template string) bool { return template == Approve || template == ApproveInIntune }

// A Stake is one thing that whoever approves should know before: "last check-in".
type Stake struct{ What, Text string }

// asked is the task that an invitation is about, and whether it (still) waits for
// what the invitation asks for.
func asked(c events.Case, id, template string) (events.Task, bool) {
	i := slices.IndexFunc(c.Pending, func(t events.Task) bool { return t.ID == id })
	if i < 0 {
		return events.Task{}, false
	}
	t := c.Pending[i]
	if template == ApproveInIntune {
		return t, t.Request != ""
	}
	return t, t.Begun == nil && len(t.Approvals) < t.Needs
}

// invitation is what a mail that asks for approval shows besides the rest. An
// invitation without an id is only an example.
func (h Handler) invitation(d *Data, c events.Case, about events.Task, to, id, key string) {
	zone, telling := cmp.Or(h.Zone, time.UTC), handlers.Telling{Language: d.Language}
	d.Deed, d.Task, d.Request = string(about.Action), about.ID, handlers.Line(about.Request, 200)
	d.Needs = max(about.Needs, 1)
	for _, a := range about.Approvals {
		d.Approved = append(d.Approved, handlers.Line(a.By, 254))
	}
	if h.Tenant != nil {
		d.Tenant = handlers.Line(h.Tenant(c.Tenant), 80)
	}
	if h.Stakes != nil {
		for _, s := range h.Stakes(c, about, key, func(t time.Time) string { return telling.When(t, zone) }) {
			parts := strings.Split(handlers.Line(s.Text, 300), "; ")
			for i := range parts {
				parts[i] = telling.Say(parts[i])
			}
			d.Stakes = append(d.Stakes, Stake{telling.Say(s.What), strings.Join(parts, "; ")})
		}
	}
	if h.Invite != nil {
		link, expires := h.Invite(about.ID, to, id)
		d.Link, d.Expires = handlers.SafeLink(link), telling.When(expires, zone)
	}
}

// key is what is known of the device's recovery key, where it matters.
func (h Handler) key(ctx context.Context, c events.Case, about events.Task) string {
	if h.Key == nil || !about.Action.Destructive() {
		return ""
	}
	return h.Key(ctx, c)
}

// example is a task to preview with, from the case if it has one.
func example(c events.Case, template string) events.Task {
	for _, t := range c.Pending {
		if _, ok := asked(c, t.ID, template); ok {
			return t
		}
	}
	return events.Task{ID: c.Key.String() + "/1-reset", Order: events.Order{Action: events.Reset}, Needs: 1, Request: "the request's code"}
}
