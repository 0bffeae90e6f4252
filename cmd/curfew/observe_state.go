package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/cmd/curfew/metrics"
	"curfew/graph"
)

// inTime does something that may take so long.
func inTime(ctx context.Context, within time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return do(ctx)
}

// gates asks how budgets, breakers and pauses stand.
func (o *observer) gates(ctx context.Context) error {
	var used, limit, tripped []metrics.Sample
	for _, t := range o.conf.Tenants {
		st, err := o.guard.Standing(ctx, strings.ToLower(t.ID))
		if err != nil {
			return err
		}
		is := 0.0
		if st.Tripped {
			is = 1
		}
		tripped = append(tripped, metrics.Of(is, t.Name))
		for budget, s := range st.Budgets {
			used = append(used, metrics.Of(float64(s.Used), t.Name, budget))
			limit = append(limit, metrics.Of(float64(s.Limit), t.Name, budget))
		}
	}
	list, err := o.pauses().List(ctx)
	if err != nil {
		return err
	}
	o.metrics.Show(metrics.BudgetUsed, used...)
	o.metrics.Show(metrics.BudgetLimit, limit...)
	o.metrics.Show(metrics.Tripped, tripped...)
	o.metrics.Show(metrics.Pauses, metrics.Of(float64(len(list))))
	return nil
}

// subscriptions asks how the subscriptions stand.
func (o *observer) subscriptions(ctx context.Context) error {
	var ends, states []metrics.Sample
	for _, s := range o.subs {
		list, err := s.List(ctx)
		if err != nil {
			return err
		}
		for _, st := range list {
			name := o.tenant(st.Tenant)
			ends = append(ends, metrics.At(st.Expires, name, st.Resource))
			for _, state := range []string{"live", "pending", "failing", "refused", "expired"} {
				is := 0.0
				if state == st.State {
					is = 1
				}
				states = append(states, metrics.Of(is, name, st.Resource, state))
			}
		}
	}
	o.metrics.Show(metrics.SubEnds, ends...)
	o.metrics.Show(metrics.SubState, states...)
	return nil
}

// credentials reads when identities and certificates run out.
func (o *observer) credentials(context.Context) error {
	var all []metrics.Sample
	add := func(tenant, identity string, a authConfig) {
		if end, ok := a.ends(); ok {
			all = append(all, metrics.At(end, tenant, identity))
		}
	}
	for _, t := range o.conf.Tenants {
		if o.conf.Role.watches() || t.Actuator == nil {
			add(t.Name, "auth", t.Auth)
		}
		if t.Actuator != nil && o.conf.Role.acts() {
			add(t.Name, "actuator", *t.Actuator)
		}
	}
	o.metrics.Show(metrics.IdentityEnds, all...)
	if o.conf.TLS == nil || !o.conf.Role.watches() {
		return nil
	}
	b, err := readBounded(o.conf.TLS.CertFile, maxCA)
	if err != nil {
		return err
	}
	if cert, err := firstCertificate(b); err == nil && cert != nil {
		o.metrics.Show(metrics.CertificateEnds, metrics.At(cert.NotAfter))
	}
	return nil
}

// live shows what is in memory, at every scrape.
func (o *observer) live() {
	if o.webhook != nil {
		st := o.webhook.Stats()
		o.metrics.ShowTotal(metrics.WebhookTook,
			metrics.Of(float64(st.Accepted), "accepted"), metrics.Of(float64(st.Repeated), "repeated"), metrics.Of(float64(st.Noticed), "noticed"),
			metrics.Of(float64(st.Lifecycle), "lifecycle"), metrics.Of(float64(st.Nudges), "nudges"), metrics.Of(float64(st.Handshakes), "handshakes"))
		o.metrics.ShowTotal(metrics.WebhookRefused, byReason(st.Refused)...)
		o.metrics.ShowTotal(metrics.WebhookUnavailable, byReason(st.Unavailable)...)
	}
	for _, s := range o.subs {
		o.memory.heard(strings.ToLower(s.Client.Tenant()), s.Heard())
	}
	o.showMemory()
	o.showGraph()
}

func byReason(counts map[string]uint64) []metrics.Sample {
	var all []metrics.Sample
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, metrics.Of(float64(counts[reason]), strings.ReplaceAll(reason, " ", "_")))
	}
	return all
}

// showGraph shows how Microsoft's limits stand; of two identities of a tenant the
// one that is worse off.
func (o *observer) showGraph() {
	type of struct{ tenant, service string }
	worst := map[of]graph.Budget{}
	for _, clients := range []graph.Tenants{o.clouds.watch, o.clouds.act} {
		for id, c := range clients {
			for _, b := range c.Budgets() {
				k := of{o.tenant(id), b.Service}
				w := worst[k]
				worst[k] = graph.Budget{Service: b.Service, Used: max(w.Used, b.Used), Closed: max(w.Closed, b.Closed)}
			}
		}
	}
	var used, closed []metrics.Sample
	for k, b := range worst {
		used = append(used, metrics.Of(b.Used, k.tenant, k.service))
		closed = append(closed, metrics.Of(b.Closed.Seconds(), k.tenant, k.service))
	}
	o.metrics.Show(metrics.GraphUsed, used...)
	o.metrics.Show(metrics.GraphClosed, closed...)
}
