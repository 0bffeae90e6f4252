package graphtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defenderAudience is whom a token for Defender for Endpoint is for (Defender
// docs: exposed-apis-create-app-webapp, 2025-03). Its permissions belong to an
// app of their own, WindowsDefenderATP.
const defenderAudience = "https://api.securitycenter.microsoft.com"

// A Machine is a record in Defender for Endpoint. A device may have several: one
// that was reset is a new machine, and the old record stays (practical365.com,
// "Handling inactive devices").
type Machine struct {
	ID         string // 40 hex digits
	Onboarding string // onboardingStatus: Onboarded (the default), CanBeOnboarded, Unsupported, InsufficientInfo
	Health     string // healthStatus; what follows from LastSeen if empty
	LastSeen   time.Time
	MergedInto string
	Tags       []string
}

type machine struct {
	id, onboarding, health, merged string
	seen                           time.Time
	tags                           []string
}

// defender is what a tenant's Defender for Endpoint remembers.
type defender struct {
	actions        []*machineAction // oldest first
	investigations []investigation
	asked          map[string][]time.Time // calls of each app, for the limits
}

// AddMachine gives a device a further record in Defender.
func (t *Tenant) AddMachine(name string, m Machine) Machine {
	t.tell(name, func(d *device, now time.Time) {
		if m.ID == "" {
			m.ID = t.defenderID(d.n, 1000+len(d.machines))
		}
		if m.LastSeen.IsZero() {
			m.LastSeen = now
		}
		d.machines = append(d.machines, machine{m.ID, m.Onboarding, m.Health, m.MergedInto, m.LastSeen, m.Tags})
	})
	return m
}

// Offboard takes the device out of Defender; its record stays.
func (t *Tenant) Offboard(name string) {
	t.tell(name, func(d *device, _ time.Time) { d.offboarded = true })
}

// Tag gives the device's machine in Defender these tags, and no others. A reset
// makes a new machine, without them.
func (t *Tenant) Tag(name string, tags ...string) {
	t.tell(name, func(d *device, _ time.Time) { d.tags = tags })
}

// Isolated tells whether Defender keeps the device off the network.
func (t *Tenant) Isolated(name string) bool {
	is := false
	t.tell(name, func(d *device, now time.Time) {
		t.settleDefender(now)
		is = d.isolated
	})
	return is
}

// records are the device's machines, the one in use first.
func (t *Tenant) records(d *device, now time.Time) []machine {
	own := machine{id: d.DefenderID, seen: t.lastSync(d, now), tags: d.tags}
	if d.offboarded {
		own.onboarding = "CanBeOnboarded"
	}
	return append([]machine{own}, d.machines...)
}

// machineRow is a machine (Defender docs: machine resource, 2025-03). aadDeviceId
// is null unless the device is joined to Entra; seven days of silence are Inactive.
func (t *Tenant) machineRow(d *device, m machine, now time.Time) object {
	health, entra := "Active", any(nil)
	if now.Sub(m.seen) >= 7*24*time.Hour {
		health = "Inactive"
	}
	if d.inEntra() && d.Join != Registered {
		entra = d.EntraID
	}
	risk := "None"
	if d.risk != "" && m.id == d.DefenderID {
		risk = strings.ToUpper(string(d.risk[:1])) + string(d.risk[1:])
	}
	return object{
		{"id", m.id}, {"mergedIntoMachineId", orNull(m.merged)}, {"isPotentialDuplication", false}, {"isExcluded", false},
		{"computerDnsName", strings.ToLower(d.Name) + "." + t.Domain}, {"firstSeen", d.Enrolled}, {"lastSeen", m.seen},
		{"osPlatform", "Windows11"}, {"version", "25H2"}, {"lastIpAddress", "192.0.2.17"}, {"healthStatus", cmp.Or(m.health, health)},
		{"deviceValue", "Normal"}, {"rbacGroupId", 0}, {"rbacGroupName", nil}, {"riskScore", risk}, {"exposureLevel", "Low"},
		{"aadDeviceId", entra}, {"machineTags", append([]string{}, m.tags...)}, {"onboardingStatus", cmp.Or(m.onboarding, "Onboarded")},
		{"defenderAvStatus", "Updated"}, {"managedBy", "Intune"},
	}
}

// findMachine returns the device and the record of that id.
func (t *Tenant) findMachine(id string, now time.Time) (*device, machine, bool) {
	for n := range t.count {
		d := t.at(n)
		if d == nil {
			continue
		}
		for _, m := range t.records(d, now) {
			if strings.EqualFold(m.id, id) {
				return d, m, true
			}
		}
	}
	return nil, machine{}, false
}

var defenderRoutes = []route{
	// Defender docs: get-machines, get-machine-by-id, run-av-scan, isolate-machine,
	// unisolate-machine, initiate-autoir-investigation, get-machineaction-object and
	// -collection: permissions tables.
	{method: "GET", path: "machines", roles: []string{"Machine.Read.All", "Machine.ReadWrite.All"}, do: (*call).listMachines},
	{method: "GET", path: "machines/*", roles: []string{"Machine.Read.All", "Machine.ReadWrite.All"}, do: (*call).getMachine},
	{method: "POST", path: "machines/*/runAntiVirusScan", roles: []string{"Machine.Scan"}, do: (*call).actOnMachine},
	{method: "POST", path: "machines/*/isolate", roles: []string{"Machine.Isolate"}, do: (*call).actOnMachine},
	{method: "POST", path: "machines/*/unisolate", roles: []string{"Machine.Isolate"}, do: (*call).actOnMachine},
	{method: "POST", path: "machines/*/startInvestigation", roles: []string{"Alert.ReadWrite.All"}, do: (*call).investigate},
	{method: "GET", path: "machineactions", roles: []string{"Machine.Read.All", "Machine.ReadWrite.All"}, do: (*call).listMachineActions},
	{method: "GET", path: "machineactions/*", roles: []string{"Machine.Read.All", "Machine.ReadWrite.All"}, do: (*call).getMachineAction},
}

// refuseDefender is Defender's error body (Defender docs: common-errors, 2020-12).
func (k *call) refuseDefender(status int, code, message string) reply {
	return reply{status: status, body: object{{"error", object{
		{"code", code}, {"message", message}, {"target", "|" + k.id + "."},
	}}}.bytes()}
}

// askDefender answers a request to Defender for Endpoint, as graph does for Graph.
func (k *call) askDefender() reply {
	if out := k.authenticate(); out.status != 0 || k.audience != defenderAudience {
		// The message is quoted in techcommunity.microsoft.com, discussion 4042078.
		return k.refuseDefender(http.StatusUnauthorized, "Unauthorized", "Invalid Authorization payload.")
	}
	k.base = k.root + "/api"
	return k.spoiled(k.serveDefender)
}

func (k *call) serveDefender() reply {
	for _, rt := range defenderRoutes {
		args, ok := matches(rt.path, k.segs, false)
		if !ok || rt.method != k.r.Method {
			continue
		}
		k.args = args
		k.tenant.mu.Lock()
		defer k.tenant.mu.Unlock()
		k.now = time.Now().UTC()
		k.tenant.settle(k.now)
		k.tenant.settleDefender(k.now)
		if !k.app.holds(k.tokenRoles, rt.roles) {
			return k.refuseDefender(http.StatusForbidden, "Forbidden", "Missing application roles. API required roles: "+
				strings.Join(rt.roles, ",")+", application roles: "+strings.Join(k.tokenRoles, ",")+".")
		}
		if wait := k.overLimit(); wait > 0 {
			out := k.refuseDefender(http.StatusTooManyRequests, "TooManyRequests", "API calls quota exceeded! maximum allowed for this API reached.")
			out.header = map[string]string{"Retry-After": strconv.Itoa(int((wait + time.Second - 1) / time.Second))}
			return out
		}
		return rt.do(k)
	}
	return k.refuseDefender(http.StatusNotFound, "NotFound", "No HTTP resource was found that matches the request URI.")
}

// overLimit keeps Defender's limits, 100 calls a minute and 1,500 an hour, and 50
// an hour for investigations (Defender docs: the pages named above), and says how
// long until there is room again.
func (k *call) overLimit() time.Duration {
	d := &k.tenant.defender
	if d.asked == nil {
		d.asked = map[string][]time.Time{}
	}
	who := k.app.ID
	limits := []struct {
		most int
		in   time.Duration
	}{{100, time.Minute}, {1500, time.Hour}}
	if strings.EqualFold(k.segs[len(k.segs)-1], "startInvestigation") {
		who, limits = who+"/investigations", limits[:0:0]
		limits = append(limits, struct {
			most int
			in   time.Duration
		}{50, time.Hour})
	}
	calls := slices.DeleteFunc(d.asked[who], func(at time.Time) bool { return k.now.Sub(at) >= time.Hour })
	d.asked[who] = calls
	for _, l := range limits {
		if len(calls) < l.most {
			continue
		}
		if wait := l.in - k.now.Sub(calls[len(calls)-l.most]); wait > 0 {
			return wait
		}
	}
	d.asked[who] = append(calls, k.now)
	return 0
}

// listMachines answers 404 where there is none, and has 10,000 at most (Defender
// docs: get-machines).
func (k *call) listMachines() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.refuseDefender(http.StatusBadRequest, "ODataError", err.Error())
	}
	top, _, out := k.page(10_000, 10_000)
	if out.status != 0 {
		return k.refuseDefender(http.StatusBadRequest, "ODataError", "The query option $top is invalid.")
	}
	t, rows := k.tenant, []object{}
	for n := range t.count {
		d := t.at(n)
		if d == nil {
			continue
		}
		for _, m := range t.records(d, k.now) {
			row := t.machineRow(d, m, k.now)
			if (where == nil || where.match(row.get)) && len(rows) < top {
				rows = append(rows, row)
			}
		}
	}
	if len(rows) == 0 {
		return k.refuseDefender(http.StatusNotFound, "ResourceNotFound", "No machines were found")
	}
	return k.list("Machines", rows)
}

func (k *call) getMachine() reply {
	d, m, found := k.tenant.findMachine(k.args[0], k.now)
	if !found {
		return k.noMachine()
	}
	return reply{status: http.StatusOK, body: k.entity("Machines", k.tenant.machineRow(d, m, k.now).bytes())}
}

func (k *call) noMachine() reply {
	return k.refuseDefender(http.StatusNotFound, "ResourceNotFound", fmt.Sprintf("Machine %s was not found", k.args[0]))
}
