package handlerstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

// A Tenant is what handlers see of a Microsoft 365 tenant, by the rules of Graph
// that matter to them. Its methods are those of package graph's side; its errors
// are marked as that package must mark them. The zero value has every device one
// asks for, as the case shows it. It must not be copied once used.
type Tenant struct {
	Writes, Reads fake.Faults

	Lag   time.Duration // how late records show what was done (public reports: a wipe shows up late or never)
	Takes time.Duration // how long a device takes to do what it is asked; zero: a minute
	Ends  string        // how actions end; empty: "done" (actionState)
	Blind bool          // nobody may read Sent Items: Mail.Send does not include it

	Devices []events.Device // of the user

	Left, Blocked string // users, by id, who are gone or may not sign in

	// Change, if set, says how a device differs now from how the case shows it.
	Change func(*events.Device)

	mu      sync.Mutex
	actions []action
	mails   []Mail
	said    []Said
	primary map[events.Key]string
}

type action struct {
	events.DeviceAction
	device events.Key
	leaves bool // the device leaves Intune by it, and its record with it
}

// A Mail is one that the tenant sent.
type Mail struct {
	Tenant, To, Subject, HTML, Text, Key string
	At                                   time.Time
}

// Effects are the actions and mails that the tenant took on, a line each.
func (tn *Tenant) Effects() []string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	var out []string
	for _, a := range tn.actions {
		out = append(out, a.Name+" on "+a.device.String())
	}
	for _, m := range tn.mails {
		out = append(out, "mail to "+m.To)
	}
	for _, s := range tn.said {
		out = append(out, "told "+s.To)
	}
	return out
}

// Mails are those that were sent.
func (tn *Tenant) Mails() []Mail {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return slices.Clone(tn.mails)
}

// Look shows the device.
func (tn *Tenant) Look(ctx context.Context, c events.Case) (events.Device, error) {
	d := c.Device
	err := call(ctx, &tn.Reads, func() {
		d.Key, d.SeenAt = c.Key, time.Now().UTC()
		if tn.Change != nil {
			tn.Change(&d)
		}
	})
	return d, err
}

// Record shows what Intune knows of the actions on the device, and when it last
// checked in.
func (tn *Tenant) Record(ctx context.Context, d events.Device) (events.Device, error) {
	left := false
	err := call(ctx, &tn.Reads, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		d.Actions = nil
		for _, a := range tn.actions {
			age := time.Since(a.Started)
			if a.device != d.Key || age < tn.Lag {
				continue
			}
			// pending until the device has checked in (Graph v1.0 schema: actionState)
			if takes := max(tn.Takes, time.Minute); age >= takes {
				a.State, a.Updated = tn.Ends, a.Started.Add(takes)
				d.LastSync = a.Updated
				left = left || a.leaves && a.State == "done"
			}
			d.Actions = append(d.Actions, a.DeviceAction)
		}
		if tn.Change != nil {
			tn.Change(&d)
		}
	})
	if err == nil && left {
		err = noDevice{handlers.GiveUp(errors.New("404 Not Found"))}
	}
	return d, err
}

// noDevice says that Intune does not have the device, or not any more.
type noDevice struct{ error }

func (e noDevice) Unwrap() error { return e.error }
func (noDevice) Gone() bool      { return true }

// Sync queues an action, as Scan and Reset do: 204 (Graph docs: syncDevice,
// windowsDefenderScan and wipe, 2025-10).
func (tn *Tenant) Sync(ctx context.Context, d events.Device) error {
	return tn.act(ctx, d, "syncDevice", false)
}

// Scan queues a scan; both kinds have one name in the record.
func (tn *Tenant) Scan(ctx context.Context, d events.Device, _ bool) error {
	return tn.act(ctx, d, "windowsDefenderScan", false)
}

// Reset queues an Autopilot Reset, which Graph calls wipe. Each call is one more.
func (tn *Tenant) Reset(ctx context.Context, d events.Device) error {
	return tn.act(ctx, d, "wipe", false)
}

// Ask queues what is destructive. A retired device, and one that is wiped with its
// enrolment, leaves Intune (Intune docs: device-wipe, device-retire). This tenant
// wants no second administrator to approve, so nobody reads the justification.
func (tn *Tenant) Ask(ctx context.Context, a events.Action, d events.Device, _, _ string) error {
	switch a {
	case events.Reset:
		return tn.Reset(ctx, d)
	case events.Retire:
		return tn.act(ctx, d, "retire", true)
	case events.Wipe:
		return tn.act(ctx, d, "wipe", true)
	}
	return handlers.GiveUp(fmt.Errorf("400 Bad Request: there is no action %q", a))
}

// ApprovalState knows no request.
func (tn *Tenant) ApprovalState(ctx context.Context, _, _ string) (status string, expires time.Time, err error) {
	return "notFound", time.Time{}, call(ctx, &tn.Reads, func() {})
}

// FindApproval finds none.
func (tn *Tenant) FindApproval(ctx context.Context, _, _ string) (code string, err error) {
	return "", call(ctx, &tn.Reads, func() {})
}

// RemoteLock queues that (Graph docs: remoteLock).
func (tn *Tenant) RemoteLock(ctx context.Context, d events.Device) error {
	return tn.act(ctx, d, "remoteLock", false)
}

// Restart queues that (Graph docs: rebootNow).
func (tn *Tenant) Restart(ctx context.Context, d events.Device) error {
	return tn.act(ctx, d, "rebootNow", false)
}

func (tn *Tenant) act(ctx context.Context, d events.Device, name string, leaves bool) error {
	return call(ctx, &tn.Writes, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		now := time.Now().UTC()
		if tn.Ends == "" {
			tn.Ends = "done"
		}
		tn.actions = append(tn.actions, action{events.DeviceAction{Name: name, State: "pending", Started: now, Updated: now}, d.Key, leaves})
	})
}

// SendMail sends: 202. Graph knows no idempotency key here, so each call sends.
func (tn *Tenant) SendMail(ctx context.Context, tenant, to, subject, html, text, key string) error {
	return call(ctx, &tn.Writes, func() {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		tn.mails = append(tn.mails, Mail{tenant, to, subject, html, text, key, time.Now()})
	})
}

// Sent looks among the mails that were sent, which show late.
func (tn *Tenant) Sent(ctx context.Context, tenant, key string) (bool, error) {
	if tn.Blind {
		return false, handlers.GiveUp(errors.New("403 Forbidden: Mail.Read is missing"))
	}
	found := false
	err := call(ctx, &tn.Reads, func() {
		found = slices.ContainsFunc(tn.Mails(), func(m Mail) bool {
			return m.Tenant == tenant && m.Key == key && time.Since(m.At) >= tn.Lag
		})
	})
	return found, err
}

// call answers a request, or fails as the server does.
func call(ctx context.Context, faults *fake.Faults, do func()) error {
	if err := ctx.Err(); err != nil {
		return err // not sent
	}
	f := faults.Next()
	if f == nil || f.Done {
		do()
	}
	switch {
	case f == nil:
		return nil
	case f.Hang:
		<-ctx.Done()
		return handlers.Unsure(ctx.Err())
	case f.Drop:
		return handlers.Unsure(errors.New("the connection broke"))
	}
	res := &http.Response{StatusCode: f.Status, Header: http.Header{}}
	res.Header.Set("Retry-After", f.RetryAfter)
	return fmt.Errorf("graph: %w", handlers.CheckStatus(res))
}
