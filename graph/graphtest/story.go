package graphtest

import (
	"fmt"
	"slices"
	"time"
)

// A Severity is how bad Defender thinks it is.
type Severity string

// The severities of alerts, ascending. There is no "critical".
const (
	Informational Severity = "informational"
	Low           Severity = "low"
	Medium        Severity = "medium"
	High          Severity = "high"
)

// partner is managedDevice.partnerReportedThreatState.
func (s Severity) partner() string {
	switch s {
	case Low, Medium, High:
		return string(s) + "Severity"
	}
	return "secured"
}

// malwareSeverity is windowsMalwareSeverity.
func (s Severity) malware() string {
	switch s {
	case Medium:
		return "moderate"
	case High:
		return "high"
	}
	return "low"
}

// tell runs a verb of the story: with the lock held and the world as it is now.
func (t *Tenant) tell(name string, verb func(d *device, now time.Time)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now().UTC()
	t.settle(now)
	verb(t.find(name), now)
	t.changes.publish(now)
}

// Infect puts malware on a device. Defender raises an alert and starts to
// investigate, Intune hears the device's threat level and finds it against the
// risk policy.
func (t *Tenant) Infect(name string, how Severity) Alert {
	var raised Alert
	t.tell(name, func(d *device, now time.Time) {
		d.malware = append(d.malware, malware{
			id: t.named("malware", fmt.Sprintf("%s/%d", d.ID, len(d.malware))), name: "Trojan:Win32/Wacatac.B!ml",
			severity: how, state: "active", found: now, changed: now,
		})
		t.threaten(d, how, now)
		investigation := "running"
		if d.OS != "Windows" { // automated investigation is for Windows (Defender docs: automated-investigations)
			investigation = "unsupportedOs"
		}
		raised = t.raise(d, Alert{Severity: how, Investigation: investigation}, now)
	})
	return raised
}

// threaten sets the device's risk, and keeps the higher.
func (t *Tenant) threaten(d *device, how Severity, now time.Time) {
	order := []Severity{"", Informational, Low, Medium, High}
	if slices.Index(order, how) > slices.Index(order, d.risk) {
		d.risk = how
	}
	if d.risk.partner() != "secured" {
		t.fail(d, now, failing{RiskPolicy, riskSetting})
	}
}

// Heal makes a device's threat go away: malware removed, alerts resolved, risk
// and compliance as before. Other compliance trouble stays.
func (t *Tenant) Heal(name string) {
	t.tell(name, func(d *device, now time.Time) { t.heal(d, now, "benign") })
}

// Remediate lets Defender's automated investigation finish with success.
func (t *Tenant) Remediate(name string) {
	t.tell(name, func(d *device, now time.Time) { t.heal(d, now, "successfullyRemediated") })
}

func (t *Tenant) heal(d *device, at time.Time, investigation string) {
	for i := range d.malware {
		if d.malware[i].active() {
			d.malware[i].state, d.malware[i].changed = "removed", at
		}
	}
	for _, a := range t.alerts {
		if a.n == d.n && a.status != "resolved" {
			a.Investigation, a.remediation = investigation, "remediated"
			a.resolve(at)
		}
	}
	d.risk = ""
	t.pass(d, at, failing{RiskPolicy, riskSetting})
}

// Investigate sets the state of Defender's automated investigation of a device's
// open alerts: queued, pendingApproval, failed, partiallyRemediated, … Nothing
// else changes.
func (t *Tenant) Investigate(name, state string) {
	t.tell(name, func(d *device, now time.Time) {
		for _, a := range t.alerts {
			if a.n == d.n && a.status != "resolved" {
				a.Investigation, a.updated = state, now
			}
		}
	})
}

// BreakBitLocker turns BitLocker off: non-compliant, and no threat.
func (t *Tenant) BreakBitLocker(name string) {
	t.tell(name, func(d *device, now time.Time) {
		d.encrypted = false
		t.fail(d, now, failing{BaselinePolicy, bitLockerSetting})
	})
}

// FixBitLocker turns BitLocker on again.
func (t *Tenant) FixBitLocker(name string) {
	t.tell(name, func(d *device, now time.Time) {
		d.encrypted = true
		t.pass(d, now, failing{BaselinePolicy, bitLockerSetting})
	})
}

// Break makes a device fail any setting of any policy, such as DefaultPolicy's
// ContactSetting.
func (t *Tenant) Break(name, policy, setting string) {
	t.tell(name, func(d *device, now time.Time) { t.fail(d, now, failing{policy, setting}) })
}

// Fix makes it pass the setting again.
func (t *Tenant) Fix(name, policy, setting string) {
	t.tell(name, func(d *device, now time.Time) { t.pass(d, now, failing{policy, setting}) })
}

// Offline takes a device off the network: it does not check in and its actions
// stay as they are.
func (t *Tenant) Offline(name string) {
	t.tell(name, func(d *device, now time.Time) {
		if !d.Offline {
			d.Offline, d.offlineAt = true, now
		}
	})
}

// Online brings it back; it checks in at once.
func (t *Tenant) Online(name string) {
	t.tell(name, func(d *device, now time.Time) {
		if d.Offline {
			d.Offline, d.onlineAt, d.synced = false, now, now
		}
		t.busy[d.n] = d
	})
}

// Next says what will come of the device's next actions of that name ("wipe",
// "windowsDefenderScan", …), in order; later ones work.
func (t *Tenant) Next(name, action string, outcomes ...Outcome) {
	t.tell(name, func(d *device, _ time.Time) {
		if d.outcomes == nil {
			d.outcomes = map[string][]Outcome{}
		}
		d.outcomes[action] = append(d.outcomes[action], outcomes...)
	})
}

// ScanHeals lets the next full scan remove what is on the device.
func (t *Tenant) ScanHeals(name string) {
	t.tell(name, func(d *device, _ time.Time) { d.scanHeals = true })
}

// SignIn makes a user the device's primary user, as the first sign-in after a
// reset does.
func (t *Tenant) SignIn(name, upn string) {
	t.tell(name, func(d *device, _ time.Time) {
		d.User = upn
		t.addUser(User{UPN: upn})
	})
}

// Remove deletes the device from Intune and from Entra.
func (t *Tenant) Remove(name string) {
	t.tell(name, func(d *device, now time.Time) {
		d.retired, d.deleted = true, true
		t.changes.add(change{device: d.n, at: now, removed: true})
	})
}

// SetRaw overrides a property of the managed device with any JSON value: a
// member that an enumeration does not have yet, say. A nil value sends null.
func (t *Tenant) SetRaw(name, property string, value any) {
	t.tell(name, func(d *device, _ time.Time) {
		if d.raw == nil {
			d.raw = map[string]any{}
		}
		d.raw[property] = value
	})
}

// Unset takes an override away.
func (t *Tenant) Unset(name, property string) {
	t.tell(name, func(d *device, _ time.Time) { delete(d.raw, property) })
}

// Actions returns the device's accepted actions, oldest first, as they stand
// now: the newest 100.
func (t *Tenant) Actions(name string) []Action {
	var all []Action
	t.tell(name, func(d *device, _ time.Time) {
		for _, a := range d.actions {
			all = append(all, a.Action)
		}
	})
	return all
}

// Happened counts the device's actions of a name or kind that it really did:
// Happened("LT-042", AutopilotReset).
func (t *Tenant) Happened(name, kind string) int {
	n := 0
	for _, a := range t.Actions(name) {
		if a.Happened && (a.Name == kind || a.Kind == kind) {
			n++
		}
	}
	return n
}
