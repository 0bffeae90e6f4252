// Package notify tells the user of a device, besides by mail, that there is
// something to do: in the activity feed of Teams, or by a push of Company Portal on a
// phone. It is for the moment when Conditional Access has shut the device out, and a
// mail is not read where it is most needed.
//
// What it says is short and plain: that the device needs attention, and where to
// read on. It names no threat, for a push may be read by other apps.
//
// What may not be assumed: that anybody was told. Neither side says so, so nothing
// here counts as the notice that a reset needs.
package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A Voice is how users are spoken to.
type Voice struct {
	Ask      string                      // whom they may ask, as a phrase; empty: "your IT help desk"
	AskIn    map[string]string           // the same for those who read a language, by its tag in lower case
	Language string                      // of users of whom none is known; empty: English
	ResetDue func(events.Case) time.Time // when the device will be reset, zero for not at all; nil: never said
	Zone     *time.Location              // of users of whom none is known; nil: UTC
}

// Teams is what the handler of notify needs of Graph.
type Teams interface {
	// Activity notifies a user, by object id or principal name. The same key again
	// is the same notification. An error whose NotThere is true says that the user
	// lacks the app.
	Activity(ctx context.Context, tenant, user, title, preview, key string) error
}

// Feed notifies users in Teams.
type Feed struct {
	Voice

	Teams Teams
}

// Do notifies the user of the case's device.
func (f Feed) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	d := c.Inhabited()
	who := cmp.Or(d.UserID, d.User)
	if who == "" {
		return not(t, "the device has no user"), nil
	}
	n := f.notice(c)
	// After a crash or a lost answer it is sent again, under the same key.
	err := f.Teams.Activity(ctx, c.Tenant, who, n.title, n.text, t.ID)
	switch {
	case notThere(err):
		return not(t, "the user does not have the app of Teams"), nil
	case err != nil:
		return nil, handlers.Effect(fmt.Errorf("notify: %w", err))
	}
	return events.Done{Task: t.ID, Receipt: "Teams took it for " + handlers.Line(cmp.Or(d.User, who), 200)}, nil
}

// Portal is what the handler of push needs of Graph.
type Portal interface {
	// Push has Company Portal show something on a device. An error whose NotThere is
	// true says that the device cannot.
	Push(ctx context.Context, d events.Device, title, text string) error

	// DevicesOfUser are a user's devices.
	DevicesOfUser(ctx context.Context, tenant, user string) (found []events.Device, leftOut []string, err error)
}

// Push tells users on their phones.
type Push struct {
	Voice

	Portal Portal
}

const (
	// maxTries is how often it is sent anew when nobody can tell whether it was.
	maxTries = 3
	// awake is how recently a phone must have been heard of to be pushed to.
	awake = 14 * 24 * time.Hour
	// maxPhones bounds how many of a user's phones are tried.
	maxPhones = 3
)

// Do pushes to the device of the case if it is a phone, or else to the phone of its
// user that was heard of last.
func (p Push) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if t.Unsure && t.Tries >= maxTries {
		return not(t, "nobody can tell whether Intune took it, and it was tried often enough"), nil
	}
	phones, err := p.phones(ctx, c)
	switch {
	case err != nil && t.Unsure: // what failed was a question, and what went before is as open
		return nil, handlers.Unsure(fmt.Errorf("push: %w", err))
	case err != nil:
		return nil, handlers.Sure(fmt.Errorf("push: %w", err))
	case len(phones) == 0:
		return not(t, "the user has no phone that Company Portal reaches"), nil
	}
	n := p.notice(c)
	for _, phone := range phones {
		err = p.Portal.Push(ctx, phone, n.title, n.text)
		if !notThere(err) {
			break
		}
	}
	switch {
	case notThere(err):
		return not(t, "no phone of the user shows what Company Portal pushes"), nil
	case err != nil:
		return nil, handlers.Effect(fmt.Errorf("push: %w", err))
	}
	return events.Done{Task: t.ID, Receipt: "Intune took it"}, nil
}

// phones are the devices to try, in order.
func (p Push) phones(ctx context.Context, c events.Case) ([]events.Device, error) {
	d := c.Inhabited()
	if phone(d) {
		return []events.Device{d}, nil
	}
	who := cmp.Or(d.UserID, d.User)
	if who == "" {
		return nil, nil
	}
	all, _, err := p.Portal.DevicesOfUser(ctx, c.Tenant, who)
	if err != nil && len(all) == 0 { // more than there is room for is no trouble here
		return nil, fmt.Errorf("find the user's phone: %w", err)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(x events.Device) bool {
		return !phone(x) || x.Key == c.Key || time.Since(x.LastSync) > awake
	})
	slices.SortFunc(all, func(a, b events.Device) int { return b.LastSync.Compare(a.LastSync) })
	return all[:min(len(all), maxPhones)], nil
}

// phone reports whether Company Portal may show something on a device (Intune docs:
// send-custom-notification, 2025-10: iOS, iPadOS, and Android with a work profile,
// which Graph v1.0 does not tell from others).
func phone(d events.Device) bool {
	return slices.ContainsFunc([]string{"iOS", "iPadOS", "Android"}, func(os string) bool { return strings.EqualFold(os, d.OS) })
}

func notThere(err error) bool {
	var e interface{ NotThere() bool }
	return errors.As(err, &e) && e.NotThere()
}

// not is that nobody was told, which is no failure: it is one way of several.
func not(t events.Task, why string) events.Fact {
	return events.Done{Task: t.ID, Receipt: "nobody was told: " + why}
}
