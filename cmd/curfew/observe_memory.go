package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/graph"
)

// A remembered is when a tenant was last heard of, which must outlive the worker:
// one that dies again and again would else never be late. Before the first time it
// is since when Curfew counts.
type remembered struct {
	Since   time.Time            `json:"since"`
	Webhook time.Time            `json:"webhook,omitzero"`
	Swept   map[string]time.Time `json:"swept,omitempty"` // by kind; complete ones

	dirty bool
	took  map[string]time.Duration // of the last sweep of this process
	rows  map[string]int
}

// A memory has them of all tenants, by id.
type memory struct {
	log *slog.Logger

	mu sync.Mutex
	of map[string]*remembered
}

func memoryKey(tenant string) string { return "seen." + tenant }

// tenant finds what is remembered of one; m.mu is held.
func (m *memory) tenant(id string) *remembered {
	if m.of[id] == nil {
		m.of[id] = &remembered{Swept: map[string]time.Time{}, took: map[string]time.Duration{}, rows: map[string]int{}}
	}
	return m.of[id]
}

// heard notes when the last notification of a tenant was taken.
func (m *memory) heard(id string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.tenant(id); at.After(r.Webhook) {
		r.Webhook, r.dirty = at, true
	}
}

// swept notes how a sweep ended.
func (m *memory) swept(s graph.Swept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.tenant(s.Tenant)
	r.took[s.Kind], r.rows[s.Kind] = s.Took, s.Rows
	if s.Complete {
		r.Swept[s.Kind], r.dirty = s.Began.Add(s.Took), true
	}
}

// merge takes in what is stored, which another worker may have written.
func (r *remembered) merge(stored remembered) {
	if r.Since.IsZero() || !stored.Since.IsZero() && stored.Since.Before(r.Since) {
		r.Since = stored.Since
	}
	if stored.Webhook.After(r.Webhook) {
		r.Webhook = stored.Webhook
	}
	for kind, at := range stored.Swept {
		if at.After(r.Swept[kind]) {
			r.Swept[kind] = at
		}
	}
}

// remember stores what is new, and takes in what other workers have stored.
func (o *observer) remember(ctx context.Context) error {
	st := state{o.journal.State()}
	var wrong []error
	for _, t := range o.conf.Tenants {
		id := strings.ToLower(t.ID)
		b, _, err := st.Get(ctx, memoryKey(id))
		if err != nil {
			return err
		}
		var stored remembered
		if len(b) > 0 && json.Unmarshal(b, &stored) != nil {
			o.log.Warn("when a tenant was last heard of cannot be read, and is counted anew", "tenant", t.Name)
			stored = remembered{}
		}
		if b = o.memory.exchange(id, stored, time.Now().UTC()); b != nil {
			_, err = st.Put(ctx, memoryKey(id), b)
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// exchange takes in what is stored and returns what is to be, or nil.
func (m *memory) exchange(id string, stored remembered, now time.Time) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.tenant(id)
	r.merge(stored)
	if r.Since.IsZero() {
		r.Since, r.dirty = now, true
	}
	if !r.dirty {
		return nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		m.log.Warn("when a tenant was last heard of is not stored", "err", err)
		return nil
	}
	r.dirty = false
	return b
}

// sweepsOf are the sweeps that a tenant has, and how often.
func sweepsOf(t tenantConfig) map[string]time.Duration {
	all := map[string]time.Duration{
		"devices": cmp.Or(t.Sweep.Devices, 15*time.Minute),
		"alerts":  cmp.Or(t.Sweep.Alerts, 5*time.Minute),
		"entra":   cmp.Or(t.Sweep.Entra, 15*time.Minute),
	}
	if !t.Look.Alerts {
		delete(all, "alerts")
	}
	maps.DeleteFunc(all, func(_ string, every time.Duration) bool { return every < 0 })
	return all
}

// showMemory shows when each tenant was last heard of.
func (o *observer) showMemory() {
	o.memory.mu.Lock()
	defer o.memory.mu.Unlock()
	var heard, swept, took, rows []metrics.Sample
	for i, t := range o.conf.Tenants {
		r := o.memory.of[strings.ToLower(t.ID)]
		if r == nil || r.Since.IsZero() {
			continue // what is stored is not read yet
		}
		if i < len(o.subs) && len(o.subs[i].Resources) > 0 {
			heard = append(heard, metrics.At(orSince(r.Webhook, r.Since), t.Name))
		}
		for kind := range sweepsOf(t) {
			swept = append(swept, metrics.At(orSince(r.Swept[kind], r.Since), t.Name, kind))
			if d, ok := r.took[kind]; ok {
				took = append(took, metrics.Of(d.Seconds(), t.Name, kind))
				rows = append(rows, metrics.Of(float64(r.rows[kind]), t.Name, kind))
			}
		}
	}
	o.metrics.Show(metrics.Webhooked, heard...)
	o.metrics.Show(metrics.Swept, swept...)
	o.metrics.Show(metrics.SweepTook, took...)
	o.metrics.Show(metrics.SweepRows, rows...)
}

// orSince is at, or since if it never was.
func orSince(at, since time.Time) time.Time {
	if at.IsZero() {
		return since
	}
	return at
}

// notes are what /readyz says of tenants although the worker is ready: a restart
// mends none of it, and other tenants are served.
func (o *observer) notes(now time.Time) []unwell {
	var all []unwell
	note := func(tenant, format string, args ...any) {
		all = append(all, unwell{Check: "tenant " + tenant, Reason: fmt.Sprintf(format, args...)})
	}
	o.memory.mu.Lock()
	for _, t := range o.conf.Tenants {
		r := o.memory.of[strings.ToLower(t.ID)]
		if r == nil || r.Since.IsZero() {
			continue
		}
		for _, kind := range []string{"devices", "alerts", "entra"} {
			every, swept := sweepsOf(t)[kind]
			if ago := now.Sub(orSince(r.Swept[kind], r.Since)); swept && ago > max(4*every, time.Hour) {
				note(t.Name, "the last complete sweep of %s was %s ago: `curfew doctor --tenant %s`", kind, span(ago), t.Name)
			}
		}
	}
	o.memory.mu.Unlock()
	for _, s := range o.metrics.Shown(metrics.IdentityEnds) {
		if end := time.UnixMilli(int64(s.Value * 1000)); end.Before(now) {
			note(s.Labels[0], "what it signs in with (%s) has run out on %s: `curfew doctor --tenant %s`", s.Labels[1], end.UTC().Format(time.DateOnly), s.Labels[0])
		}
	}
	for _, s := range o.metrics.Shown(metrics.Tripped) {
		if s.Value > 0 {
			note(s.Labels[0], "the breaker has tripped, and what is destructive waits: `curfew cases --tenant %s`", s.Labels[0])
		}
	}
	for _, s := range o.metrics.Shown(metrics.Overdue) {
		if s.Value > 0 {
			note(s.Labels[0], "%s still although something is due: `curfew journal`", map[bool]string{true: "a case stands", false: fmt.Sprintf("%.0f cases stand", s.Value)}[s.Value == 1])
		}
	}
	return all
}
