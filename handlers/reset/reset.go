// Package reset returns a device to its first start by Autopilot Reset: files,
// apps and settings of its user are gone, the enrolment stays. It is the one
// thing Curfew does that cannot be taken back.
//
// What it guarantees:
//
//   - It looks a last time itself, and calls only if that look still shows
//     everything the case was decided on. If anything has eased, it returns what
//     it saw, and [events.Step] decides anew.
//   - It never calls twice for one task. After a crash, a time-out or a lost reply
//     it reads Intune's record; if that cannot tell, a person must.
//   - Done means that Intune's record says so, which is not proof: an interrupted
//     reset is reported done too. Only a later look proves it.
//
// What it does not check: notice, grace and holds, which the case machine checks
// before a task may begin; and whether the recovery environment of Windows is
// enabled, without which the reset fails on the device (Intune docs: Windows
// Autopilot Reset, 0x80070032). Graph does not show it.
package reset

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

// Devices is what this handler reads of Graph.
type Devices interface {
	handlers.Recorder
	handlers.Looker
}

// Intune does the reset.
type Intune interface {
	// Reset asks for an Autopilot Reset. Nil says that Intune took it on (204). An
	// error that is not Unsure is a promise that Intune did not: the task starts
	// over after it.
	Reset(ctx context.Context, d events.Device) error
}

// Handler resets devices.
type Handler struct {
	Devices Devices
	Intune  Intune
	DryRun  bool          // do everything but the call, and say so
	First   time.Duration // from the call until the record is first read; zero: a minute
	Limit   time.Duration // how long the reset may take; zero: 72 hours
	Settle  time.Duration // how long the record may lag; zero: 30 minutes
}

// Do resets the device, or reads what became of it.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	f := handlers.Follow{
		// deviceActionResults has been seen with "wipe"; the audit of the same call
		// knows the other names (Graph beta schema: remoteAction, 2026-08).
		Names:  []string{"wipe", "factoryReset", "factoryResetKeepEnrollmentData", "automaticRedeployment", "autopilotReset"},
		First:  cmp.Or(h.First, time.Minute),
		Limit:  cmp.Or(h.Limit, 72*time.Hour),
		Settle: cmp.Or(h.Settle, 30*time.Minute),
		Once:   true,
	}
	fact, err := h.do(ctx, c, t, f)
	if err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task, f handlers.Follow) (events.Fact, error) {
	if t.Accepted != nil || t.Unsure {
		settled := time.Since(f.From(t)) >= f.Settle
		return f.Up(ctx, h.Devices, c, t, func(d events.Device) (events.DeviceAction, bool) { return managed(d, settled) })
	}
	d, seen, err := handlers.LastLook(ctx, h.Devices, c, t)
	if err != nil || seen != nil {
		return seen, err
	}
	if err := allowed(c.Device, d); err != nil {
		return nil, err
	}
	if h.DryRun {
		return events.Done{Task: t.ID, Dry: true, Receipt: "dry run: the device would have been reset now; nothing was done"}, nil
	}
	if err := h.Intune.Reset(ctx, d); err != nil {
		return nil, handlers.Effect(err)
	}
	return f.Accepted(t, "Intune will ask the device to reset itself"), nil
}

// managed reads managementState as an entry of the record, which may miss a wipe
// that is pending (public reports about Graph's deviceActionResults, open since
// 2018 and 2021). The state has no date: an end of an earlier wipe is believed
// only once this one must have replaced it.
func managed(d events.Device, settled bool) (events.DeviceAction, bool) {
	a := events.DeviceAction{Name: "managementState " + d.Management}
	switch strings.ToLower(d.Management) {
	case "wipepending", "wipeissued":
		a.State = "pending"
	case "wipefailed":
		a.State = "failed"
	case "wipecanceled":
		a.State = "canceled"
	}
	return a, a.State == "pending" || a.State != "" && settled
}

// allowed says why a device that is at risk must not be reset now.
func allowed(was, is events.Device) error {
	if err := handlers.Reachable(is); err != nil {
		return err
	}
	switch {
	case !handlers.Windows(is):
		return handlers.GiveUp(fmt.Errorf("the device runs %q; Autopilot Reset is for Windows", is.OS))
	case is.Join == "ServerAd", is.Join == "Workplace":
		return handlers.GiveUp(fmt.Errorf("the device's join type is %s; Autopilot Reset needs one that is joined to Entra ID only", is.Join))
	case slices.Contains([]string{"wipepending", "wipeissued", "retirepending", "retireissued", "deletepending"}, strings.ToLower(is.Management)):
		return handlers.After(fmt.Errorf("managementState is %s by somebody else's doing: waiting for it to end", is.Management), 15*time.Minute)
	}
	for _, m := range is.Missing {
		if !slices.Contains(was.Missing, m) {
			return fmt.Errorf("the last look could not read %s; there is no reset on an incomplete picture", m)
		}
	}
	for _, a := range was.OpenAlerts() {
		if !slices.ContainsFunc(is.Alerts, func(x events.Alert) bool { return x.ID == a.ID }) {
			return errors.New("the last look did not show alert " + a.ID + "; there is no reset on an incomplete picture")
		}
	}
	return nil
}
