package gate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
)

// pager is where digests go. It folds by their keys.
type pager struct {
	mu    sync.Mutex
	calls int
	got   []gate.Digest
	over  []string
	by    int                                 // the worker whose call it is
	fail  func(call int, d gate.Digest) error // after it was taken, if unsure
}

type maybe struct{ error }

func (maybe) Unsure() bool { return true }

// A hand is one worker's way to the pager.
type hand struct {
	*pager
	worker int
}

func (h hand) Tell(ctx context.Context, d gate.Digest, again bool) (string, error) {
	return h.tell(ctx, h.worker, d, again)
}

func (p *pager) tell(_ context.Context, worker int, d gate.Digest, again bool) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by = worker
	p.calls++
	var err error
	if p.fail != nil {
		err = p.fail(p.calls, d)
	}
	if u := (maybe{}); err != nil && !errors.As(err, &u) {
		return "", err
	}
	for _, x := range p.got {
		if x.Key == d.Key {
			if !again {
				return "", errors.New("the same digest twice, and nobody said so")
			}
			if fmt.Sprint(x) != fmt.Sprint(d) {
				return "", errors.New("the digest is another one than before")
			}
			return "D-" + d.Key, err
		}
	}
	p.got = append(p.got, d)
	return "D-" + d.Key, err
}

func (p *pager) Over(_ context.Context, _ string, s gate.Sent, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = append(p.over, s.Key)
	return nil
}

func (p *pager) digests() []gate.Digest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]gate.Digest{}, p.got...)
}

func noisy(n gate.Noise) func(*gate.Guard) {
	return func(g *gate.Guard) { g.Noise = map[string]gate.Noise{"oncall": n} }
}

// storm gives the world a ladder of a ticket and a page, and has devices turn bad
// over five minutes: of each ten, one is as grave as it gets.
func (w *world) storm(n int) {
	w.rules.Attention = nil
	w.rules.List[0].Ladder = []events.Rung{{Do: []events.Order{{Action: events.Ticket, Destination: "desk"}, {Action: events.Page, Destination: "oncall"}}}}
	for i := 0; i < n; i += 10 {
		w.mu.Lock()
		for k := i; k < i+10; k++ {
			w.threat[key(k)] = "mediumSeverity"
		}
		w.threat[key(i+9)] = "compromised"
		w.mu.Unlock()
		w.turn(i, i+10)
		time.Sleep(5 * time.Minute / time.Duration(n/10))
	}
}

// told says how each device of the storm was told: by itself or in a digest.
func (w *world) told(n int) (single, digest, none int) {
	w.t.Helper()
	for i := range n {
		c, _, err := w.j.Case(w.t.Context(), key(i))
		check(w.t, err)
		how := 0
		for _, e := range c.Effects {
			if e.Action == events.Page && e.Digest {
				how = 2
			} else if e.Action == events.Page {
				how = 1
			}
		}
		switch how {
		case 1:
			single++
		case 2:
			digest++
		default:
			none++
		}
	}
	return single, digest, none
}

// TestStorm: of a hundred and fifty devices that turn bad within five minutes each has
// one ticket; people get twenty pages and those that are urgent, and of all others
// one digest at a time, with counts that add up. When all is well again what was paged
// is resolved, and the digest taken back.
func TestStorm(t *testing.T) {
	const n = 150
	inWorld(t, 20_000, noisy(gate.Noise{Rate: gate.DefaultRate()}), func(w *world) {
		w.storm(n)
		time.Sleep(25 * time.Minute)
		w.expect("tickets", w.count(events.Ticket, false), n)
		pages := w.count(events.Page, false)
		if pages < 20+15 || pages > 22+15 { // some tokens come back while the bucket is used up
			t.Errorf("%d pages, of which 15 urgent", pages)
		}
		got := w.pager.digests()
		sum := 0
		for i, d := range got {
			sum += d.Cases
			if i > 0 && d.At.Sub(got[i-1].At) < 9*time.Minute {
				t.Errorf("a digest %v after another", d.At.Sub(got[i-1].At))
			}
			if len(d.Tenants) != 1 || d.Tenants[0].N != d.Cases || d.Policies[0] != (gate.Count{What: "threat", N: d.Cases}) || d.Levels[0].N != d.Cases || len(d.Gravest) != gate.MostNamed {
				t.Errorf("the counts do not add up: %+v", d)
			}
		}
		w.expect("told in digests", sum, n-pages)
		if len(got) != 2 || w.pager.calls != 2 || len(w.pager.over) != 1 || w.pager.over[0] != got[0].Key {
			t.Errorf("%d digests by %d calls, replaced: %v", len(got), w.pager.calls, w.pager.over)
		}
		single, digest, none := w.told(n)
		if single != pages || digest != n-pages || none != 0 {
			t.Errorf("told by itself %d, in a digest %d, not at all %d", single, digest, none)
		}

		w.mu.Lock()
		clear(w.bad)
		w.mu.Unlock()
		for i := range n {
			w.say(key(i), events.Noticed{})
		}
		time.Sleep(10 * time.Minute)
		w.expect("resolved", w.count(events.Resolve, false), pages)
		w.expect("tickets closed", w.count(events.Close, false), n)
		if len(w.pager.over) != 2 || w.pager.over[1] != got[1].Key {
			t.Errorf("all is well, and taken back are %v", w.pager.over)
		}

		w.mu.Lock()
		w.threat[key(n)] = "mediumSeverity"
		w.mu.Unlock()
		w.turn(n, n+1)
		time.Sleep(time.Minute)
		w.expect("pages when the storm is over", w.count(events.Page, false), pages+1)
	})
}

// TestDigestAfterACrash: a worker dies when the digest is out and before it is
// noted. Another one sends the same again, which folds, and every case has it.
func TestDigestAfterACrash(t *testing.T) {
	for name, err := range map[string]error{
		"the answer is lost":       maybe{errors.New("timeout")},
		"it was refused for now":   errors.New("503"),
		"nobody takes it any more": giveUp{errors.New("401")},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 20_000, noisy(gate.Noise{Rate: gate.Rate{Count: 2, Within: time.Hour, Every: 10 * time.Minute}}), func(w *world) {
				w.pager.fail = func(call int, _ gate.Digest) error {
					if call <= 2 {
						return err
					}
					return nil
				}
				w.storm(20)
				time.Sleep(30 * time.Minute)
				single, digest, none := w.told(20)
				if g := (giveUp{}); errors.As(err, &g) {
					if single != 2 || none == 0 {
						t.Errorf("told by itself %d, in a digest %d, not at all %d", single, digest, none)
					}
					c, _, err := w.j.Case(w.t.Context(), key(15))
					check(w.t, err)
					if len(c.Given) != 1 || len(c.Attention) == 0 {
						t.Errorf("nobody hears that nobody was told: %+v", c)
					}
					return
				}
				if single != 2 || digest != 18 || none != 0 || len(w.pager.digests()) > 3 {
					t.Errorf("told by itself %d, in a digest %d, not at all %d; %d digests", single, digest, none, len(w.pager.digests()))
				}
			})
		})
	}
}

// mortal is a store whose worker dies some writes after it is told so.
type mortal struct {
	gate.Store
	sink gate.Sink
	mu   sync.Mutex
	left int // writes; nothing works any more at 0, and below nobody counts
}

var errDead = errors.New("this worker is dead")

func (m *mortal) alive(writes int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return errDead
	}
	m.left -= min(writes, max(m.left, 0))
	return nil
}

func (m *mortal) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := m.alive(0); err != nil {
		return nil, 0, err
	}
	return m.Store.Get(ctx, key)
}

func (m *mortal) Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if err := m.alive(1); err != nil {
		return 0, err
	}
	return m.Store.Update(ctx, key, value, rev)
}

func (m *mortal) Append(ctx context.Context, k events.Key, f events.Fact, id string) error {
	if err := m.alive(1); err != nil {
		return err
	}
	return m.sink.Append(ctx, k, f, id)
}

// TestDigestOfADeadWorker: the one that sends it dies with the digest out: before
// that is noted, or before every case has it. The other one finds it in the store,
// does the rest, and it is one digest with the same counts.
func TestDigestOfADeadWorker(t *testing.T) {
	for _, writes := range []int{0, 1, 2, 6} {
		var workers []*mortal
		set := func(g *gate.Guard) {
			m := &mortal{Store: g.Store, sink: g.Sink, left: -1}
			workers = append(workers, m)
			g.Store, g.Sink = m, m
			g.Noise = map[string]gate.Noise{"oncall": {Rate: gate.Rate{Count: 2, Within: time.Hour, Every: 10 * time.Minute}}}
		}
		inWorld(t, 20_000, set, func(w *world) {
			w.pager.fail = func(call int, _ gate.Digest) error {
				if call == 1 {
					m := workers[w.pager.by]
					m.mu.Lock()
					defer m.mu.Unlock()
					m.left = writes
				}
				return nil
			}
			w.storm(20)
			time.Sleep(30 * time.Minute)
			single, digest, none := w.told(20)
			if single != 2 || digest != 18 || none != 0 {
				w.t.Errorf("dead after %d writes: told by itself %d, in a digest %d, not at all %d", writes, single, digest, none)
			}
			sum := 0
			for _, d := range w.pager.digests() {
				sum += d.Cases
			}
			if w.expect("told in digests", sum, 18); writes == 0 && w.pager.calls != len(w.pager.got)+1 {
				w.t.Errorf("%d calls for %d digests: nobody took the dead one's over", w.pager.calls, len(w.pager.got))
			}
		})
	}
}

// TestPausedWhileItWaits: somebody has said stop before the digest is due. Nobody is
// told, and when that is lifted they are.
func TestPausedWhileItWaits(t *testing.T) {
	inWorld(t, 20_000, noisy(gate.Noise{Rate: gate.Rate{Count: 2, Within: time.Hour, Every: 10 * time.Minute}}), func(w *world) {
		w.storm(10)
		ps := gate.Pauses{Store: store{w.j.State()}}
		check(w.t, ps.Set(w.t.Context(), gate.Pause{Action: events.Page, By: "kim", Reason: "false alarm", At: time.Now()}))
		before := len(w.pager.digests())
		time.Sleep(30 * time.Minute)
		w.expect("digests while it is paused", len(w.pager.digests()), before)
		_, lifted, err := ps.Lift(w.t.Context(), "", events.Page, "kim", time.Now())
		if !lifted || err != nil {
			t.Fatal(lifted, err)
		}
		time.Sleep(3 * time.Hour)
		if single, digest, none := w.told(10); none != 0 || single+digest != 10 {
			t.Errorf("told by itself %d, in a digest %d, not at all %d", single, digest, none)
		}
	})
}
