package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"curfew/events"
)

// A Guard asks the gates. It is safe for concurrent use; any number of workers
// may have one on the same store.
type Guard struct {
	Store Store
	Cases Cases
	Fleet Fleet
	Sink  Sink

	Protected Protected
	Limits    map[string]Limit // by budget; nil: DefaultLimits
	Breaker   Breaker
	Windows   []Window         // of maintenance
	Noise     map[string]Noise // by destination; one that is not there is told everything at once
	Edits     Edits            // who says what was changed before a breaker tripped; nil: nobody
	Preflight Preflight
	Verify    func(events.Task, events.Approval) bool // whether an approval counts; nil: every one does
	Log       *slog.Logger                            // nil: silent

	mu      sync.Mutex
	tenants map[string]*tally
}

// A tally is what a guard remembers of a tenant, to count less often.
type tally struct {
	turn    chan struct{} // holds one while somebody is at it
	counted time.Time
	doubt   string
	stirred bool // a task of a case has come by since it was last counted
}

// stale is how old a count may be. The breaker itself is read every time.
const stale = 10 * time.Second

// again is when a task asks again that a gate holds for nobody knows how long:
// soon at first, and later the longer it was held, for every time is another
// record of its case. [events.Released] makes it ask at once.
func again(t events.Task, gate string, now time.Time) time.Time {
	wait := 10 * time.Minute
	if t.Held != nil && t.Held.Gate == gate {
		wait = min(max(wait, now.Sub(t.Held.Since)/2), 6*time.Hour)
	}
	return now.Add(wait)
}

// Admit asks all gates about a task whose attempt begins, and takes its slot of a
// budget. A nil Held lets it through. Its error shuts the gate: it says that one
// could not be asked, or, by its method GiveUp, that the task must never be done.
func (g *Guard) Admit(ctx context.Context, c events.Case, t events.Task) (*events.Held, error) {
	if h, err := g.stands(ctx, c, t, true); h != nil || err != nil {
		return h, err
	}
	if h, err := g.fly(ctx, c, t); h != nil || err != nil {
		return h, err
	}
	if h := g.approved(t); h != nil {
		return h, nil
	}
	if BudgetOf(t) == "" {
		return g.hush(ctx, c, t)
	}
	return g.spend(ctx, t, c.Tenant)
}

// Still asks again right before the call, what may have changed since: pause,
// protection and breaker. It costs one read of the store, or two; before what is
// destructive most servers of a cluster must agree that they are so.
func (g *Guard) Still(ctx context.Context, c events.Case, t events.Task) (*events.Held, error) {
	return g.stands(ctx, c, t, false)
}

// Last is [Guard.Still] for those who have nothing but the device, as it was just
// now read. What stops it is an error that [Guard.Func] makes a Held of.
func (g *Guard) Last(ctx context.Context, a events.Action, d events.Device) error {
	h, err := g.Still(ctx, events.Case{Key: d.Key, Device: d}, events.Task{Order: events.Order{Action: a}})
	if err == nil && h != nil {
		return &Stop{*h}
	}
	return err
}

// A Stop is a gate's word in the middle of a task, before its call.
type Stop struct{ Held events.Held }

func (s *Stop) Error() string { return "held by " + s.Held.Gate + ": " + s.Held.Reason }

// stands asks the gates that take nothing. With count, the breaker is brought up
// to date first.
func (g *Guard) stands(ctx context.Context, c events.Case, t events.Task, count bool) (*events.Held, error) {
	if !t.Action.Effect() {
		return nil, nil
	}
	if err := g.whole(); err != nil {
		return nil, err
	}
	now := time.Now()
	if t.Action.Grave() {
		if why := g.Protected.Why(c, t); why != "" {
			return held(t, GateProtected, why, now.Add(24*time.Hour)), nil
		}
	}
	ps, rev, err := read[pauses](ctx, g.Store, pausesKey)
	if err != nil {
		return nil, err
	}
	surely := !count && t.Action.Grave() // this is the last word before the call
	if surely {
		if err := g.confirm(ctx, pausesKey, rev); err != nil {
			return nil, err
		}
	}
	if p, ok := ps.covering(c.Tenant, t.Action); ok {
		return held(t, GatePause, p.Why(), again(t, GatePause, now)), nil
	}
	if h := g.maintained(c, t, now); h != nil {
		return h, nil
	}
	if !t.Action.Grave() && t.Action != events.Page || c.Key == events.TenantKey(c.Tenant) {
		return nil, nil
	}
	var tr trip
	var doubt string
	if count {
		tr, doubt, err = g.breaker(ctx, c.Tenant)
	} else {
		tr, rev, err = read[trip](ctx, g.Store, tripKey(c.Tenant))
		if err == nil && surely {
			err = g.confirm(ctx, tripKey(c.Tenant), rev)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case tr.Tripped:
		return held(t, GateBreaker, tr.Reason, again(t, GateBreaker, now)), nil
	case doubt != "" && t.Action.Grave():
		return held(t, GateBreaker, doubt, again(t, GateBreaker, now)), nil
	}
	return nil, nil
}

func (g *Guard) confirm(ctx context.Context, key string, rev uint64) error {
	if err := g.Store.Confirm(ctx, key, rev); err != nil {
		return fmt.Errorf("gate: whether %s is still as it was read: %w", key, err)
	}
	return nil
}

func (g *Guard) whole() error {
	if g.Store == nil || g.Cases == nil || g.Fleet == nil || g.Sink == nil {
		return errors.New("gate: a guard needs a store, cases, a fleet and a sink")
	}
	return nil
}

func held(t events.Task, gate, reason string, until time.Time) *events.Held {
	return &events.Held{Task: t.ID, Gate: gate, Reason: reason, Until: until.UTC().Truncate(time.Second).Add(time.Second)}
}

// spell writes a length of time without the parts that are nothing.
func spell(d time.Duration) string {
	s := d.String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, tail) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// releasedBy is who let the task through this gate, or "".
func releasedBy(t events.Task, gate string) string {
	by, ok := strings.CutPrefix(t.Released, gate+" by ")
	if !ok {
		return ""
	}
	return by
}

// tally finds what is remembered of a tenant; g.mu is held.
func (g *Guard) tally(tenant string) *tally {
	if g.tenants == nil {
		g.tenants = map[string]*tally{}
	}
	if g.tenants[tenant] == nil {
		g.tenants[tenant] = &tally{turn: make(chan struct{}, 1)}
	}
	return g.tenants[tenant]
}

// enter lets one at a time count a tenant.
func (g *Guard) enter(ctx context.Context, tenant string) (leave func(), err error) {
	g.mu.Lock()
	turn := g.tally(tenant).turn
	g.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// counted is what the last count said, if it is not stale.
func (g *Guard) counted(tenant string) (doubt string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tally(tenant)
	return t.doubt, !t.counted.IsZero() && time.Since(t.counted) < stale
}

func (g *Guard) note(tenant string, at time.Time, doubt string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tally(tenant)
	t.counted, t.doubt = at, doubt
}

// stir notes that something happens in a tenant; unstir returns where something
// has since it was last counted, but for those that were counted just now.
func (g *Guard) stir(tenant string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tally(tenant).stirred = true
}

func (g *Guard) unstir() (tenants []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for tenant, t := range g.tenants {
		if t.stirred && time.Since(t.counted) >= stale {
			tenants, t.stirred = append(tenants, tenant), false
		}
	}
	return tenants
}
