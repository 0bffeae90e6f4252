package ticket

import (
	"bytes"
	"context"
	"time"
)

// What one round of nudges may be: more are left to the next reading of all.
const (
	maxNudges   = 16 // waiting, of a desk
	maxNudged   = 50 // tickets that are read for it
	maxHint     = 64 << 10
	gatherWhile = 2 * time.Second
)

// Nudge says that something may have changed at a desk, such as what its webhook
// sends. The tickets whose refs are in the hint are read within seconds; nothing
// else of it is believed. It never waits: a nudge too many is dropped, since every
// ticket is read in its turn anyway.
func (a *Answers) Nudge(destination string, hint []byte) {
	select {
	case a.nudged(destination) <- bytes.Clone(hint[:min(len(hint), maxHint)]):
	default:
	}
}

// nudged are the nudges of a desk that wait.
func (a *Answers) nudged(destination string) chan []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.nudges == nil {
		a.nudges = map[string]chan []byte{}
	}
	if a.nudges[destination] == nil {
		a.nudges[destination] = make(chan []byte, maxNudges)
	}
	return a.nudges[destination]
}

// heed reads what the desk is nudged about until ctx ends. Nudges come in swarms,
// so it gathers them before it looks which tickets they mean.
func (r *reader) heed(ctx context.Context) {
	nudges := r.nudged(r.desk)
	for {
		var hints [][]byte
		select {
		case <-ctx.Done():
			return
		case hint := <-nudges:
			hints = append(hints, hint)
		}
		sleep(ctx, gatherWhile)
		for more := true; more; {
			select {
			case hint := <-nudges:
				hints = append(hints, hint)
			default:
				more = false
			}
		}
		r.round(ctx, bytes.Join(hints, []byte{'\n'}))
	}
}

// round reads the tickets that a hint is about.
func (r *reader) round(ctx context.Context, hint []byte) {
	read := 0
	for _, x := range r.tickets(ctx) {
		if ctx.Err() != nil || read == maxNudged {
			return
		}
		if bytes.Contains(hint, []byte(refIn(x.e.Ref))) {
			r.read(ctx, x)
			read++
		}
	}
}
