package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"curfew/graph/baseline"
)

// emergency looks at every Conditional Access policy that can lock out, Curfew's or
// not: one is enough.
func (s Seen) emergency() Answer {
	const why = "a policy that fails, or a connector that drops, then locks everybody out, and nobody is left to mend it"
	unknown := cmp.Or(s.unread("access"), s.unread("accounts"))
	var found []string
	if len(s.Spec.Emergency.Accounts) == 0 {
		found = append(found, "the file names no emergency account")
	}
	for _, name := range s.Spec.Emergency.Accounts {
		a := s.State.Accounts[name]
		if why := a.Trouble(); why != "" && unknown == "" {
			found = append(found, name+": "+why)
			continue
		}
		for _, p := range s.State.Access {
			if hits(p) && !s.spares(p, a.ID) && unknown == "" {
				found = append(found, fmt.Sprintf("%s is not excluded from %q (%s)", name, p.Name(), p["state"]))
			}
		}
	}
	return answer(NotExcluded, why, "exclude at least one account that exists, is enabled and is not synchronised, from every policy", len(found) > 0,
		cmp.Or(strings.Join(found, "; "), "every policy that is on or reports leaves them out"), unknown)
}

func dig(r baseline.Raw, path string) any {
	var v any = map[string]any(r)
	for step := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	return v
}

func texts(r baseline.Raw, path string) (out []string) {
	list, _ := dig(r, path).([]any)
	for _, v := range list {
		if s, is := v.(string); is {
			out = append(out, s)
		}
	}
	return out
}

// hits reports whether a policy is on, or would be, for all users or groups of them,
// and can refuse a sign-in for the device's sake or altogether.
func hits(p baseline.Raw) bool {
	if state, _ := p["state"].(string); state != "enabled" && state != "enabledForReportingButNotEnforced" {
		return false
	}
	wide := slices.Contains(texts(p, "conditions.users.includeUsers"), "All")
	return wide && slices.ContainsFunc(texts(p, "grantControls.builtInControls"), func(c string) bool {
		return slices.Contains([]string{"block", "compliantDevice", "domainJoinedDevice", "compliantApplication", "approvedApplication"}, c)
	})
}

// spares reports whether a policy leaves an account out, by itself or by one of the
// groups that the file names for such accounts.
func (s Seen) spares(p baseline.Raw, id string) bool {
	has := func(path, want string) bool {
		return want != "" && slices.ContainsFunc(texts(p, path), func(s string) bool { return strings.EqualFold(s, want) })
	}
	return has("conditions.users.excludeUsers", id) || slices.ContainsFunc(s.Spec.Emergency.Groups, func(name string) bool {
		return has("conditions.users.excludeGroups", s.State.Groups[name].ID)
	})
}
