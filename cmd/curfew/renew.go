package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events/journal"
)

// How often files with secrets are read again, and vaults, which count what they
// are asked; and how long one that cannot be used is left alone before it is tried
// again.
const (
	renewEvery      = 10 * time.Second
	renewVaultEvery = 10 * time.Minute
	renewRetry      = time.Minute
)

// A readVault reads a secret from a vault.
type readVault func(ctx context.Context, address string) (string, error)

// Renewals see to it that secrets can be exchanged while the worker runs: what is
// made of them is made anew when their files change, or what is in a vault. New
// ones that cannot be used, while they are being written for instance, change
// nothing but that somebody is told. A nil *renewals renews nothing.
type renewals struct {
	keys readVault
	log  *slog.Logger
	tell func(ctx context.Context, what, why string) // for `curfew destinations`; an empty why: all is well. May be nil

	mu  sync.Mutex
	all []*renewal
}

// A renewal is something that is made of secrets.
type renewal struct {
	what    string // "destination desk"
	secrets []*kept
	remake  func(context.Context) error // of the secrets as they are now; an error: it is as it was

	refused map[*kept]string // what could not be used last
	until   time.Time        // it is not tried again before
	ill     string           // what was told of it; guarded by renewals.mu
}

// add has something follow its secrets.
func (r *renewals) add(what string, secrets []*kept, remake func(context.Context) error) {
	if r == nil || len(secrets) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, &renewal{what: what, secrets: secrets, remake: remake})
}

// run follows the secrets until ctx ends. Each thing is followed by itself, so
// that a vault or a sign-in that hangs holds up no other.
func (r *renewals) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, x := range r.all {
		g.Go(func() error { return r.follow(ctx, x) })
	}
	return g.Wait()
}

func (r *renewals) follow(ctx context.Context, x *renewal) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	asked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		ask := time.Since(asked) >= renewVaultEvery
		if ask {
			asked = time.Now()
		}
		r.renew(ctx, x, ask)
	}
}

// renew reads the secrets of a thing again, and makes it anew if they changed.
func (r *renewals) renew(ctx context.Context, x *renewal, ask bool) {
	changed, err := x.read(ctx, r.keys, ask)
	switch {
	case err != nil:
	case len(changed) == 0:
		x.refused = nil
	case maps.Equal(changed, x.refused) && time.Now().Before(x.until):
		return
	default:
		if err = x.take(ctx, changed); err == nil {
			r.log.Info("secrets have changed and are used from now on", "of", x.what)
		}
	}
	if ctx.Err() == nil {
		r.heard(ctx, x, err)
	}
}

// read is what the secrets are where they are kept, of those that changed.
func (x *renewal) read(ctx context.Context, keys readVault, ask bool) (map[*kept]string, error) {
	changed := map[*kept]string{}
	var errs []error
	for _, k := range x.secrets {
		v, err := k.read(ctx, keys, ask)
		errs = append(errs, err)
		if err == nil && v != *k.now.Load() {
			changed[k] = v
		}
	}
	return changed, errors.Join(errs...)
}

// take makes the thing of what has changed, or leaves all as it was.
func (x *renewal) take(ctx context.Context, changed map[*kept]string) error {
	before := map[*kept]*string{}
	for k, v := range changed {
		before[k] = k.now.Swap(&v)
	}
	err := x.remake(ctx)
	if err == nil {
		x.refused = nil
		return nil
	}
	for k, v := range before {
		k.now.Store(v)
	}
	x.refused, x.until = changed, time.Now().Add(renewRetry)
	return err
}

// heard tells of secrets that cannot be used, and when they can again, once.
func (r *renewals) heard(ctx context.Context, x *renewal, err error) {
	why := ""
	if err != nil {
		why = oneLine(err)
	}
	r.mu.Lock()
	was := x.ill
	x.ill = why
	r.mu.Unlock()
	if was == why {
		return
	}
	if why != "" {
		r.log.Warn("a secret cannot be read again or used; the one before is used", "of", x.what, "err", errors.New(why))
	}
	if r.tell != nil {
		r.tell(ctx, x.what, why)
	}
}

// troubles are the things whose new secrets cannot be used, for those who ask how
// the worker is.
func (r *renewals) troubles() (out []unwell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.all {
		if x.ill != "" {
			out = append(out, unwell{"secrets of " + x.what, "the new ones cannot be used, so those before are: " + x.ill})
		}
	}
	return out
}

// A secretTrouble is what is kept of secrets that cannot be used.
type secretTrouble struct {
	What string    `json:"what"`
	Why  string    `json:"why"`
	At   time.Time `json:"at"`
}

const troubleKeys = "secret."

// told keeps troubles where other processes find them, and begins with none.
func (r *renewals) told(ctx context.Context, s *journal.State) {
	old, err := s.Keys(ctx, troubleKeys)
	for _, key := range old {
		err = errors.Join(err, s.Delete(ctx, key))
	}
	if err != nil {
		r.log.Warn("what was noted of secrets cannot be taken back", "err", err)
	}
	r.tell = func(ctx context.Context, what, why string) {
		sum := sha256.Sum256([]byte(what))
		key := troubleKeys + hex.EncodeToString(sum[:8])
		err := error(nil)
		if why == "" {
			err = s.Delete(ctx, key)
		} else if b, e := json.Marshal(secretTrouble{what, why, time.Now().UTC()}); e == nil {
			_, err = s.Put(ctx, key, b)
		}
		if err != nil {
			r.log.Warn("how secrets stand cannot be noted", "of", what, "err", err)
		}
	}
}

// secretTroubles are those that workers have noted, by what they are of.
func secretTroubles(ctx context.Context, s *journal.State) (map[string]string, error) {
	keys, err := s.Keys(ctx, troubleKeys)
	out := map[string]string{}
	for _, key := range keys {
		b, _, getErr := s.Get(ctx, key)
		var t secretTrouble
		if getErr == nil && json.Unmarshal(b, &t) == nil {
			out[t.What] = t.Why
		}
	}
	return out, err
}
