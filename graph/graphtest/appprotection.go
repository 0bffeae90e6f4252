package graphtest

import (
	"maps"
	"net/http"
	"slices"
)

// protectionBeta are the properties of app protection that are about threats, which
// v1.0 does not have (v1.0 metadata of 2026-08; beta SDK 0.165.0).
var protectionBeta = []string{"maximumAllowedDeviceThreatLevel", "mobileThreatDefenseRemediationAction", "mobileThreatDefensePartnerPriority"}

// protectionV1 are those that both have, as far as a baseline meets them.
var protectionV1 = []string{
	"displayName", "description", "roleScopeTagIds",
	"periodOfflineBeforeAccessCheck", "periodOnlineBeforeAccessCheck", "periodOfflineBeforeWipeIsEnforced",
	"allowedInboundDataTransferSources", "allowedOutboundDataTransferDestinations", "allowedOutboundClipboardSharingLevel",
	"organizationalCredentialsRequired", "dataBackupBlocked", "deviceComplianceRequired", "managedBrowserToOpenLinksRequired",
	"saveAsBlocked", "pinRequired", "printBlocked", "contactSyncBlocked", "fingerprintBlocked",
}

// protectionSet is the collection that the path names, and its type.
func (k *call) protectionSet() (set, kind string) {
	set = k.segs[1]
	return set, set[:len(set)-1]
}

func (k *call) showProtection(o thing) thing {
	if !k.beta {
		for _, name := range protectionBeta {
			delete(o, name)
		}
	}
	for _, name := range []string{"apps", "assignments"} {
		if !k.expands(name) {
			delete(o, name)
		}
	}
	return o
}

func (k *call) listProtections() reply {
	set, _ := k.protectionSet()
	return k.things("deviceAppManagement/"+set, k.shelved(set), func(o thing) thing {
		delete(o, "@odata.type") // a list of one type does not say it (OData JSON 4.01, 4.6.3)
		return k.showProtection(o)
	})
}

func (k *call) writeProtection() reply {
	set, kind := k.protectionSet()
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	known := slices.Clone(protectionV1)
	if k.beta {
		known = append(known, protectionBeta...)
	}
	if out := k.onlyKnown(in, kind, known); out.status != 0 {
		return out
	}
	for name, members := range map[string][]string{
		"maximumAllowedDeviceThreatLevel":      {"notConfigured", "secured", "low", "medium", "high"},
		"mobileThreatDefenseRemediationAction": {"block", "wipe", "warn", "blockWhenSettingIsSupported"},
	} {
		if v := in.text(name); v != "" && !slices.Contains(members, v) {
			return k.badRequest("Requested value '%s' was not found.", v)
		}
	}
	if k.r.Method == http.MethodPost {
		if in.text("displayName") == "" {
			return k.failIntune(http.StatusBadRequest, "BadRequest", "DisplayName is required")
		}
		in["@odata.type"], in["appGroupType"], in["apps"], in["assignments"] = "#microsoft.graph."+kind, "selectedPublicApps", []any{}, []any{}
		k.make(set, in)
		return k.thing(http.StatusCreated, k.showProtection(in.clone()))
	}
	o, out := k.find(set)
	if out.status != 0 {
		return out
	}
	maps.Copy(o, in)
	return empty(http.StatusNoContent)
}

func (k *call) removeProtection() reply {
	set, _ := k.protectionSet()
	return k.remove(set)
}

// targetApps replaces the apps of a policy (Graph docs: intune-mam-
// managedappprotection-targetapps).
func (k *call) targetApps() reply {
	set, _ := k.protectionSet()
	o, out := k.find(set)
	if out.status != 0 {
		return out
	}
	in, out := k.read()
	if out.status != 0 {
		return out
	}
	if group := in.text("appGroupType"); !slices.Contains([]string{"selectedPublicApps", "allCoreMicrosoftApps", "allMicrosoftApps", "allApps"}, group) {
		return k.badRequest("Requested value '%s' was not found.", group)
	}
	list, is := in["apps"].([]any)
	if !is {
		return k.badRequest("Invalid payload: apps")
	}
	want := map[string]string{IOSProtections: "iosMobileAppIdentifier", AndroidProtections: "androidMobileAppIdentifier", WindowsProtections: "windowsAppIdentifier"}[set]
	for _, a := range list {
		app, _ := a.(map[string]any)["mobileAppIdentifier"].(map[string]any)
		if typeOf(app) != want {
			return k.failIntune(http.StatusBadRequest, "BadRequest", "The app is of another platform")
		}
	}
	o["appGroupType"], o["apps"] = in["appGroupType"], list
	return empty(http.StatusNoContent)
}

// assignProtection: app protection is for groups of users; what is not a group of
// users or all of them is refused (Intune docs: app-protection-policies).
func (k *call) assignProtection() reply {
	set, _ := k.protectionSet()
	o, out := k.find(set)
	if out.status != 0 {
		return out
	}
	if out := k.assign(o); out.status >= 300 {
		return out
	}
	return empty(http.StatusNoContent)
}
