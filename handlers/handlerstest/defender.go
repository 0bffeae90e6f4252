package handlerstest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

// A Defender is what handlers see of a tenant's Defender for Endpoint, by the
// rules that matter to them (Defender docs: machineaction, run-av-scan,
// isolate-machine, 2025-03). Its errors are marked as package graph marks them.
// The zero value has every device one asks for. It must not be copied once used.
type Defender struct {
	Writes, Reads fake.Faults

	Lag   time.Duration   // how late the record shows what was asked for
	Takes time.Duration   // how long an action takes; zero: a minute
	Ends  []string        // how the actions end, in their order; beyond it: Succeeded
	Past  []MachineAction // what the record showed before, for every device

	mu      sync.Mutex
	actions []MachineAction
}

// A MachineAction is one that Defender took on.
type MachineAction struct {
	handlers.MachineAction
	Task, Why string
	Full      bool

	device events.Key
	ends   string
}

// Effects are the actions that Defender took on, a line each.
func (df *Defender) Effects() []string {
	var out []string
	for _, a := range df.Actions() {
		out = append(out, a.Type+" on "+a.device.String())
	}
	return out
}

// Actions are those that Defender took on, the oldest first.
func (df *Defender) Actions() []MachineAction {
	df.mu.Lock()
	defer df.mu.Unlock()
	return slices.Clone(df.actions)
}

// MachineActions shows the record, the newest first.
func (df *Defender) MachineActions(ctx context.Context, d events.Device, task string) ([]handlers.MachineAction, error) {
	var out []handlers.MachineAction
	err := call(ctx, &df.Reads, func() {
		df.mu.Lock()
		defer df.mu.Unlock()
		for _, a := range slices.Backward(df.actions) {
			if a.device == d.Key && time.Since(a.Created) >= df.Lag {
				out = append(out, df.now(a).seenBy(task))
			}
		}
		for _, a := range slices.Backward(df.Past) {
			out = append(out, a.seenBy(task))
		}
	})
	return out, err
}

func (a MachineAction) seenBy(task string) handlers.MachineAction {
	a.Mine = a.Task == task
	return a.MachineAction
}

// now is the action as far as time has brought it.
func (df *Defender) now(a MachineAction) MachineAction {
	if takes := max(df.Takes, time.Minute); time.Since(a.Created) >= takes {
		a.Status, a.Updated = a.ends, a.Created.Add(takes)
	}
	return a
}

// Isolate takes an isolation on.
func (df *Defender) Isolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error) {
	a, _, err := df.act(ctx, handlers.MachineIsolate, d, false, task, why)
	return a, err
}

// Unisolate takes its end on.
func (df *Defender) Unisolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error) {
	a, _, err := df.act(ctx, handlers.MachineUnisolate, d, false, task, why)
	return a, err
}

// RunAntiVirusScan takes a scan on.
func (df *Defender) RunAntiVirusScan(ctx context.Context, d events.Device, full bool, task, why string) (handlers.MachineAction, error) {
	a, _, err := df.act(ctx, handlers.MachineScan, d, full, task, why)
	return a, err
}

// StartInvestigation starts one, or says by an empty id that one is running.
func (df *Defender) StartInvestigation(ctx context.Context, d events.Device, task, why string) (id, state string, err error) {
	a, fresh, err := df.act(ctx, "Investigation", d, false, task, why)
	if err == nil && !fresh {
		return "", "Running", nil
	}
	return a.ID, "Queued", err
}

// act takes an action on, or finds that one of its type is open: "Action is
// already in progress", with which package graph returns that one.
func (df *Defender) act(ctx context.Context, kind string, d events.Device, full bool, task, why string) (out handlers.MachineAction, fresh bool, err error) {
	err = call(ctx, &df.Writes, func() {
		df.mu.Lock()
		defer df.mu.Unlock()
		for _, a := range df.actions {
			if a = df.now(a); a.device == d.Key && a.Type == kind && a.Open() {
				out = a.seenBy(task)
				return
			}
		}
		for _, a := range df.Past {
			if a.Type == kind && a.Open() {
				out = a.seenBy(task)
				return
			}
		}
		n, now := len(df.actions), time.Now().UTC()
		a := MachineAction{
			MachineAction: handlers.MachineAction{ID: fmt.Sprintf("action-%d", n+1), Type: kind, Status: "Pending", By: "curfew", Mine: true, Created: now, Updated: now},
			Task:          task, Why: why, Full: full, device: d.Key, ends: "Succeeded",
		}
		if n < len(df.Ends) {
			a.ends = df.Ends[n]
		}
		df.actions, out, fresh = append(df.actions, a), a.MachineAction, true
	})
	if err != nil {
		return handlers.MachineAction{}, false, err
	}
	return out, fresh, nil
}
