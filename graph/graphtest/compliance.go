package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A failing setting is one that a compliance policy wants otherwise.
type failing struct{ policy, setting string }

// The policies of a tenant, by display name.
const (
	RiskPolicy     = "Defender risk"                    // the threat level, or machine risk score
	BaselinePolicy = "Windows baseline"                 // BitLocker and the like
	DefaultPolicy  = "Default Device Compliance Policy" // built in
)

// Settings of those policies, as the setting property names them.
const (
	riskSetting      = "Windows10CompliancePolicy.DeviceThreatProtectionRequiredSecurityLevel"
	bitLockerSetting = "Windows10CompliancePolicy.BitLockerEnabled"
	// ContactSetting is "Is active", UserSetting "Enrolled user exists": built-in
	// checks that say nothing about a threat.
	ContactSetting = "DefaultDeviceCompliancePolicy.RequireRemainContact"
	UserSetting    = "DefaultDeviceCompliancePolicy.RequireUserExistence"
)

// policySettings are all settings of the policies, so that the ones that hold
// can be listed too. The default policy's names are those of the console.
var policySettings = []failing{
	{RiskPolicy, riskSetting},
	{BaselinePolicy, bitLockerSetting},
	{BaselinePolicy, "Windows10CompliancePolicy.SecureBootEnabled"},
	{DefaultPolicy, ContactSetting},
	{DefaultPolicy, UserSetting},
	{DefaultPolicy, "DefaultDeviceCompliancePolicy.RequireDeviceCompliancePolicyAssigned"},
}

// compliance is managedDevice.complianceState.
func (t *Tenant) compliance(d *device, now time.Time) string {
	switch {
	case d.since.IsZero():
		return "compliant"
	case now.Before(d.since.Add(t.rules.Grace)):
		return "inGracePeriod"
	}
	return "noncompliant"
}

func (t *Tenant) graceEnds(d *device) time.Time {
	if d.since.IsZero() {
		return forever()
	}
	return d.since.Add(t.rules.Grace)
}

// fail makes a device fail a setting, from at on.
func (t *Tenant) fail(d *device, at time.Time, f failing) {
	if !slices.Contains(d.failing, f) {
		d.failing = append(d.failing, f)
	}
	t.judge(d, at)
}

func (t *Tenant) pass(d *device, at time.Time, f failing) {
	d.failing = slices.DeleteFunc(d.failing, func(has failing) bool { return has == f })
	t.judge(d, at)
}

// judge brings compliance up to date after a change at the given time.
func (t *Tenant) judge(d *device, at time.Time) {
	switch bad := len(d.failing) > 0; {
	case bad && d.since.IsZero():
		d.since = at
		t.busy[d.n] = d // grace will end
	case !bad:
		d.since = time.Time{}
	}
	t.tellEntra(d, at)
}

// tellEntra publishes a change of isCompliant. A device in its grace period
// still has access, so it counts as compliant (Intune docs: create-policy).
func (t *Tenant) tellEntra(d *device, at time.Time) {
	compliant := !d.retired && t.compliance(d, at) != "noncompliant"
	if compliant != d.compliant {
		d.compliant = compliant
		t.changes.add(change{device: d.n, at: at.Add(t.timing.EntraLag), compliant: &compliant})
	}
}

// settle does everything that was due up to now, each at its own time. The lock
// is held.
func (t *Tenant) settle(now time.Time) {
	for n, d := range t.busy {
		if !t.advance(d, now) {
			delete(t.busy, n)
		}
	}
	t.changes.publish(now)
}

// advance does what is due for one device and tells whether more will come.
func (t *Tenant) advance(d *device, now time.Time) (more bool) {
	for {
		var due *action
		for _, a := range d.actions {
			if at := t.next(d, a); !at.IsZero() && !at.After(now) && (due == nil || at.Before(t.next(d, due))) {
				due = a
			}
		}
		if due == nil {
			break
		}
		t.step(d, due, t.next(d, due))
	}
	if ends := d.since.Add(t.rules.Grace); !d.since.IsZero() {
		if ends.After(now) {
			more = true
		} else {
			t.tellEntra(d, ends)
		}
	}
	return more || slices.ContainsFunc(d.actions, func(a *action) bool { return !a.over() })
}

// Policy states of a device, as Graph shows them.

func (k *call) policyStates() ([]object, reply) {
	m, out := k.managedDevice()
	if out.status != 0 {
		return nil, out
	}
	var rows []object
	for _, policy := range []string{RiskPolicy, BaselinePolicy, DefaultPolicy} {
		if policy == BaselinePolicy && m.OS != "Windows" || m.unassigned && policy != DefaultPolicy {
			continue
		}
		settings, worst := m.settingStates(policy)
		rows = append(rows, object{
			{"id", m.t.policyID(policy)}, {"displayName", policy}, {"platformType", platform(m.OS)},
			{"state", worst}, {"settingCount", len(settings)}, {"version", 1}, {"settingStates", settings},
		})
	}
	return rows, reply{}
}

func (m managed) settingStates(policy string) (rows []object, worst string) {
	worst = "compliant"
	settings := slices.Clone(policySettings)
	for _, f := range m.failing {
		if !slices.Contains(settings, f) { // a setting that a test made up
			settings = append(settings, f)
		}
	}
	for _, f := range settings {
		if f.policy != policy {
			continue
		}
		state, value := "compliant", "true"
		if slices.Contains(m.failing, f) {
			state, value, worst = "nonCompliant", "false", "nonCompliant" // complianceStatus has a capital C
		}
		rows = append(rows, object{
			{"setting", f.setting}, {"settingName", f.setting}, {"instanceDisplayName", nil}, {"state", state},
			{"errorCode", 0}, {"errorDescription", nil}, {"userId", m.t.userID(m.User)}, {"userName", m.t.displayName(m.User)},
			{"userEmail", m.User}, {"userPrincipalName", m.User}, {"currentValue", value},
			{"sources", []object{{{"id", m.t.policyID(policy)}, {"displayName", policy}, {"sourceType", "deviceConfiguration"}}}},
		})
	}
	return rows, worst
}

func (t *Tenant) policyID(name string) string { return t.named("policy", name) }

func platform(os string) string {
	switch os {
	case "Windows":
		return "windows10AndLater"
	case "Android":
		return "android"
	}
	return os // iOS and macOS are their own names
}

func (k *call) listPolicyStates() reply {
	rows, out := k.policyStates()
	if out.status != 0 {
		return out
	}
	return k.list("deviceManagement/managedDevices('"+k.args[0]+"')/deviceCompliancePolicyStates", rows)
}

func (k *call) policyState() (object, reply) {
	rows, out := k.policyStates()
	if out.status != 0 {
		return nil, out
	}
	for _, row := range rows {
		if id, _ := row.get("id").(string); strings.EqualFold(id, k.args[1]) {
			return row, reply{}
		}
	}
	return nil, k.failIntune(http.StatusNotFound, "ResourceNotFound", "ResourceNotFound: policy state "+k.args[1])
}

func (k *call) getPolicyState() reply {
	row, out := k.policyState()
	if out.status != 0 {
		return out
	}
	return reply{status: http.StatusOK, body: k.entity("deviceManagement/managedDevices('"+k.args[0]+"')/deviceCompliancePolicyStates", row.bytes())}
}

func (k *call) listSettingStates() reply {
	row, out := k.policyState()
	if out.status != 0 {
		return out
	}
	return k.list("Collection(microsoft.graph.deviceCompliancePolicySettingState)", row.get("settingStates").([]object))
}
