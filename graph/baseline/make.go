package baseline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NewPlan is what makes the tenant as it is wanted at a stage. A stage that is
// beyond what the tenant has reached, see [Reached], needs a gate that passed: else
// the plan is refused by a note, and empty.
func NewPlan(spec Spec, state *State, at Stage, gate *Gate) *Plan {
	p := &Plan{Tenant: state.Tenant, Stage: at, Gate: gate, Spec: spec, Names: state.names()}
	if from := Reached(spec, state); !gate.opens(from, at) {
		why := "its readiness was not checked"
		if gate != nil && len(gate.Reasons) > 0 {
			why = strings.Join(gate.Reasons, "; ")
		}
		p.Notes = append(p.Notes, Note{About: "stage", Refuse: true, Text: fmt.Sprintf("the tenant is at %q, and %q has no gate that passed: %s", from, at, why)})
		return p
	}
	wanted, notes := Desired(spec, at, state)
	p.Notes = notes
	if p.Refused() {
		return p
	}
	ids, coming := state.ids(spec), map[string]bool{}
	for _, o := range wanted {
		step, ok := state.step(o, spec.Adopt[o.Key], ids)
		if !ok {
			continue
		}
		for _, key := range refers(o) {
			if ids[key] == "" && !coming[key] {
				step = Step{Object: o, Action: Undecided, Alike: step.Alike}
				p.Notes = append(p.Notes, Note{About: o.Key, Text: "it waits for " + key + ", which is not there and is not made by this plan", Blocks: true})
			}
		}
		coming[o.Key] = step.Action != Undecided
		p.Steps = append(p.Steps, step)
	}
	p.Notes = append(p.Notes, state.unmet(spec, wanted)...)
	if !p.Blocked() {
		p.Notes = append(p.Notes, state.lost(wanted)...)
	}
	return p
}

// refers are the keys of the objects that one refers to.
func refers(o Object) (keys []string) {
	if o.Kind == KindCompliance && strings.Contains(canon(o.Fields[partActions]), `"@notification"`) {
		keys = append(keys, "notification")
	}
	return keys
}

// names are what people call the ids of groups and accounts.
func (s *State) names() map[string]string {
	names := map[string]string{directorySync: "role Directory Synchronization Accounts"}
	for _, g := range s.Groups {
		names[g.ID] = g.Name
	}
	for _, a := range s.Accounts {
		names[a.ID] = a.UPN
	}
	delete(names, "")
	return names
}

// Refused reports whether the plan may not be applied.
func (p *Plan) Refused() bool {
	return slices.ContainsFunc(p.Notes, func(n Note) bool { return n.Refuse })
}

// Blocked reports whether a part of the baseline could not be planned.
func (p *Plan) Blocked() bool {
	return slices.ContainsFunc(p.Notes, func(n Note) bool { return n.Blocks })
}

// Work are the steps that change something.
func (p *Plan) Work() []Step {
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool { return s.Action == Nothing || s.Action == Undecided })
}

// Open are the steps that wait for a decision.
func (p *Plan) Open() []Step {
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool { return s.Action != Undecided })
}

// step is what is to be done about one object, if it is one that is to be there.
func (s *State) step(o Object, adopt string, ids map[string]string) (Step, bool) {
	step := Step{Object: o, Action: Create}
	have := s.marked(o.Kind, o.Key)
	switch {
	case have != nil:
		step.Action = Update
	case o.IfThere:
		return step, false
	case adopt != "" && adopt != adoptNew:
		if have = s.byID(o.Kind, adopt); have != nil {
			step.Action = Adopt
		}
	}
	if have == nil && adopt != adoptNew {
		if step.Alike = s.alike(o); len(step.Alike) > 0 {
			step.Action = Undecided
			return step, true
		}
	}
	step.Changes = Diff(o, have, ids)
	if have != nil {
		step.ID, step.Seen = cmp.Or(have.ID(), o.Key), hash(have)
	}
	if step.Action == Update && len(step.Changes) == 0 {
		step.Action = Nothing
	}
	return step, true
}

// adoptNew says that none of those that look alike is to be adopted.
const adoptNew = "new"

// of are the objects of a kind.
func (s *State) of(k Kind) []Raw {
	switch k {
	case KindConnector:
		return present(s.Connector)
	case KindSettings:
		return present(s.Settings)
	case KindNotification:
		return s.Templates
	case KindCompliance:
		return s.Compliance
	case KindProtection:
		return s.Protection
	}
	return s.Access
}

func present(r Raw) []Raw {
	if r == nil {
		return nil
	}
	return []Raw{r}
}

// marked is Curfew's object of that key; nil: there is none. Of several the one
// with the smallest id counts, always the same.
func (s *State) marked(k Kind, key string) (found Raw) {
	if k == KindConnector || k == KindSettings {
		return append(s.of(k), nil)[0]
	}
	for _, r := range s.of(k) {
		if keyIn(k, r) == key && (found == nil || r.ID() < found.ID()) {
			found = r
		}
	}
	return found
}

func (s *State) byID(k Kind, id string) Raw {
	for _, r := range s.of(k) {
		if strings.EqualFold(r.ID(), id) && keyIn(k, r) == "" {
			return r
		}
	}
	return nil
}

// ids are the ids of the objects that others refer to.
func (s *State) ids(spec Spec) map[string]string {
	ids := map[string]string{}
	if t := s.marked(KindNotification, "notification"); t != nil {
		ids["notification"] = t.ID()
	} else if t := s.byID(KindNotification, spec.Adopt["notification"]); t != nil {
		ids["notification"] = t.ID()
	}
	return ids
}

// alike are the objects that are nobody's and seem to do what is wanted.
func (s *State) alike(o Object) (found []LookAlike) {
	for _, r := range s.of(o.Kind) {
		if keyIn(o.Kind, r) != "" || o.Type != "" && r.Type() != o.Type {
			continue
		}
		why := ""
		switch {
		case strings.EqualFold(r.Name(), Raw{"displayName": o.Fields["displayName"]}.Name()):
			why = "it has the same name"
		case o.Kind == KindCompliance && asksForRisk(r):
			why = "it asks for a threat level on the same platform"
		case o.Kind == KindProtection && !slices.Contains([]string{"", "notConfigured"}, r.text("maximumAllowedDeviceThreatLevel")):
			why = "it asks for a threat level on the same platform"
		case o.Kind == KindAccess && overlaps(o, r):
			why = "it asks for the same on the same applications"
		}
		if why != "" {
			found = append(found, LookAlike{ID: r.ID(), Name: r.Name(), Why: why})
		}
	}
	slices.SortFunc(found, func(a, b LookAlike) int { return strings.Compare(a.ID, b.ID) })
	return found
}

func asksForRisk(r Raw) bool {
	_, property := complianceType(Windows)
	if r.Type() != "windows10CompliancePolicy" {
		_, property = complianceType(MacOS)
	}
	return !slices.Contains([]string{"", "unavailable", "notSet"}, r.text(property))
}

// overlaps reports whether a policy that is not off has a control of the wanted
// one's, for an application of its.
func overlaps(o Object, r Raw) bool {
	if r.text("state") == accessOff {
		return false
	}
	shares := func(path string) bool {
		wanted, _ := o.Fields[path].([]any)
		return slices.ContainsFunc(wanted, func(v any) bool {
			s, _ := v.(string)
			return slices.Contains(r.texts(path), s)
		})
	}
	return shares("grantControls.builtInControls") && shares("conditions.applications.includeApplications")
}

// lost are notes about what is marked as Curfew's and is not wanted any more, or is
// there twice. Nothing is ever deleted by a plan.
func (s *State) lost(wanted []Object) (notes []Note) {
	for _, k := range []Kind{KindNotification, KindCompliance, KindProtection, KindAccess} {
		for _, r := range s.of(k) {
			key := keyIn(k, r)
			switch {
			case key == "":
			case !slices.ContainsFunc(wanted, func(o Object) bool { return o.Kind == k && o.Key == key }):
				notes = append(notes, Note{About: key, Text: fmt.Sprintf("%q (%s) is marked as Curfew's and no longer in the file: nothing is done to it; delete it by hand if nobody needs it", r.Name(), r.ID())})
			case s.marked(k, key).ID() != r.ID():
				notes = append(notes, Note{About: key, Text: fmt.Sprintf("%q (%s) carries the same mark as another: it is a copy, and left alone; delete it, or the mark", r.Name(), r.ID())})
			}
		}
	}
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Or(strings.Compare(a.About, b.About), strings.Compare(a.Text, b.Text)) })
	return notes
}

// unmet are adoptions that cannot be.
func (s *State) unmet(spec Spec, wanted []Object) (notes []Note) {
	for _, key := range slices.Sorted(maps.Keys(spec.Adopt)) {
		id := spec.Adopt[key]
		i := slices.IndexFunc(wanted, func(o Object) bool { return o.Key == key })
		if id != adoptNew && i >= 0 && s.marked(wanted[i].Kind, key) == nil && s.byID(wanted[i].Kind, id) == nil {
			notes = append(notes, Note{About: key, Text: "adopt names " + id + ", which is not there: take the line out", Refuse: true})
		}
	}
	return notes
}

// Reached is the stage that a tenant is at, by what it has: by its Conditional
// Access policies, or where the file has none by whom compliance is for.
func Reached(spec Spec, s *State) Stage {
	var all, pilots, enforcedAll, enforcedPilots, rehearsing int
	if spec.Access != nil {
		for _, v := range spec.Access.variants() {
			all, pilots = all+1, pilots+1
			if p := s.marked(KindAccess, v.key+"/all"); p != nil {
				switch p.text("state") {
				case accessOn:
					enforcedAll, rehearsing = enforcedAll+1, rehearsing+1
				case accessReports:
					rehearsing++
				}
			}
			if p := s.marked(KindAccess, v.key+"/pilot"); p != nil && p.text("state") == accessOn {
				enforcedPilots++
			}
		}
	} else if slices.ContainsFunc(s.Compliance, func(r Raw) bool {
		return keyIn(KindCompliance, r) != "" && strings.Contains(canon(assignmentsOf(r)), "all-users")
	}) {
		return AllReport
	}
	switch {
	case all > 0 && enforcedAll == all:
		return AllEnforced
	case rehearsing > 0:
		return AllReport
	case pilots > 0 && enforcedPilots == pilots:
		return PilotEnforced
	}
	return PilotReport
}
