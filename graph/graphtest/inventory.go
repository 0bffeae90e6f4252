package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Apps that phones have, by the names that inventories show.
const (
	CompanyPortal = "Intune Company Portal"
	Authenticator = "Microsoft Authenticator"
	DefenderApp   = "Microsoft Defender"
)

// An inventoried app is one of a platform, in one version.
type inventoried struct{ id, name, platform, os string }

// detected are the apps that all phones have, but for those that
// [Tenant.Uninstall] took away, and a number of others.
func (t *Tenant) detected() []inventoried {
	var all []inventoried
	for i := range t.noise {
		name := fmt.Sprintf("App %05d", i)
		all = append(all, inventoried{t.named("app", name), name, "windows", ""})
	}
	for _, os := range []string{"iOS", "Android"} {
		for _, name := range []string{CompanyPortal, Authenticator, DefenderApp} {
			all = append(all, inventoried{t.named("app", os+name), name, map[string]string{"iOS": "ios", "Android": "androidForWork"}[os], os})
		}
	}
	return all
}

// Uninstall takes an app from a phone.
func (t *Tenant) Uninstall(phone, app string) {
	t.tell(phone, func(d *device, _ time.Time) { d.missing = append(d.missing, app) })
}

// Clutter adds n apps to the inventory that nobody asks about.
func (t *Tenant) Clutter(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noise += n
}

// inventories tells whether the device's inventory shows the app. Of a personal
// phone Intune inventories apps that it manages itself, and no others (Intune docs:
// app-discovered-apps); the ones here are not.
func (a inventoried) on(d *device) bool {
	return a.os != "" && d.OS == a.os && d.Owner != "personal" && d.has(a.name)
}

// listDetected lists what the inventories of all devices show (Graph docs:
// intune-devices-detectedapp-list). No filter is documented; all are ignored.
func (k *call) listDetected() reply {
	size, from, out := k.page(1000, 1000)
	if out.status != 0 {
		return out
	}
	all, rows := k.tenant.detected(), []object{}
	end := min(from+size, len(all))
	for _, a := range all[min(from, end):end] {
		rows = append(rows, object{{"id", a.id}, {"displayName", a.name}, {"version", "1.0"}, {"sizeInByte", 0}, {"deviceCount", 1}, {"publisher", nil}, {"platform", a.platform}})
	}
	page := object{{"@odata.context", k.base + "/$metadata#deviceManagement/detectedApps"}}
	if end < len(all) {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return ok(append(page, pair{"value", rows}))
}

// listHaving lists the devices that have an app.
func (k *call) listHaving() reply {
	all := k.tenant.detected()
	i := slices.IndexFunc(all, func(a inventoried) bool { return strings.EqualFold(a.id, k.args[0]) })
	if i < 0 {
		return k.failIntune(http.StatusNotFound, "ResourceNotFound", "ResourceNotFound: detected app "+k.args[0])
	}
	k.having = all[i].on
	return k.listManaged(nil, "deviceManagement/detectedApps('"+k.args[0]+"')/managedDevices")
}

// reportUnassigned is the report of devices without a compliance policy. Its page
// says "not yet documented"; the answer is that of its kind: a stream with the
// columns' names in Schema (reports of Intune's that are documented, such as
// getHistoricalReport), paged by skip and top. The columns are those of the export
// of that name (Intune docs: reports-export-graph-available-reports).
func (k *call) reportUnassigned() reply {
	var asked struct{ Skip, Top int }
	if err := json.Unmarshal(k.body, &asked); err != nil {
		return k.badRequest("Unable to read JSON request payload: %v", err)
	}
	if asked.Top <= 0 || asked.Top > 50 {
		asked.Top = 50
	}
	values, total := [][]any{}, 0
	for n := range k.tenant.made {
		if d := k.tenant.made[n]; d.unassigned && !d.retired {
			values = append(values, []any{d.ID, d.Name, d.OS, d.User})
		}
	}
	slices.SortFunc(values, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	total = len(values)
	values = values[min(asked.Skip, total):min(asked.Skip+asked.Top, total)]
	var schema []object
	for _, name := range []string{"DeviceId", "DeviceName", "OS", "UPN"} {
		schema = append(schema, object{{"Column", name}, {"PropertyType", "String"}})
	}
	out := ok(object{{"TotalRowCount", total}, {"Schema", schema}, {"Values", values}, {"SessionId", ""}})
	out.kind = "application/octet-stream"
	return out
}
