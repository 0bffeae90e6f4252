package graphtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// entraProperties are those of the directory's device (Graph v1.0 metadata,
// 2026-08).
var entraProperties = []property[managed]{
	{name: "id", get: func(m managed) any { return m.ObjectID }},
	{name: "accountEnabled", get: fixed(true)},
	{name: "approximateLastSignInDateTime", get: func(m managed) any { return m.t.lastSync(m.device, m.now).Truncate(time.Second) }},
	{name: "complianceExpirationDateTime", get: fixed(nil)},
	{name: "deletedDateTime", get: fixed(nil)},
	{name: "deviceCategory", get: func(m managed) any { return orNull(m.Category) }},
	{name: "deviceId", get: func(m managed) any { return m.EntraID }},
	{name: "deviceMetadata", get: fixed(nil)},
	{name: "deviceOwnership", get: func(m managed) any { return strings.ToUpper(m.Owner[:1]) + m.Owner[1:] }},
	{name: "deviceVersion", get: fixed(2)},
	{name: "displayName", get: func(m managed) any { return cmp.Or(m.shownAs, m.Name) }},
	{name: "enrollmentProfileName", get: fixed(nil)},
	{name: "isCompliant", get: func(m managed) any { return m.t.changes.compliant(m.device) }},
	{name: "isManaged", get: func(m managed) any { return !m.retired }},
	{name: "isRooted", get: fixed(false)},
	{name: "managementType", get: fixed("MDM")},
	{name: "manufacturer", get: func(m managed) any { return m.Manufacturer }},
	{name: "mdmAppId", get: fixed("0000000a-0000-0000-c000-000000000000")},
	{name: "model", get: func(m managed) any { return m.Model }},
	{name: "onPremisesSyncEnabled", get: func(m managed) any { return m.onPremises() }},
	{name: "operatingSystem", get: func(m managed) any { return m.OS }},
	{name: "operatingSystemVersion", get: func(m managed) any { return m.OSVersion }},
	{name: "physicalIds", get: fixed([]string{})},
	{name: "profileType", get: fixed("RegisteredDevice")},
	{name: "registrationDateTime", get: func(m managed) any { return m.Enrolled.Truncate(time.Second) }},
	{name: "systemLabels", get: fixed([]string{})},
	{name: "trustType", get: func(m managed) any { return m.Join.trust() }},
	{name: "alternativeSecurityIds", get: fixed([]string{})},
}

// trust is device.trustType.
func (j Join) trust() string {
	switch j {
	case HybridJoined:
		return "ServerAd"
	case Registered:
		return "Workplace"
	}
	return "AzureAd"
}

// entraFilters are the filters on devices that this cloud has. Entra refuses
// what it does not support, unlike Intune.
var entraFilters = map[string]string{
	"deviceid": "eq", "id": "eq", "displayname": "eq startswith", "operatingsystem": "eq startswith",
	"iscompliant": "eq ne", "ismanaged": "eq ne", "accountenabled": "eq ne", "trusttype": "eq",
}

func (m managed) entraProperty(name string) any {
	for i := range entraProperties {
		if p := &entraProperties[i]; strings.EqualFold(p.name, name) {
			return p.get(m)
		}
	}
	return nil
}

// inEntra tells whether the directory has an object of the device.
func (d *device) inEntra() bool { return !d.deleted && d.EntraID != NotInEntra }

// listDevices pages by 100, or up to 999 (msgraph-sdk-python#176; Graph docs:
// device-list).
func (k *call) listDevices() reply {
	if k.query.Has("$skip") { // msgraph-sdk-python#176
		return k.fail(http.StatusBadRequest, "Request_BadRequest", "'$skip' is not supported by the service.")
	}
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.fail(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	supported := true
	visit(where, func(c compare) {
		supported = supported && slices.Contains(strings.Fields(entraFilters[strings.ToLower(c.path)]), c.op)
	})
	if !supported {
		return k.fail(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
	}
	chosen, unknown := pick(entraProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.noDirectoryProperty(unknown)
	}
	size, from, out := k.page(100, 999)
	if out.status != 0 {
		return out
	}
	t := k.tenant
	numbers := span{all: t.count}
	if id, ok := pinned(where, "deviceId"); ok {
		numbers.some = []int{}
		for _, d := range t.having(idEntra, id) {
			numbers.some = append(numbers.some, d.n)
		}
	}
	var rows []byte
	end, count := 0, 0
	for end = from; end < numbers.len() && count < size; end++ {
		m := managed{device: t.at(numbers.at(end)), t: t, now: k.now}
		if m.device == nil || !m.inEntra() || where != nil && !where.match(m.entraProperty) {
			continue
		}
		if count++; count > 1 {
			rows = append(rows, ',')
		}
		rows = appendRow(rows, m, chosen, nil, false)
	}
	head := object{{"@odata.context", k.base + "/$metadata#devices"}}
	if end < numbers.len() {
		head = append(head, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return reply{status: http.StatusOK, body: collection(head, rows)}
}

func (k *call) noDirectoryProperty(name string) reply {
	return k.badRequest("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.device'.", name)
}

// getDevice takes the object id, or the device id as alternate key:
// devices(deviceId='…').
func (k *call) getDevice() reply {
	key, kind := k.args[0], byte(idObject)
	if id, ok := strings.CutPrefix(key, "deviceId="); ok {
		key, kind = id, idEntra
	}
	chosen, unknown := pick(entraProperties, k.query.Get("$select"), k.beta)
	if unknown != "" {
		return k.noDirectoryProperty(unknown)
	}
	for _, d := range k.tenant.having(kind, key) {
		if d.inEntra() {
			m := managed{device: d, t: k.tenant, now: k.now}
			return reply{status: http.StatusOK, body: k.entity("devices", appendRow(nil, m, chosen, nil, false))}
		}
	}
	return k.noObject()
}

// noObject is the directory's 404.
func (k *call) noObject() reply {
	return k.fail(http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+k.args[0]+
		"' does not exist or one of its queried reference-property objects are not present.")
}

func (d *device) onPremises() any {
	if d.Join == HybridJoined {
		return true
	}
	return nil
}
