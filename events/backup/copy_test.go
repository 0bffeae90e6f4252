package backup

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/journal"
)

// A journal is moved from a worker's own server to a cluster of three and back.
// Everything is there, to the hash; alarms that were set before ring after; nothing
// is done twice; and the chain of evidence goes on through all three.
func TestCopyToAClusterAndBack(t *testing.T) {
	const devices = 12
	w, p := newWorld(), ladder(8*time.Second)
	home := embed(t, t.TempDir())
	j := openJournal(t, home.Conn(), journal.Options{})
	stop := work(t, j, w, p)
	for n := range devices {
		check(t, j.Append(t.Context(), key(n), events.Noticed{Source: "webhook"}, ""))
	}
	w.wait(t, events.Ticket, 1, devices)
	w.wait(t, events.Mail, 1, devices)
	if _, err := j.State().Put(t.Context(), "sweep.mark", []byte("yesterday")); err != nil {
		t.Fatal(err)
	}

	// Not while somebody is at work.
	nc := cluster(t)
	move := Move{Fill: Fill{Replicas: 3}, By: "test", Where: "a cluster", Temp: t.TempDir()}
	if _, err := Copy(t.Context(), home.Conn(), nc, move); !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v", err)
	}
	stop()
	for n := devices; n < 2*devices; n++ { // facts that nobody has taken yet
		check(t, j.Append(t.Context(), key(n), events.Noticed{Source: "webhook"}, ""))
	}
	var before []string
	for n := range 2 * devices {
		before = append(before, prints(t, j, key(n), math.MaxUint64))
	}
	upTo := last(t, home.Conn())
	openJournal(t, nc, journal.Options{Replicas: 3}) // empty: may be filled
	m, err := Copy(t.Context(), home.Conn(), nc, move)
	check(t, err)
	facts, ok := m.find("FACTS")
	if !ok || facts.Messages < 2*devices || !m.Exact {
		t.Errorf("%+v", m)
	}
	if _, err := journal.Open(t.Context(), home.Conn(), journal.Options{}, quiet); err == nil || !strings.Contains(err.Error(), "it was moved (to a cluster)") {
		t.Errorf("the old journal can be opened: %v", err)
	}

	there := openJournal(t, nc, journal.Options{Replicas: 3})
	for n, want := range before {
		if got := prints(t, there, key(n), upTo); got != want {
			t.Errorf("%s is not as it was", key(n))
		}
	}
	if data, _, err := there.State().Get(t.Context(), "sweep.mark"); err != nil || string(data) != "yesterday" {
		t.Errorf("got %q, %v", data, err)
	}
	stop = work(t, there, w, p)
	w.wait(t, events.Reset, 1, 2*devices) // the alarms ring
	w.once(t)
	stop()

	// Back, into a journal that is not empty.
	if _, err := Copy(t.Context(), nc, home.Conn(), Move{Temp: t.TempDir()}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	_, err = Copy(t.Context(), nc, home.Conn(), Move{Fill: Fill{Replace: true}, By: "test", Where: "home", Temp: t.TempDir()})
	check(t, err)
	j = openJournal(t, home.Conn(), journal.Options{})
	stop = work(t, j, w, p)
	for n := range 2 * devices {
		w.heal(key(n))
		check(t, j.Append(t.Context(), key(n), events.Noticed{Source: "webhook"}, ""))
	}
	poll(t, "every case is closed", func() error {
		for n := range 2 * devices {
			if c, _, err := j.Case(t.Context(), key(n)); err != nil || c.State() != "rest" {
				return fmt.Errorf("%s: %s, %w", key(n), c.State(), err)
			}
		}
		return nil
	})
	stop()
	w.once(t)
	for n := range 2 * devices {
		prints(t, j, key(n), math.MaxUint64)
		if w.times(key(n), events.Reset) != 1 || w.times(key(n), events.Ticket) != 1 {
			t.Errorf("%s: %v", key(n), w.done)
		}
	}
}
