// Package rollout takes a tenant's baseline from one stage to the next: it says
// whom the step is about, has their readiness judged, and makes of the judgement
// the gate that a plan for the next stage must pass.
//
// It decides nothing of its own. What is wanted at a stage is package baseline's,
// whether the tenant is ready is package readiness's; a gate made here has passed
// only if every check of a report about this very step has.
package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
)

// ErrLast is the error of a rollout that has come to its end.
var ErrLast = errors.New("the rollout is complete: everybody is held to the baseline")

// Scope is whom and what the step from a stage to the next is about, by what the
// tenant has. began is when the stage did; zero: nobody knows.
func Scope(spec baseline.Spec, state *baseline.State, at baseline.Stage, name string, began time.Time) (readiness.Scope, error) {
	next, more := at.Next()
	if !more {
		return readiness.Scope{}, ErrLast
	}
	s := readiness.Scope{
		Tenant: state.Tenant, Name: name, Stage: at.String(), Next: next.String(), Everybody: at.Everybody(),
		Group: state.Groups[spec.Pilot].ID, Began: began, Platforms: platforms(spec), Threat: asksDefender(spec),
	}
	if !s.Everybody && s.Group == "" {
		return s, fmt.Errorf("the pilot group %q is not there, or there are several of that name", spec.Pilot)
	}
	for _, g := range slices.Concat(spec.Exclude, spec.Emergency.Groups) {
		id := state.Groups[g].ID
		if id == "" {
			return s, fmt.Errorf("the group %q, which is left out, is not there, or there are several of that name", g)
		}
		s.ExcludeGroups = append(s.ExcludeGroups, id)
	}
	for _, a := range spec.Emergency.Accounts {
		s.Emergency = append(s.Emergency, account(a, state))
	}
	plan := baseline.NewPlan(spec, state, at, &baseline.Gate{To: at, Passed: true})
	s.Policies, s.Open = policies(plan, state), unfinished(plan)
	return s, nil
}

func account(named string, state *baseline.State) readiness.Account {
	a, read := state.Accounts[named]
	if state.Unread["accounts"] != "" || !read {
		return readiness.Account{Named: named}
	}
	yes := func(is bool) readiness.Answer {
		if is {
			return readiness.Yes
		}
		return readiness.No
	}
	return readiness.Account{Named: named, ID: a.ID, UPN: a.UPN, Found: yes(a.ID != ""), Enabled: yes(a.Enabled), Synced: yes(a.Synced)}
}

// platforms are those that compliance is about.
func platforms(spec baseline.Spec) []string {
	if spec.Compliance == nil {
		return nil
	}
	var all []string
	for p := range spec.Compliance.Policies {
		name := map[baseline.Platform]string{baseline.Windows: "Windows", baseline.MacOS: "macOS", baseline.IOS: "iOS"}[p]
		if name == "" {
			name = "Android"
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// asksDefender reports whether compliance depends on what Defender says.
func asksDefender(spec baseline.Spec) bool {
	return spec.Compliance != nil && len(spec.Compliance.Policies) > 0
}

// policies are the baseline's Conditional Access policies that are there and on, or
// report.
func policies(plan *baseline.Plan, state *baseline.State) (all []readiness.Policy) {
	for _, step := range plan.Steps {
		if step.Object.Kind != baseline.KindAccess || step.ID == "" {
			continue
		}
		i := slices.IndexFunc(state.Access, func(r baseline.Raw) bool { return strings.EqualFold(r.ID(), step.ID) })
		if i < 0 {
			continue
		}
		raw := state.Access[i]
		if on, _ := raw["state"].(string); on != "disabled" {
			all = append(all, readiness.Policy{ID: raw.ID(), Name: raw.Name(), Enforced: on == "enabled", Platforms: included(raw)})
		}
	}
	return all
}

// included are the platforms that a policy names; empty: all.
func included(raw baseline.Raw) (all []string) {
	conditions, _ := raw["conditions"].(map[string]any)
	of, _ := conditions["platforms"].(map[string]any)
	list, _ := of["includePlatforms"].([]any)
	for _, v := range list {
		if name, is := v.(string); is && name != "all" {
			all = append(all, name)
		}
	}
	return all
}

// unfinished is what the baseline has still to do at the stage that it is at: a
// pilot of half of it proves nothing.
func unfinished(plan *baseline.Plan) (open []string) {
	for _, s := range slices.Concat(plan.Work(), plan.Open()) {
		open = append(open, string(s.Action)+" "+s.Object.Key)
	}
	for _, n := range plan.Notes {
		if n.Refuse || n.Blocks {
			open = append(open, n.About+": "+n.Text)
		}
	}
	return open
}

// Gate is what a report makes of a step. A report about another one opens nothing.
func Gate(r readiness.Report, from baseline.Stage) *baseline.Gate {
	next, more := from.Next()
	g := &baseline.Gate{To: next, Reasons: r.Reasons()}
	switch {
	case !more:
		g.To, g.Reasons = from, []string{ErrLast.Error()}
	case r.Stage != from.String() || r.Next != next.String():
		g.Reasons = append(g.Reasons, fmt.Sprintf("the report is about the step from %s to %s", r.Stage, r.Next))
	default:
		g.Passed = r.Passed && len(r.Checks) > 0
	}
	return g
}
