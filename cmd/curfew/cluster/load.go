package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"curfew/events"
	"curfew/events/journal"
)

const tenant = "7f3c2f52-5a3b-4c0e-9d55-3f1c0a6b9e01"

func device(name string, n int) events.Key {
	return events.Key{Tenant: tenant, Device: fmt.Sprint(name, n)}
}

// A load lets devices fall ill and people make remarks, and remembers what was
// acknowledged to it. What was not it says again, as Graph and people do.
type load struct {
	j    *journal.Journal
	quit chan struct{}
	wg   sync.WaitGroup

	mu   sync.Mutex
	ill  []events.Key
	said []int // by device: remarks so far
}

// chatty is how many devices people make remarks about, one after the other.
const chatty = 8

func (l *load) begin(ctx context.Context, rate int) {
	l.quit, l.said = make(chan struct{}), make([]int, chatty)
	for n := range chatty {
		l.wg.Go(func() {
			for l.pause(ctx, 250*time.Millisecond) {
				next := l.said[n] + 1
				l.insist(ctx, device("chat", n), events.Noted{By: "kim", Text: fmt.Sprint(next)}, fmt.Sprint("remark ", next))
				l.said[n] = next
			}
		})
	}
	l.wg.Go(func() {
		var sick sync.WaitGroup
		for n := 0; l.pause(ctx, time.Second/time.Duration(rate)); n++ {
			k := device("d", n)
			sick.Go(func() { l.fallIll(ctx, k) })
		}
		sick.Wait()
	})
}

// end lets no more fall ill, and waits until all is acknowledged.
func (l *load) end() {
	close(l.quit)
	l.wg.Wait()
}

func (l *load) fallIll(ctx context.Context, k events.Key) {
	if l.insist(ctx, k, events.Noticed{Source: "webhook"}, "ill") {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ill = append(l.ill, k)
	}
}

// insist appends a fact until that is acknowledged.
func (l *load) insist(ctx context.Context, k events.Key, f events.Fact, id string) bool {
	for ctx.Err() == nil {
		if l.j.Append(ctx, k, f, id) == nil {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// pause waits, and reports whether the load goes on.
func (l *load) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-l.quit:
		return false
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// probe lets one device of every partition fall ill, and returns how long it takes
// until all was done that they must have.
func (t *trial) probe(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	byPart := map[int]events.Key{}
	for ; len(byPart) < t.load.j.Partitions(); t.probes++ {
		k := device("p", t.probes)
		if p := t.load.j.PartitionOf(k); byPart[p] == (events.Key{}) {
			byPart[p] = k
			t.load.wg.Go(func() { t.load.fallIll(ctx, k) })
		}
	}
	end := start
	for p, k := range byPart {
		err := until(ctx, func() bool {
			at := t.out.served(k.String())
			if at.After(end) {
				end = at
			}
			return !at.IsZero()
		})
		if err != nil {
			return 0, fmt.Errorf("partition %d is not served any more: %w", p, err)
		}
	}
	return end.Sub(start), nil
}

// longest is how long anything is waited for.
const longest = 4 * time.Minute

func until(ctx context.Context, so func() bool) error {
	return untilAt(ctx, 20*time.Millisecond, so)
}

// untilAt is until; it looks that often.
func untilAt(ctx context.Context, every time.Duration, so func() bool) error {
	for end := time.Now().Add(longest); !so(); {
		if time.Now().After(end) {
			return fmt.Errorf("waited for %v in vain", longest)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
	return nil
}
