package main

import (
	"slices"
	"strings"

	"curfew/events"
	"curfew/events/rules"
)

// reachConfig is how the users of a tenant can be told besides by mail.
type reachConfig struct {
	Teams  string `json:"teams"`  // the id of an app of Teams; empty: not by Teams
	Portal bool   `json:"portal"` // by a push of Company Portal
}

// ways are the actions that tell them.
func (r reachConfig) ways() (all []events.Action) {
	if r.Teams != "" {
		all = append(all, events.Notify)
	}
	if r.Portal {
		all = append(all, events.Push)
	}
	return all
}

// reach checks how users can be told besides by mail, and has the policies know.
func (c *checker) reach(conf *config) {
	for i := range conf.Tenants {
		t, path := &conf.Tenants[i], pointerOf("/tenants", i)
		c.guid(path+"/reach/teams", t.Reach.Teams)
		t.Reach.Teams = strings.ToLower(t.Reach.Teams)
		if t.Reach.Teams != "" && t.Cloud == "china" {
			c.mistake(path+"/reach/teams", "links into Teams are not known in Microsoft's cloud in China")
		}
		ways := t.Reach.ways()
		if len(ways) > 0 && t.ID != "" {
			if conf.Policies.Reach == nil {
				conf.Policies.Reach = events.Reach{}
			}
			conf.Policies.Reach[t.ID] = ways
		}
		for _, p := range conf.Policies.List {
			for _, a := range []events.Action{events.Notify, events.Push} {
				if rules.Applies(p, t.ID) && !slices.Contains(ways, a) && orders(p, a) && c.whole(path) {
					key := map[events.Action]string{events.Notify: "teams", events.Push: "portal"}[a]
					c.mistake(path, "policy %s orders %s, and users of tenant %s are not told that way: write reach: {%s: …}", p.Name, a, t.Name, key)
				}
			}
		}
	}
}

// orders reports whether a policy orders an action anywhere.
func orders(p events.Policy, a events.Action) bool {
	is := func(o events.Order) bool { return o.Action == a }
	return slices.ContainsFunc(p.Closing, is) || slices.ContainsFunc(p.Ladder, func(r events.Rung) bool { return slices.ContainsFunc(r.Do, is) })
}
