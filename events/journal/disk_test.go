//go:build unix

package journal

import (
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/broker"
)

// The disk takes no more in the middle of everything: what was acknowledged is
// kept, what cannot be kept is refused, nobody spins, and when the disk takes
// writes again all of it goes on and nothing is done twice.
func TestDiskRefusesWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := start(t, t.TempDir())
		var taken atomic.Int64
		x.crash = func(point string) error {
			if point == "case: store" {
				taken.Add(1)
			}
			return nil
		}
		x.run(w)
		defer x.stop()
		const devices = 30
		acknowledged := map[events.Key]bool{}
		notice := func() {
			for i := range devices {
				k := key("d" + number(i))
				w.set(k, "highSeverity")
				if x.Append(t.Context(), k, events.Noticed{}, "") == nil {
					acknowledged[k] = true
				}
			}
		}
		allow := limitFiles(t, 40<<10)
		notice()
		pass(20 * time.Second)
		before := taken.Load()
		pass(time.Minute)
		if err := x.b.Healthy(); err == nil {
			t.Fatal("the disk refused nothing")
		}
		refused := false
		for range 20 {
			refused = refused || x.Append(t.Context(), key("d1"), events.Noted{Text: strings.Repeat("x", 8<<10)}, "") != nil
		}
		if !refused {
			t.Error("facts are acknowledged that are not kept")
		}
		if err := x.Ready(t.Context()); err == nil {
			t.Error("the journal says it is ready")
		}
		if tries := taken.Load() - before; tries > 30*int64(x.parts) {
			t.Errorf("%d tries in a minute", tries)
		}
		allow()
		pass(2 * time.Minute)
		check(t, x.b.Healthy())
		check(t, x.Ready(t.Context()))
		for k := range acknowledged {
			if got := actions(w.effects(k)); got != "mail ticket" {
				t.Errorf("%s: did %q", k, got)
			}
		}
		notice()
		pass(2 * time.Minute)
		if len(acknowledged) != devices {
			t.Errorf("%d of %d devices could be noticed", len(acknowledged), devices)
		}
		for k := range acknowledged {
			if got := actions(w.effects(k)); got != "mail ticket" {
				t.Errorf("%s: did %q in the end", k, got)
			}
		}
		w.once()
	})
}

// limitFiles makes the kernel refuse to let any file of this process grow beyond
// size, until the function it returns is called.
func limitFiles(t *testing.T, size uint64) func() {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	allow := func() { check(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was)) }
	t.Cleanup(allow)
	check(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: was.Max}))
	return allow
}

// The queue has reached the size it may have: the same, without a restart.
func TestQueueIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := must(t, of(broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true, MaxStore: 1 << 20}, logTo(t))))
		x := &worker{Journal: open(t, b, Options{Partitions: 2}), t: t, b: b}
		defer x.stop()
		k := key("d1")
		w := newWorld(t)
		w.set(k, "highSeverity")
		x.notice(k)
		for {
			if err := x.write(t.Context(), "ballast", nil, make([]byte, 50<<10), "to fill it", ""); err != nil {
				if !strings.Contains(err.Error(), "insufficient resources") {
					t.Fatal(err)
				}
				break
			}
		}
		x.run(w)
		if err := x.Append(t.Context(), key("d2"), events.Noticed{}, ""); err == nil {
			t.Error("a fact was acknowledged that was not kept")
		}
		pass(time.Minute)
		if err := x.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "insufficient resources") {
			t.Errorf("got %v", err)
		}
		check(t, x.dead.Purge(t.Context(), jetstream.WithPurgeSubject("dead.ballast")))
		pass(time.Minute)
		check(t, x.Ready(t.Context()))
		if got := actions(w.effects(k)); got != "mail ticket" {
			t.Errorf("did %q", got)
		}
		w.once()
	})
}
