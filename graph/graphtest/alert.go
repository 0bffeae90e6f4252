package graphtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Alert describes one of Defender's to AddAlert, and is described by it. Only
// Severity is required.
type Alert struct {
	ID            string // made up if empty
	IncidentID    string // the device's open incident, or a new one, if empty
	Severity      Severity
	Title         string
	Source        string // serviceSource: microsoftDefenderForEndpoint is the default
	Investigation string // investigationState; "" is null
	// HideEntraID leaves azureAdDeviceId null, as in Microsoft's own sample (Graph
	// docs: security-alert). Only the Defender id names the device then.
	HideEntraID bool
}

type alert struct {
	Alert
	n              int // the device's
	device         Device
	status         string
	classification string
	determination  string
	assigned       string
	remediation    string // of the evidence
	comments       []object
	created        time.Time
	updated        time.Time
	resolved       time.Time
	raw            map[string]any
}

type incident struct {
	id         string
	n          int
	redirected string
	created    time.Time
	updated    time.Time
}

// AddAlert raises an alert about a device. Unlike Infect it changes nothing else.
func (t *Tenant) AddAlert(name string, spec Alert) Alert {
	var raised Alert
	t.tell(name, func(d *device, now time.Time) { raised = t.raise(d, spec, now) })
	return raised
}

func (t *Tenant) raise(d *device, spec Alert, now time.Time) Alert {
	if spec.ID == "" {
		spec.ID = fmt.Sprintf("da%018d_%d", now.UnixMicro(), len(t.alerts)+1)
	}
	if spec.Title == "" {
		spec.Title = "Malware was detected on one endpoint"
	}
	if spec.Source == "" {
		spec.Source = "microsoftDefenderForEndpoint"
	}
	if spec.IncidentID == "" {
		spec.IncidentID = t.openIncident(d, now)
	}
	t.alerts = append(t.alerts, &alert{
		Alert: spec, n: d.n, device: d.Device, status: "new", classification: "unknown", determination: "unknown",
		remediation: "active", created: now, updated: now,
	})
	return spec
}

// openIncident is the incident of the device's open alerts, or a new one: later
// alerts on one machine join what is running.
func (t *Tenant) openIncident(d *device, now time.Time) string {
	for _, a := range t.alerts {
		if a.n == d.n && a.status != "resolved" {
			return a.IncidentID
		}
	}
	id := strconv.Itoa(1001 + len(t.incidents))
	t.incidents = append(t.incidents, &incident{id: id, n: d.n, created: now, updated: now})
	return id
}

// Redirect merges an incident into another: the first is redirected from now on.
func (t *Tenant) Redirect(from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, i := range t.incidents {
		if i.id == from {
			i.redirected, i.updated = to, time.Now().UTC()
		}
	}
}

// SetAlertRaw overrides a property of an alert with any JSON value.
func (t *Tenant) SetAlertRaw(id, property string, value any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.alert(id)
	if a == nil {
		panic(fmt.Sprintf("graphtest: %s has no alert %q", t.Name, id))
	}
	if a.raw == nil {
		a.raw = map[string]any{}
	}
	a.raw[property], a.updated = value, time.Now().UTC()
}

func (t *Tenant) alert(id string) *alert {
	for _, a := range slices.Backward(t.alerts) {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (a *alert) resolve(at time.Time) {
	a.status, a.updated, a.resolved = "resolved", at, at
}

type alertView struct {
	*alert
	t *Tenant
}

// alertProperties are those of microsoft.graph.security.alert (Graph v1.0
// metadata, 2026-08). Members after unknownFutureValue, as serviceSource has,
// need the Prefer header (Graph docs: security-alert).
var alertProperties = []property[alertView]{
	{name: "id", get: func(a alertView) any { return a.ID }},
	{name: "providerAlertId", get: func(a alertView) any { return a.ID }},
	{name: "incidentId", get: func(a alertView) any { return a.IncidentID }},
	{name: "status", get: func(a alertView) any { return a.status }, enum: []string{"unknown", "new", "inProgress", "resolved"}},
	{name: "severity", get: func(a alertView) any { return string(a.Severity) },
		enum: []string{"unknown", "informational", "low", "medium", "high"}},
	{name: "classification", get: func(a alertView) any { return a.classification },
		enum: []string{"unknown", "falsePositive", "truePositive", "informationalExpectedActivity"}},
	{name: "determination", get: func(a alertView) any { return a.determination }, enum: determinations},
	{name: "serviceSource", get: func(a alertView) any { return a.Source }, enum: []string{"unknown",
		"microsoftDefenderForEndpoint", "microsoftDefenderForIdentity", "microsoftDefenderForCloudApps",
		"microsoftDefenderForOffice365", "microsoft365Defender", "azureAdIdentityProtection", "microsoftAppGovernance",
		"dataLossPrevention"}},
	{name: "detectionSource", get: func(alertView) any { return "antivirus" }},
	{name: "productName", get: func(alertView) any { return "Microsoft Defender for Endpoint" }},
	{name: "detectorId", get: func(alertView) any { return "d60f5b90-ecd8-4d77-8186-a801597ec762" }},
	{name: "tenantId", get: func(a alertView) any { return a.t.ID }},
	{name: "title", get: func(a alertView) any { return a.Title }},
	{name: "description", get: func(a alertView) any { return a.Title }},
	{name: "recommendedActions", get: func(alertView) any { return "" }},
	{name: "category", get: func(alertView) any { return "Malware" }},
	{name: "assignedTo", get: func(a alertView) any { return orNull(a.assigned) }},
	{name: "alertWebUrl", get: func(a alertView) any {
		return "https://security.microsoft.com/alerts/" + a.ID + "?tid=" + a.t.ID
	}},
	{name: "incidentWebUrl", get: func(a alertView) any {
		return "https://security.microsoft.com/incidents/" + a.IncidentID + "?tid=" + a.t.ID
	}},
	{name: "actorDisplayName", get: func(alertView) any { return nil }},
	{name: "threatDisplayName", get: func(alertView) any { return "Trojan:Win32/Wacatac.B!ml" }},
	{name: "threatFamilyName", get: func(alertView) any { return "Wacatac" }},
	{name: "mitreTechniques", get: func(alertView) any { return []string{} }},
	{name: "createdDateTime", get: func(a alertView) any { return a.created }},
	{name: "lastUpdateDateTime", get: func(a alertView) any { return a.updated }},
	{name: "resolvedDateTime", get: func(a alertView) any { return timeOrNull(a.resolved) }},
	{name: "firstActivityDateTime", get: func(a alertView) any { return a.created }},
	{name: "lastActivityDateTime", get: func(a alertView) any { return a.created }},
	{name: "systemTags", get: func(alertView) any { return []string{} }},
	{name: "alertPolicyId", get: func(alertView) any { return nil }},
	{name: "investigationState", get: func(a alertView) any { return orNull(a.Investigation) }, enum: investigations},
	{name: "comments", get: func(a alertView) any { return append([]object{}, a.comments...) }},
	{name: "evidence", get: alertView.evidence},
}

var determinations = []string{"unknown", "apt", "malware", "securityPersonnel", "securityTesting", "unwantedSoftware",
	"other", "multiStagedAttack", "compromisedAccount", "phishing", "maliciousUserActivity", "notMalicious",
	"notEnoughDataToValidate", "confirmedActivity", "lineOfBusinessApplication"}

var investigations = []string{"unknown", "terminated", "successfullyRemediated", "benign", "failed", "partiallyRemediated",
	"running", "pendingApproval", "pendingResource", "queued", "innerFailure", "preexistingAlert", "unsupportedOs",
	"unsupportedAlertType", "suppressedAlert", "partiallyInvestigated", "terminatedByUser", "terminatedBySystem"}

// evidence is a deviceEvidence and, when the device has a user, a userEvidence
// (Graph v1.0 metadata, 2026-08). deviceEvidence names no user by UPN.
func (a alertView) evidence() any {
	d := a.device
	entra := orNull(d.EntraID)
	if a.HideEntraID || d.EntraID == NotInEntra {
		entra = nil
	}
	account, domain, _ := strings.Cut(d.User, "@")
	loggedOn := []object{}
	if d.User != "" {
		loggedOn = append(loggedOn, object{{"accountName", account}, {"domainName", domain}})
	}
	verdict := "malicious"
	common := func(kind string, roles []string) object {
		return object{
			{"@odata.type", "#microsoft.graph.security." + kind}, {"createdDateTime", a.created}, {"verdict", verdict},
			{"remediationStatus", a.remediation}, {"remediationStatusDetails", nil}, {"roles", roles},
			{"detailedRoles", []string{}}, {"tags", []string{}},
		}
	}
	rows := []object{append(common("deviceEvidence", []string{"compromised"}), object{
		{"firstSeenDateTime", d.Enrolled}, {"mdeDeviceId", d.DefenderID}, {"azureAdDeviceId", entra},
		{"deviceDnsName", strings.ToLower(d.Name) + "." + a.t.Domain}, {"hostName", strings.ToLower(d.Name)},
		{"ntDomain", nil}, {"dnsDomain", a.t.Domain}, {"osPlatform", d.OS + "11"}, {"osBuild", 26200}, {"version", "25H2"},
		{"healthStatus", "active"}, {"riskScore", string(a.Severity)}, {"rbacGroupId", 0}, {"rbacGroupName", nil},
		{"onboardingStatus", "onboarded"}, {"defenderAvStatus", "updated"}, {"ipInterfaces", []string{"192.0.2.17"}},
		{"lastIpAddress", "192.0.2.17"}, {"lastExternalIpAddress", "198.51.100.4"}, {"loggedOnUsers", loggedOn},
		{"resourceAccessEvents", []string{}}, {"vmMetadata", nil},
	}...)}
	if d.User != "" {
		rows = append(rows, append(common("userEvidence", []string{"contextual"}), object{
			{"stream", nil}, {"userAccount", object{
				{"accountName", account}, {"domainName", domain}, {"userSid", nil}, {"azureAdUserId", orNull(a.t.userID(d.User))},
				{"userPrincipalName", d.User}, {"displayName", a.t.displayName(d.User)},
			}},
		}...))
	}
	return rows
}
