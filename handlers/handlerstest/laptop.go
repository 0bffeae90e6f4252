package handlerstest

import (
	"fmt"
	"time"

	"curfew/events"
)

// Laptop is an open case about a Windows laptop with active malware, an open
// alert and a disk that is not encrypted.
func Laptop() events.Case {
	key := events.Key{Tenant: "contoso", Device: "5f9d3c1e-0000-4c4b-9c57-1d1f4ce4a8aa"}
	now := time.Now().UTC()
	return events.Case{
		Key:     key,
		Open:    true,
		Shown:   true,
		Policy:  "threat",
		Episode: 1,
		Opened:  now.Add(-72 * time.Hour),
		Told:    now.Add(-72 * time.Hour),
		Device: events.Device{
			Key: key, IntuneID: "intune-042", Name: "LT-042", Serial: "SN042", OS: "Windows", OSVersion: "10.0.26100", Agent: "mdm", Owner: "company",
			User: "anna@contoso.example", UserName: "Anna Bauer", UserMail: "anna@contoso.example", Management: "managed", Join: "AzureAd",
			Compliance: "noncompliant", Threat: "highSeverity",
			Settings: []events.Setting{{Policy: "Baseline", Name: "BitLockerEnabled", State: "nonCompliant"}},
			Malware:  []events.Malware{{Name: "Trojan:Win32/Example", Severity: "severe", State: "active"}},
			Alerts:   []events.Alert{{ID: "alert-1", Title: "Suspicious behaviour", Severity: "high", Status: "new", URL: "https://security.microsoft.com/alerts/alert-1"}},
			SeenAt:   now.Add(-time.Hour), LastSync: now.Add(-time.Hour),
		},
	}
}

// Task is a task of the case for an action, as the queue first hands it out.
func Task(c events.Case, o events.Order) events.Task {
	return events.Task{
		ID: fmt.Sprintf("%s/%d-%s", c.Key, c.Asked+1, o.Action), N: c.Asked + 1, Order: o, Case: c.ID(),
		Rung: 1, Policy: c.Policy, Asked: time.Now().UTC(), Sent: 1, Out: true,
	}
}
