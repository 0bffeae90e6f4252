package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Follow reads what became of an action on a device from Intune's own record
// of it. That Intune answered 204 only says that it will ask the device, when
// the device next checks in (Graph docs: remote device actions, 2025-10).
type Follow struct {
	Names  []string      // what the record may call the action, in any case
	First  time.Duration // from the call to the first reading; later gaps grow up to half an hour
	Limit  time.Duration // how long after the call the action is given up
	Settle time.Duration // how long the record may lag behind a call
	Once   bool          // never start the action again, whatever the record shows
}

const (
	longestGap = 30 * time.Minute
	clockSlack = 2 * time.Minute // between our clock and Intune's
)

// Accepted is the fact for an action that Intune took on just now, or that it
// still shows as under way.
func (f Follow) Accepted(t events.Task, receipt string) events.Fact {
	now := time.Now().UTC()
	gap := f.First
	if from := f.From(t); t.Accepted != nil {
		gap = min(max(now.Sub(from), f.First), longestGap, max(from.Add(f.Limit).Sub(now), time.Second))
	}
	return events.Accepted{Task: t.ID, Receipt: receipt, Again: now.Add(gap)}
}

// ErrNoTrace is in the error of [Follow.Up] about an action that may be done only
// once, and of which the record shows nothing although it had the time to. Who
// has another witness may ask it.
var ErrNoTrace = errors.New("no trace of it in Intune's record")

// A Recorder reads Intune's record of a device afresh: Actions, Management and
// LastSync of it.
type Recorder interface {
	Record(ctx context.Context, d events.Device) (events.Device, error)
}

// Up follows a task up that was accepted, or that is unsure: it reads the record
// and says what came of it. Where the record's entry is not final or there is
// none, other signs of the device may say more; they may be nil.
func (f Follow) Up(ctx context.Context, r Recorder, c events.Case, t events.Task, signs func(events.Device) (events.DeviceAction, bool)) (events.Fact, error) {
	d, err := r.Record(ctx, c.Device)
	if err != nil {
		return nil, Unsure(fmt.Errorf("read what became of %s: %w", f.Names[0], err))
	}
	a, found := f.Find(t, d)
	if signs != nil && !Final(a) {
		if sign, ok := signs(d); ok {
			a, found = sign, true
		}
	}
	return f.outcome(t, a, found)
}

// Find returns the newest entry of the action that can be this task's: one that
// was started since the attempt began, or, where it may be done only once, since
// the task was asked for.
func (f Follow) Find(t events.Task, d events.Device) (events.DeviceAction, bool) {
	since := f.From(t)
	if f.Once && !t.Asked.IsZero() && t.Asked.Before(since) {
		since = t.Asked
	}
	var newest events.DeviceAction
	var found bool
	for _, a := range d.Actions {
		named := slices.ContainsFunc(f.Names, func(n string) bool { return strings.EqualFold(n, a.Name) })
		if !named || started(a).Before(since.Add(-clockSlack)) || found && started(a).Before(started(newest)) {
			continue
		}
		newest, found = a, true
	}
	return newest, found
}

// outcome turns what the record shows into what came of the task. Nothing found
// means: of an accepted task, that it is still waited for; of an unsure one, that
// it is too early to tell, or that it was never started. Then the error is a
// plain one and the task starts over, or, where it may be done only once, it
// gives up: a person must look.
func (f Follow) outcome(t events.Task, a events.DeviceAction, found bool) (events.Fact, error) {
	now, from := time.Now(), f.From(t)
	switch {
	case found && strings.EqualFold(a.State, "done"):
		return events.Done{Task: t.ID, Receipt: fmt.Sprintf("%s: Intune says done at %s", a.Name, stamp(a.Updated))}, nil
	case found && Final(a):
		return nil, GiveUp(fmt.Errorf("%s: Intune says %s at %s", a.Name, a.State, stamp(a.Updated)))
	case (found || t.Accepted != nil) && now.Sub(from) >= f.Limit:
		return nil, TimedOut(fmt.Errorf("%s is not done after %v; Intune's record says: %s", f.Names[0], f.Limit, orNothing(a.State)))
	case found:
		return running(f.Accepted(t, fmt.Sprintf("%s: Intune says %s", a.Name, cmp.Or(a.State, "nothing yet"))), strings.EqualFold(a.State, "active")), nil
	case t.Accepted != nil:
		return f.Accepted(t, t.Accepted.Receipt), nil
	case f.Once && now.Sub(from) >= f.Settle:
		return nil, Unknown(fmt.Errorf("cannot tell whether %s was started: %w %v after the call; a person must look before it is asked for again", f.Names[0], ErrNoTrace, f.Settle))
	}
	return nil, f.Unsettled(t, "Intune")
}

// running is an accepted fact with whether the device is at it.
func running(f events.Fact, is bool) events.Fact {
	if a, ok := f.(events.Accepted); ok {
		a.Running = is
		return a
	}
	return f
}

// Final reports whether Intune will write nothing more about the action (Graph
// v1.0 schema: actionState). A member added since is not final.
func Final(a events.DeviceAction) bool {
	switch strings.ToLower(a.State) {
	case "done", "failed", "notsupported", "canceled":
		return true
	}
	return false
}

// From is when the call was made, at the earliest.
func (f Follow) From(t events.Task) time.Time {
	switch {
	case t.Begun != nil && (t.Accepted == nil || t.Begun.At.Before(t.Accepted.At)):
		return t.Begun.At
	case t.Accepted != nil:
		return t.Accepted.At
	}
	return t.Asked
}

// started is when the action began, or else when Intune last wrote about it.
func started(a events.DeviceAction) time.Time {
	if a.Started.IsZero() {
		return a.Updated
	}
	return a.Started
}

// ScanNames are what Intune's record may call a scan: deviceActionResults has
// windowsDefenderScan for both kinds, and the members of remoteAction tell them
// apart (Graph v1.0 and beta schema, 2026-08).
func ScanNames(full bool) []string {
	if full {
		return []string{"windowsDefenderScan", "fullScan"}
	}
	return []string{"windowsDefenderScan", "quickScan"}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

// Reachable reports why Intune cannot act on the device, as an error that gives
// up, or nil.
func Reachable(d events.Device) error {
	switch {
	case d.IntuneID == "":
		return GiveUp(errors.New("the device is not known to Intune, so nothing can be asked of it"))
	case strings.EqualFold(d.Agent, "msSense"):
		return GiveUp(errors.New("the device is attached by Defender only (managementAgent msSense), not enrolled in Intune: Intune cannot act on it"))
	}
	return nil
}

// Windows reports whether the device runs Windows.
func Windows(d events.Device) bool { return strings.EqualFold(d.OS, "Windows") }
