package journal

import (
	"sync"

	"curfew/events"
)

// A bell tells who waits for a case in this process that it has changed. It only
// saves them from asking so often: a case may be changed by another process.
type bell struct {
	mu      sync.Mutex
	waiting map[events.Key][]chan struct{}
}

// listen returns a channel that gets a token when the case changes, until stop.
func (b *bell) listen(k events.Key) (rang <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[events.Key][]chan struct{}{}
	}
	b.waiting[k] = append(b.waiting[k], ch)
	return ch, func() { b.leave(k, ch) }
}

func (b *bell) leave(k events.Key, ch chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rest []chan struct{}
	for _, other := range b.waiting[k] {
		if other != ch {
			rest = append(rest, other)
		}
	}
	if b.waiting[k] = rest; rest == nil {
		delete(b.waiting, k)
	}
}

func (b *bell) ring(k events.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.waiting[k] {
		select {
		case ch <- struct{}{}:
		default: // it has one already
		}
	}
}
