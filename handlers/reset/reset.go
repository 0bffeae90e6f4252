// Package reset does what takes something from a device that cannot be given
// back, by way of Intune: an Autopilot Reset (files, apps and settings of the user
// go, the enrolment stays), a retirement (the organisation's data and the
// enrolment go), or a factory wipe (everything goes).
//
// What it guarantees:
//
//   - It looks a last time itself, and calls only if that look still shows
//     everything the case was decided on, and the enrolment that was meant. If
//     anything has eased, it returns what it saw, and [events.Step] decides anew.
//   - It never calls twice for one task. After a crash, a time-out or a lost reply
//     it reads Intune's record; if that cannot tell, a person must.
//   - Where the tenant wants a second administrator to agree (Multi Admin
//     Approval), the task is held until one has, and the one call that is agreed
//     to is made after a last look of its own. No, too late and withdrawn are
//     outcomes ([events.Declined]), not failures.
//   - Done means that Intune's record says so, or that a device that was to leave
//     Intune is shown there no more. Neither is proof: an interrupted reset is
//     reported done too. Only a later look proves it.
//
// What it does not check: notice, grace and holds, which the case machine checks
// before a task may begin; and whether the recovery environment of Windows is
// enabled, without which a reset fails on the device (Intune docs: Windows
// Autopilot Reset, 0x80070032). Graph does not show it.
package reset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Devices is what this handler reads of Graph.
type Devices interface {
	handlers.Recorder

	// Look reads the device of a case and the alerts that the case knows.
	Look(ctx context.Context, c events.Case) (events.Device, error)
}

// Intune does what is asked for.
type Intune interface {
	// Ask asks for an Autopilot Reset, a retirement or a factory wipe: with a
	// justification, which is what a second administrator reads if the tenant wants
	// one, or with the code of a request that one approved, and then without.
	//
	// Nil says that Intune took it on (204). An error that is not Unsure is a promise
	// that Intune did not: the task starts over after it. One with a method
	// ApprovalRequired() bool that says so, says why not: a request waits, of which
	// ApprovalCode() string is the code if this call filed it; where
	// ApprovalOpen() bool says so, one had been there before.
	Ask(ctx context.Context, a events.Action, d events.Device, justification, code string) error
}

// Handler does the three destructive actions.
type Handler struct {
	Devices   Devices
	Intune    Intune
	Approvals Approvals
	DryRun    bool          // do everything but the call, and say so
	First     time.Duration // from the call until the record is first read; zero: a minute
	Limit     time.Duration // how long the device may take; zero: 72 hours
	Settle    time.Duration // how long the record may lag; zero: 30 minutes
}

// Do asks for the task's action, or reads what became of it.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	k, ok := kinds[t.Action]
	if !ok {
		return nil, handlers.GiveUp(fmt.Errorf("reset: %q is none of its actions", t.Action))
	}
	if t.For != "" {
		c.Device.IntuneID = t.For // the enrolment it is about, whatever the device has now
	}
	a := try{Handler: h, kind: k, c: c, t: t, f: handlers.Follow{
		Names:  k.names,
		First:  cmp.Or(h.First, time.Minute),
		Limit:  cmp.Or(h.Limit, 72*time.Hour),
		Settle: cmp.Or(h.Settle, 30*time.Minute),
		Once:   true,
	}}
	fact, err := a.do(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Action, err)
	}
	return fact, nil
}

// A try is one go at a task.
type try struct {
	Handler
	kind
	c events.Case
	t events.Task
	f handlers.Follow
}

func (a try) do(ctx context.Context) (events.Fact, error) {
	switch {
	case a.t.Accepted != nil:
		return a.follow(ctx)
	case a.t.Unsure && a.t.Request != "":
		return a.settleRequest(ctx)
	case a.t.Unsure:
		return a.settle(ctx)
	}
	return a.call(ctx)
}

// call looks a last time, and asks.
func (a try) call(ctx context.Context) (events.Fact, error) {
	var req request
	if a.t.Request != "" {
		var over events.Fact
		var err error
		if req, over, err = a.review(ctx); err != nil || over != nil {
			return over, err
		}
	}
	d, seen, err := a.lastLook(ctx)
	switch {
	case err != nil || seen != nil:
		return seen, err
	case a.DryRun:
		return events.Done{Task: a.t.ID, Dry: true, Receipt: "dry run: " + a.would + " now; nothing was done"}, nil
	case a.t.Request == "":
		err = handlers.Effect(a.Intune.Ask(ctx, a.t.Action, d, a.justification(), ""))
	case req.status != approved:
		return a.waits(req), nil
	default:
		err = handlers.Effect(a.Intune.Ask(ctx, a.t.Action, d, "", a.t.Request))
	}
	switch v := handlers.Read(err); {
	case err == nil:
		return a.f.Accepted(a.t, "Intune will ask the device "+a.asks), nil
	case v.Unsure:
	case a.t.Request != "" && v.GiveUp:
		return a.notTaken(ctx, err)
	case a.t.Request == "" && approvalRequired(err):
		return a.filed(ctx, err)
	}
	return nil, err
}

// lastLook reads the device once more. It returns the device to act on, or else
// what was seen, for the case to be decided anew.
func (a try) lastLook(ctx context.Context) (events.Device, events.Fact, error) {
	d, err := a.Devices.Look(ctx, a.c)
	if err != nil {
		return d, nil, handlers.Sure(fmt.Errorf("the last look: %w", err))
	}
	if d.Key != a.c.Key {
		return d, nil, handlers.GiveUp(fmt.Errorf("the last look was for %s and showed %s", a.c.Key, d.Key))
	}
	was := a.c.Device.IntuneID
	anew := was != "" && d.IntuneID != "" && !strings.EqualFold(was, d.IntuneID)
	if anew || !a.c.Open || !a.c.Clearing.IsZero() || handlers.Eased(a.c.Device, d) {
		return d, events.Seen{Device: d, Task: a.t.ID}, nil
	}
	return d, nil, a.allowed(d)
}

// allowed says why a device that is at risk must not be asked now.
func (a try) allowed(is events.Device) error {
	if err := handlers.Reachable(is); err != nil {
		return err
	}
	if err := a.fits(is); err != nil {
		return handlers.GiveUp(err)
	}
	return ready(a.c.Device, is)
}

// left is what an accepted task says of a device that Intune shows no more. It is
// believed when it is seen again.
const left = "Intune does not show the device any more"

// follow reads what became of the call. Of a device that is to leave Intune there
// is no record any more when it has.
func (a try) follow(ctx context.Context) (events.Fact, error) {
	fact, err := a.f.Up(ctx, a.Devices, a.c, a.t, a.signs)
	switch {
	case err == nil || !a.leaves || !gone(err):
		return fact, err
	case a.t.Accepted == nil:
		return nil, handlers.Unknown(fmt.Errorf("cannot tell whether the %s was asked for: %s; a person must look", a.t.Action, left))
	case a.t.Accepted.Receipt == left:
		return events.Done{Task: a.t.ID, Receipt: left + ", so it has left"}, nil
	}
	again := time.Now().UTC().Add(min(a.f.Settle, 10*time.Minute))
	return events.Accepted{Task: a.t.ID, Receipt: left, Again: again}, nil
}

// gone reports whether an error says that there is no such device any more.
func gone(err error) bool {
	var g interface{ Gone() bool }
	return errors.As(err, &g) && g.Gone()
}

// signs reads managementState as an entry of the record, which may miss a wipe
// that is pending (public reports about Graph's deviceActionResults, open since
// 2018 and 2021). The state has no date: an end of an earlier action is believed
// only once this one must have replaced it.
func (a try) signs(d events.Device) (events.DeviceAction, bool) {
	e := events.DeviceAction{Name: "managementState " + d.Management}
	switch strings.ToLower(d.Management) {
	case a.stem + "pending", a.stem + "issued":
		e.State = "pending"
	case a.stem + "failed":
		e.State = "failed"
	case a.stem + "canceled":
		e.State = "canceled"
	}
	settled := time.Since(a.f.From(a.t)) >= a.f.Settle
	return e, e.State == "pending" || e.State != "" && settled
}
