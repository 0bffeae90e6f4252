package baseline

import (
	"fmt"
	"slices"
	"strings"
)

// Desired are the objects that a tenant is to have at a stage, in the order they
// are applied in, and what is to be said about them. It is a function of its
// arguments; of the state it uses only what names stand for (groups, accounts),
// what the tenant is licensed for, and in which state Conditional Access policies
// are, which are never enforced before they have rehearsed.
func Desired(spec Spec, at Stage, state *State) ([]Object, []Note) {
	d := &desire{spec: spec, stage: at, state: state}
	d.licences()
	d.names()
	if d.can(KindConnector) && spec.Connector != nil {
		d.connector(*spec.Connector)
	}
	if d.can(KindNotification) && spec.Notification != nil {
		d.notification(*spec.Notification)
	}
	if d.can(KindCompliance) && spec.Compliance != nil {
		for _, p := range []Platform{Windows, MacOS, IOS, AndroidWorkProfile, AndroidDeviceOwner} {
			if policy, ok := spec.Compliance.Policies[p]; ok {
				d.compliance(p, policy)
			}
		}
	}
	if d.can(KindSettings) && spec.Compliance != nil {
		d.settings(*spec.Compliance)
	}
	if d.can(KindProtection) {
		for _, p := range []Platform{IOS, Android, Windows} {
			if policy, ok := spec.AppProtection[p]; ok {
				d.protection(p, policy)
			}
		}
	}
	if d.can(KindAccess) && spec.Access != nil {
		d.access(*spec.Access)
	}
	return d.objects, d.notes
}

// A desire is [Desired] on its way.
type desire struct {
	spec  Spec
	stage Stage
	state *State
	off   map[Kind]bool // not planned, which was said

	pilot   string   // group id; empty: there is none
	exclude []string // group ids

	objects []Object
	notes   []Note
}

func (d *desire) add(o Object) { d.objects = append(d.objects, o) }

func (d *desire) note(about, format string, args ...any) {
	d.notes = append(d.notes, Note{About: about, Text: fmt.Sprintf(format, args...)})
}

func (d *desire) refuse(about, format string, args ...any) {
	d.notes = append(d.notes, Note{About: about, Text: fmt.Sprintf(format, args...), Refuse: true})
}

// without leaves kinds out, for a reason.
func (d *desire) without(about, why string, kinds ...Kind) {
	for _, k := range kinds {
		if d.off == nil {
			d.off = map[Kind]bool{}
		}
		d.off[k] = true
	}
	d.notes = append(d.notes, Note{About: about, Text: why, Blocks: true})
}

func (d *desire) can(k Kind) bool { return !d.off[k] }

// licences says what is missing and what that disables. What could not be read is
// not missing.
func (d *desire) licences() {
	for _, part := range partsInOrder() {
		if why, ok := d.state.Unread[part.name]; ok && d.wants(part.kinds...) {
			d.without(part.name, "it could not be read, so nothing is planned about it: "+why, part.kinds...)
		}
	}
	if _, unread := d.state.Unread["licences"]; unread {
		return
	}
	l := d.state.Licences
	if !l.Intune {
		d.without("licences", "no service plan of Intune ("+planIntune+"): no device can be managed, so connector, compliance and app protection are not planned, nor Conditional Access, which no device could satisfy. Defender for Business on its own has neither Intune nor Entra ID P1",
			KindConnector, KindNotification, KindCompliance, KindSettings, KindProtection, KindAccess)
	}
	if !l.EntraP1 {
		d.without("licences", "no service plan of Entra ID P1 ("+planEntraP1+"): Conditional Access is not planned, so a device that is not compliant loses access to nothing", KindAccess)
	}
	if !l.Defender {
		hint := ""
		if l.Plan1Only {
			hint = "; Defender for Endpoint P1, which is there, investigates nothing by itself and reports no risk to Intune"
		}
		d.without("licences", "no service plan of Defender for Business ("+planDefenderBusiness+") or Defender for Endpoint P2 ("+planDefenderP2+"): nobody would report a risk, so the connector and what asks for it are not planned"+hint,
			KindConnector, KindNotification, KindCompliance, KindSettings, KindProtection, KindAccess)
	}
}

func (d *desire) wants(kinds ...Kind) bool {
	s := d.spec
	return slices.ContainsFunc(kinds, func(k Kind) bool {
		switch k {
		case KindConnector:
			return s.Connector != nil
		case KindNotification:
			return s.Notification != nil
		case KindCompliance, KindSettings:
			return s.Compliance != nil
		case KindProtection:
			return len(s.AppProtection) > 0
		}
		return s.Access != nil
	})
}

// names settles what the groups of the file stand for.
func (d *desire) names() {
	if !d.assigns() || d.off[KindCompliance] && d.off[KindProtection] && d.off[KindAccess] {
		return
	}
	d.pilot = d.group("pilot", d.spec.Pilot)
	for _, name := range d.spec.Exclude {
		if id := d.group("exclude", name); id != "" {
			d.exclude = append(d.exclude, id)
		}
	}
}

// assigns reports whether anything is assigned to anybody.
func (d *desire) assigns() bool {
	return d.spec.Compliance != nil && len(d.spec.Compliance.Policies) > 0 || len(d.spec.AppProtection) > 0 || d.spec.Access != nil
}

// group is the id of a group. One that is not there is a refusal: without it a
// policy would be about other people than was meant.
func (d *desire) group(about, name string) string {
	g, known := d.state.Groups[name]
	switch {
	case name == "":
		d.refuse(about, "no group is named")
	case !known || g.ID == "" && !g.Several:
		d.refuse(about, "there is no group %q in this tenant: make it, or name another", name)
	case g.Several:
		d.refuse(about, "more than one group is called %q: name it by its object id", name)
	default:
		return g.ID
	}
	return ""
}

// people are the assignments of what is for the pilot or for all.
func (d *desire) people(everybody bool, but ...string) []any {
	targets := []string{"group:" + d.pilot}
	if everybody {
		targets = []string{"all-users"}
	}
	for _, id := range append(slices.Clone(d.exclude), but...) {
		targets = append(targets, "exclude:"+id)
	}
	return anys(targets)
}

// anys is a list of texts as JSON has it, sorted and without repetition.
func anys(list []string) []any {
	list = slices.Clone(list)
	slices.Sort(list)
	all := make([]any, 0, len(list))
	for _, s := range slices.Compact(list) {
		all = append(all, s)
	}
	return all
}

// described is the description of what Curfew keeps.
func described(key string) string {
	return withMark("Kept by Curfew's baseline; change it there.", key)
}

// level is a deviceThreatProtectionLevel (v1.0 metadata).
func (l Level) graph() string {
	if l == Clear {
		return "secured"
	}
	return strings.ToLower(string(l))
}
