package baseline

import (
	"slices"
	"strings"
)

// directorySync is the template id of the role Directory Synchronization Accounts
// (Entra docs: permissions-reference). An account that copies a directory has no
// device.
const directorySync = "d29b2b05-8046-44ba-8758-1e26182fcf32"

// The states of a Conditional Access policy.
const (
	accessOff     = "disabled"
	accessReports = "enabledForReportingButNotEnforced"
	accessOn      = "enabled"
)

// access makes the policies for all and for the pilot. Those for all come first, so
// that at the end nobody is without for a moment.
func (d *desire) access(a Access) {
	accounts := d.emergency()
	if len(accounts) == 0 {
		return
	}
	var emergencyGroups []string
	for _, name := range d.spec.Emergency.Groups {
		if id := d.group("emergency", name); id != "" {
			emergencyGroups = append(emergencyGroups, id)
		}
	}
	shut := append(slices.Clone(d.exclude), emergencyGroups...)
	for _, v := range a.variants() {
		for _, everybody := range []bool{true, false} {
			d.add(d.policy(a, v, everybody, accounts, shut))
		}
	}
	d.accessNotes(a)
}

// emergency are the ids of the accounts that can serve. Without any nothing is
// planned about Conditional Access.
func (d *desire) emergency() []string {
	var ids []string
	var troubles []Note
	for _, name := range d.spec.Emergency.Accounts {
		account := d.state.Accounts[name]
		if account.ID != "" {
			ids = append(ids, account.ID)
		}
		if why := account.Trouble(); why != "" {
			troubles = append(troubles, Note{About: "emergency", Text: "account " + name + " cannot serve in an emergency: " + why})
		}
	}
	d.notes = append(d.notes, troubles...)
	if len(troubles) == len(d.spec.Emergency.Accounts) {
		d.refuse("emergency", "no Conditional Access policy is written without an emergency account that exists, is enabled and is not synchronised: make one, and name it in emergency.accounts")
		return nil
	}
	return ids
}

// A variant is one of the policies of a file.
type variant struct {
	key, name string
	platforms []Platform // none: all
	controls  []string
	desktop   bool // asks for a compliant device
}

func (a Access) variants() []variant {
	if a.Variant != "two" {
		return []variant{{"access", "compliant device or protected app", a.Platforms, []string{"compliantDevice", "compliantApplication"}, true}}
	}
	of := func(possible ...Platform) []Platform {
		if len(a.Platforms) == 0 {
			return possible
		}
		return slices.DeleteFunc(possible, func(p Platform) bool { return !slices.Contains(a.Platforms, p) })
	}
	var all []variant
	if p := of(IOS, Android); len(p) > 0 {
		all = append(all, variant{"access/mobile", "mobiles: protected app", p, []string{"compliantApplication"}, false})
	}
	if p := of(Windows, MacOS); len(p) > 0 {
		all = append(all, variant{"access/desktop", "desktops: compliant device", p, []string{"compliantDevice"}, true})
	}
	return all
}

// policy is one policy for the pilot or for all.
func (d *desire) policy(a Access, v variant, everybody bool, accounts, shut []string) Object {
	key, name, state := v.key+"/pilot", a.Name+", "+v.name+" (pilot)", accessReports
	if everybody {
		key, name = v.key+"/all", a.Name+", "+v.name
	}
	on := d.stage == AllEnforced && everybody || (d.stage == PilotEnforced || d.stage == AllReport) && !everybody
	over := d.stage == AllEnforced && !everybody // the policy for all has taken its place
	switch {
	case over && d.rehearsed(v.key+"/all"): // which goes on first
		state = accessOff
	case over:
		state, on = accessOn, true
	case on:
		state = accessOn
	case d.stage == PilotReport && a.Start == "off":
		state = accessOff
	}
	if on && !d.rehearsed(key) {
		d.note(key, "it is planned report-only first, as nothing is enforced that has not rehearsed: apply, see what it reports, and plan again")
		state, on = accessReports, false
	}
	platforms := platformNames(v.platforms)
	if !on && v.desktop && state != accessOff {
		platforms = []string{"windows"}
	}
	users := map[string][]string{"includeUsers": {}, "includeGroups": {d.pilot}}
	if everybody {
		users = map[string][]string{"includeUsers": {"All"}, "includeGroups": {}}
	}
	f := map[string]any{
		"displayName": withMark(name, key), "state": state,
		"conditions.users.includeUsers": anys(users["includeUsers"]), "conditions.users.includeGroups": anys(users["includeGroups"]),
		"conditions.users.excludeUsers": anys(accounts), "conditions.users.excludeGroups": anys(shut), "conditions.users.excludeRoles": []any{},
		"conditions.applications.includeApplications": anys(a.Applications), "conditions.clientAppTypes": anys(a.ClientApps),
		"conditions.platforms.includePlatforms": anys(platforms), "conditions.platforms.excludePlatforms": []any{},
		"grantControls.operator": "OR", "grantControls.builtInControls": anys(v.controls),
	}
	if a.SyncRole == nil || *a.SyncRole {
		f["conditions.users.excludeRoles"] = anys([]string{directorySync})
	}
	return Object{
		Key: key, Kind: KindAccess, Name: name, Fields: f,
		IfThere: everybody && !d.stage.Everybody() || over,
	}
}

// rehearsed reports whether a policy is there and has been more than off.
func (d *desire) rehearsed(key string) bool {
	p := d.state.marked(KindAccess, key)
	return p != nil && p.text("state") != accessOff && p.text("state") != ""
}

func platformNames(list []Platform) []string {
	if len(list) == 0 {
		return []string{"all"}
	}
	var names []string
	for _, p := range list {
		names = append(names, map[Platform]string{Windows: "windows", MacOS: "macOS", IOS: "iOS", Android: "android"}[p])
	}
	return names
}

func (d *desire) accessNotes(a Access) {
	if d.stage != AllEnforced {
		d.note("access", "while it only reports, a policy that asks for a compliant device is for Windows alone: elsewhere the rehearsal asks people for a certificate again and again")
	}
	if d.stage.Everybody() {
		d.note("access", "all users includes guests, whose devices another tenant manages: trust its compliance in the cross-tenant access settings, or exclude them by a group")
	}
	if slices.Contains(a.Applications, "All") {
		d.note("access", "applications All includes Microsoft's admin portals and the enrolment of devices itself: begin with Office365")
	}
	for _, p := range d.state.Access {
		if keyIn(KindAccess, p) != "" || p.text("state") != accessOn {
			continue
		}
		if slices.Contains(p.texts("grantControls.builtInControls"), "compliantDevice") {
			d.note("access", "policy %q is not Curfew's, is enforced and asks for a compliant device: whoever fails the compliance policies here loses what it protects at once, at every stage", p.Name())
		}
		if slices.Contains(p.texts("grantControls.builtInControls"), "approvedApplication") {
			d.note("access", "policy %q asks for an approved app, which Microsoft retires in favour of app protection", p.Name())
		}
	}
	if strings.TrimSpace(a.Name) == "" {
		d.refuse("access", "conditional_access has no name")
	}
}
