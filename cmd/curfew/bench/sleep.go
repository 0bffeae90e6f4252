package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// sleeping measures a worker with many open cases that wait for the next day: its
// start, beside that of the bare queue on the same data, and its memory. Then
// many of them are due in one and the same second.
//
// Handled is an alarm when its case has taken it up and asked for a look. The looks
// themselves go on for as long as Intune's limits make them: in one tenant some
// minutes. The limit of the alarms are the writes that each takes, as fast as the
// bare queue makes them: it becomes a fact, and the case, the task to look and the
// next alarm are stored.
func sleeping(ctx context.Context, r *Rig) ([]Figure, error) {
	const writes = 4
	var figures []Figure
	n, err := r.fit(ctx, r.Size.Cases, 1)
	if err != nil {
		return nil, err
	}
	due, err := r.fit(ctx, min(r.Size.Due, n), writes)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(r.dir, "worker-")
	if err != nil {
		return nil, err
	}
	err = r.worker(ctx, plan{Tenants: 1, Sweep: 24 * time.Hour, Rules: patient, dir: dir}, func(w *worker) error {
		data := filepath.Join(dir, "data")
		devices := enrol(w.tenants[0], n)
		if err := fill(ctx, data, devices); err != nil {
			return err
		}
		bare, err := bareStart(ctx, data)
		if err != nil {
			return err
		}
		took, err := w.start(ctx, 2*time.Minute)
		if err != nil {
			return err
		}
		time.Sleep(r.Size.Settle)
		l, err := w.takes()
		if err != nil {
			return err
		}
		of := fmt.Sprintf("%d open cases sleeping: ", n)
		figures = append(figures,
			below(of+"start to ready", took.Seconds(), "s", bare.Seconds(), 10),
			below(of+"memory", l.resident, "MB", 0, 250))
		perSecond, err := r.measure(ctx, syncPublish)
		if err != nil {
			return err
		}
		lead := 2*time.Second + time.Duration(float64(2*writes*due)/perSecond*float64(time.Second))
		raw, err := r.beside(ctx, syncPublish, func() error {
			return w.attach(ctx, func(b *broker.Broker, j *journal.Journal) (err error) {
				took, err = ring(ctx, b, j, devices[:due], lead)
				return err
			})
		})
		if err == nil {
			figures = append(figures, below(fmt.Sprintf("%d alarms due in one second, all handled", due), took.Seconds(), "s", float64(writes*due)/raw, 30))
		}
		return err
	})
	return figures, err
}

// enrol makes so many devices in a tenant.
func enrol(t *graphtest.Tenant, n int) []graphtest.Device {
	name := t.AddFleet(n)
	all := make([]graphtest.Device, n)
	for i := range all {
		all[i] = t.Device(name(i))
	}
	return all
}

func keyOf(d graphtest.Device) events.Key { return events.Key{Tenant: tenantID, Device: d.EntraID} }

// fill makes a data directory with an open case for each device: it was seen at
// risk, and nothing is to be done about it before the next day.
func fill(ctx context.Context, dir string, devices []graphtest.Device) error {
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, log)
	if err != nil {
		return err
	}
	err = func() error {
		j, err := journal.Open(ctx, b.Conn(), journal.Options{}, log)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(devices, 10_000) {
			var list []journal.Entry
			for _, d := range some {
				list = append(list, journal.Entry{Key: keyOf(d), Fact: events.Seen{Device: sick(d)}, ID: "fill"})
			}
			err := j.AppendAll(ctx, list)
			for tries := 1; err != nil && tries < 5 && ctx.Err() == nil; tries++ { // the disk was busy for others; what is there already is not doubled
				err = j.AppendAll(ctx, list)
			}
			if err != nil {
				return err
			}
		}
		_, err = keepAll(ctx, b, j, len(devices), sleepy)
		return err
	}()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, b.Stop(stop))
}

// sleepy are the policies of patient.
var sleepy = events.Policies{
	List:   []events.Policy{{Name: "threat", When: medium{}, Ladder: []events.Rung{{After: 24 * time.Hour, Do: []events.Order{{Action: events.Sync}}}}}},
	Relook: 30 * 24 * time.Hour,
}

type medium struct{}

// Holds reports whether a device is under a threat of medium severity or above.
func (medium) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Medium, nil }

// sick is a device at risk, with what a look finds out about one.
func sick(d graphtest.Device) events.Device {
	now := time.Now().UTC()
	return events.Device{
		Key: keyOf(d), IntuneID: d.ID, Name: d.Name, Serial: d.Serial, OS: d.OS, OSVersion: d.OSVersion, Owner: d.Owner,
		User: d.User, UserID: d.ObjectID, UserName: "The user of " + d.Name, UserMail: d.User, Language: "en",
		Compliance: "compliant", Threat: "mediumSeverity", Management: "managed", Agent: d.Agent, Registration: "registered",
		LastSync: d.LastSync, SeenAt: now,
	}
}

// bareStart is how long the queue alone takes to start on a data directory.
func bareStart(ctx context.Context, dir string) (time.Duration, error) {
	start := time.Now()
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, slog.New(slog.DiscardHandler))
	took := time.Since(start)
	if err != nil {
		return took, err
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return took, b.Stop(stop)
}

// ring snoozes devices until the same second, which is far enough away for that,
// and returns how long after it all of them were taken up again.
func ring(ctx context.Context, b *broker.Broker, j *journal.Journal, devices []graphtest.Device, lead time.Duration) (time.Duration, error) {
	n := len(devices)
	at := time.Now().Add(lead).UTC().Truncate(time.Second)
	var asleep, awake counter
	held := map[events.Key]bool{}
	stop, err := watch(ctx, b, func(c events.Case, _ time.Time) {
		switch is := c.Hold != nil; {
		case is && !held[c.Key]:
			asleep.take()
		case !is && held[c.Key]:
			awake.take()
		}
		held[c.Key] = c.Hold != nil
	})
	if err != nil {
		return 0, err
	}
	defer stop()
	list := make([]journal.Entry, n)
	for i, d := range devices {
		list[i] = journal.Entry{Key: keyOf(d), Fact: events.Snoozed{By: "bench", Until: at, Reason: "all at once"}}
	}
	if err := j.AppendAll(ctx, list); err != nil {
		return 0, err
	}
	if err := until(ctx, time.Until(at), "all are snoozed before their time has come", asleep.reach(n)); err != nil {
		return 0, err
	}
	err = until(ctx, 2*time.Minute, "all alarms are handled", awake.reach(n))
	return time.Since(at), err
}
