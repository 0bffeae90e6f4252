package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// incidentRow is a small part of microsoft.graph.security.incident (Graph v1.0
// metadata, 2026-08). A merged one has status redirected, which comes before
// unknownFutureValue; awaitingAction comes after. A redirected incident keeps no
// alerts: they are the other's.
func (k *call) incidentRow(in *incident) object {
	status, severity := "resolved", Severity("unknown")
	alerts := []json.RawMessage{}
	prefer := k.prefers("include-unknown-enum-members")
	chosen, _ := pick(alertProperties, "", k.beta)
	for _, a := range k.tenant.alerts {
		if k.tenant.mergedInto(a.IncidentID) != in.id {
			continue
		}
		severity = a.Severity
		if a.status != "resolved" {
			status = "active"
		}
		alerts = append(alerts, appendRow(nil, alertView{a, k.tenant}, chosen, a.raw, prefer))
	}
	if in.redirected != "" {
		status = "redirected"
	}
	row := object{
		{"id", in.id}, {"tenantId", k.tenant.ID}, {"status", status}, {"severity", string(severity)},
		{"incidentWebUrl", "https://security.microsoft.com/incidents/" + in.id + "?tid=" + k.tenant.ID},
		{"redirectIncidentId", orNull(in.redirected)}, {"displayName", "Incident " + in.id}, {"priorityScore", nil},
		{"createdDateTime", in.created}, {"lastUpdateDateTime", in.updated}, {"assignedTo", nil},
		{"classification", "unknown"}, {"determination", "unknown"}, {"comments", []string{}},
		{"customTags", []string{}}, {"systemTags", []string{}}, {"description", nil}, {"summary", nil},
	}
	if strings.EqualFold(k.query.Get("$expand"), "alerts") {
		row = append(row, pair{"alerts", alerts})
	}
	return row
}

// mergedInto is where an incident's alerts are by now.
func (t *Tenant) mergedInto(id string) string {
	for range len(t.incidents) + 1 {
		i := slices.IndexFunc(t.incidents, func(i *incident) bool { return i.id == id && i.redirected != "" })
		if i < 0 {
			break
		}
		id = t.incidents[i].redirected
	}
	return id
}

func (k *call) getIncident() reply {
	i := slices.IndexFunc(k.tenant.incidents, func(i *incident) bool { return i.id == k.args[0] })
	if i < 0 {
		return k.fail(http.StatusNotFound, "NotFound", "Incident "+k.args[0]+" was not found.")
	}
	return reply{status: http.StatusOK, body: k.entity("security/incidents", k.incidentRow(k.tenant.incidents[i]).bytes())}
}

// listIncidents pages by 50 at most (Graph docs: security-list-incidents, $top).
func (k *call) listIncidents() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.badRequest("Invalid filter clause: %v", err)
	}
	size, from, out := k.page(50, 50)
	if out.status != 0 {
		return out
	}
	rows, found := []object{}, 0
	for _, in := range slices.Backward(k.tenant.incidents) {
		row := k.incidentRow(in)
		if where != nil && !where.match(row.get) {
			continue
		}
		if found++; found > from && len(rows) < size {
			rows = append(rows, row)
		}
	}
	page := object{{"@odata.context", k.base + "/$metadata#security/incidents"}}
	if found > from+size {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(from+size))})
	}
	return ok(append(page, pair{"value", rows}))
}
