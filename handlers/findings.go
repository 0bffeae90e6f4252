package handlers

import (
	"cmp"
	"strconv"
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

// Findings are what is wrong with the device, the gravest first, all of it and in
// English. Every text is a [Line].
func Findings(d events.Device) []Finding { return Telling{}.Findings(d) }

// Findings are what is wrong with the device, the gravest first, as the person
// gets to read it. Every text is a [Line].
func (t Telling) Findings(d events.Device) []Finding {
	w := t.words()
	out := w.threats(d, t.Plain)
	for _, s := range some(d.Settings) {
		what, fix := w.about(s)
		out = append(out, Finding{what, fix})
	}
	if len(d.Settings) == 0 && (d.Compliance == "noncompliant" || d.Compliance == "inGracePeriod") {
		out = append(out, Finding{What: w.unsaid})
	}
	out = some(out)
	for i := range out {
		out[i].What = Line(out[i].What, 300)
	}
	return out
}

// threats are the findings about what attacks the device.
func (w words) threats(d events.Device, plain bool) []Finding {
	var out []Finding
	malware, alerts, reported := d.ActiveMalware(), d.OpenAlerts(), d.Threat.Level() >= events.Low
	if plain {
		if len(malware) > 0 {
			out = append(out, Finding{w.harmful, w.fix})
		}
		if len(alerts) > 0 || reported {
			out = append(out, Finding{What: w.alarmed})
		}
		return out
	}
	for _, m := range some(malware) {
		out = append(out, Finding{fill(w.malware, m.Name, w.grave(m.Severity)), w.fix})
	}
	for _, a := range some(alerts) {
		out = append(out, Finding{What: fill(w.alert, cmp.Or(a.Title, a.Threat, w.anAlert), w.grave(a.Severity))})
	}
	if reported {
		out = append(out, Finding{What: fill(w.risk, w.grade(d.Threat.Level().String()))})
	}
	return out
}

// some are as many as anybody reads.
func some[T any](all []T) []T { return all[:min(len(all), MaxFindings)] }

// Sentences are the findings and the case's attention as people read them, at
// most [MaxFindings] of each.
func Sentences(c events.Case) (findings, attention []string) { return Telling{}.Sentences(c) }

// Sentences are those of the case in the language. What only a person can help with
// is in English, as the case has it.
func (t Telling) Sentences(c events.Case) (findings, attention []string) {
	for _, f := range t.Findings(c.Device) {
		findings = append(findings, f.What)
	}
	for _, a := range some(c.Attention) {
		attention = append(attention, Line(a, 300))
	}
	return findings, attention
}

// Worst is [events.Device.Worst].
func Worst(d events.Device) events.Level { return d.Worst() }

// Summary is the case in one line: which device, whose, and the gravest finding.
func Summary(c events.Case) string { return Telling{}.Summary(c) }

// Summary is the case in one line in the language.
func (t Telling) Summary(c events.Case) string {
	d := c.Inhabited()
	who := cmp.Or(Line(d.Name, 80), c.Device.Device, c.Key.Device)
	if user := cmp.Or(Line(d.User, 80), Line(d.UserName, 80)); user != "" {
		who += " (" + user + ")"
	}
	found := t.Findings(d)
	switch {
	case len(found) == 0 && len(c.Attention) > 0:
		return who + ": " + Line(c.Attention[0], 300)
	case len(found) == 0:
		return t.Say("%1: nothing is wrong any more", who)
	case len(found) == 1:
		return who + ": " + found[0].What
	}
	return t.Say("%1: %2 (and %3 more)", who, found[0].What, strconv.Itoa(len(found)-1))
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

// about says in words what a failing setting means. The setting's and the
// policy's own names are quoted, for the help desk.
func (w words) about(s events.Setting) (what, fix string) {
	named := " " + fill(w.named, s.Name, s.Policy)
	name := strings.ToLower(strings.ReplaceAll(s.Name, " ", ""))
	for _, k := range known() {
		for part := range strings.FieldsSeq(k.parts) {
			if strings.Contains(name, part) {
				f := w.subjects[k.of]
				return f.What + named, f.Fix
			}
		}
	}
	return w.unknown + named, ""
}

type knownSetting struct {
	of    subject
	parts string
}

// known lists what the settings of Windows compliance policies are about, by
// parts of their names (Graph docs: windows10CompliancePolicy; Intune shows the
// built-in ones as "Is active" and "Enrolled user exists").
func known() []knownSetting {
	return []knownSetting{
		{encryption, "bitlocker storagerequireencryption encryption"},
		{contact, "isactive requireremaincontact"},
		{version, "osminimum osmaximum mobileosminimum validoperatingsystem osversion"},
		{firewall, "firewall"},
		{watching, "rtpenabled realtime"},
		{signatures, "signatureoutofdate signatures"},
		{antivirus, "antivirus antispyware defenderenabled antimalware"},
		{danger, "threatprotection threatlevel machinerisk riskscore"},
		{startup, "secureboot codeintegrity earlylaunch healthattest tpm"},
		{password, "password pin"},
		{owner, "userexist enrolleduser"},
	}
}
