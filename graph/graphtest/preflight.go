package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// ForgetAutopilot takes the device's Autopilot registration away. Every Windows
// device of the organisation begins with one.
func (t *Tenant) ForgetAutopilot(name string) {
	t.tell(name, func(d *device, _ time.Time) { d.noAutopilot = true })
}

// LoseRecoveryKey takes the device's BitLocker recovery keys out of Entra. Every
// joined Windows device begins with one of its system volume.
func (t *Tenant) LoseRecoveryKey(name string) {
	t.tell(name, func(d *device, _ time.Time) { d.noKey = true })
}

func (d *device) autopilot() bool { return d.OS == "Windows" && !d.noAutopilot && !d.deleted }

// autopilotRow is a windowsAutopilotDeviceIdentity (Graph v1.0 metadata, 2026-08).
func (t *Tenant) autopilotRow(d *device) object {
	return object{
		{"id", t.named("autopilot", d.ID)}, {"groupTag", ""}, {"purchaseOrderIdentifier", ""}, {"serialNumber", d.Serial},
		{"productKey", ""}, {"manufacturer", d.Manufacturer}, {"model", d.Model}, {"enrollmentState", "enrolled"},
		{"lastContactedDateTime", never()}, {"addressableUserName", ""}, {"userPrincipalName", ""}, {"resourceName", ""},
		{"skuNumber", ""}, {"systemFamily", ""}, {"azureActiveDirectoryDeviceId", d.EntraID}, {"managedDeviceId", d.ID}, {"displayName", ""},
	}
}

// listAutopilot is windowsAutopilotDeviceIdentities. What is filtered there in
// public code is contains(serialNumber, …); any other filter is ignored here, as
// Intune does elsewhere.
func (k *call) listAutopilot() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "Invalid filter clause: "+err.Error())
	}
	if c, ok := where.(compare); !ok || !strings.EqualFold(c.path, "serialNumber") || c.op != "contains" {
		where = nil
	}
	size, from, out := k.page(500, 500)
	if out.status != 0 {
		return out
	}
	t := k.tenant
	rows, end := []object{}, 0
	for end = from; end < t.count && len(rows) < size; end++ {
		d := t.at(end)
		if d == nil || !d.autopilot() {
			continue
		}
		row := t.autopilotRow(d)
		if where == nil || where.match(row.get) {
			rows = append(rows, row)
		}
	}
	page := object{{"@odata.context", k.base + "/$metadata#deviceManagement/windowsAutopilotDeviceIdentities"}}
	if end < t.count {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return ok(append(page, pair{"value", rows}))
}

// listRecoveryKeys never has the key itself; deviceId is the only filter (Graph
// docs: bitlocker-list-recoverykeys).
func (k *call) listRecoveryKeys() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if c, ok := where.(compare); err != nil || where != nil && (!ok || !strings.EqualFold(c.path, "deviceId") || c.op != "eq") {
		return k.badRequest("Invalid filter clause")
	}
	if k.query.Has("$select") && slices.Contains(strings.Split(k.query.Get("$select"), ","), "key") {
		return k.badRequest("The key is read one by one.")
	}
	t, rows := k.tenant, []object{}
	for n := range t.count {
		d := t.at(n)
		if d == nil || d.OS != "Windows" || d.noKey || !d.inEntra() {
			continue
		}
		row := object{
			{"id", t.named("key", d.ID)}, {"createdDateTime", d.Enrolled}, {"volumeType", "operatingSystemVolume"}, {"deviceId", d.EntraID},
		}
		if where == nil || where.match(row.get) {
			rows = append(rows, row)
		}
	}
	return k.list("informationProtection/bitlocker/recoveryKeys", rows)
}

// listPrimaryUsers is managedDevice's users: the primary user, or nobody (Graph
// v1.0 metadata, 2026-08).
func (k *call) listPrimaryUsers() reply {
	m, out := k.managedDevice()
	if out.status != 0 {
		return out
	}
	rows := []object{}
	if u := k.tenant.user(m.User); m.User != "" && u != nil {
		rows = append(rows, object{{"id", k.tenant.guid(idUser, u.n)}, {"userPrincipalName", u.UPN}, {"displayName", u.Name}})
	}
	return k.list("deviceManagement/managedDevices('"+m.ID+"')/users", rows)
}

// setPrimaryUser replaces the primary user; there is at most one (Intune docs:
// find-primary-user; the request is that of Microsoft's own samples,
// mggraph-intune-samples).
func (k *call) setPrimaryUser() reply {
	m, out := k.managedDevice()
	if out.status != 0 {
		return out
	}
	var body struct {
		ID string `json:"@odata.id"`
	}
	if err := (Request{Body: k.body}).Decode(&body); err != nil {
		return k.badRequest("Unable to read JSON request payload: %v", err)
	}
	_, id, found := strings.Cut(body.ID, "/users/")
	u := k.tenant.user(id)
	if !found || !strings.HasPrefix(body.ID, k.root+"/") || u == nil {
		return k.failIntune(http.StatusBadRequest, "BadRequest", "The user that @odata.id names does not exist")
	}
	k.tenant.keep(m.device).User = u.UPN
	return empty(http.StatusNoContent)
}
