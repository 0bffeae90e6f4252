package main

import (
	"log/slog"
	"path/filepath"
	"time"

	"curfew/events/gate/actuator"
	"curfew/graph"
)

// The clouds are the clients of all tenants, by each identity that the role has;
// the other is nil. A tenant without an actuator has the same client in both, so
// that what Microsoft allows one app is shared, not counted twice.
type clouds struct{ watch, act graph.Tenants }

func cloudsOf(conf *config) (clouds, error) { return cloudsAround(conf, nil) }

// cloudsAround is cloudsOf for who wants to be told of every request.
func cloudsAround(conf *config, around graph.Around) (clouds, error) {
	var watch, act []graph.Tenant
	shared := map[string]bool{}
	seen := time.Duration(conf.Preflight.SeenWithin)
	for _, t := range conf.Tenants {
		mine, acts := tenantOf(t, t.Auth, seen), tenantOf(t, t.Auth, seen)
		mine.Around, acts.Around = around, around
		if t.Actuator != nil {
			acts = tenantOf(t, *t.Actuator, seen)
			acts.Around = around
		} else if conf.Role != roleAll {
			mine.Workers, acts.Workers = 2, 2 // the other process has this identity too
		}
		if conf.Role.watches() {
			watch = append(watch, mine)
		}
		if shared[mine.ID] = conf.Role == roleAll && t.Actuator == nil; conf.Role.acts() && !shared[mine.ID] {
			act = append(act, acts)
		}
	}
	var by clouds
	var err error
	if conf.Role.watches() {
		if by.watch, err = graph.Open(watch); err != nil {
			return clouds{}, err
		}
	}
	if conf.Role.acts() {
		if by.act, err = graph.Open(act); err != nil {
			return clouds{}, err
		}
		for id, c := range by.watch {
			if shared[id] {
				by.act[id] = c
			}
		}
	}
	return by, nil
}

// Close lets go of connections that nobody uses.
func (c clouds) Close() {
	c.watch.Close()
	c.act.Close()
}

// actuatorOf makes what re-checks all that is to be done to devices. In a process
// of its own it looks for itself and believes only what is signed. A process that
// keeps the cases too has nobody to doubt but itself: there a look of its own
// would cost six requests or more for each action, and prove nothing.
func actuatorOf(conf *config, by clouds, log *slog.Logger) *actuator.Actuator {
	a := &actuator.Actuator{Rules: conf.Policies, Log: log}
	if conf.Role == roleAct {
		a.Looker, a.Memory = by.act, ledger{filepath.Join(conf.Data, "called.json")}
	}
	return a
}

// any are the clients of whichever identity there is, for what both may read.
func (c clouds) any() graph.Tenants {
	if c.watch == nil {
		return c.act
	}
	return c.watch
}
