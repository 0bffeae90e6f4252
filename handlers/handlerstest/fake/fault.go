package fake

import (
	"sync"
	"time"
)

// A Fault is a way in which a server fails.
type Fault struct {
	Status     int           // the answer; zero: none, see Drop and Hang
	RetryAfter string        // sent along as it is
	Done       bool          // the server did what it was asked to all the same
	Drop       bool          // it breaks the connection off instead of answering
	Hang       bool          // it answers nothing until the caller leaves
	Echo       bool          // its answer quotes the whole request, secrets and all
	For        time.Duration // how long the fault lasts; zero: until Heal, or until n requests failed
}

// Faults decide which requests fail. The zero value lets all through; it is safe
// for concurrent use and must not be copied once used.
type Faults struct {
	mu    sync.Mutex
	fault *Fault
	left  int // requests still to fail; negative: all
	until time.Time
}

// Fail makes the next n requests fail, or all of them from now on if n is
// negative. It replaces what failed before.
func (f *Faults) Fail(n int, how Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.left, f.until = &how, n, time.Time{}
	if how.For > 0 {
		f.until = time.Now().Add(how.For)
	}
}

// Heal ends all failing.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = nil
}

// Next is how the request at hand fails, or nil.
func (f *Faults) Next() *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil || f.left == 0 || !f.until.IsZero() && !time.Now().Before(f.until) {
		return nil
	}
	if f.left > 0 {
		f.left--
	}
	return f.fault
}
