package main

import (
	"slices"
	"strings"

	"curfew/events"
	"curfew/events/rules"
	"curfew/graph"
)

// uses are the features of package graph that a tenant's configuration makes use
// of: those for reading and telling, and those for what is done to devices.
func uses(conf *config, t tenantConfig) (watch, act []graph.Feature) {
	watch = append(sights(t), graph.FeatureSweep, graph.FeatureEdits)
	if slices.ContainsFunc(conf.Baseline.specs, func(b tenantSpec) bool { return b.ID == t.ID }) {
		watch = append(watch, graph.FeatureDrift)
	}
	orders := ordersFor(conf, t)
	if slices.ContainsFunc(orders, func(o events.Order) bool { return o.Action == events.Mail }) {
		watch = append(watch, graph.FeatureMail, graph.FeatureSentItems)
	}
	if t.Look.TimeZone {
		watch = append(watch, graph.FeatureTimeZone)
	}
	if t.Reach.Teams != "" {
		watch = append(watch, graph.FeatureNotify)
	}
	for _, r := range t.Subscribe {
		switch first, _, _ := strings.Cut(strings.ToLower(r), "/"); {
		case conf.PublicURL == "":
		case first == "users":
			watch = append(watch, graph.FeatureUserEvents)
		case first == "groups":
			watch = append(watch, graph.FeatureGroupEvents)
		}
	}
	for _, o := range orders {
		act = append(act, ordered(o)...)
	}
	if t.Reach.Portal {
		act = append(act, graph.FeaturePush)
	}
	if len(act) > 0 {
		act = append(act, sights(t)...)
	}
	slices.Sort(act)
	return watch, slices.Compact(act)
}

// sights are the features of one look.
func sights(t tenantConfig) []graph.Feature {
	all := []graph.Feature{graph.FeatureLook}
	for _, part := range []struct {
		on bool
		f  graph.Feature
	}{
		{t.Look.Alerts, graph.FeatureAlerts}, {t.Look.Entra, graph.FeatureEntra},
		{t.Look.User, graph.FeatureUser}, {t.Look.Groups, graph.FeatureGroups}, {t.Look.Tags, graph.FeatureTags},
	} {
		if part.on {
			all = append(all, part.f)
		}
	}
	return all
}

// ordersFor is all that may be ordered about the tenant's devices.
func ordersFor(conf *config, t tenantConfig) []events.Order {
	all := slices.Clone(conf.Policies.Attention)
	for _, p := range conf.Policies.List {
		if !rules.Applies(p, t.ID) {
			continue
		}
		all = append(all, p.Closing...)
		for _, r := range p.Ladder {
			all = append(all, r.Do...)
		}
	}
	return all
}

// ordered are the features that an order needs, with what it leads to.
func ordered(o events.Order) []graph.Feature {
	destroys := []graph.Feature{graph.FeaturePreflight, graph.FeatureApprovals}
	switch o.Action {
	case events.Sync:
		return []graph.Feature{graph.FeatureSync}
	case events.Scan:
		if o.Via == "defender" {
			return []graph.Feature{graph.FeatureDefenderScan}
		}
		return []graph.Feature{graph.FeatureScan}
	case events.Neighbours:
		of := graph.FeatureOfGroup
		switch o.Scope {
		case "user":
			of = graph.FeatureOfUser
		case "incident":
			of = graph.FeatureOfIncident
		}
		return []graph.Feature{graph.FeatureScan, of}
	case events.Investigate:
		return []graph.Feature{graph.FeatureInvestigate}
	case events.Isolate:
		return []graph.Feature{graph.FeatureIsolate}
	case events.Lock:
		return []graph.Feature{graph.FeatureLock}
	case events.Restart:
		return []graph.Feature{graph.FeatureRestart}
	case events.Reset:
		return append(destroys, graph.FeatureReset, graph.FeatureRestore)
	case events.Retire:
		return append(destroys, graph.FeatureRetire)
	case events.Wipe:
		return append(destroys, graph.FeatureWipe)
	}
	return nil
}

// An identity is one app in one tenant, and what it needs there.
type identity struct {
	tenant tenantConfig
	is     string // watch, act, or both
	auth   authConfig
	client *graph.Client
	needs  []graph.Need
}

// identitiesOf are those that the role has in a tenant.
func identitiesOf(conf *config, by clouds, t tenantConfig) []identity {
	watch, act := uses(conf, t)
	seeing := needsOf(graph.Watch, watch...)
	acting := needsOf(graph.Act, act...)
	if len(act) > 0 { // the check-ins that Curfew asks for by itself: it does without where it must
		for _, n := range graph.Act.Needs(graph.FeatureSync) {
			n.Optional = true
			acting = append(acting, n)
		}
	}
	if t.Actuator == nil {
		client, needs := by.watch[t.ID], append(seeing, acting...)
		if client == nil {
			client = by.act[t.ID]
		}
		return []identity{{t, "both", t.Auth, client, needs}}
	}
	var all []identity
	if conf.Role.watches() {
		all = append(all, identity{t, "watch", t.Auth, by.watch[t.ID], seeing})
	}
	if conf.Role.acts() {
		all = append(all, identity{t, "act", *t.Actuator, by.act[t.ID], acting})
	}
	return all
}

// needsOf are the needs of an identity's features. Who acts finds the neighbours
// too. What only some tenants or rare moments ask for is not lacking where it is
// not there.
func needsOf(id graph.Identity, features ...graph.Feature) []graph.Need {
	needs := id.Needs(features...)
	if id == graph.Act {
		for _, f := range []graph.Feature{graph.FeatureOfUser, graph.FeatureOfIncident, graph.FeatureOfGroup} {
			if slices.Contains(features, f) && !slices.ContainsFunc(needs, func(n graph.Need) bool { return n.Feature == f }) {
				needs = append(needs, graph.Watch.Needs(f)...)
			}
		}
	}
	for i, n := range needs {
		needs[i].Optional = n.Optional || slices.Contains([]graph.Feature{graph.FeatureSentItems, graph.FeatureEdits, graph.FeatureApprovals}, n.Feature)
	}
	return needs
}
