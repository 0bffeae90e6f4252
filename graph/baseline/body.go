package baseline

import (
	"maps"
	"slices"
	"strings"
)

// body is what a PATCH or POST sends for the changed properties that are no parts.
// A property inside another is sent with all that is around it as it was read, so
// that nothing is lost whether Graph merges or replaces; only what Curfew owns in
// it is set. Nil: nothing is to be sent.
func body(o Object, have Raw, changes []Change) map[string]any {
	out := map[string]any{}
	for _, c := range changes {
		if isPart(c.Path) {
			continue
		}
		top, rest, nested := strings.Cut(c.Path, ".")
		if !nested {
			out[top] = c.To
			continue
		}
		if _, begun := out[top]; !begun {
			around, _ := sendable(have[top]).(map[string]any)
			if around == nil {
				around = map[string]any{}
			}
			out[top] = around
		}
		set(out[top].(map[string]any), strings.Split(rest, "."), c.To)
	}
	if len(out) > 0 && o.Type != "" {
		out["@odata.type"] = typePrefix + o.Type
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// set puts a value at a path. Nothing takes the innermost object away: Graph knows
// no platforms condition of which one list is null.
func set(in map[string]any, path []string, v any) {
	for len(path) > 1 {
		if v == nil && len(path) == 2 {
			in[path[0]] = nil
			return
		}
		next, ok := in[path[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			in[path[0]] = next
		}
		in, path = next, path[1:]
	}
	in[path[0]] = v
}

// sendable is a copy of what was read that Graph takes back: without annotations
// but types, without what is null, and with an authentication strength, which is an
// object of its own, named by its id.
func sendable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			switch strength, ok := value.(map[string]any); {
			case value == nil, strings.Contains(name, "@odata.") && name != "@odata.type":
			case ok && name == "authenticationStrength":
				out[name] = map[string]any{"id": strength["id"]}
			default:
				out[name] = sendable(value)
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, sendable(one))
		}
		return out
	}
	return v
}

// A request is one write.
type request struct {
	method, path string
	body         any
	makes        bool // the answer has the id of what was made
}

// collection is where a kind's objects are.
func collection(o Object) string {
	switch o.Kind {
	case KindConnector:
		return pathConnector
	case KindNotification:
		return pathTemplates
	case KindCompliance:
		return pathCompliance
	case KindSettings:
		return pathSettings
	case KindProtection:
		for _, t := range protectionTypes {
			if t.kind == o.Type {
				return pathProtection + t.set
			}
		}
	}
	return pathAccess
}

// entity is where one object is.
func entity(o Object, id string) string {
	switch o.Kind {
	case KindSettings:
		return pathSettings
	case KindConnector:
		return pathConnector + "/" + DefenderConnector
	}
	return collection(o) + "/" + id
}

// creation is the one request that makes an object.
func creation(o Object, changes []Change) request {
	b := body(o, nil, changes)
	for name, v := range o.First {
		if _, owned := b[name]; !owned {
			b[name] = v
		}
	}
	for _, c := range changes {
		if c.Path == partActions { // without them Graph makes no compliance policy
			b["scheduledActionsForRule"] = rule(c.To)
		}
	}
	if o.Kind == KindConnector {
		b["id"] = DefenderConnector
	}
	return request{method: "POST", path: collection(o), body: b, makes: true}
}

// rule is the one rule of a compliance policy. Its name means nothing, and is the
// one that Microsoft's own console writes.
func rule(actions any) []any {
	return []any{map[string]any{"ruleName": "PasswordRequired", "scheduledActionConfigurations": actions}}
}

// followUps are the requests for the parts of an object that is there. What made it
// has sent the scheduled actions already.
func followUps(o Object, id string, have Raw, changes []Change, made bool) (all []request) {
	at := entity(o, id)
	for _, c := range inOrder(changes) {
		switch locale, message := strings.CutPrefix(c.Path, partMessages); {
		case message:
			all = append(all, messageRequest(at, locale, have, c))
		case c.Path == partActions && !made:
			all = append(all, request{method: "POST", path: at + "/scheduleActionsForRules", body: map[string]any{"deviceComplianceScheduledActionForRules": rule(c.To)}})
		case c.Path == partApps:
			all = append(all, request{method: "POST", path: at + "/targetApps", body: targetApps(o, c.To)})
		case c.Path == partAssignments:
			targets, _ := c.To.([]any)
			list := make([]any, 0, len(targets))
			for _, t := range targets {
				s, _ := t.(string)
				list = append(list, targetJSON(s))
			}
			all = append(all, request{method: "POST", path: at + "/assign", body: map[string]any{"assignments": list}})
		}
	}
	return all
}

// inOrder puts the message that becomes the default first, and the assignment last:
// nobody gets a policy before it is whole.
func inOrder(changes []Change) []Change {
	rank := func(c Change) int {
		m, _ := c.To.(map[string]any)
		switch {
		case strings.HasPrefix(c.Path, partMessages) && m["isDefault"] == true:
			return 0
		case c.Path == partAssignments:
			return 2
		}
		return 1
	}
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return rank(a) - rank(b) })
	return changes
}

// messageRequest makes, changes or takes away one message of a template.
func messageRequest(at, locale string, have Raw, c Change) request {
	at += "/localizedNotificationMessages"
	id := ""
	for _, m := range have.list("localizedNotificationMessages") {
		if strings.EqualFold(m.text("locale"), locale) {
			id = m.ID()
		}
	}
	to, _ := c.To.(map[string]any)
	switch {
	case to == nil:
		return request{method: "DELETE", path: at + "/" + id}
	case id == "":
		b := maps.Clone(to)
		b["locale"] = locale
		return request{method: "POST", path: at, body: b}
	}
	b := maps.Clone(to)
	if b["isDefault"] == false {
		delete(b, "isDefault") // it is moved by making another one the default
	}
	return request{method: "PATCH", path: at + "/" + id, body: b}
}

func targetApps(o Object, v any) map[string]any {
	in, _ := v.(map[string]any)
	list := []any{}
	ids, _ := in["apps"].([]any)
	for _, t := range protectionTypes {
		if t.kind != o.Type {
			continue
		}
		for _, id := range ids {
			list = append(list, map[string]any{"mobileAppIdentifier": map[string]any{"@odata.type": typePrefix + t.app, t.id: id}})
		}
	}
	return map[string]any{"appGroupType": in["appGroupType"], "apps": list}
}
