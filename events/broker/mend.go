package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// How the disk is waited for.
const (
	checkup   = time.Minute // how often the server is looked at though it has not complained
	firstWait = time.Second // between two tries to write to a disk that refused
	longWait  = 10 * time.Second
	probeSize = 256 << 10 // bytes that must fit before the server is started anew
)

// watch starts the server anew after its disk had refused a write. The server
// itself never would: a stream that failed to write stays closed to writers, and
// a server that ran out of space leaves JetStream disabled (nats-server 2.15,
// stream.setWriteErr and Server.handleOutOfSpace).
func (e *embedded) watch(ctx context.Context) {
	tick := time.NewTicker(checkup)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-e.alarm:
			// The complaint is logged before it takes effect.
			if !pause(ctx, 100*time.Millisecond) {
				return
			}
		}
		if why := e.sick(); why != nil {
			e.mend(ctx, why)
		}
	}
}

// sick says what keeps the server from storing anything, or nil.
func (e *embedded) sick() error {
	e.mu.Lock()
	srv := e.srv
	e.mu.Unlock()
	if srv == nil {
		return errors.New("the embedded server is not running")
	}
	if h := srv.Healthz(&server.HealthzOptions{}); h.Error != "" {
		return errors.New(h.Error)
	}
	return nil
}

// healthy is sick for others, with what mend has found.
func (e *embedded) healthy() error {
	e.mu.Lock()
	refuse := e.refuse
	e.mu.Unlock()
	if refuse == nil {
		refuse = e.sick()
	}
	if refuse == nil {
		return nil
	}
	return fmt.Errorf("broker: nothing can be stored: %w", refuse)
}

// mend waits until the disk takes writes, and starts the server anew.
func (e *embedded) mend(ctx context.Context, why error) {
	e.log.Error("nothing can be stored; what was acknowledged is safe, and new facts are refused until the disk takes writes again", "dir", e.o.Dir, "err", why)
	defer e.mark(nil)
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		e.mark(why)
		if why = e.probe(); why == nil {
			e.halt()
			if why = e.start(ctx); why == nil {
				e.log.Info("the embedded server stores again", "dir", e.o.Dir)
				return
			}
		}
		e.log.Warn("the disk still refuses writes; make room or make it writable", "dir", e.o.Dir, "err", why, "again", wait)
		if !pause(ctx, wait) {
			return
		}
	}
}

func (e *embedded) mark(refuse error) {
	e.mu.Lock()
	e.refuse = refuse
	e.mu.Unlock()
}

// pause waits, and reports whether the time has passed without ctx ending.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// probe writes to the data directory as the server would.
func (e *embedded) probe() error {
	f, err := os.CreateTemp(e.o.Dir, ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
