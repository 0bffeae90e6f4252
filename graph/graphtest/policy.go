package graphtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A policyType is a type of compliance policy: the properties of its own that a
// baseline may meet, by version (v1.0 metadata of 2026-08; beta SDK 0.165.0).
type policyType struct {
	v1, beta []string
	only     bool // /beta alone has the type
}

// policyTypes: "deviceThreatProtection…" is a third party's threat level but on
// Windows, where it is Defender's and /beta's alone; "advancedThreatProtection…" is
// Defender's.
var policyTypes = map[string]policyType{
	"windows10CompliancePolicy": {
		v1:   []string{"bitLockerEnabled", "codeIntegrityEnabled", "osMinimumVersion", "osMaximumVersion", "passwordRequired", "secureBootEnabled", "storageRequireEncryption"},
		beta: []string{"deviceThreatProtectionEnabled", "deviceThreatProtectionRequiredSecurityLevel", "defenderEnabled", "rtpEnabled", "tpmRequired"},
	},
	"iosCompliancePolicy": {
		v1:   []string{"deviceThreatProtectionEnabled", "deviceThreatProtectionRequiredSecurityLevel", "osMinimumVersion", "osMaximumVersion", "passcodeRequired", "securityBlockJailbrokenDevices"},
		beta: []string{"advancedThreatProtectionRequiredSecurityLevel"},
	},
	"macOSCompliancePolicy": {
		v1:   []string{"deviceThreatProtectionEnabled", "deviceThreatProtectionRequiredSecurityLevel", "osMinimumVersion", "passwordRequired", "firewallEnabled", "storageRequireEncryption", "systemIntegrityProtectionEnabled"},
		beta: []string{"advancedThreatProtectionRequiredSecurityLevel", "gatekeeperAllowedAppSource"},
	},
	"androidWorkProfileCompliancePolicy": {
		v1:   []string{"deviceThreatProtectionEnabled", "deviceThreatProtectionRequiredSecurityLevel", "osMinimumVersion", "passwordRequired", "securityBlockJailbrokenDevices"},
		beta: []string{"advancedThreatProtectionRequiredSecurityLevel"},
	},
	"androidDeviceOwnerCompliancePolicy": {
		beta: []string{"advancedThreatProtectionRequiredSecurityLevel", "deviceThreatProtectionEnabled", "deviceThreatProtectionRequiredSecurityLevel", "osMinimumVersion", "passwordRequired"},
		only: true,
	},
}

func typeOf(o thing) string { return strings.TrimPrefix(o.text("@odata.type"), "#microsoft.graph.") }

// showPolicy is a policy as this version shows it. A GET leaves the scheduled
// actions out unless they are expanded, and their configurations unless these are
// (microsoft-graph-docs#4103, #4104, #16701).
func (k *call) showPolicy(o thing) thing {
	kind := policyTypes[typeOf(o)]
	if !k.beta {
		for _, name := range kind.beta {
			delete(o, name)
		}
	}
	if !k.expands("assignments") {
		delete(o, "assignments")
	}
	if !k.expands("scheduledActionsForRule") {
		delete(o, "scheduledActionsForRule")
	} else if !k.expands("scheduledActionConfigurations") {
		rules, _ := o["scheduledActionsForRule"].([]any)
		for _, r := range rules {
			delete(r.(map[string]any), "scheduledActionConfigurations")
		}
	}
	return o
}

func (k *call) listPolicies() reply {
	all := k.shelved(CompliancePolicies)
	if !k.beta {
		all = slices.DeleteFunc(all, func(o thing) bool { return policyTypes[typeOf(o)].only })
	}
	return k.things("deviceManagement/deviceCompliancePolicies", all, k.showPolicy)
}

func (k *call) getPolicy() reply {
	o, out := k.find(CompliancePolicies)
	if out.status != 0 {
		return out
	}
	return k.thing(http.StatusOK, k.showPolicy(o.clone()))
}

// getRules is what the navigation property answers (microsoft-graph-docs#4104).
func (k *call) getRules() reply {
	return k.failIntune(http.StatusBadRequest, "BadRequest", "An error has occurred")
}

func (k *call) writePolicy() reply {
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	kind := typeOf(in)
	creates := k.r.Method == http.MethodPost
	var o thing
	if !creates {
		if o, out = k.find(CompliancePolicies); out.status != 0 {
			return out
		}
		if kind == "" {
			kind = typeOf(o)
		}
	}
	has, known := policyTypes[kind]
	if !known || has.only && !k.beta {
		return k.badRequest("Cannot create an abstract class or an unknown type '%s'.", kind)
	}
	names := append([]string{"displayName", "description", "roleScopeTagIds", "scheduledActionsForRule", "assignments"}, has.v1...)
	if k.beta {
		names = append(names, has.beta...)
	}
	if out := k.onlyKnown(in, kind, names); out.status != 0 {
		return out
	}
	if out := k.levels(in); out.status != 0 {
		return out
	}
	if out := k.approveOf("compliancePolicy", in.text("displayName")+k.arg(0)); out.status != 0 {
		return out
	}
	if !creates {
		delete(in, "scheduledActionsForRule") // changed by scheduleActionsForRules only
		maps.Copy(o, in)
		k.tenant.tellEdit(CompliancePolicies, o, "updated", PolicyEdit{App: k.app.ID})
		return k.thing(http.StatusOK, k.showPolicy(o.clone()))
	}
	rules, bad := k.rules(in["scheduledActionsForRule"])
	if bad.status != 0 {
		return bad
	}
	if in.text("displayName") == "" {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "DisplayName is required")
	}
	in["scheduledActionsForRule"], in["assignments"] = rules, []any{}
	k.make(CompliancePolicies, in)
	return k.thing(http.StatusCreated, k.showPolicy(in.clone()))
}

func (k *call) arg(i int) string {
	if i < len(k.args) {
		return k.args[i]
	}
	return ""
}

// levels checks deviceThreatProtectionLevel (v1.0 metadata of 2026-08).
func (k *call) levels(o thing) reply {
	for _, name := range []string{"deviceThreatProtectionRequiredSecurityLevel", "advancedThreatProtectionRequiredSecurityLevel"} {
		if v := o.text(name); v != "" && !slices.Contains([]string{"unavailable", "secured", "low", "medium", "high", "notSet"}, v) {
			return k.badRequest("Cannot convert the literal '%s' to the expected type 'microsoft.graph.deviceThreatProtectionLevel'.", v)
		}
	}
	return reply{}
}

// rules checks scheduled actions: exactly one block action (microsoft-graph-
// docs#7746, #7912), grace of 0 to 8760 hours, known kinds. A template that is not
// named comes back as zeros.
func (k *call) rules(v any) ([]any, reply) {
	list, _ := v.([]any)
	blocks := 0
	for i, r := range list {
		rule, _ := r.(map[string]any)
		configs, _ := rule["scheduledActionConfigurations"].([]any)
		for j, c := range configs {
			a := thing(c.(map[string]any))
			hours, _ := a["gracePeriodHours"].(float64)
			kind := a.text("actionType")
			if kind == "block" {
				blocks++
			}
			known := []string{"noAction", "notification", "block", "retire", "wipe", "removeResourceAccessProfiles", "pushNotification"}
			if k.beta {
				known = append(known, "remoteLock")
			}
			switch {
			case !slices.Contains(known, kind):
				return nil, k.badRequest("Cannot convert the literal '%s' to the expected type 'microsoft.graph.deviceComplianceActionType'.", kind)
			case hours < 0 || hours > 8760:
				return nil, k.failIntune(http.StatusBadRequest, "BadRequest", "GracePeriodHours must be between 0 and 8760")
			case kind == "notification" && !k.hasTemplate(a.text("notificationTemplateId")):
				return nil, k.failIntune(http.StatusBadRequest, "BadRequest", "NotificationTemplateId is not valid")
			}
			if a.text("notificationTemplateId") == "" {
				a["notificationTemplateId"] = "00000000-0000-0000-0000-000000000000"
			}
			a["id"] = fmt.Sprintf("action-%d-%d", i, j)
		}
		rule["id"] = fmt.Sprintf("rule-%d", i)
	}
	if blocks != 1 {
		return nil, k.failIntune(http.StatusBadRequest, "BadRequest", "DeviceCompliancePolicy must have one and only one block scheduled action")
	}
	return list, reply{}
}

func (k *call) hasTemplate(id string) bool {
	return slices.ContainsFunc(k.tenant.baseline.shelves[Templates], func(o thing) bool { return o.text("id") == id })
}

// scheduleActions replaces a policy's rules (Graph docs: intune-deviceconfig-
// devicecompliancepolicy-scheduleactionsforrules).
func (k *call) scheduleActions() reply {
	o, out := k.find(CompliancePolicies)
	if out.status != 0 {
		return out
	}
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	rules, out := k.rules(in["deviceComplianceScheduledActionForRules"])
	if out.status != 0 {
		return out
	}
	if out := k.approveOf("compliancePolicy", o.text("id")); out.status != 0 {
		return out
	}
	o["scheduledActionsForRule"] = rules
	k.tenant.tellEdit(CompliancePolicies, o, "updated", PolicyEdit{App: k.app.ID})
	return empty(http.StatusNoContent)
}

func (k *call) assignPolicy() reply {
	o, out := k.find(CompliancePolicies)
	if out.status != 0 {
		return out
	}
	if out := k.approveOf("compliancePolicy", o.text("id")); out.status != 0 {
		return out
	}
	return k.assign(o)
}

// assign replaces all assignments (Graph docs: intune-deviceconfig-
// devicecompliancepolicy-assign; what is not in the list is gone).
func (k *call) assign(o thing) reply {
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	list, is := in["assignments"].([]any)
	if !is {
		return k.badRequest("Invalid payload: assignments")
	}
	for i, a := range list {
		target, _ := a.(map[string]any)["target"].(map[string]any)
		kind := typeOf(target)
		group := thing(target).text("groupId")
		if !slices.Contains([]string{"groupAssignmentTarget", "exclusionGroupAssignmentTarget", "allLicensedUsersAssignmentTarget", "allDevicesAssignmentTarget"}, kind) {
			return k.badRequest("Cannot create an abstract class or an unknown type '%s'.", kind)
		}
		if (strings.Contains(kind, "roupAssignmentTarget")) && !isGUID(group) {
			return k.failIntune(http.StatusBadRequest, "BadRequest", "GroupId is not valid")
		}
		a.(map[string]any)["id"] = fmt.Sprintf("%s_%s%d", o.text("id"), group, i)
	}
	o["assignments"] = list
	return k.thing(http.StatusOK, thing{"value": list})
}

func (k *call) removePolicy() reply {
	if out := k.approveOf("compliancePolicy", k.args[0]); out.status != 0 {
		return out
	}
	return k.remove(CompliancePolicies)
}
