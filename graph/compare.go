package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Finding is what is to be said about one permission of an app.
type Finding struct {
	Verdict  Holding
	Audience Audience
	Role     string
	Held     string    // of [Has]: what is held in its place, if it is not Role itself
	Features []Feature // that need it; none: it is too much
	Why      string    // what it is needed for, or why it is dangerous
	// Dangerous: with it, whoever gets hold of the app gets hold of much more than
	// Curfew is for.
	Dangerous bool
	// Elsewhere, of [Lacks]: where it may be granted all the same, so that no token
	// shows it.
	Elsewhere string
}

// A Holding is the verdict of a [Finding].
type Holding string

// The verdicts.
const (
	Has     Holding = "has"
	Lacks   Holding = "lacks"
	TooMuch Holding = "too much"
)

// String is one line for people.
func (f Finding) String() string {
	s := fmt.Sprintf("%s %s of %s", f.Verdict, f.Role, f.Audience)
	switch {
	case f.Held != "":
		s += ", by way of " + f.Held
	case f.Dangerous:
		s += ", which is dangerous: " + f.Why
	case f.Verdict == TooMuch:
		s += ": nothing that is switched on needs it"
	}
	if f.Verdict != TooMuch {
		s += ": needed to " + f.Why
	}
	if f.Elsewhere != "" {
		s += "; " + f.Elsewhere + ", which no token shows"
	}
	return s
}

// Compare holds what an app was granted against what it needs: first what it
// lacks, then what it has too much of (the dangerous first), then what it has. A
// role in place of a lesser one is accepted ([Need].Instead), but a dangerous one
// is named as too much as well. needs are those of this app: of one that only
// watches, [Identity].Needs of [Watch]; where one app does both, [Needs].
func Compare(granted Grants, needs []Need) []Finding {
	var all []Finding
	used := map[string]bool{} // audience and role
	id := func(api Audience, role string) string { return string(api) + "/" + role }
	for _, n := range needs {
		held := n.heldBy(granted)
		verdict := Has
		switch {
		case held != "":
			used[id(n.Audience, held)] = true
		case n.Optional:
			continue
		default:
			verdict = Lacks
		}
		i := slices.IndexFunc(all, func(f Finding) bool { return f.Verdict == verdict && f.Audience == n.Audience && f.Role == n.Role })
		if i < 0 {
			i = len(all)
			all = append(all, Finding{Verdict: verdict, Audience: n.Audience, Role: n.Role})
		}
		all[i].add(n, held)
	}
	for _, g := range granted {
		for _, role := range g.Roles {
			why := danger(g.Audience, role)
			asked := slices.ContainsFunc(needs, func(n Need) bool { return n.Audience == g.Audience && n.Role == role })
			if asked || used[id(g.Audience, role)] && why == "" {
				continue
			}
			all = append(all, Finding{Verdict: TooMuch, Audience: g.Audience, Role: role, Why: why, Dangerous: why != ""})
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Audience, b.Audience), cmp.Compare(a.Role, b.Role))
	})
	return all
}

// add takes in that a further feature needs the role.
func (f *Finding) add(n Need, held string) {
	if !slices.Contains(f.Features, n.Feature) {
		f.Features = append(f.Features, n.Feature)
	}
	if !slices.Contains(strings.Split(f.Why, "; "), n.Why) {
		f.Why = strings.TrimPrefix(f.Why+"; "+n.Why, "; ")
	}
	if held == "" {
		f.Elsewhere = n.Elsewhere
	} else if held != n.Role {
		f.Held = held
	}
}

// heldBy is the role by which the need is met, the least one; empty: none.
func (n Need) heldBy(granted Grants) string {
	for _, role := range append([]string{n.Role}, n.Instead...) {
		if granted.Holds(n.Audience, role) {
			return role
		}
	}
	return ""
}

func (f Finding) rank() int {
	switch {
	case f.Verdict == Lacks:
		return 0
	case f.Dangerous:
		return 1
	case f.Verdict == TooMuch:
		return 2
	}
	return 3
}

// danger says what a role is good for in the wrong hands; empty: nothing out of
// the ordinary (Graph docs: permissions-reference).
func danger(api Audience, role string) string {
	for _, d := range []struct {
		api    Audience
		part   string // of the role
		allows string
	}{
		{GraphAPI, "Directory.ReadWrite.All", "it changes users, groups and devices of the whole directory"},
		{GraphAPI, "RoleManagement.Read.", "it shows who can do most harm"},
		{GraphAPI, "RoleManagement", "it makes anybody an administrator, itself included"},
		{GraphAPI, "AppRoleAssignment.ReadWrite.All", "it grants any permission to any app, itself included"},
		{GraphAPI, "DelegatedPermissionGrant.ReadWrite.All", "it consents to apps in the name of users"},
		{GraphAPI, "Application.ReadWrite", "it adds secrets to other apps, and so becomes them"},
		{GraphAPI, "PrivilegedOperations", "it wipes every device of the tenant"},
		{GraphAPI, "DeviceManagementConfiguration.ReadWrite.All", "it changes what every device runs and allows"},
		{GraphAPI, "DeviceManagementScripts.ReadWrite.All", "it runs scripts on every device"},
		{GraphAPI, "DeviceManagementApps.ReadWrite.All", "it installs software on every device"},
		{GraphAPI, "DeviceManagementRBAC.ReadWrite.All", "it makes anybody an administrator of Intune"},
		{GraphAPI, "Policy.ReadWrite", "it changes the rules by which users sign in"},
		{GraphAPI, "UserAuthenticationMethod.ReadWrite.All", "it signs in as anybody"},
		{GraphAPI, "User.ReadWrite.All", "it changes and deletes users"},
		{GraphAPI, "Group.ReadWrite.All", "it changes who belongs to which group"},
		{GraphAPI, "GroupMember.ReadWrite.All", "it changes who belongs to which group"},
		{GraphAPI, "Mail.ReadWrite", "it reads and changes every mailbox"},
		{GraphAPI, "BitlockerKey.Read.All", "it reads the recovery keys of every device"},
		{GraphAPI, "DeviceLocalCredential.Read.All", "it reads the local administrators' passwords"},
		{DefenderAPI, "Machine.LiveResponse", "it runs commands on every device"},
		{DefenderAPI, "Machine.Isolate", "it takes every device off the network"},
		{DefenderAPI, "Machine.Offboard", "it takes every device out of Defender"},
		{DefenderAPI, "Machine.StopAndQuarantine", "it takes files from every device"},
	} {
		if d.api == api && strings.Contains(role, d.part) {
			return d.allows
		}
	}
	return ""
}
