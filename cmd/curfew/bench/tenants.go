package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

const (
	tenants  = 50
	troubled = 3 // of them
	storm    = 5 * time.Minute / 5000
)

// neighbours measures how long it takes from a device falling ill to its case
// being open, where the sweeps must find it, in 47 tenants of one worker: first
// while all is calm, and then while a tenant is throttled on every request, another
// has revoked its consent, and in a third there is an alert every 60 ms. What the
// others wait then may be no more than a tenth longer.
func neighbours(ctx context.Context, r *Rig) ([]Figure, error) {
	var calm, rough time.Duration
	err := r.worker(ctx, plan{Tenants: tenants, Sweep: r.Size.Sweep, Rules: patient}, func(w *worker) error {
		s := &street{worker: w, size: r.Size}
		s.enrol()
		if _, err := w.start(ctx, time.Minute); err != nil {
			return err
		}
		if err := until(ctx, time.Minute, "every tenant is subscribed to and swept", s.settled); err != nil {
			return err
		}
		return w.attach(ctx, func(b *broker.Broker, _ *journal.Journal) (err error) {
			stop, err := watch(ctx, b, s.see)
			if err != nil {
				return err
			}
			defer stop()
			if calm, err = s.infect(ctx, 0); err != nil {
				return err
			}
			peace := s.trouble(ctx)
			rough, err = s.infect(ctx, 1)
			peace()
			return errors.Join(err, s.suffered())
		})
	})
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d tenants, three in trouble: the others' detection, 95 %%", tenants)
	return []Figure{within(name, rough.Seconds(), "s", calm.Seconds(), 1.1)}, nil
}

// A street is what the tenants live in.
type street struct {
	*worker
	size  Size
	names []func(int) string // of each tenant's devices

	mu    sync.Mutex
	ill   map[events.Key]time.Time // since when, of those whose cases are not open yet
	waits []time.Duration
}

// enrol gives every tenant the devices that will fall ill.
func (s *street) enrol() {
	s.ill = map[events.Key]time.Time{}
	for _, t := range s.tenants {
		s.names = append(s.names, t.AddFleet(2*s.size.Ill))
	}
}

// settled is an error until every tenant was subscribed to and swept once.
func (s *street) settled() error {
	for _, t := range s.tenants {
		if err := swept(t); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return s.subscribed()
}

// infect has devices of the tenants that are in no trouble fall ill at random
// moments, waits until all are found, and returns the delay that 95 % do not
// exceed. Each time takes other devices.
func (s *street) infect(ctx context.Context, round int) (time.Duration, error) {
	s.mu.Lock()
	s.waits = nil
	s.mu.Unlock()
	var g errgroup.Group
	for i, t := range s.tenants[troubled:] {
		for n := range s.size.Ill {
			g.Go(func() error {
				time.Sleep(rand.N(s.size.Watch))
				name := s.names[troubled+i](round*s.size.Ill + n)
				k := events.Key{Tenant: t.ID, Device: t.Device(name).EntraID}
				s.mu.Lock()
				s.ill[k] = time.Now()
				s.mu.Unlock()
				t.Infect(name, graphtest.Medium)
				return ctx.Err()
			})
		}
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	err := until(ctx, time.Minute+5*s.size.Sweep, "all that fell ill are found", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.ill) > 0 {
			return fmt.Errorf("%d of %d are not", len(s.ill), (tenants-troubled)*s.size.Ill)
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return quantile(s.waits, 0.95), err
}

// see takes a record of a case.
func (s *street) see(c events.Case, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, waiting := s.ill[c.Key]
	if !waiting || !c.Open {
		return
	}
	delete(s.ill, c.Key)
	s.waits = append(s.waits, at.Sub(since))
}

// trouble befalls the first three tenants, until peace.
func (s *street) trouble(ctx context.Context) (peace func()) {
	ctx, stop := context.WithCancel(ctx)
	calmed := s.tenants[0].Throttle("", 0, 10*time.Second)
	restored := s.tenants[1].RevokeConsent()
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(storm)
		defer tick.Stop()
		for n := 0; ; n++ {
			s.tenants[2].AddAlert(s.names[2](n%(2*s.size.Ill)), graphtest.Alert{Title: "a storm", Severity: graphtest.High})
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		stop()
		wg.Wait()
		calmed()
		restored()
	}
}

// suffered is an error if there was no trouble after all.
func (s *street) suffered() error {
	for i, kind := range []graphtest.Kind{graphtest.Throttled, graphtest.ConsentRevoked} {
		if !slices.ContainsFunc(s.tenants[i].Requests(), func(q graphtest.Request) bool { return q.Fault == kind }) {
			return fmt.Errorf("%s was to be %s, and no request was", s.tenants[i].Name, kind)
		}
	}
	return nil
}
