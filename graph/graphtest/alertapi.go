package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// alertFilters are the properties $filter works on (Graph docs:
// security-list-alerts_v2); evidence/any is in the migration page's examples.
var alertFilters = []string{"assignedTo", "classification", "determination", "createdDateTime", "lastUpdateDateTime",
	"severity", "serviceSource", "status"}

// Alerts page by 100; Microsoft states neither a default nor a maximum.
const alertPage, alertPageMost = 100, 1000

// listAlerts has the newest first and supports $count, $filter, $skip and $top
// (Graph docs: security-list-alerts_v2).
func (k *call) listAlerts() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.badRequest("Invalid filter clause: %v", err)
	}
	if bad := unsupportedAlertFilter(where); bad != "" {
		return k.badRequest("Invalid filter clause: filtering by '%s' is not supported.", bad)
	}
	skip := 0
	if s := k.query.Get("$skip"); s != "" {
		if skip, err = strconv.Atoi(s); err != nil || skip < 0 {
			return k.badRequest("Invalid value '%s' for $skip query option found.", s)
		}
	}
	chosen, unknown := pick(alertProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.badRequest("Could not find a property named '%s' on type 'microsoft.graph.security.alert'.", unknown)
	}
	size, _, out := k.page(alertPage, alertPageMost)
	if out.status != 0 {
		return out
	}
	prefer := k.prefers("include-unknown-enum-members")
	var rows []byte
	found := 0
	for _, a := range slices.Backward(k.tenant.alerts) {
		v := alertView{a, k.tenant}
		if where != nil && !where.match(v.property) {
			continue
		}
		if found++; found <= skip || found > skip+size {
			continue
		}
		if len(rows) > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, appendRow(nil, v, chosen, a.raw, prefer)...)
	}
	head := object{{"@odata.context", k.base + "/$metadata#security/alerts_v2"}}
	if k.query.Get("$count") == "true" {
		head = append(head, pair{"@odata.count", found})
	}
	if found > skip+size {
		head = append(head, pair{"@odata.nextLink", k.next("$skip", strconv.Itoa(skip+size))})
	}
	return reply{status: http.StatusOK, body: collection(head, rows), header: k.applied(prefer)}
}

func unsupportedAlertFilter(e expr) (bad string) {
	if a, ok := e.(anyOf); ok && strings.EqualFold(a.path, "evidence") {
		return ""
	}
	if l, ok := e.(logic); ok {
		if bad = unsupportedAlertFilter(l.l); bad == "" {
			bad = unsupportedAlertFilter(l.r)
		}
		return bad
	}
	visit(e, func(c compare) {
		if !slices.ContainsFunc(alertFilters, func(name string) bool { return strings.EqualFold(name, c.path) }) {
			bad = c.path
		}
	})
	return bad
}

func (a alertView) property(name string) any {
	for i := range alertProperties {
		p := &alertProperties[i]
		if !strings.EqualFold(p.name, name) {
			continue
		}
		v := p.value(a, a.raw, true)
		rows, ok := v.([]object)
		if !ok {
			return v
		}
		var elements []func(string) any
		for _, row := range rows {
			elements = append(elements, row.under)
		}
		return elements
	}
	return nil
}

// under is the value at a path such as userAccount/userPrincipalName, which may
// begin with a type.
func (o object) under(path string) any {
	if kind, rest, ok := strings.Cut(path, "/"); ok && strings.HasPrefix(kind, "microsoft.graph.") {
		if "#"+kind != o.get("@odata.type") {
			return nil
		}
		path = rest
	}
	first, rest, deeper := strings.Cut(path, "/")
	v := o.get(first)
	if inner, ok := v.(object); ok && deeper {
		return inner.under(rest)
	}
	return v
}

func (k *call) pathAlert() (*alert, reply) {
	if a := k.tenant.alert(k.args[0]); a != nil {
		return a, reply{}
	}
	return nil, k.fail(http.StatusNotFound, "NotFound", "Alert "+k.args[0]+" was not found.")
}

func (k *call) sendAlert(a *alert) reply {
	prefer := k.prefers("include-unknown-enum-members")
	chosen, _ := pick(alertProperties, "", k.beta)
	row := appendRow(nil, alertView{a, k.tenant}, chosen, a.raw, prefer)
	return reply{status: http.StatusOK, body: k.entity("security/alerts_v2", row), header: k.applied(prefer)}
}

func (k *call) getAlert() reply {
	a, out := k.pathAlert()
	if out.status != 0 {
		return out
	}
	return k.sendAlert(a)
}

// patchAlert takes status, classification, determination and assignedTo (Graph
// docs: security-alert-update). Resolving a device's last open alert takes its
// risk away (Defender docs: conditional-access).
func (k *call) patchAlert() reply {
	a, out := k.pathAlert()
	if out.status != 0 {
		return out
	}
	var change struct{ Status, Classification, Determination, AssignedTo *string }
	if err := json.Unmarshal(k.body, &change); err != nil {
		return k.badRequest("Invalid JSON in the request body: %v", err)
	}
	for _, f := range []struct {
		name  string
		value *string
		into  *string
		legal []string
	}{
		{"classification", change.Classification, &a.classification, []string{"unknown", "falsePositive", "truePositive", "informationalExpectedActivity"}},
		{"determination", change.Determination, &a.determination, determinations},
		{"assignedTo", change.AssignedTo, &a.assigned, nil},
		{"status", change.Status, &a.status, []string{"new", "inProgress", "resolved"}},
	} {
		if f.value == nil {
			continue
		}
		if f.legal != nil && !slices.Contains(f.legal, *f.value) {
			return k.badRequest("'%s' is not a valid %s.", *f.value, f.name)
		}
		*f.into = *f.value
	}
	a.updated = k.now
	if a.status == "resolved" && a.resolved.IsZero() {
		a.resolve(k.now)
		k.tenant.relax(a.n, k.now)
	}
	return k.sendAlert(a)
}

// relax takes a device's risk away if no alert on it is open.
func (t *Tenant) relax(n int, now time.Time) {
	if slices.ContainsFunc(t.alerts, func(a *alert) bool { return a.n == n && a.status != "resolved" }) {
		return
	}
	if d := t.at(n); d != nil {
		t.keep(d).risk = ""
		t.pass(d, now, failing{RiskPolicy, riskSetting})
	}
}

// commentAlert appends a comment and answers with all of them (Graph docs:
// security-alert-post-comments). There is no key against sending one twice.
func (k *call) commentAlert() reply {
	a, out := k.pathAlert()
	if out.status != 0 {
		return out
	}
	var body struct{ Comment string }
	if err := json.Unmarshal(k.body, &body); err != nil || body.Comment == "" {
		return k.badRequest("The request body must have a comment.")
	}
	a.comments = append(a.comments, object{
		{"@odata.type", "#microsoft.graph.security.alertComment"}, {"comment", body.Comment},
		{"createdByDisplayName", "API-App:" + k.app.ID}, {"createdDateTime", k.now},
	})
	a.updated = k.now
	return k.list("security/alerts_v2('"+a.ID+"')/comments", a.comments)
}

// Comments returns the comments on an alert, oldest first.
func (t *Tenant) Comments(alertID string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	if a := t.alert(alertID); a != nil {
		for _, c := range a.comments {
			all = append(all, c.get("comment").(string))
		}
	}
	return all
}
