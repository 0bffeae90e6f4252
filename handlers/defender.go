package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"curfew/events"
)

// A MachineAction is an entry of Defender for Endpoint's record of what was asked
// of a device, by whomever (Defender docs: machineaction, 2025-03). Unlike Intune's
// record it says who asked, and Curfew's tasks are known in it by name.
type MachineAction struct {
	ID      string // empty: Defender has it, and its record does not show it yet
	Type    string // one of the constants, or another
	Status  string // Pending, InProgress, Succeeded, Failed, TimeOut, Cancelled
	By      string // an app's id, or a person's name
	Mine    bool   // the task at hand asked for it
	Created time.Time
	Updated time.Time
}

// Types of actions.
const (
	MachineScan      = "RunAntiVirusScan"
	MachineIsolate   = "Isolate"
	MachineUnisolate = "Unisolate"
)

// Succeeded reports whether Defender says that it was done.
func (a MachineAction) Succeeded() bool { return a.Status == "Succeeded" }

// Open reports whether Defender may still work on it. A status that was added
// since may be one that it works on.
func (a MachineAction) Open() bool {
	switch a.Status {
	case "Succeeded", "Failed", "TimeOut", "Cancelled":
		return false
	}
	return true
}

// Done says for people who asked for the action and when Defender finished it.
func (a MachineAction) Done() string {
	who := Line(a.By, 80)
	if who == "" {
		who = "somebody else"
	}
	return fmt.Sprintf("by %s at %s", who, stamp(a.Updated))
}

// A MachineRecorder reads Defender's record of a device.
type MachineRecorder interface {
	// MachineActions are the actions on record, newest first; those that were asked
	// for in the name of the task are Mine.
	MachineActions(ctx context.Context, d events.Device, task string) ([]MachineAction, error)
}

// Machine follows a task up that Defender took on, or that is unsure, by Defender's
// record; the first of the Names is the action's type. What somebody else asked
// for at the same time counts as well, and ends as Others: Defender does not take
// on what it is doing already. It calls nothing: where somebody else's came to
// nothing, a person has to try the task again, and every gate is asked anew.
func (f Follow) Machine(ctx context.Context, r MachineRecorder, c events.Case, t events.Task) (events.Fact, error) {
	all, err := r.MachineActions(ctx, c.Device, t.ID)
	if err != nil {
		return nil, Unsure(fmt.Errorf("read what became of %s: %w", f.Names[0], err))
	}
	a, found := f.findMachine(t, all)
	now, from := time.Now(), f.From(t)
	switch {
	case found && a.Succeeded() && a.Mine:
		return events.Done{Task: t.ID, Receipt: a.ID}, nil
	case found && a.Succeeded():
		return events.Done{Task: t.ID, Receipt: a.Type + " " + a.Done(), Others: true}, nil
	case found && a.Status == "TimeOut" && a.Mine:
		return nil, TimedOut(fmt.Errorf("%s: Defender gave up waiting for the device at %s", a.Type, stamp(a.Updated)))
	case found && !a.Open() && a.Mine:
		return nil, GiveUp(fmt.Errorf("%s: Defender says %s at %s", a.Type, a.Status, stamp(a.Updated)))
	case found && !a.Open() && t.Accepted != nil:
		return nil, GiveUp(fmt.Errorf("%s %s came to nothing: Defender says %s; try again for one of Curfew's own", a.Type, a.Done(), a.Status))
	case (found && a.Open() || t.Accepted != nil) && now.Sub(from) >= f.Limit:
		return nil, TimedOut(fmt.Errorf("%s is not done after %v; Defender's record says: %s", f.Names[0], f.Limit, orNothing(a.Status)))
	case found && a.Open():
		return running(f.Accepted(t, fmt.Sprintf("%s: Defender says %s", a.Type, a.Status)), a.Status == "InProgress"), nil
	case t.Accepted != nil:
		return f.Accepted(t, t.Accepted.Receipt), nil
	}
	return nil, f.Unsettled(t, "Defender")
}

// findMachine returns the newest action that is this attempt's, or else one of
// somebody else's that was open at the time of the call.
func (f Follow) findMachine(t events.Task, all []MachineAction) (other MachineAction, found bool) {
	since := f.From(t).Add(-clockSlack)
	for _, a := range all {
		switch {
		case a.Type != f.Names[0]:
		case a.Mine && !a.Created.Before(since):
			return a, true
		case !a.Mine && !found && (a.Open() || !a.Updated.Before(since)):
			other, found = a, true
		}
	}
	return other, found
}

// Unsettled is the error for an unsure task of which a record shows nothing: too
// early to tell, and then that it was never started and starts over.
func (f Follow) Unsettled(t events.Task, whose string) error {
	since := time.Since(f.From(t))
	if since >= f.Settle {
		return errors.New(whose + "'s record shows no " + f.Names[0] + " since the call, so it was not started: starting over")
	}
	wait := min(max(since, f.First, time.Second), f.Settle-since)
	return After(Unsure(fmt.Errorf("%s may have been started; %s's record shows none yet", f.Names[0], whose)), wait)
}

func orNothing(status string) string {
	if status == "" {
		return "nothing"
	}
	return status
}
