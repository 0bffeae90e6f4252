// Package restore gives a device that was reset its primary user back, whom a
// reset from afar takes away (Intune docs: Windows Autopilot Reset, 2025-10).
//
// It guarantees that nobody loses a device by it: who is primary user by now, by
// signing in first or by an administrator's hand, stays. Setting the same user
// twice is the same as once.
//
// What may not be assumed: that between reading and setting nobody else sets
// one; Graph has no condition for that.
package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"curfew/events"
	"curfew/handlers"
)

// Intune is what this handler needs of Graph.
type Intune interface {
	// PrimaryUser is the object id of the device's primary user; empty: none.
	PrimaryUser(ctx context.Context, d events.Device) (userID string, err error)

	// SetPrimaryUser makes the user the primary one.
	SetPrimaryUser(ctx context.Context, d events.Device, userID string) error
}

// Users knows the users of a tenant.
type Users interface {
	// MaySignIn reports whether the user, by object id, exists and is not blocked.
	MaySignIn(ctx context.Context, tenant, userID string) (exists, enabled bool, err error)
}

// Handler gives devices their primary user back.
type Handler struct {
	Intune Intune
	Users  Users
}

// Do gives the device its user back.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	fact, err := h.do(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("restore the primary user: %w", err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if t.Ref == "" {
		return nil, handlers.GiveUp(errors.New("nobody knows who the primary user was"))
	}
	if err := handlers.Reachable(c.Device); err != nil {
		return nil, err
	}
	who := whose(c, t.Ref)
	is, err := h.Intune.PrimaryUser(ctx, c.Device)
	switch {
	case err != nil:
		return nil, asked(t, err)
	case strings.EqualFold(is, t.Ref) && t.Unsure:
		return events.Done{Task: t.ID, Receipt: who + " is the primary user again"}, nil
	case strings.EqualFold(is, t.Ref):
		return events.Done{Task: t.ID, Others: true, Receipt: who + " is the primary user already"}, nil
	case is != "":
		return events.Done{Task: t.ID, Others: true, Receipt: "somebody else is the primary user by now, " + handlers.Line(is, 80) + ", and stays it"}, nil
	}
	exists, enabled, err := h.Users.MaySignIn(ctx, c.Key.Tenant, t.Ref)
	switch {
	case err != nil && !handlers.Read(err).GiveUp: // who may not ask, goes on without
		return nil, asked(t, err)
	case err == nil && !exists:
		return nil, handlers.GiveUp(fmt.Errorf("%s, whose device it was, is not in Entra any more: whoever signs in next becomes the primary user", who))
	case err == nil && !enabled:
		return nil, handlers.GiveUp(fmt.Errorf("the account of %s, whose device it was, is blocked: whoever signs in next becomes the primary user", who))
	}
	if err := h.Intune.SetPrimaryUser(ctx, c.Device, t.Ref); err != nil {
		return nil, handlers.Effect(err)
	}
	return events.Done{Task: t.ID, Receipt: who + " is the primary user again"}, nil
}

// asked is the error of a question, which leaves a task as sure as it was.
func asked(t events.Task, err error) error {
	if t.Unsure {
		return handlers.Unsure(err)
	}
	return handlers.Sure(err)
}

// whose names the user for people.
func whose(c events.Case, id string) string {
	if strings.EqualFold(c.Person.UserID, id) {
		return cmp.Or(handlers.Line(c.Person.User, 80), handlers.Line(c.Person.Name, 80), id)
	}
	return handlers.Line(id, 80)
}
