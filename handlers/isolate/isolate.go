// Package isolate cuts a device off the network by Defender for Endpoint, and
// lets it back. Defender itself still reaches an isolated device; Intune may not.
//
// What it guarantees:
//
//   - Before it isolates it looks a last time itself. If anything has eased, it
//     returns what it saw, and [events.Step] decides anew.
//   - One isolation is asked for per task. Defender's record names the task, so an
//     unclear end is settled by the record.
//   - What a person or automatic attack disruption isolated already is neither
//     repeated nor taken over: it is not Curfew's to lift.
//   - Letting a device back is tried for a week, whatever fails on the device; and
//     when it fails, the reason says what a person has to do.
//
// What may not be assumed: that an isolated device can be reached. Behind a VPN
// that takes all traffic it loses Defender too (Defender docs: isolate-machine),
// and letting it back then needs a person.
package isolate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Defender is what this handler needs of Defender for Endpoint.
type Defender interface {
	handlers.MachineRecorder

	// Isolate and Unisolate return the action that was taken on, or one that is open
	// already, whoever asked for it. The record shows task and why. An error that is
	// not Unsure says that nothing was taken on.
	Isolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error)
	Unisolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error)
}

// Handler isolates devices and lets them back.
type Handler struct {
	Devices  handlers.Looker
	Defender Defender
	DryRun   bool          // isolate nothing, and say so; what is isolated is let back all the same
	First    time.Duration // from the call until the record is first read; zero: a minute
	Limit    time.Duration // how long a device may take to be isolated; zero: 24 hours
	Patience time.Duration // how long letting it back is tried; zero: a week
	Settle   time.Duration // how long the record may lag; zero: 10 minutes
}

func (h Handler) follow(action string, limit time.Duration) handlers.Follow {
	return handlers.Follow{
		Names: []string{action}, First: cmp.Or(h.First, time.Minute), Limit: limit, Settle: cmp.Or(h.Settle, 10*time.Minute),
	}
}

// Do isolates the device or lets it back, or reads what became of that.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if t.Action == events.Unisolate {
		fact, err := h.release(ctx, c, t)
		return fact, named("release from isolation", err)
	}
	fact, err := h.isolate(ctx, c, t)
	return fact, named("isolate", err)
}

func named(op string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func (h Handler) isolate(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	f := h.follow(handlers.MachineIsolate, cmp.Or(h.Limit, 24*time.Hour))
	if t.Accepted != nil || t.Unsure {
		return f.Machine(ctx, h.Defender, c, t)
	}
	d, seen, err := handlers.LastLook(ctx, h.Devices, c, t)
	if err != nil || seen != nil {
		return seen, err
	}
	all, err := h.Defender.MachineActions(ctx, d, t.ID)
	if err != nil {
		return nil, handlers.Sure(fmt.Errorf("read whether the device is isolated: %w", err))
	}
	switch a := last(all); {
	case a.Type == handlers.MachineIsolate && a.Succeeded() && (a.Mine || ours(c, a)):
		return events.Done{Task: t.ID, Receipt: a.ID}, nil
	case a.Type == handlers.MachineIsolate && a.Succeeded():
		return events.Done{Task: t.ID, Others: true, Receipt: "isolated " + a.Done()}, nil
	case h.DryRun:
		return events.Done{Task: t.ID, Dry: true, Receipt: "dry run: the device would have been isolated now; nothing was done"}, nil
	}
	a, err := h.Defender.Isolate(ctx, d, t.ID, handlers.Summary(c))
	if err != nil {
		return nil, handlers.Effect(err)
	}
	return f.Accepted(t, says(a)), nil
}

// last is the action that says whether the machine is isolated: one that may still
// come to something, or else the one that ended last. The zero one: it never was.
func last(all []handlers.MachineAction) (ended handlers.MachineAction) {
	for _, a := range all {
		switch {
		case a.Type != handlers.MachineIsolate && a.Type != handlers.MachineUnisolate:
		case a.Open():
			return a
		case a.Succeeded() && (ended.Type == "" || a.Updated.After(ended.Updated)):
			ended = a
		}
	}
	return ended
}

// ours reports whether an earlier task of the case isolated the device, and has
// not let it back.
func ours(c events.Case, a handlers.MachineAction) bool {
	return slices.ContainsFunc(c.Effects, func(e events.Effect) bool { return e.Action == events.Isolate && e.Ref == a.ID })
}

func says(a handlers.MachineAction) string {
	return fmt.Sprintf("%s: Defender says %s", a.Type, a.Status)
}
