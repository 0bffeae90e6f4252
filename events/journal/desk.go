package journal

import (
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// A desk decides which of the delivered tasks are worked on: so many at once, at
// most half of them of one tenant, and the tenants in turn. A few more of each
// tenant wait on its shelf.
type desk struct {
	slots int // tasks at once
	share int // of them of one tenant
	depth int // tasks on one shelf
	work  func(jetstream.Msg)

	mu      sync.Mutex
	closed  bool
	busy    int
	lent    int // places of tasks that do not end
	running map[string]int
	shelf   map[string][]jetstream.Msg
	order   []string // the tenants with something on their shelf, who is next first
	wg      sync.WaitGroup
}

func newDesk(slots int, work func(jetstream.Msg)) *desk {
	return &desk{
		slots: slots, share: max(1, slots/2), depth: max(4, 4*slots), work: work,
		running: map[string]int{}, shelf: map[string][]jetstream.Msg{},
	}
}

// offer puts a task on its tenant's shelf, and reports whether there was room.
func (d *desk) offer(tenant string, m jetstream.Msg) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.shelf[tenant]) >= d.depth {
		return false
	}
	if len(d.shelf[tenant]) == 0 {
		d.order = append(d.order, tenant)
	}
	d.shelf[tenant] = append(d.shelf[tenant], m)
	d.fill()
	return true
}

// fill starts work on whatever may be started. The lock is held.
func (d *desk) fill() {
	for i := 0; d.busy < d.slots && i < len(d.order); {
		tenant := d.order[i]
		if d.running[tenant] >= d.share {
			i++
			continue
		}
		m := d.shelf[tenant][0]
		d.order = slices.Delete(d.order, i, i+1)
		if d.shelf[tenant] = d.shelf[tenant][1:]; len(d.shelf[tenant]) > 0 {
			d.order = append(d.order, tenant)
		} else {
			delete(d.shelf, tenant)
		}
		d.busy++
		d.running[tenant]++
		d.wg.Go(func() {
			d.work(m)
			d.done(tenant)
		})
	}
}

func (d *desk) done(tenant string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	if d.running[tenant]--; d.running[tenant] == 0 {
		delete(d.running, tenant)
	}
	if !d.closed {
		d.fill()
	}
}

// lend gives the place of a task that is worked on to another, until back is called
// and there is one more at work than places. No more are lent than there are.
func (d *desk) lend(tenant string) (back func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lent >= d.slots {
		return func() {}
	}
	d.lent++
	d.busy--
	d.running[tenant]--
	if !d.closed {
		d.fill()
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lent--
		d.busy++
		d.running[tenant]++
	}
}

// shelved are the tasks that wait.
func (d *desk) shelved() []jetstream.Msg {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []jetstream.Msg
	for _, msgs := range d.shelf {
		all = append(all, msgs...)
	}
	return all
}

// close starts no more work, and returns what was not begun.
func (d *desk) close() []jetstream.Msg {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	rest := d.shelved()
	d.mu.Lock()
	d.shelf, d.order = map[string][]jetstream.Msg{}, nil
	d.mu.Unlock()
	return rest
}

// wait waits until nothing is worked on.
func (d *desk) wait() { d.wg.Wait() }
