//go:build unix

package broker_test

import (
	"context"
	"errors"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"curfew/events/broker"
)

// The kernel refuses every write beyond a file size, as it would on a full disk.
// Nothing acknowledged is lost, the broker says what is wrong, and when the disk
// takes writes again everything goes on over the same connection.
func TestDiskRefusesWrites(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, broker.Embedded{Dir: dir})
	js := stream(t, b)
	publish := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, "s.x", make([]byte, 8<<10))
		return err
	}
	acknowledged := uint64(0)
	for range 10 {
		if err := publish(); err != nil {
			t.Fatal(err)
		}
		acknowledged++
	}

	allow := limitFiles(t, 64<<10)
	wait(t, "a write is refused", func() bool {
		err := publish()
		if err == nil {
			acknowledged++
		}
		return err != nil
	})
	wait(t, "the broker says so", func() bool {
		err := b.Healthy()
		return err != nil && strings.Contains(err.Error(), "nothing can be stored")
	})
	allow()
	wait(t, "a write is taken again", func() bool {
		err := publish()
		if err == nil {
			acknowledged++
		}
		return err == nil
	})
	wait(t, "the broker is well", func() bool { return b.Healthy() == nil })
	if n := messages(t, js); n < acknowledged {
		t.Errorf("%d of %d acknowledged messages are there", n, acknowledged)
	}
	other, err := broker.Local(dir, logTo(t))
	if err != nil {
		t.Fatal("others do not find it where it was: ", err)
	}
	stop(t, other)
}

// A broker that waits for its disk can be stopped.
func TestStoppedWhileTheDiskRefuses(t *testing.T) {
	b := embed(t, broker.Embedded{Dir: t.TempDir()})
	js := stream(t, b)
	defer limitFiles(t, 16<<10)()
	wait(t, "the broker is sick", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := js.Publish(ctx, "s.x", make([]byte, 8<<10))
		return err != nil && b.Healthy() != nil
	})
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Log(err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("took %v", took)
	}
}

// limitFiles makes the kernel refuse to let any file of this process grow beyond
// size, until the function it returns is called.
func limitFiles(t *testing.T, size uint64) func() {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	set := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	allow := func() { set(was) }
	t.Cleanup(allow)
	set(syscall.Rlimit{Cur: size, Max: was.Max})
	return allow
}

// wait polls until it is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until ", what)
		}
	}
}
