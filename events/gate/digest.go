package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"curfew/events"
)

// A Teller sends digests.
type Teller interface {
	// Tell sends a digest and returns what its destination calls it. The same digest
	// twice is the same message, where the destination can fold; again says that it
	// may have been sent before. Its errors are those of a handler.
	Tell(ctx context.Context, d Digest, again bool) (receipt string, err error)

	// Over takes a digest back, where it stands open and that makes no noise of its own.
	// Why is for people: another one has replaced it, or no case is open any more of
	// those that it told of.
	Over(ctx context.Context, destination string, s Sent, why string) error
}

// Waiting yields the cases that may wait for a digest. One that cannot be read is
// not among them.
type Waiting interface {
	Waiting(ctx context.Context) iter.Seq2[events.Case, error]
}

// A Digester sends the digests that are due. Any number of workers may have one on
// the same store; each digest is sent by one of them.
//
// What a digest tells of is the pages that the gate holds, as their cases have it.
// It is fixed in the store before it is sent, with its key, and after a crash it is
// the same again. Only then are the pages noted as told, each in its case. When all of
// these cases are closed, the digest is taken back.
type Digester struct {
	Guard  *Guard // whose gates hold what a digest tells of, too
	Cases  Waiting
	Teller Teller
	Log    *slog.Logger
}

// A sending is a digest under way.
type sending struct {
	Digest Digest    `json:"digest"`
	Tasks  []string  `json:"tasks"`
	By     string    `json:"by"`    // which attempt has it
	Until  time.Time `json:"until"` // and for how long, or when it is tried again
	Told   bool      `json:"told,omitempty"`
	Called bool      `json:"called,omitempty"` // it may have been sent before
	Failed string    `json:"failed,omitempty"` // it never will be, and why
	As     string    `json:"as,omitempty"`     // its receipt
}

// Sent is a digest that was told.
type Sent struct {
	Key     string    `json:"key"`
	Receipt string    `json:"receipt,omitempty"`
	Tenant  string    `json:"tenant,omitempty"`
	At      time.Time `json:"at"`
	Cases   int       `json:"cases"`
}

const (
	digestEvery = 5 * time.Second  // how often it is looked whether one is due
	digestTakes = 20 * time.Second // the longest that a call may take
	digestLease = 30 * time.Second // after so long it is another worker's
	mostTold    = 2000             // pages told of in one; the rest comes in the next
)

// Run sends digests until ctx ends. Each destination is on its own, so that one
// that does not answer delays no other.
func (d *Digester) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(d.Guard.Noise)) {
		wg.Go(func() {
			for looked := time.Now(); ctx.Err() == nil; {
				if err := d.turn(ctx, name); err != nil && ctx.Err() == nil {
					d.Log.Warn("a digest waits", "destination", name, "err", err)
				}
				if time.Since(looked) >= wellEvery {
					looked = time.Now()
					if err := d.lift(ctx, name); err != nil && ctx.Err() == nil {
						d.Log.Warn("a digest is not taken back yet", "destination", name, "err", err)
					}
				}
				select {
				case <-ctx.Done():
				case <-time.After(digestEvery):
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// turn sends the digest of a destination, if one is due and nobody is at it.
func (d *Digester) turn(ctx context.Context, name string) error {
	f, _, err := read[flow](ctx, d.Guard.Store, noiseKey(name))
	now := time.Now()
	switch {
	case err != nil:
		return err
	case f.Sending != nil && now.Before(f.Sending.Until):
		return nil
	case f.Sending == nil && (f.Due.IsZero() || now.Before(f.Due)):
		return nil
	}
	s, err := d.claim(ctx, name)
	if err != nil || s == nil {
		return err
	}
	if !s.Told && s.Failed == "" {
		if err := d.tell(ctx, name, s); err != nil {
			return err
		}
	}
	return d.finish(ctx, name, s)
}

// claim makes the digest that is due this attempt's, or one that another attempt
// has left.
func (d *Digester) claim(ctx context.Context, name string) (mine *sending, err error) {
	me, n := rand.Text(), d.Guard.Noise[name]
	err = change(ctx, d.Guard.Store, noiseKey(name), func(f *flow) (bool, error) {
		mine = nil
		now := time.Now().UTC()
		switch {
		case f.Sending != nil && f.Sending.By == me: // the answer to the last try was lost
			mine = f.Sending
			return false, nil
		case f.Sending != nil && now.Before(f.Sending.Until), f.Sending == nil && (f.Due.IsZero() || now.Before(f.Due)):
			return false, nil
		case f.Sending != nil:
			f.Sending.By, f.Sending.Until = me, now.Add(digestLease)
			mine = f.Sending
			return true, nil
		}
		all, err := d.waiting(ctx, name, n, f.Tenants)
		if err != nil {
			return false, err
		}
		if len(all) == 0 {
			f.settle(n.Rate, now)
			return true, nil
		}
		f.Sending = &sending{Digest: compose(name, n.PerTenant, all, now), By: me, Until: now.Add(digestLease)}
		for _, x := range all {
			f.Sending.Tasks = append(f.Sending.Tasks, x.task)
		}
		mine = f.Sending
		return true, nil
	})
	return mine, err
}

// settle ends a round of digests: there is another one if this had as much to tell
// as would have been too much one by one.
func (f *flow) settle(r Rate, now time.Time) {
	if f.Round >= r.Count && r.Count > 0 {
		f.Due = now.Add(r.Every)
	} else {
		f.Due, f.Since = time.Time{}, time.Time{}
	}
	f.Round, f.Tenants = 0, nil
}

// waiting are the pages that a digest is to tell of, the gravest first, but for those
// that another gate holds by now: they find out when they ask again. Where each
// tenant has a digest of its own they are of one, and of none that has had its.
func (d *Digester) waiting(ctx context.Context, name string, n Noise, had []string) ([]untold, error) {
	var all []untold
	_, quiet := quietUntil(n.Quiet, time.Now())
	for c, err := range d.Cases.Waiting(ctx) {
		if err != nil {
			return nil, fmt.Errorf("gate: which pages wait for a digest: %w", err)
		}
		for _, t := range c.Pending {
			waits := t.Held != nil && t.Held.Gate == GateDigest && !t.Out && t.Begun == nil && !t.Unsure && t.Destination == name
			if !waits || n.PerTenant && slices.Contains(had, c.Tenant) || quiet && !n.urgent(c) {
				continue
			}
			h, err := d.Guard.Still(ctx, c, t)
			if err != nil {
				return nil, err
			}
			if h == nil {
				all = append(all, untoldOf(c, t))
			}
		}
	}
	slices.SortStableFunc(all, untold.before)
	if n.PerTenant && len(all) > 0 {
		first := all[0].Tenant
		all = slices.DeleteFunc(all, func(x untold) bool { return x.Tenant != first })
	}
	return all[:min(len(all), mostTold)], nil
}

// tell sends a digest and keeps what came of it. What is known not to have been
// sent is composed anew when it is tried again.
func (d *Digester) tell(ctx context.Context, name string, s *sending) error {
	err := d.mine(ctx, name, s, func(f *flow) { f.Sending.Called = true })
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, digestTakes)
	defer cancel()
	receipt, err := d.Teller.Tell(limited, s.Digest, s.Called)
	if err != nil && ctx.Err() != nil {
		return err // this worker stops; the next one takes it up
	}
	var wait interface{ RetryAfter() time.Duration }
	var g interface{ GiveUp() bool }
	var after time.Duration
	if errors.As(err, &wait) {
		after = wait.RetryAfter()
	}
	now := time.Now().UTC()
	again := func(tries int) time.Time {
		return now.Add(max(after, min(time.Duration(tries*tries)*10*time.Second, 10*time.Minute)))
	}
	switch {
	case err == nil:
		s.Told, s.As = true, receipt
		return d.mine(ctx, name, s, func(f *flow) { f.Sending.Told, f.Sending.As = true, receipt })
	case errors.As(err, &g) && g.GiveUp():
		s.Failed = err.Error()
		return d.mine(ctx, name, s, func(f *flow) { f.Sending.Failed = s.Failed })
	case unsure(err) || limited.Err() != nil:
		return errors.Join(err, d.mine(ctx, name, s, func(f *flow) { f.Tries++; f.Sending.Until = again(f.Tries) }))
	}
	return errors.Join(err, d.mine(ctx, name, s, func(f *flow) { f.Tries++; f.Sending, f.Due = nil, again(f.Tries) }))
}

// finish notes in every case that its page was told, or never will be, and then
// that the digest is done with.
func (d *Digester) finish(ctx context.Context, name string, s *sending) error {
	for _, task := range s.Tasks {
		var fact events.Fact = events.Done{Task: task, Receipt: fmt.Sprintf("%s, with %d others", s.Digest.Key, len(s.Tasks)-1), Digest: s.Digest.Key}
		if s.Failed != "" {
			fact = events.Failed{Task: task, Reason: "the digest that tells of it could not be sent: " + s.Failed}
		}
		parts := strings.SplitN(task, "/", 3)
		if len(parts) != 3 {
			continue // the journal makes no such id
		}
		if err := d.Guard.Sink.Append(ctx, events.Key{Tenant: parts[0], Device: parts[1]}, fact, "digest/"+s.Digest.Key+"/"+parts[2]); err != nil {
			return err
		}
	}
	if s.Told {
		if err := d.keep(ctx, name, s); err != nil {
			return err
		}
	}
	var before *Sent
	err := d.mine(ctx, name, s, func(f *flow) {
		now, n := time.Now().UTC(), d.Guard.Noise[name]
		before = f.Last
		f.Sending, f.Tries = nil, 0
		f.Round += len(s.Tasks)
		if s.Told {
			f.Last = &Sent{Key: s.Digest.Key, Receipt: s.As, At: now, Cases: len(s.Tasks)}
			if n.PerTenant {
				f.Last.Tenant = s.Digest.Tenant
			}
		}
		if n.PerTenant {
			f.Tenants, f.Due = append(f.Tenants, s.Digest.Tenant), now
			return
		}
		f.settle(n.Rate, now)
	})
	if err == nil && s.Told && before != nil && before.Tenant == "" {
		limited, cancel := context.WithTimeout(ctx, digestTakes)
		defer cancel()
		if err := d.Teller.Over(limited, name, *before, overReplaced); err != nil && ctx.Err() == nil {
			d.Log.Warn("a digest that another one has replaced still stands open; a person should end it", "destination", name, "digest", before.Key, "err", err)
		}
	}
	return err
}

// errTaken says that a digest is another worker's by now.
var errTaken = errors.New("gate: another worker has taken the digest over")

// mine changes the record while the digest is this attempt's.
func (d *Digester) mine(ctx context.Context, name string, s *sending, f func(*flow)) error {
	done := false
	return change(ctx, d.Guard.Store, noiseKey(name), func(v *flow) (bool, error) {
		switch {
		case v.Sending != nil && v.Sending.By == s.By:
			f(v)
			done = true
			return true, nil
		case done:
			return false, nil // it was stored, and the answer was lost
		}
		return false, errTaken
	})
}

// Digests is how a destination stands with digests, for those who look.
type Digests struct {
	Since time.Time // digests are sent since; zero: everything is told by itself
	Due   time.Time
	Last  *Sent
}

// DigestsOf reads how a destination stands.
func DigestsOf(ctx context.Context, s Store, destination string) (Digests, error) {
	f, _, err := read[flow](ctx, s, noiseKey(destination))
	return Digests{f.Since, f.Due, f.Last}, err
}
