package baseline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// canon is a value as text, the same for the same value however it was written.
func canon(v any) string {
	b, err := json.Marshal(v) // which sorts the members of objects
	if err != nil {
		return ""
	}
	return string(b)
}

// asJSON is a value as it comes out of JSON.
func asJSON(v any) any {
	var out any
	_ = json.Unmarshal([]byte(canon(v)), &out) // of what was just written
	return out
}

// volatile are the properties that change although nobody changed the object.
var volatile = []string{
	"createdDateTime", "lastModifiedDateTime", "modifiedDateTime", "version", "lastHeartbeatDateTime", "partnerState",
	"deployedAppCount", "isAssigned", "etag",
}

// hash tells whether an object is still as it was read.
func hash(r Raw) string {
	if r == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(canon(settled(map[string]any(r)))))
	return hex.EncodeToString(sum[:12])
}

// settled is a value without what is volatile, and without annotations but types.
// Graph returns lists of texts and of parts in no order that means anything.
func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if slices.Contains(volatile, name) || strings.Contains(name, "@odata.") && name != "@odata.type" {
				continue
			}
			out[name] = settled(value)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, value := range v {
			out = append(out, settled(value))
		}
		slices.SortFunc(out, func(a, b any) int { return cmp.Compare(canon(a), canon(b)) })
		return out
	}
	return v
}

// number is a JSON number; 0: it is none.
func number(v any) float64 {
	n, _ := v.(float64)
	return n
}

// moment reads a time of Graph's; zero: there is none. Intune writes the year 1
// for never.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 2000 {
		return time.Time{}
	}
	return t
}

// targetOf is an assignment's target as a text: "group:<id>", "exclude:<id>",
// "all-users", "all-devices". A filter, or a kind that is not known, shows, so that
// it differs from everything that is wanted.
func targetOf(assignment Raw) string {
	target, _ := assignment["target"].(map[string]any)
	t := Raw(target)
	var s string
	switch t.Type() {
	case "groupAssignmentTarget":
		s = "group:" + t.text("groupId")
	case "exclusionGroupAssignmentTarget":
		s = "exclude:" + t.text("groupId")
	case "allLicensedUsersAssignmentTarget":
		s = "all-users"
	case "allDevicesAssignmentTarget":
		s = "all-devices"
	default:
		s = "other:" + canon(settled(target))
	}
	if id := t.text("deviceAndAppManagementAssignmentFilterId"); !noID(id) {
		s += " filter:" + t.text("deviceAndAppManagementAssignmentFilterType") + ":" + id
	}
	return s
}

// targetJSON is what targetOf reads.
func targetJSON(s string) map[string]any {
	kind, id, _ := strings.Cut(s, ":")
	name := map[string]string{
		"group": "groupAssignmentTarget", "exclude": "exclusionGroupAssignmentTarget",
		"all-users": "allLicensedUsersAssignmentTarget", "all-devices": "allDevicesAssignmentTarget",
	}[kind]
	t := map[string]any{"@odata.type": typePrefix + name}
	if id != "" {
		t["groupId"] = id
	}
	return map[string]any{"target": t}
}

func assignmentsOf(have Raw) any {
	targets := []string{}
	for _, a := range have.list("assignments") {
		targets = append(targets, targetOf(a))
	}
	return anys(targets)
}

// actionsOf are the actions for non-compliance of a policy. Where there is more
// than one rule the rest is of no effect; the first counts.
func actionsOf(have Raw) any {
	all := []any{}
	rules := have.list("scheduledActionsForRule")
	if len(rules) == 0 {
		return all
	}
	for _, a := range rules[0].list("scheduledActionConfigurations") {
		hours := number(a["gracePeriodHours"])
		template := a.text("notificationTemplateId")
		if noID(template) {
			template = ""
		}
		all = append(all, action(a.text("actionType"), Hours(hours), template, a.texts("notificationMessageCCList")))
	}
	return asJSON(all)
}

// noID reports whether an id names nothing: Intune writes zeros.
func noID(id string) bool { return strings.Trim(id, "0-") == "" }

// appsOf is what a protection policy targets. Of a named group of apps Intune
// lists the members, which change without anybody's doing.
func appsOf(have Raw) any {
	group := have.text("appGroupType")
	if group != "selectedPublicApps" && group != "" {
		return map[string]any{"appGroupType": group, "apps": []any{}}
	}
	var platform Platform
	for p, t := range protectionTypes {
		if t.kind == have.Type() {
			platform = p
		}
	}
	var ids []string
	for _, a := range have.list("apps") {
		app, _ := a["mobileAppIdentifier"].(map[string]any)
		ids = append(ids, Raw(app).text(protectionTypes[platform].id))
	}
	return apps(platform, ids)
}

// messageOf is a template's message in a locale.
func messageOf(have Raw, locale string) any {
	for _, m := range have.list("localizedNotificationMessages") {
		if strings.EqualFold(m.text("locale"), locale) {
			return map[string]any{"subject": m.text("subject"), "messageTemplate": m.text("messageTemplate"), "isDefault": m["isDefault"] == true}
		}
	}
	return nil
}
