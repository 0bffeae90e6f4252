package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/baseline"
	"curfew/graph/baseline/drift"
)

// gateDrift is what a tenant's case says that drift is told by.
const gateDrift = "drift"

// A driftWatch compares one tenant with its baseline again and again, and tells each
// drift once by the tenant's own case; when it is gone, so is that. It signs in as
// the worker, which can read policies if its app is let to, and never change them.
type driftWatch struct {
	tenant  tenantSpec
	client  *graph.Client
	journal *journal.Journal
	every   time.Duration
	log     *slog.Logger
}

// A toldDrift is the drift that was told last; an empty digest: it is gone.
type toldDrift struct {
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
}

// watchDrift starts a watch over each tenant that has a baseline.
func (w *worker) watchDrift(ctx context.Context, g *errgroup.Group) {
	b := w.conf.Baseline
	for _, t := range b.specs {
		watch := &driftWatch{tenant: t, client: w.clouds.watch[strings.ToLower(t.ID)], journal: w.journal, every: time.Duration(b.Every), log: w.log}
		g.Go(func() error { return watch.run(ctx) })
	}
}

const (
	driftKey   = "baseline.drift."
	driftsTake = 10 * time.Minute
)

// run looks until ctx ends. Many tenants start at one time; they should not go on
// so.
func (w *driftWatch) run(ctx context.Context) error {
	for wait := rand.N(min(w.every/10, 5*time.Minute) + 1); ; wait = w.every - w.every/20 + rand.N(w.every/10+1) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		err := w.once(ctx)
		switch {
		case errors.Is(err, errNotRolledOut):
			w.log.Info("no drift is looked for", "tenant", w.tenant.Name, "err", err)
		case err != nil && ctx.Err() == nil:
			w.log.Warn("whether the tenant has drifted from its baseline is not known", "tenant", w.tenant.Name, "err", err)
		}
	}
}

// once compares, and tells what has changed since it last told.
func (w *driftWatch) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, driftsTake)
	defer cancel()
	g := &ground{journal: w.journal}
	p, err := g.plan(ctx, w.tenant, w.client)
	if err != nil {
		return err
	}
	last, err := w.last(ctx)
	if err != nil {
		return err
	}
	if r, err := g.rolloutOf(ctx, w.tenant.ID); err != nil || r == nil && last.Digest == "" && !rolledOut(p) {
		return errors.Join(err, errNotRolledOut)
	}
	d := drift.Of(p)
	if d.Digest() == last.Digest {
		return nil
	}
	var f events.Fact = events.Eased{Gate: gateDrift, Reason: "the tenant is as its baseline wants it"}
	if !d.None() {
		lines, err := editsOf(ctx, w.client, d)
		if err != nil {
			w.log.Warn("who changed the baseline's policies could not be read", "tenant", w.tenant.Name, "err", err)
		}
		f = events.Tripped{Gate: gateDrift, Reason: clean(d.Text(lines)), Anew: true}
		w.log.Warn("the tenant has drifted from its baseline", "tenant", w.tenant.Name, "objects", len(d.Differences))
	}
	// Told first and noted then: after a crash it is told again, which changes nothing.
	if err := w.journal.Append(ctx, events.TenantKey(w.tenant.ID), f, fmt.Sprintf("drift/%s/%d/%s", w.tenant.ID, last.At.UnixNano(), d.Digest())); err != nil {
		return err
	}
	v, err := json.Marshal(toldDrift{d.Digest(), time.Now().UTC()})
	if err != nil {
		return err
	}
	_, err = w.journal.State().Put(ctx, driftKey+w.tenant.ID, v)
	return err
}

func (w *driftWatch) last(ctx context.Context) (t toldDrift, err error) {
	v, _, err := w.journal.State().Get(ctx, driftKey+w.tenant.ID)
	if errors.Is(err, journal.ErrNoKey) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(v, &t)
	}
	return t, err
}

// rolledOut reports whether anything of Curfew's own is in the tenant: an object
// that there can be several of.
func rolledOut(p *baseline.Plan) bool {
	for _, s := range p.Steps {
		own := s.Object.Kind != baseline.KindConnector && s.Object.Kind != baseline.KindSettings
		if own && s.ID != "" && (s.Action == baseline.Nothing || s.Action == baseline.Update) {
			return true
		}
	}
	return false
}
