package graphtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A PolicyEdit is somebody's change of a policy. Only What is required.
type PolicyEdit struct {
	What   string // the policy's display name
	Access bool   // a Conditional Access policy rather than one of Intune's
	Type   string // of what is Intune's; DeviceCompliancePolicy if empty
	Who    string // a UPN; admin@<domain> if empty
	App    string // the name of the app that did it, instead of Who
	Did    string // created, updated (the default), deleted or assigned
	At     time.Time
	Failed bool
}

// An audit is an entry of Entra's or Intune's log.
type audit struct {
	intune bool
	at     time.Time
	row    object
}

// EditPolicy changes a policy, as far as the audit logs tell.
func (t *Tenant) EditPolicy(e PolicyEdit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Who, e.Did = cmp.Or(e.Who, "admin@"+t.Domain), cmp.Or(e.Did, "updated")
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	if e.Access {
		verb := map[string]string{"created": "Add", "updated": "Update", "deleted": "Delete"}[e.Did]
		t.auditEntra(e, "Policy", "Conditional Access", verb, verb+" conditional access policy")
		return
	}
	verb := map[string]string{"created": "Create", "updated": "Patch", "deleted": "Delete", "assigned": "Create"}[e.Did]
	kind, category := cmp.Or(e.Type, "DeviceCompliancePolicy"), "Compliance"
	if e.Type != "" {
		category = "DeviceConfiguration"
	}
	activity := verb + " " + kind
	if e.Did == "assigned" {
		activity = "assign" + kind + " " + kind
	}
	t.auditIntune(e, category, verb, activity, kind)
}

// Bustle adds n entries about other things to each of the audit logs, a second
// apart, up to now.
func (t *Tenant) Bustle(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range n {
		e := PolicyEdit{What: fmt.Sprintf("thing %d", i), Who: "admin@" + t.Domain, At: time.Now().UTC().Add(time.Duration(i-n) * time.Second)}
		switch i % 3 {
		case 0:
			t.auditEntra(e, "Policy", "Conditional Access", "Update", "Update named location")
		default:
			t.auditEntra(e, "GroupManagement", "Core Directory", "Add", "Add member to group")
		}
		t.auditIntune(e, "Device", "Action", "syncDevice ManagedDevice", "ManagedDevice")
	}
}

// auditEntra adds a directoryAudit (Graph v1.0 metadata, 2026-08). Service,
// category and activity of Conditional Access are those of Entra docs:
// troubleshoot-policy-changes-audit-log, and of published detections.
func (t *Tenant) auditEntra(e PolicyEdit, category, service, verb, activity string) {
	result, user, app := "success", any(nil), any(nil)
	if e.Failed {
		result = "failure"
	}
	if e.App != "" {
		app = object{{"appId", nil}, {"displayName", e.App}, {"servicePrincipalId", t.named("sp", e.App)}, {"servicePrincipalName", nil}}
	} else {
		user = object{{"id", t.named("admin", e.Who)}, {"displayName", nil}, {"userPrincipalName", e.Who}, {"ipAddress", "192.0.2.9"}}
	}
	t.log(audit{at: e.At, row: object{
		{"id", "Directory_" + newGUID()}, {"category", category}, {"correlationId", newGUID()}, {"result", result}, {"resultReason", nil},
		{"activityDisplayName", activity}, {"activityDateTime", e.At}, {"loggedByService", service}, {"operationType", verb},
		{"initiatedBy", object{{"app", app}, {"user", user}}},
		{"targetResources", []object{{{"id", t.named("policy", e.What)}, {"displayName", e.What}, {"type", "Policy"},
			{"userPrincipalName", nil}, {"groupType", nil}, {"modifiedProperties", []string{}}}}},
		{"additionalDetails", []string{}},
	}})
}

// auditIntune adds an auditEvent (Graph v1.0 metadata, 2026-08). The form of its
// strings is that of Microsoft's sample of a sibling (Graph docs:
// cloudpcauditevent-get): "Patch <type>", Patch, Success.
func (t *Tenant) auditIntune(e PolicyEdit, category, verb, activity, kind string) {
	result, user, app := "Success", any(e.Who), any("Microsoft Intune portal extension")
	if e.Failed {
		result = "Failure"
	}
	if e.App != "" {
		user, app = nil, e.App
	}
	t.log(audit{intune: true, at: e.At, row: object{
		{"id", newGUID()}, {"displayName", activity}, {"componentName", kind}, {"activity", nil}, {"activityDateTime", e.At},
		{"activityType", activity}, {"activityOperationType", verb}, {"activityResult", result}, {"correlationId", newGUID()}, {"category", category},
		{"actor", object{{"auditActorType", "ItPro"}, {"userPermissions", []string{"*"}}, {"applicationId", newGUID()}, {"applicationDisplayName", app},
			{"userPrincipalName", user}, {"servicePrincipalName", nil}, {"ipAddress", nil}, {"userId", newGUID()}}},
		{"resources", []object{{{"displayName", e.What}, {"auditResourceType", kind}, {"resourceId", t.named("policy", e.What)}, {"modifiedProperties", []string{}}}}},
	}})
}

func (t *Tenant) log(a audit) {
	t.audits = append(t.audits, a)
	slices.SortStableFunc(t.audits, func(a, b audit) int { return a.at.Compare(b.at) })
}

// The properties that the logs can be filtered by. Entra refuses others (Graph
// docs: directoryAudit, "Supports $filter"; Entra docs:
// scenario-health-conditional-access-block-policy); Intune ignores them (Intune
// docs: Cloud PKI audit logs name those that work).
var (
	directoryAuditFilters = []string{"activityDateTime", "activityDisplayName", "loggedByService", "operationType", "category", "correlationId", "id", "result"}
	intuneAuditFilters    = []string{"activityDateTime", "activityType", "displayName", "category", "id"}
)

func (k *call) listDirectoryAudits() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil || !only(where, directoryAuditFilters) {
		return k.fail(http.StatusBadRequest, "BadRequest", "Invalid filter clause")
	}
	return k.listAuditLog(false, where, "auditLogs/directoryAudits")
}

func (k *call) listIntuneAudits() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	if !only(where, intuneAuditFilters) {
		where = nil
	}
	return k.listAuditLog(true, where, "deviceManagement/auditEvents")
}

func only(where expr, properties []string) bool {
	fine := true
	visit(where, func(c compare) {
		fine = fine && slices.ContainsFunc(properties, func(p string) bool { return strings.EqualFold(p, c.path) })
	})
	return fine
}

// listAuditLog pages by 1,000 at most (Graph docs: directoryaudit-list, $top), the
// newest first unless $orderby says otherwise.
func (k *call) listAuditLog(intune bool, where expr, set string) reply {
	size, from, out := k.page(1000, 1000)
	if out.status != 0 {
		return out
	}
	all := slices.Clone(k.tenant.audits)
	if order := k.query.Get("$orderby"); order != "activityDateTime asc" && order != "activityDateTime" {
		slices.Reverse(all)
	}
	rows, found := []object{}, 0
	for _, a := range all {
		if a.intune != intune || a.at.After(k.now) || where != nil && !where.match(a.row.get) {
			continue
		}
		if found++; found > from && len(rows) < size {
			rows = append(rows, a.row)
		}
	}
	page := object{{"@odata.context", k.base + "/$metadata#" + set}}
	if found > from+size {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(from+size))})
	}
	return ok(append(page, pair{"value", rows}))
}
