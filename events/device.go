package events

import (
	"slices"
	"strings"
	"time"
)

// A Device is how Microsoft showed a device at one moment. Enumerated values
// are kept as the string Microsoft sent, known or not; the methods rank them.
//
// Names of properties and members are those of Microsoft Graph v1.0
// (managedDevice, windowsProtectionState, security.alert; schema of 2026-08-20).
type Device struct {
	Key
	IntuneID   string `json:"intuneId,omitempty"`   // managedDevice.id
	DefenderID string `json:"defenderId,omitempty"` // Defender's machine id, 40 hex digits
	EntraID    string `json:"entraId,omitempty"`    // the directory object's id; not the device id

	Name      string `json:"name,omitempty"`
	Serial    string `json:"serial,omitempty"`
	OS        string `json:"os,omitempty"` // operatingSystem: Windows, macOS, iOS, Android …
	OSVersion string `json:"osVersion,omitempty"`
	Owner     string `json:"owner,omitempty"`    // managedDeviceOwnerType: company, personal …
	User      string `json:"user,omitempty"`     // the primary user's principal name; empty for none
	UserID    string `json:"userId,omitempty"`   // and object id
	UserName  string `json:"userName,omitempty"` // and display name
	UserMail  string `json:"userMail,omitempty"` // where the user reads mail; empty: User is tried
	Language  string `json:"language,omitempty"` // BCP 47, the user's preferred one
	TimeZone  string `json:"timeZone,omitempty"` // an IANA name, of the user's mailbox; read only where it is asked for

	Category string   `json:"category,omitempty"` // deviceCategoryDisplayName
	Tags     []string `json:"tags,omitempty"`     // Defender's machine tags; read only where they are asked for

	Groups []string `json:"groups,omitempty"` // display names and ids of the user's Entra groups; read only where a rule asks

	Compliance string    `json:"compliance,omitempty"` // complianceState: compliant, noncompliant, inGracePeriod, conflict, error, unknown, configManager …
	GraceUntil time.Time `json:"graceUntil,omitzero"`  // complianceGracePeriodExpirationDateTime
	Settings   []Setting `json:"settings,omitempty"`   // what is not compliant

	Threat  Threat    `json:"threat,omitempty"`  // partnerReportedThreatState
	Alerts  []Alert   `json:"alerts,omitempty"`  // those known, newest first
	Malware []Malware `json:"malware,omitempty"` // what Defender Antivirus found; of what is gone, the newest

	Join         string `json:"join,omitempty"`       // trustType in Entra: AzureAd, ServerAd (hybrid), Workplace
	Access       string `json:"access,omitempty"`     // isCompliant in Entra; see [AccessGranted]. Empty: Entra did not say
	Management   string `json:"management,omitempty"` // managementState: managed, wipePending, retirePending …
	Agent        string `json:"agent,omitempty"`      // managementAgent: mdm, msSense …
	Registration string `json:"registration,omitempty"`

	LastSync time.Time      `json:"lastSync,omitzero"` // the device's last check-in with Intune
	Actions  []DeviceAction `json:"actions,omitempty"` // recent ones, as Intune records them

	SeenAt  time.Time `json:"seenAt,omitzero"`   // when reading began
	Missing []string  `json:"missing,omitempty"` // what could not be read, each with the reason; empty: all was
}

// What Entra has as a device's isCompliant: what Conditional Access goes by, and
// later than Intune's state by a delay that Microsoft does not publish.
const (
	AccessGranted   = "compliant"
	AccessRescinded = "noncompliant"
)

// A Setting is one setting of a compliance policy that the device does not meet.
type Setting struct {
	Policy string `json:"policy"`
	Name   string `json:"name"`
	State  string `json:"state"` // complianceStatus: nonCompliant, error, conflict …
	Detail string `json:"detail,omitempty"`
}

// Malware is one detection of Defender Antivirus (windowsDeviceMalwareState).
type Malware struct {
	Name     string    `json:"name"`
	Severity string    `json:"severity,omitempty"` // unknown, low, moderate, high, severe
	State    string    `json:"state"`              // threatState: active, actionFailed, quarantined, removed …
	Changed  time.Time `json:"changed,omitzero"`
}

// A DeviceAction is one entry of managedDevice.deviceActionResults.
type DeviceAction struct {
	Name    string    `json:"name"`
	State   string    `json:"state"` // actionState: none, pending, canceled, active, done, failed, notSupported
	Started time.Time `json:"started,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
}

// An Alert is an alert of Microsoft Defender (security.alert of alerts_v2) with
// what it says about this one device.
type Alert struct {
	ID             string    `json:"id"`
	Incident       string    `json:"incident,omitempty"`
	Title          string    `json:"title,omitempty"`
	Severity       string    `json:"severity,omitempty"`      // unknown, informational, low, medium, high
	Status         string    `json:"status,omitempty"`        // new, inProgress, resolved, unknown
	Class          string    `json:"class,omitempty"`         // classification
	Investigation  string    `json:"investigation,omitempty"` // investigationState: running, pendingApproval, successfullyRemediated …
	Remediation    string    `json:"remediation,omitempty"`   // remediationStatus of this device's evidence
	Verdict        string    `json:"verdict,omitempty"`       // verdict of this device's evidence
	Threat         string    `json:"threat,omitempty"`        // threatDisplayName
	Source         string    `json:"source,omitempty"`        // serviceSource
	URL            string    `json:"url,omitempty"`           // alertWebUrl
	Created        time.Time `json:"created,omitzero"`
	Updated        time.Time `json:"updated,omitzero"` // lastUpdateDateTime
	ReadAt         time.Time `json:"readAt,omitzero"`
	DefenderDevice string    `json:"defenderDevice,omitempty"` // mdeDeviceId of the evidence
}

// Open reports whether the alert still stands: nobody resolved it, nobody called
// it a false or an expected positive, and automation has not finished clean.
func (a Alert) Open() bool {
	switch {
	case a.Status == "resolved",
		a.Class == "falsePositive",
		a.Class == "informationalExpectedActivity",
		a.Remediated():
		return false
	}
	return true
}

// Remediated reports whether Defender's own automation finished clean, even if
// nobody has resolved the alert. Such an alert may keep a healthy device blocked
// (Defender for Endpoint docs, conditional access: resolving it removes the risk).
func (a Alert) Remediated() bool {
	return a.Investigation == "successfullyRemediated" || a.Investigation == "benign"
}

// Active reports whether the malware is still there (threatState of
// windowsDeviceMalwareState; the last five members but one mean it is not).
// A state Microsoft added since is taken to be active.
func (m Malware) Active() bool {
	switch m.State {
	case "remediatedWithNonCriticalFailures", "quarantined", "removed", "cleaned", "allowed", "noStatusCleared":
		return false
	}
	return true
}

// Investigating reports whether an automated investigation of Defender's works
// on an open alert of the device, or waits to.
func (d Device) Investigating() bool {
	return slices.ContainsFunc(d.Alerts, func(a Alert) bool {
		switch a.Investigation {
		case "queued", "running", "pendingResource":
			return a.Status != "resolved"
		}
		return false
	})
}

// AwaitsActionCenter reports whether an investigation waits for a person's
// approval in Defender's Action center.
func (d Device) AwaitsActionCenter() bool {
	return slices.ContainsFunc(d.Alerts, func(a Alert) bool {
		return a.Investigation == "pendingApproval" && a.Status != "resolved"
	})
}

// OpenAlerts are those that still stand.
func (d Device) OpenAlerts() []Alert {
	var open []Alert
	for _, a := range d.Alerts {
		if a.Open() {
			open = append(open, a)
		}
	}
	return open
}

// alarming reports whether an alert that is more than information stands open,
// or one whose severity this version does not know.
func (d Device) alarming() bool {
	return slices.ContainsFunc(d.OpenAlerts(), func(a Alert) bool {
		l := Severity(a.Severity)
		return l >= Low || l == Strange
	})
}

// ActiveMalware is what is still there.
func (d Device) ActiveMalware() []Malware {
	var active []Malware
	for _, m := range d.Malware {
		if m.Active() {
			active = append(active, m)
		}
	}
	return active
}

// Worst is the highest level among what is wrong with the device; [Low] if it is
// only not compliant.
func (d Device) Worst() Level {
	worst := d.Threat.Level()
	for _, a := range d.OpenAlerts() {
		worst = max(worst, Severity(a.Severity))
	}
	for _, m := range d.ActiveMalware() {
		worst = max(worst, Severity(m.Severity))
	}
	if d.Compliance == "noncompliant" || len(d.Settings) > 0 {
		worst = max(worst, Low)
	}
	return worst
}

// Risk is the device's risk in one line, the same for the same risk: what a
// person who closes a case has seen, and what a sweep compares.
func (d Device) Risk() string {
	parts := []string{"threat=" + string(d.Threat), "compliance=" + d.Compliance}
	for _, s := range d.Settings {
		parts = append(parts, "setting="+s.Policy+"/"+s.Name)
	}
	for _, m := range d.ActiveMalware() {
		parts = append(parts, "malware="+m.Name)
	}
	for _, a := range d.OpenAlerts() {
		parts = append(parts, "alert="+a.ID)
	}
	slices.Sort(parts[2:])
	return strings.Join(slices.Compact(parts), " ")
}

// Strange lists the enumerated values of the device that this version of Curfew
// does not know. Only a person can say what they mean: they are neither a risk
// nor health.
func (d Device) Strange() []string {
	var out []string
	note := func(property, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			out = append(out, property+" is "+value)
		}
	}
	if d.Threat.Level() == Strange {
		out = append(out, "partnerReportedThreatState is "+string(d.Threat))
	}
	note("complianceState", d.Compliance, "unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")
	for _, a := range d.Alerts {
		if Severity(a.Severity) == Strange {
			out = append(out, "severity of alert "+a.ID+" is "+a.Severity)
		}
		note("status of alert "+a.ID, a.Status, "unknown", "new", "inProgress", "resolved")
	}
	for _, m := range d.Malware {
		note("threatState of "+m.Name, m.State, "active", "actionFailed", "manualStepsRequired", "fullScanRequired", "rebootRequired",
			"remediatedWithNonCriticalFailures", "quarantined", "removed", "cleaned", "allowed", "noStatusCleared")
	}
	return out
}
