// Package neighbours scans the other devices that may have caught it too: those
// of the same user, of the same incident, or of a group. It restores confidence
// after a compromise, and never does more than scan.
//
// What it guarantees:
//
//   - A few devices are asked at a time, within the budget of scans, and at most
//     [Handler.Most] in all. The rest is named.
//   - A device is asked once. Intune's record of it says whether it was; where the
//     record lags, what the task has noted does.
//   - What is not asked is named with the reason.
//
// What may not be assumed: that a device that was asked was scanned. The result
// names those that nothing was heard of. A scan that was done is not proof either;
// each device has a case of its own for that.
package neighbours

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Devices finds devices, each with its ids, name, operating system, agent and last
// check-in, and names what it left out. Devices beside an error that gives up are
// those that were found before there were too many.
type Devices interface {
	DevicesOfUser(ctx context.Context, tenant, user string) (found []events.Device, leftOut []string, err error)
	DevicesOfIncident(ctx context.Context, tenant, incident string) (found []events.Device, leftOut []string, err error)
	DevicesOfGroup(ctx context.Context, tenant, group string) (found []events.Device, leftOut []string, err error) // by name or object id
}

// Intune scans devices.
type Intune interface {
	handlers.Recorder

	// Scan asks for a quick or a full scan. Nil says that Intune took it on (204); an
	// error that is not Unsure says that it did not.
	Scan(ctx context.Context, d events.Device, full bool) error
}

// Handler scans the neighbours of devices.
type Handler struct {
	Devices Devices
	Intune  Intune

	// Slot takes a slot of the budget of scans, once for each id; a wait says how long
	// there is none. Nil: there is no budget.
	Slot func(ctx context.Context, tenant, id string, full bool) (wait time.Duration, err error)

	Most   int           // devices at most; zero: 25
	Each   int           // devices asked in one go; zero: 3
	Every  time.Duration // and how long until the next, but for some jitter; zero: 2 minutes
	First  time.Duration // from the last call until the records are read; zero: a minute
	Limit  time.Duration // how long the devices have; zero: 24 hours
	Settle time.Duration // how long a record may lag; zero: 10 minutes
}

// Do asks the next devices, or reads what became of those that were asked.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	h.Most, h.Each, h.Every = cmp.Or(h.Most, 25), cmp.Or(h.Each, 3), cmp.Or(h.Every, 2*time.Minute)
	fact, err := h.do(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("neighbours: %w", err)
	}
	return fact, nil
}

// A round is one call of the handler.
type round struct {
	Handler
	events.Task
	follow handlers.Follow
	c      events.Case
	full   bool

	near    []*neighbour
	skipped []string
	wait    time.Duration // until a slot is free, or the other side wants to hear of us
	stopped error         // why no more were asked in this round
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	r := &round{Handler: h, Task: t, c: c, full: t.Kind == "full"}
	if t.Kind != "" && t.Kind != "quick" && !r.full {
		return nil, handlers.GiveUp(errors.New(`the kind of a scan is "quick" or "full"`))
	}
	r.follow = handlers.Follow{
		Names: handlers.ScanNames(r.full), Once: true, // whatever was started since the task was asked for counts
		First: cmp.Or(h.First, time.Minute), Limit: cmp.Or(h.Limit, 24*time.Hour), Settle: cmp.Or(h.Settle, 10*time.Minute),
	}
	if t.Unsure && t.Accepted == nil && time.Since(r.follow.From(t)) < r.follow.Settle {
		return nil, r.follow.Unsettled(t, "Intune")
	}
	found, whose, err := r.find(ctx)
	if err != nil {
		return nil, r.asking(err)
	}
	r.choose(found)
	if len(r.near) == 0 {
		return events.Done{Task: t.ID, Receipt: r.result(whose)}, nil
	}
	r.recall()
	if err := r.read(ctx); err != nil {
		return nil, r.asking(err)
	}
	r.ask(ctx)
	return r.outcome(ctx, whose)
}

// asking is the error of a question: the task is as sure after it as it was.
func (r *round) asking(err error) error {
	if r.Unsure || r.Accepted != nil {
		return handlers.Unsure(err)
	}
	return handlers.Sure(err)
}

// read reads Intune's record of every device.
func (r *round) read(ctx context.Context) error {
	for _, n := range r.near {
		d, err := r.Intune.Record(ctx, n.Device)
		switch {
		case err != nil && !handlers.Read(err).GiveUp:
			return fmt.Errorf("read what became of %s: %w", n.label, err)
		case err != nil:
			n.refused = reason(err)
			continue
		}
		if a, ok := r.follow.Find(r.Task, d); ok {
			n.state, n.final = a.State, handlers.Final(a)
		}
	}
	return nil
}

// ask asks the next few devices.
func (r *round) ask(ctx context.Context) {
	asked := 0
	for _, n := range r.near {
		if asked == r.Each {
			return
		}
		if !n.due(r) {
			continue
		}
		if r.Slot != nil {
			r.wait, r.stopped = r.Slot(ctx, r.c.Key.Tenant, r.ID+"/"+n.Device.Device, r.full)
			if r.wait > 0 || r.stopped != nil {
				return
			}
		}
		err := r.Intune.Scan(ctx, n.Device, r.full)
		switch v := handlers.Read(err); {
		case err == nil:
			n.noted, n.unclear = r.age(), false
			asked++
		case v.GiveUp:
			n.refused = reason(err)
		default:
			r.wait, r.stopped = v.After, handlers.Effect(err)
			if handlers.Read(r.stopped).Unsure {
				n.noted, n.unclear = r.age(), true
			}
			return
		}
	}
}

// age is how long ago the task was asked for, as it is noted of a device.
func (r *round) age() time.Duration { return max(time.Since(r.Asked), time.Minute) }

// outcome says how far the task has come.
func (r *round) outcome(ctx context.Context, whose string) (events.Fact, error) {
	has := func(what func(*neighbour) bool) bool { return slices.ContainsFunc(r.near, what) }
	sure := has(func(n *neighbour) bool { return n.state != "" || n.noted > 0 && !n.unclear })
	refused := func(n *neighbour) bool { return n.refused != "" }
	switch over := time.Since(r.follow.From(r.Task)) >= r.follow.Limit; {
	case r.stopped != nil && r.Accepted == nil && (ctx.Err() != nil || !sure):
		return nil, r.stopped
	case !has(func(n *neighbour) bool { return !refused(n) }):
		return nil, handlers.GiveUp(errors.New(r.result(whose)))
	case over || !has((*neighbour).open):
		return events.Done{Task: r.ID, Receipt: r.result(whose)}, nil
	}
	return events.Accepted{Task: r.ID, Receipt: r.progress(), Again: time.Now().UTC().Add(r.gap())}, nil
}

// gap is how long until the next round.
func (r *round) gap() time.Duration {
	now, from := time.Now(), r.follow.From(r.Task)
	waiting := slices.ContainsFunc(r.near, func(n *neighbour) bool { return n.open() && n.state == "" && (n.noted == 0 || n.unclear) })
	gap := min(max(now.Sub(from), r.follow.First), 30*time.Minute)
	if waiting {
		gap = r.Every + r.jitter()
	}
	return min(max(gap, r.wait), max(from.Add(r.follow.Limit).Sub(now), time.Second))
}

// jitter is up to half of the time between rounds, the same for the same round.
func (r *round) jitter() time.Duration {
	h := fnv.New64a()
	h.Write([]byte(r.ID))
	for _, n := range r.near {
		h.Write([]byte(strconv.FormatBool(n.noted > 0)))
	}
	return time.Duration(h.Sum64() % uint64(max(r.Every/2, 1)))
}
