// Package actuator stands in front of everything that is done to a device, and
// re-checks what the task says of itself: that the rules here order it, that the
// device is at risk by them, that it is the device that is meant, and, of what is
// destructive, that its user was told, had the grace, and that people approved.
//
// A process that only acts has an own identity at Microsoft, rules and a look of
// its own, and may live apart from the one that watches. Then the journal that
// both share is believed only as far as it cannot do harm: whoever takes the
// watcher over can write any case into it.
//
// What holds:
//
//   - A task that does not agree is held, with the reason, and never called.
//   - With an own look, whatever comes after (the other gates, the handler) gets
//     the device as that look shows it.
//   - With an own look, what is destructive needs an approval that is signed, for
//     the risk that the look shows; one approval is good for one call.
//   - A task that may have been done already, or was accepted, passes: its handler
//     has to find out what became of it, and calls nothing. Only the scans of
//     neighbours go on after they were accepted, and are re-checked each time.
//
// What may not be assumed: that notice and grace were kept by a watcher that
// lies, for only the case says so; that a process that was started anew knows
// which tasks it had called before, if it has no [Memory].
package actuator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"curfew/events"
)

// Gate is the name that [events.Held] has it by.
const Gate = "actuator"

// A Func does one task and returns the fact that came of it.
type Func = func(context.Context, events.Case, events.Task) (events.Fact, error)

// A Looker reads the device of a case and the alerts that the case knows. Its
// error gives up when no device, or more than one, is the one meant.
type Looker interface {
	Look(ctx context.Context, c events.Case) (events.Device, error)
}

// An Actuator re-checks tasks. It is safe for concurrent use.
type Actuator struct {
	Rules events.Policies // its own

	// Looker is its own look, for a process of its own. Nil: this process keeps the
	// cases itself, and their device is believed.
	Looker Looker

	// Signed reports whether an approval is proven; see [Sight]. Nil: none is.
	Signed func(events.Task, events.Approval) bool

	Memory Memory       // nil: what was called is forgotten at the end of the process
	Log    *slog.Logger // nil: silent

	mu   sync.Mutex
	used map[string]time.Time // when destructive tasks were called; nil: not read yet
}

// A Memory keeps when destructive tasks were called, so that no approval is used
// twice. It must not be where those who keep the cases can write.
type Memory interface {
	Load() (map[string]time.Time, error) // none yet: an empty one
	Save(called map[string]time.Time) error
}

// Do reports whether an action is one that is done by the actuator: something is
// done to a device, or taken back, or what Intune asks a permission for that can do
// more.
func Do(a events.Action) bool { return a.OnDevice() || a == events.Restore || a == events.Push }

// Func puts the re-check in front of do.
func (a *Actuator) Func(do Func) Func {
	return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
		if settles := t.Unsure || t.Accepted != nil; settles && (t.Action != events.Neighbours || a.Looker == nil) {
			return do(ctx, c, t)
		}
		s := Sight{Device: c.Device, Own: a.Looker != nil, Signed: a.Signed}
		if s.Own {
			d, err := a.look(ctx, c)
			if why, nobody := nobody(err); nobody {
				return a.held(c, t, []string{why}), nil
			} else if err != nil {
				return nil, sure{fmt.Errorf("actuator: its own look: %w", err)}
			}
			s.Device = d
		} else {
			s.Device.Key = c.Key // a device that was never seen has none of its own
		}
		var err error
		if s.Now = time.Now(); s.Own && t.Action.Destructive() {
			if s.Used, err = a.last(t.ID); err != nil {
				return nil, sure{err}
			}
		}
		if doubts := Doubts(a.Rules, c, t, s); len(doubts) > 0 {
			return a.held(c, t, doubts), nil
		}
		c.Device = s.Device
		return a.call(ctx, c, t, do)
	}
}

// call does the task, and remembers one whose approvals are used up by it. It is
// remembered first: an answer may get lost.
func (a *Actuator) call(ctx context.Context, c events.Case, t events.Task, do Func) (events.Fact, error) {
	if a.Looker == nil || !t.Action.Destructive() {
		return do(ctx, c, t)
	}
	before, err := a.last(t.ID)
	if err == nil {
		err = a.note(t.ID, time.Now())
	}
	if err != nil {
		return nil, sure{err}
	}
	f, err := do(ctx, c, t)
	idle := err != nil && ctx.Err() == nil && !unsure(err)
	switch f.(type) {
	case events.Seen, events.Held:
		idle = true
	}
	if idle { // it was not called
		if err := a.note(t.ID, before); err != nil && a.Log != nil {
			a.Log.Warn("a task that was not called counts as called: it needs new approvals", "task", name(t.ID), "err", err)
		}
	}
	return f, err
}

// look reads the device without believing anything that the case says of it but
// which alerts to ask for. An alert counts if Defender says now that it is about
// this device.
func (a *Actuator) look(ctx context.Context, c events.Case) (events.Device, error) {
	began := time.Now()
	bare := events.Case{Key: c.Key, Device: events.Device{Key: c.Key}}
	for _, alert := range asked(c.Device) {
		bare.Device.Alerts = append(bare.Device.Alerts, events.Alert{ID: alert.ID})
	}
	d, err := a.Looker.Look(ctx, bare)
	if err != nil {
		return events.Device{}, err
	}
	var ours []events.Alert
	for _, alert := range d.Alerts {
		named := alert.DefenderDevice != "" || alert.Verdict != "" || alert.Remediation != ""
		if named && !alert.ReadAt.Before(began.Truncate(time.Millisecond)) {
			ours = append(ours, alert)
		}
	}
	d.Alerts = ours
	return d, nil
}

// mostAlerts is how many alerts are read at one look; see graph.Client.Look.
const mostAlerts = 10

// asked are the alerts of a case that a look asks for: those that stand.
func asked(d events.Device) []events.Alert {
	open := d.OpenAlerts()
	return open[:min(len(open), mostAlerts)]
}

// nobody reports whether an error says that there is no such device, and why.
func nobody(err error) (why string, is bool) {
	var g interface{ GiveUp() bool }
	if !errors.As(err, &g) || !g.GiveUp() {
		return "", false
	}
	return "its own look found no such device: " + err.Error(), true
}

// held keeps the task back: for an hour, and longer the longer it was held, for
// every time is another record of its case.
func (a *Actuator) held(c events.Case, t events.Task, doubts []string) events.Held {
	now := time.Now()
	wait := time.Hour
	if t.Held != nil && t.Held.Gate == Gate {
		wait = min(max(wait, now.Sub(t.Held.Since)/2), 6*time.Hour)
	}
	why := short(strings.Join(doubts, "; "))
	if a.Log != nil {
		a.Log.Warn("a task is not done, because it does not agree with what is known here", "task", name(t.ID), "tenant", name(c.Tenant), "policy", name(t.Policy), "rung", t.Rung, "reason", why)
	}
	return events.Held{Task: t.ID, Gate: Gate, Reason: why, Until: now.UTC().Add(wait).Truncate(time.Second)}
}

// short bounds a reason, which may quote what somebody has made up.
func short(s string) string { return line(s, 500) }

// name bounds a name.
func name(s string) string { return line(s, 160) }

func line(s string, most int) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// sure marks an error that came before anything was called.
type sure struct{ error }

func (e sure) Unwrap() error { return e.error }
func (sure) Unsure() bool    { return false }

func unsure(err error) bool {
	var u interface{ Unsure() bool }
	return errors.As(err, &u) && u.Unsure()
}

// usedFor is how long a call is remembered: longer than any approval counts.
const usedFor = 32 * 24 * time.Hour

// last is when a task was last called.
func (a *Actuator) last(task string) (time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used == nil {
		used := map[string]time.Time{}
		if a.Memory != nil {
			called, err := a.Memory.Load()
			if err != nil {
				return time.Time{}, fmt.Errorf("actuator: what was called before is not known, so nothing is: %w", err)
			}
			maps.Copy(used, called)
		}
		a.used = used
	}
	return a.used[task], nil
}

// note keeps when a task was called; zero: it was not.
func (a *Actuator) note(task string, at time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	used := maps.Clone(a.used)
	maps.DeleteFunc(used, func(_ string, was time.Time) bool { return time.Since(was) > usedFor })
	if used[task] = at; at.IsZero() {
		delete(used, task)
	}
	if a.Memory != nil {
		if err := a.Memory.Save(used); err != nil {
			return fmt.Errorf("actuator: what is called now could not be noted: %w", err)
		}
	}
	a.used = used
	return nil
}
