package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers/mail"
)

// samples are made-up cases to preview mails with, by name.
func samples(now time.Time) map[string]events.Case {
	now = now.UTC().Truncate(time.Minute)
	key := events.Key{Tenant: "7b2d9a34-52f0-4d0e-8c56-0a7e3f1b9d21", Device: "0c1f5e7a-93b6-4a88-9f0d-5b3c2a1e4d60"}
	device := events.Device{
		Key: key, Name: "LT-042", OS: "Windows", OSVersion: "10.0.26100.4652", Owner: "company",
		User: "anna@contoso.example", UserName: "Anna Example", UserMail: "anna@contoso.example",
		Compliance: "compliant", Threat: "secured", SeenAt: now, LastSync: now.Add(-10 * time.Minute),
	}
	base := events.Case{Key: key, Episode: 1, Open: true, Opened: now.Add(-2 * time.Hour), Since: now.Add(-2 * time.Hour), Told: now.Add(-2 * time.Hour), Rung: 1}

	threat := base
	threat.Policy, threat.Device = "threat", device
	threat.Device.Threat = "highSeverity"
	threat.Device.Malware = []events.Malware{{Name: "Trojan:Win32/Wacatac.B!ml", Severity: "severe", State: "active", Changed: now.Add(-2 * time.Hour)}}
	threat.Device.Alerts = []events.Alert{{ID: "da1", Title: "Suspicious PowerShell command line", Severity: "medium", Status: "new", Created: now.Add(-2 * time.Hour)}}

	noncompliant := base
	noncompliant.Policy, noncompliant.Device = "compliance", device
	noncompliant.Device.Compliance = "noncompliant"
	noncompliant.Device.GraceUntil = now.Add(48 * time.Hour)
	noncompliant.Device.Settings = []events.Setting{
		{Policy: "Windows baseline", Name: "BitLockerEnabled", State: "nonCompliant"},
		{Policy: "Windows baseline", Name: "osMinimumVersion", State: "nonCompliant"},
	}

	healthy := base
	healthy.Open, healthy.Closed, healthy.Device = false, now, device

	approval := threat
	approval.Pending = []events.Task{{
		ID: key.String() + "/5-reset", Order: events.Order{Action: events.Reset}, Needs: 2, Request: "5f0c9a52-4f7e-4b0e-9a53-0c2d7e1b6a90",
		Approvals: []events.Approval{{By: "ben@contoso.example", At: now.Add(-20 * time.Minute)}},
	}}

	return map[string]events.Case{"threat": threat, "noncompliant": noncompliant, "healthy": healthy, "approval": approval}
}

func sampleNames() []string { return slices.Sorted(maps.Keys(samples(time.Time{}))) }

// sampleFor is the sample that fits a template.
func sampleFor(template string, now time.Time) events.Case {
	all := samples(now)
	switch {
	case mail.ForApprovers(template):
		return all["approval"]
	case strings.Contains(template, "clear"):
		return all["healthy"]
	case strings.Contains(template, "compliant"):
		return all["noncompliant"]
	}
	return all["threat"]
}

// sampleReset is when a sample is due to be reset.
func sampleReset(c events.Case) time.Time {
	if c.Policy != "threat" {
		return time.Time{}
	}
	return c.Told.Add(3 * 24 * time.Hour)
}
