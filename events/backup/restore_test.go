package backup

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"curfew/events"
	"curfew/events/journal"
)

// save writes a backup into a file, and opens that.
func save(t testing.TB, nc *nats.Conn) *File {
	t.Helper()
	path := t.TempDir() + string(os.PathSeparator) + "backup"
	f, err := os.Create(path)
	check(t, err)
	_, err = Write(t.Context(), nc, f, "test")
	check(t, errors.Join(err, f.Close()))
	b, err := Open(path)
	check(t, err)
	t.Cleanup(func() { check(t, b.Close()) })
	return b
}

// A backup is made while facts pour in and tasks are done, and restored elsewhere.
// Its chains are whole, every fact that was acknowledged before it was begun is
// there, and nothing that was done is done again.
func TestBackupWhileRunning(t *testing.T) {
	const devices = 40
	w, p := newWorld(), ladder(time.Hour)
	home := embed(t, t.TempDir())
	j := openJournal(t, home.Conn(), journal.Options{})
	stop := work(t, j, w, p)
	var acknowledged [devices]atomic.Int64
	var quit atomic.Bool
	var wg sync.WaitGroup
	for from := range 4 {
		wg.Go(func() {
			for i := from; !quit.Load(); i += 4 {
				n := i % devices
				if i < devices {
					check(t, j.Append(t.Context(), key(n), events.Noticed{}, ""))
				}
				check(t, j.Append(t.Context(), key(n), events.Noted{By: "kim", Text: fmt.Sprint(i)}, ""))
				acknowledged[n].Add(1)
			}
		})
	}
	w.wait(t, events.Ticket, 1, devices/2) // in the middle of it
	var before [devices]int64
	for n := range devices {
		before[n] = acknowledged[n].Load()
	}
	b := save(t, home.Conn())
	quit.Store(true)
	wg.Wait()
	stop()

	away := embed(t, t.TempDir())
	told, err := Restore(t.Context(), away.Conn(), b, Fill{}, quiet)
	check(t, err)
	there := openJournal(t, away.Conn(), journal.Options{})
	stop = work(t, there, w, p)
	poll(t, "every case waits for the reset", func() error {
		for n := range devices {
			if c, _, err := there.Case(t.Context(), key(n)); err != nil || c.Rung != 1 || len(c.Pending) > 0 {
				return fmt.Errorf("%s: rung %d, %d pending, %w", key(n), c.Rung, len(c.Pending), err)
			}
		}
		return nil
	})
	stop()
	w.once(t)
	for n := range devices {
		prints(t, there, key(n), math.MaxUint64)
		if w.times(key(n), events.Ticket) != 1 || w.times(key(n), events.Mail) != 1 {
			t.Errorf("%s: %d tickets, %d mails", key(n), w.times(key(n), events.Ticket), w.times(key(n), events.Mail))
		}
		has := int64(0)
		for f, err := range there.Facts(t.Context(), key(n)) {
			check(t, err)
			if _, ok := f.Fact.(events.Noted); ok {
				has++
			}
		}
		if has < before[n] {
			t.Errorf("%s: %d of %d acknowledged facts are there", key(n), has, before[n])
		}
	}
	if facts, _ := b.find("FACTS"); told == 0 || facts.Messages < 100 {
		t.Errorf("%d cases were told, and there are %d facts: that proves little", told, facts.Messages)
	}
}

// The machine burns after a reset was done, a ticket was opened, and another reset
// was just going to be asked for, none of which is in the backup. The one that was
// done is found in the record and not done again, and so is the ticket. Of the other
// nobody can tell, and so a person has to say that it may be.
func TestRestoreOfAnOldBackup(t *testing.T) {
	w, p := newWorld(), ladder(4*time.Second)
	home := embed(t, t.TempDir())
	j := openJournal(t, home.Conn(), journal.Options{})
	w.closed.Store(true) // the desk
	stop := work(t, j, w, p)
	for n := range 2 {
		check(t, j.Append(t.Context(), key(n), events.Noticed{}, ""))
	}
	w.wait(t, events.Mail, 1, 2)
	b := save(t, home.Conn())
	w.closed.Store(false)
	w.wait(t, events.Ticket, 1, 2)
	w.wait(t, events.Reset, 1, 1)
	stop()
	w.forget(key(1), events.Reset) // of this one it was not to be

	away := embed(t, t.TempDir())
	if told, err := Restore(t.Context(), away.Conn(), b, Fill{}, quiet); err != nil || told != 2 {
		t.Fatal(told, err)
	}
	there := openJournal(t, away.Conn(), journal.Options{})
	stop = work(t, there, w, p)
	defer func() { stop() }()
	state := func(n int) events.Case {
		c, _, err := there.Case(t.Context(), key(n))
		check(t, err)
		return c
	}
	poll(t, "the reset that was done is found", func() error {
		if c := state(0); len(c.Acts) == 0 || c.Acts[0].Why != "found" {
			return fmt.Errorf("%+v", c.Acts)
		}
		return nil
	})
	poll(t, "a person is called for the other", func() error {
		if c := state(1); c.State() != "attention" || len(c.Given) != 1 || !strings.Contains(c.Given[0].Why, "a person must look") {
			return fmt.Errorf("%s: %v", c.State(), c.Attention)
		}
		return nil
	})
	if r0, r1 := w.times(key(0), events.Reset), w.times(key(1), events.Reset); r0 != 1 || r1 != 0 {
		t.Errorf("%d and %d resets", r0, r1)
	}
	for n := range 2 {
		if w.times(key(n), events.Ticket) != 1 {
			t.Errorf("%s has %d tickets", key(n), w.times(key(n), events.Ticket))
		}
	}
	check(t, there.Append(t.Context(), key(1), events.Retried{Task: state(1).Given[0].ID, By: "kim"}, ""))
	w.wait(t, events.Reset, 1, 2)
	w.once(t)
}

// What is not whole is not taken, and what is there is not lost by mistake.
func TestWhatIsNotRestored(t *testing.T) {
	home := embed(t, t.TempDir())
	j := openJournal(t, home.Conn(), journal.Options{})
	for n := range 20 {
		check(t, j.Append(t.Context(), key(n), events.Noted{By: "kim", Text: strings.Repeat("so ", 100)}, ""))
	}
	b := save(t, home.Conn())
	whole, err := os.ReadFile(b.f.Name())
	check(t, err)
	path := t.TempDir() + string(os.PathSeparator) + "other"
	refused := func(what string, data []byte) {
		t.Helper()
		check(t, os.WriteFile(path, data, 0o600))
		other, err := Open(path)
		if err == nil {
			_, err = Restore(t.Context(), home.Conn(), other, Fill{Replace: true}, quiet)
			check(t, other.Close())
		}
		if err == nil {
			t.Errorf("%s was restored", what)
		}
	}
	refused("nothing", nil)
	refused("something else", []byte("kind: Config"))
	for _, share := range []int{2, 3, 10, 90} {
		cut := len(whole) - len(whole)*share/100
		refused(fmt.Sprint("a file without its last ", share, " %"), whole[:cut])
		bad := bytes.Clone(whole)
		bad[len(whole)*share/100] ^= 1
		refused(fmt.Sprint("a file with a changed bit at ", share, " %"), bad)
	}
	newer := *b
	newer.Layout = journal.LayoutVersion + 1
	if _, err := Restore(t.Context(), home.Conn(), &newer, Fill{Replace: true}, quiet); err == nil || !strings.Contains(err.Error(), "use the newer Curfew") {
		t.Errorf("got %v", err)
	}
	if _, err := Restore(t.Context(), home.Conn(), b, Fill{}, quiet); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if got := last(t, home.Conn()); got != 20 {
		t.Errorf("the journal was touched: %d facts", got)
	}

	// One that broke off is not worked on before it was done again.
	check(t, journal.Unfinished.Set(t.Context(), home.Conn(), "begun at nine"))
	if _, err := journal.Open(t.Context(), home.Conn(), journal.Options{}, quiet); err == nil || !strings.Contains(err.Error(), "not filled to its end (begun at nine)") {
		t.Errorf("got %v", err)
	}
	if _, err := Restore(t.Context(), home.Conn(), b, Fill{Replace: true}, quiet); err != nil {
		t.Error(err)
	}
	openJournal(t, home.Conn(), journal.Options{})
}
