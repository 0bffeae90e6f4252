package handlers

import (
	"cmp"
	"fmt"
	"strings"

	"curfew/events"
)

// MaxFindings bounds [Findings]: more than that nobody reads.
const MaxFindings = 20

// A Finding is one thing that is wrong with a device, in words its user
// understands.
type Finding struct {
	What string // a sentence without its full stop
	Fix  string // what the user can do about it; empty: nothing
}

// Findings are what is wrong with the device, the gravest first. Every text is a
// [Line].
func Findings(d events.Device) []Finding {
	var out []Finding
	add := func(what, fix string) {
		if len(out) < MaxFindings {
			out = append(out, Finding{Line(what, 300), fix})
		}
	}
	for _, m := range some(d.ActiveMalware()) {
		add(fmt.Sprintf("Malicious software is on the device: “%s”%s", m.Name, severity(m.Severity)),
			"Open Windows Security, choose “Virus & threat protection”, and follow what it recommends; restart the device if it asks you to.")
	}
	for _, a := range some(d.OpenAlerts()) {
		add(fmt.Sprintf("Microsoft Defender reports “%s”%s", cmp.Or(a.Title, a.Threat, "an alert"), severity(a.Severity)), "")
	}
	if d.Threat.Level() >= events.Low {
		add("Microsoft Defender rates the risk of the device as "+d.Threat.Level().String(), "")
	}
	for _, s := range some(d.Settings) {
		what, fix := plain(s)
		add(what, fix)
	}
	if len(d.Settings) == 0 && (d.Compliance == "noncompliant" || d.Compliance == "inGracePeriod") {
		add("The device does not meet your organisation's rules; which one was not said", "")
	}
	return out
}

// some are as many as anybody reads.
func some[T any](all []T) []T { return all[:min(len(all), MaxFindings)] }

// Sentences are the findings and the case's attention as people read them, at
// most [MaxFindings] of each.
func Sentences(c events.Case) (findings, attention []string) {
	for _, f := range Findings(c.Device) {
		findings = append(findings, f.What)
	}
	for _, a := range some(c.Attention) {
		attention = append(attention, Line(a, 300))
	}
	return findings, attention
}

// Worst is the highest level among what is wrong with the device; [events.Low]
// if it is only not compliant.
func Worst(d events.Device) events.Level {
	worst := d.Threat.Level()
	for _, a := range d.OpenAlerts() {
		worst = max(worst, events.Severity(a.Severity))
	}
	for _, m := range d.ActiveMalware() {
		worst = max(worst, events.Severity(m.Severity))
	}
	if d.Compliance == "noncompliant" || len(d.Settings) > 0 {
		worst = max(worst, events.Low)
	}
	return worst
}

// Summary is the case in one line: which device, whose, and the gravest finding.
func Summary(c events.Case) string {
	d := c.Inhabited()
	who := cmp.Or(Line(d.Name, 80), c.Device.Device, c.Key.Device)
	if user := cmp.Or(Line(d.User, 80), Line(d.UserName, 80)); user != "" {
		who += " (" + user + ")"
	}
	found := Findings(d)
	switch {
	case len(found) == 0 && len(c.Attention) > 0:
		return who + ": " + Line(c.Attention[0], 300)
	case len(found) == 0:
		return who + ": nothing is wrong any more"
	case len(found) == 1:
		return who + ": " + found[0].What
	}
	return fmt.Sprintf("%s: %s (and %d more)", who, found[0].What, len(found)-1)
}

// A Link is an address with its name.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Links are where a person reads on: the alerts in Defender's portal, and the
// tickets and pages that the case has open. At most ten.
func Links(c events.Case) []Link {
	var out []Link
	add := func(text, address string) {
		if address = SafeLink(address); address != "" && len(out) < 10 {
			out = append(out, Link{Line(text, 100), address})
		}
	}
	for _, e := range c.Effects {
		add(strings.TrimSpace(string(e.Action)+" "+e.Ref), e.Link)
	}
	for _, a := range some(c.Device.OpenAlerts()) {
		add("alert: "+cmp.Or(a.Title, a.ID), a.URL)
	}
	return out
}

func severity(s string) string {
	if events.Severity(s) <= events.Clear {
		return ""
	}
	return ", severity " + s
}

// plain says in words what a failing setting means. The setting's and the
// policy's own names are quoted, for the help desk.
func plain(s events.Setting) (what, fix string) {
	named := fmt.Sprintf("(setting “%s” of policy “%s”)", s.Name, s.Policy)
	name := strings.ToLower(strings.ReplaceAll(s.Name, " ", ""))
	for _, k := range known() {
		for part := range strings.FieldsSeq(k.parts) {
			if strings.Contains(name, part) {
				return k.what + " " + named, k.fix
			}
		}
	}
	return "A setting that your organisation requires is not as it should be " + named, ""
}

type knownSetting struct{ parts, what, fix string }

// known lists what the settings of Windows compliance policies are about, by
// parts of their names (Graph docs: windows10CompliancePolicy; Intune shows the
// built-in ones as "Is active" and "Enrolled user exists").
func known() []knownSetting {
	return []knownSetting{
		{"bitlocker storagerequireencryption encryption", "The disk is not encrypted",
			"Connect the power supply, open Settings, search for “BitLocker” or “Device encryption”, and turn it on."},
		{"isactive requireremaincontact", "The device has not reported to your organisation for too long",
			"Connect the device to the internet, open Settings > Accounts > Access work or school, choose your account, then Info, then Sync."},
		{"osminimum osmaximum mobileosminimum validoperatingsystem osversion", "The operating system is out of date",
			"Open Settings > Windows Update, install everything it offers, and restart the device."},
		{"firewall", "The firewall is off", "Open Windows Security, choose “Firewall & network protection”, and turn the firewall on for every network."},
		{"rtpenabled realtime", "The virus protection does not watch the device all the time",
			"Open Windows Security, choose “Virus & threat protection”, then “Manage settings”, and turn on real-time protection."},
		{"signatureoutofdate signatures", "The virus protection is out of date", "Open Windows Security, choose “Virus & threat protection”, then “Check for updates”."},
		{"antivirus antispyware defenderenabled antimalware", "The virus protection is off", "Open Windows Security, choose “Virus & threat protection”, and turn it on."},
		{"threatprotection threatlevel machinerisk riskscore", "The device's risk is higher than your organisation allows", ""},
		{"secureboot codeintegrity earlylaunch healthattest tpm", "A protection of the device's start-up is off", ""},
		{"password pin", "The password or PIN of the device does not meet the rules", "Open Settings > Accounts > Sign-in options, and change the password or PIN."},
		{"userexist enrolleduser", "The user the device was set up for does not exist any more", ""},
	}
}
