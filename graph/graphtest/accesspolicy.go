package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// accessPolicies are the tenant's Conditional Access policies.
func (t *Tenant) accessPolicies() []access {
	var all []access
	for _, o := range t.baseline.shelves[AccessPolicies] {
		all = append(all, access(o))
	}
	return all
}

// accessKnown are a policy's properties (v1.0 metadata of 2026-08).
var accessKnown = []string{"id", "conditions", "createdDateTime", "description", "displayName", "grantControls", "modifiedDateTime", "sessionControls", "state", "templateId"}

// grantControls are those before unknownFutureValue, and after (v1.0 metadata of
// 2026-08).
var (
	grantControls = []string{"block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange"}
	grantLater    = []string{"riskRemediation"}
)

// showAccess is a policy as it is read. Members after unknownFutureValue are shown
// to who asks for them (Graph docs: best practices, evolvable enumerations).
func (k *call) showAccess(o thing) thing {
	controls, _ := o["grantControls"].(map[string]any)
	list, _ := controls["builtInControls"].([]any)
	for i, v := range list {
		if s, _ := v.(string); !slices.Contains(grantControls, s) && !k.prefers("include-unknown-enum-members") {
			list[i] = "unknownFutureValue"
		}
	}
	return o
}

func (k *call) listAccess() reply {
	return k.things("identity/conditionalAccess/policies", k.shelved(AccessPolicies), k.showAccess)
}

func (k *call) getAccess() reply {
	o, out := k.find(AccessPolicies)
	if out.status != 0 {
		return out
	}
	return k.thing(http.StatusOK, k.showAccess(o.clone()))
}

// writeAccess makes a policy, 201, or changes it, 204 (Graph docs:
// conditionalaccessroot-post-policies, conditionalaccesspolicy-update). Whether a
// PATCH merges what is inside conditions is not said: here it replaces, which is
// the worse for who leaves something out.
func (k *call) writeAccess() reply {
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	if out := k.onlyKnown(in, "conditionalAccessPolicy", accessKnown); out.status != 0 {
		return out
	}
	after := in
	var o thing
	if k.r.Method != http.MethodPost {
		if o, out = k.find(AccessPolicies); out.status != 0 {
			return out
		}
		after = o.clone()
		maps.Copy(after, in)
	}
	if out := k.checkAccess(access(after)); out.status != 0 {
		return out
	}
	if o == nil {
		in["modifiedDateTime"] = nil
		k.make(AccessPolicies, in)
		return k.thing(http.StatusCreated, k.showAccess(in.clone()))
	}
	maps.Copy(o, in)
	o["modifiedDateTime"] = stamp(k.now)
	k.tenant.tellEdit(AccessPolicies, o, "updated", PolicyEdit{App: k.app.ID})
	return empty(http.StatusNoContent)
}

// checkAccess refuses what Entra does (Graph docs: the resource types of a policy's
// conditions and controls; required properties in conditionalaccessroot-post-
// policies). Guids that are nobody's are refused, too.
func (k *call) checkAccess(p access) reply {
	bad := func(detail string) reply {
		return k.fail(http.StatusBadRequest, "BadRequest", "1033: "+detail)
	}
	switch {
	case p.name() == "":
		return bad("The policy has no displayName.")
	case !slices.Contains([]string{"enabled", "disabled", "enabledForReportingButNotEnforced"}, p.state()):
		return bad("The state is not valid.")
	case len(p.list("conditions.applications.includeApplications")) == 0:
		return bad("includeApplications must not be empty.")
	case len(p.list("conditions.clientAppTypes")) == 0:
		return bad("clientAppTypes must not be empty.")
	case len(p.list("conditions.users.includeUsers"))+len(p.list("conditions.users.includeGroups"))+len(p.list("conditions.users.includeRoles")) == 0:
		return bad("Users must include somebody.")
	case p.at("conditions.platforms") != nil && len(p.list("conditions.platforms.includePlatforms")) == 0:
		return bad("includePlatforms must not be empty.")
	case p.at("grantControls") == nil && p.at("sessionControls") == nil:
		return bad("Either session controls or grant controls must be set.")
	case !slices.Contains([]string{"AND", "OR", ""}, p.text("grantControls.operator")):
		return bad("The operator is not valid.")
	}
	for _, c := range p.controls() {
		if !slices.Contains(grantControls, c) && !slices.Contains(grantLater, c) {
			return bad("The control " + c + " is not valid.")
		}
	}
	for _, path := range []string{"conditions.users.excludeUsers", "conditions.users.includeUsers"} {
		for _, id := range p.list(path) {
			if id != "All" && id != "None" && id != "GuestsOrExternalUsers" && k.tenant.user(id) == nil {
				return bad("User " + id + " does not exist in the directory.")
			}
		}
	}
	return reply{}
}

func (k *call) removeAccess() reply { return k.remove(AccessPolicies) }

// crowdedAccess is the limit of Conditional Access, one request a second for an app
// in a tenant, refused without a Retry-After: what callers report, and no page of
// Microsoft's says.
func (k *call) crowdedAccess() (reply, bool) {
	out, over := k.over(&k.app.access, 1, time.Second)
	out.header = nil
	return out, over
}
