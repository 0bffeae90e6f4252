package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// managed is a managed device as seen at a moment.
type managed struct {
	*device
	t      *Tenant
	now    time.Time
	single bool
}

// managedProperties are those of managedDevice (Graph v1.0 metadata, 2026-08;
// beta-only ones from the beta SDK 0.165.0).
var managedProperties = []property[managed]{
	{name: "id", get: func(m managed) any { return m.ID }},
	{name: "userId", get: func(m managed) any { return m.t.userID(m.User) }},
	{name: "deviceName", get: func(m managed) any { return m.Name }},
	{name: "managedDeviceOwnerType", get: func(m managed) any { return m.Owner }, enum: []string{"unknown", "company", "personal"}},
	{name: "enrolledDateTime", get: func(m managed) any { return m.Enrolled }},
	{name: "lastSyncDateTime", get: func(m managed) any { return m.t.lastSync(m.device, m.now) }},
	{name: "operatingSystem", get: func(m managed) any { return m.OS }},
	{name: "complianceState", get: func(m managed) any { return m.t.compliance(m.device, m.now) }},
	{name: "jailBroken", get: fixed("Unknown")},
	{name: "managementAgent", get: func(m managed) any { return m.Agent }},
	{name: "osVersion", get: func(m managed) any { return m.OSVersion }},
	{name: "easActivated", get: fixed(false)},
	{name: "easDeviceId", get: fixed("")},
	{name: "easActivationDateTime", get: fixed(never())},
	{name: "azureADRegistered", get: func(m managed) any { return m.EntraID != NotInEntra }},
	{name: "deviceEnrollmentType", get: enrollment, enum: []string{"unknown", "userEnrollment", "deviceEnrollmentManager",
		"appleBulkWithUser", "appleBulkWithoutUser", "windowsAzureADJoin", "windowsBulkUserless", "windowsAutoEnrollment",
		"windowsBulkAzureDomainJoin", "windowsCoManagement", "windowsAzureADJoinUsingDeviceAuth", "appleUserEnrollment",
		"appleUserEnrollmentWithServiceAccount"}},
	{name: "activationLockBypassCode", get: alone(nil), only: true},
	{name: "emailAddress", get: func(m managed) any { return m.User }},
	{name: "azureADDeviceId", get: func(m managed) any { return m.EntraID }},
	{name: "deviceRegistrationState", get: fixed("registered")},
	{name: "deviceCategoryDisplayName", get: func(m managed) any { return m.Category }},
	{name: "isSupervised", get: fixed(false)},
	{name: "exchangeLastSuccessfulSyncDateTime", get: fixed(never())},
	{name: "exchangeAccessState", get: fixed("none")},
	{name: "exchangeAccessStateReason", get: fixed("none")},
	{name: "remoteAssistanceSessionUrl", get: fixed(nil)},
	{name: "remoteAssistanceSessionErrorDetails", get: fixed(nil)},
	{name: "isEncrypted", get: func(m managed) any { return m.encrypted }},
	{name: "userPrincipalName", get: func(m managed) any { return m.User }},
	{name: "model", get: func(m managed) any { return m.Model }},
	{name: "manufacturer", get: func(m managed) any { return m.Manufacturer }},
	{name: "imei", get: fixed("")},
	{name: "complianceGracePeriodExpirationDateTime", get: func(m managed) any { return m.t.graceEnds(m.device) }},
	{name: "serialNumber", get: func(m managed) any { return m.Serial }},
	{name: "phoneNumber", get: fixed("")},
	{name: "androidSecurityPatchLevel", get: fixed("")},
	{name: "userDisplayName", get: func(m managed) any { return m.t.displayName(m.User) }},
	{name: "configurationManagerClientEnabledFeatures", get: fixed(nil)},
	{name: "wiFiMacAddress", get: fixed("")},
	{name: "deviceHealthAttestationState", get: fixed(nil)},
	{name: "subscriberCarrier", get: fixed("")},
	{name: "meid", get: fixed("")},
	{name: "totalStorageSpaceInBytes", get: fixed(int64(512_000_000_000))},
	{name: "freeStorageSpaceInBytes", get: fixed(int64(301_000_000_000))},
	{name: "managedDeviceName", get: func(m managed) any { return m.User + "_" + m.OS + "_" + stamp(m.Enrolled) }},
	{name: "partnerReportedThreatState", get: func(m managed) any { return m.risk.partner() }},
	{name: "requireUserEnrollmentApproval", get: fixed(nil)},
	{name: "managementCertificateExpirationDate", get: func(m managed) any { return m.Enrolled.AddDate(1, 0, 0) }},
	{name: "iccid", get: alone(""), only: true},
	{name: "udid", get: alone(""), only: true},
	{name: "notes", get: alone(nil), only: true},
	{name: "ethernetMacAddress", get: alone(nil), only: true},
	{name: "physicalMemoryInBytes", get: alone(int64(17_179_869_184)), only: true},
	{name: "enrollmentProfileName", get: fixed("")},
	{name: "deviceActionResults", get: managed.actionResults},
	{name: "managementState", get: managed.managementState, enum: []string{"managed", "retirePending", "retireFailed",
		"wipePending", "wipeFailed", "unhealthy", "deletePending", "retireIssued", "wipeIssued", "wipeCanceled",
		"retireCanceled", "discovered"}},
	{name: "joinType", get: func(m managed) any { return string(m.Join) }, beta: true},
	{name: "autopilotEnrolled", get: func(m managed) any { return m.OS == "Windows" }, beta: true},
	{name: "ownerType", get: func(m managed) any { return m.Owner }, beta: true},
	{name: "lostModeState", get: fixed("disabled"), beta: true},
	{name: "windowsActiveMalwareCount", get: func(m managed) any { return m.countMalware(true) }, beta: true},
	{name: "windowsRemediatedMalwareCount", get: func(m managed) any { return m.countMalware(false) }, beta: true},
	{name: "roleScopeTagIds", get: fixed([]string{"0"}), beta: true},
}

func fixed(v any) func(managed) any { return func(managed) any { return v } }

// alone is for properties that lists never have.
func alone(v any) func(managed) any {
	return func(m managed) any {
		if m.single {
			return v
		}
		return nil
	}
}

func enrollment(m managed) any {
	if m.OS == "Windows" {
		return "windowsAzureADJoin"
	}
	return "userEnrollment"
}

// managedFilters are the operators that the metadata's descriptions name for each
// property of managedDevice; every other filter is ignored without a word and
// all devices come back (Graph v1.0 metadata, 2026-08; graph-explorer-v4#3125,
// docs#19890, docs-contrib#235).
var managedFilters = map[string]string{
	"compliancestate": "eq or", "managementagent": "eq or", "managementstate": "eq or", "operatingsystem": "eq or",
	"serialnumber": "eq or", "imei": "eq or", "manufacturer": "eq or", "devicecategorydisplayname": "eq or",
	"exchangeaccessstate": "eq or", "jailbroken": "eq or",
	"azureaddeviceid": "eq",
	"devicename":      "eq contains", "model": "eq contains",
	"osversion": "contains", "emailaddress": "contains", "phonenumber": "contains",
	"userprincipalname": "eq ne",
	"lastsyncdatetime":  "lt gt", "enrolleddatetime": "lt gt", "compliancegraceperiodexpirationdatetime": "lt gt",
}

// honoured tells whether Intune applies the filter. Different properties may be
// combined by and, not by or (the metadata's description of managedDevice).
func honoured(e expr, counting bool) bool {
	switch e := e.(type) {
	case compare:
		path := strings.ToLower(e.path)
		if counting && path == "azureaddeviceid" { // "not combine with count"
			return false
		}
		return slices.Contains(strings.Fields(managedFilters[path]), e.op)
	case logic:
		if e.op == "and" {
			return honoured(e.l, counting) && honoured(e.r, counting)
		}
		paths := map[string]bool{}
		whole := honoured(e.l, counting) && honoured(e.r, counting)
		visit(e, func(c compare) {
			paths[strings.ToLower(c.path)] = true
			whole = whole && strings.HasSuffix(managedFilters[strings.ToLower(c.path)], " or")
		})
		return whole && len(paths) == 1
	}
	return false
}

// The page of managedDevices: 1,000 unless $top asks for fewer
// (powershell-intune-samples#2).
const managedPage = 1000

func (k *call) listManagedDevices() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	if !honoured(where, k.query.Get("$count") == "true") {
		where = nil
	}
	return k.listManaged(where, "deviceManagement/managedDevices")
}

// listUsersDevices are those whose primary user it is (Graph v1.0 metadata, 2026-08:
// user, managedDevices). No filter is documented, so all are ignored.
func (k *call) listUsersDevices() reply {
	u, out := k.pathUser()
	if out.status != 0 {
		return out
	}
	return k.listManaged(compare{"userPrincipalName", "eq", u.UPN}, "users('"+k.args[0]+"')/managedDevices")
}

func (k *call) listManaged(where expr, set string) reply {
	chosen, unknown := pick(managedProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.noProperty(unknown)
	}
	page, from, out := k.page(managedPage, managedPage)
	if out.status != 0 {
		return out
	}
	t, prefer := k.tenant, k.prefers("include-unknown-enum-members")
	numbers := t.candidates(where)
	rows, end := make([]byte, 0, 64<<10), 0
	count := 0
	for end = from; end < numbers.len() && count < page; end++ {
		d := t.at(numbers.at(end))
		if d == nil || d.retired || k.having != nil && !k.having(d) {
			continue
		}
		m := managed{device: d, t: t, now: k.now}
		if where != nil && !where.match(m.property) {
			continue
		}
		if count > 0 {
			rows = append(rows, ',')
		}
		rows = appendRow(rows, m, chosen, d.raw, prefer)
		count++
	}
	// Intune counts the page (msgraph-sdk-powershell#1819).
	head := object{{"@odata.context", k.base + "/$metadata#" + set}, {"@odata.count", count}}
	if end < numbers.len() {
		head = append(head, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return reply{status: http.StatusOK, body: collection(head, rows), header: k.applied(prefer)}
}

// property is a property's value for a filter.
func (m managed) property(name string) any {
	for i := range managedProperties {
		if p := &managedProperties[i]; strings.EqualFold(p.name, name) {
			return p.value(m, m.raw, true)
		}
	}
	return nil
}

// A span is the devices that a list has to look at: all, or those few that a
// filter pins down.
type span struct {
	all  int
	some []int
}

func (s span) len() int {
	if s.some != nil {
		return len(s.some)
	}
	return s.all
}

func (s span) at(i int) int {
	if s.some != nil {
		return s.some[i]
	}
	return i
}

func (t *Tenant) candidates(where expr) span {
	id, ok := pinned(where, "azureADDeviceId")
	if !ok {
		return span{all: t.count}
	}
	some := []int{}
	for _, d := range t.having(idEntra, id) {
		some = append(some, d.n)
	}
	return span{some: some}
}

// managedDevice finds the device the path names.
func (k *call) managedDevice() (managed, reply) {
	for _, d := range k.tenant.having(idIntune, k.args[0]) {
		if !d.retired {
			return managed{device: d, t: k.tenant, now: k.now, single: true}, reply{}
		}
	}
	return managed{}, k.failIntune(http.StatusNotFound, "ResourceNotFound", "ResourceNotFound: managed device "+k.args[0])
}

func (k *call) getManagedDevice() reply {
	m, out := k.managedDevice()
	if out.status != 0 {
		return out
	}
	chosen, unknown := pick(managedProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.noProperty(unknown)
	}
	prefer := k.prefers("include-unknown-enum-members")
	row := appendRow(nil, m, chosen, m.raw, prefer)
	return reply{status: http.StatusOK, body: k.entity("deviceManagement/managedDevices", row), header: k.applied(prefer)}
}

func (k *call) noProperty(name string) reply {
	return k.failIntune(http.StatusBadRequest, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '"+
		name+"' on type 'microsoft.management.services.api.managedDevice'.")
}
