package handlerstest

import (
	"context"

	"curfew/events"
)

// PrimaryUser is who is set for the device; nobody at first.
func (tn *Tenant) PrimaryUser(ctx context.Context, d events.Device) (userID string, err error) {
	err = call(ctx, &tn.Reads, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		userID = tn.primary[d.Key]
	})
	return userID, err
}

// SetPrimaryUser sets somebody; setting the same again changes nothing (Graph
// beta: a reference is written, not added to).
func (tn *Tenant) SetPrimaryUser(ctx context.Context, d events.Device, userID string) error {
	return call(ctx, &tn.Writes, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		if tn.primary == nil {
			tn.primary = map[events.Key]string{}
		}
		tn.primary[d.Key] = userID
	})
}

// Primaries are the devices that were given a primary user, a line each.
func (tn *Tenant) Primaries() []string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	var out []string
	for k, id := range tn.primary {
		out = append(out, id+" of "+k.String())
	}
	return out
}

// MaySignIn knows everybody, but for those who are said to be gone or blocked.
func (tn *Tenant) MaySignIn(ctx context.Context, _, userID string) (exists, enabled bool, err error) {
	err = call(ctx, &tn.Reads, func() { exists, enabled = userID != tn.Left, userID != tn.Left && userID != tn.Blocked })
	return exists, enabled, err
}
