package handlerstest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A Said is what a user was told besides by mail.
type Said struct{ To, Title, Text, key string }

// Activity shows a notification in a feed; the same key again is the same one
// (Graph docs: userteamwork-sendactivitynotification, chainId).
func (tn *Tenant) Activity(ctx context.Context, _, user, title, preview, key string) error {
	if user == tn.Left {
		return noApp{handlers.GiveUp(errors.New("403 Forbidden"))}
	}
	return call(ctx, &tn.Writes, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		tn.said = append(slices.DeleteFunc(tn.said, func(s Said) bool { return s.key == key && s.To == user }), Said{user, title, preview, key})
	})
}

// Push shows something on a phone. Two that say the same are one thing said.
func (tn *Tenant) Push(ctx context.Context, d events.Device, title, text string) error {
	if d.OS == "Windows" || strings.HasPrefix(d.IntuneID, "plain-") {
		return noApp{handlers.GiveUp(errors.New("400 Bad Request"))}
	}
	return call(ctx, &tn.Writes, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		if s := (Said{d.Key.String() + d.IntuneID, title, text, ""}); !slices.Contains(tn.said, s) {
			tn.said = append(tn.said, s)
		}
	})
}

// DevicesOfUser are those of [Tenant].Devices.
func (tn *Tenant) DevicesOfUser(ctx context.Context, _, _ string) (found []events.Device, leftOut []string, err error) {
	err = call(ctx, &tn.Reads, func() { found = slices.Clone(tn.Devices) })
	return found, nil, err
}

// Said is what users were told, oldest first.
func (tn *Tenant) Said() []Said {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return slices.Clone(tn.said)
}

// Phone is a phone of a user, heard of just now.
func Phone(os, id string) events.Device {
	return events.Device{Key: events.Key{Tenant: "contoso", Device: id}, IntuneID: id, Name: id, OS: os, LastSync: time.Now()}
}

// noApp says that there is nothing that could show it.
type noApp struct{ error }

func (e noApp) Unwrap() error { return e.error }
func (noApp) NotThere() bool  { return true }
