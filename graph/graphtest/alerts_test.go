package graphtest_test

import (
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

func TestAlertsAreListedNewestFirst(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		var ids []string
		for range 5 {
			ids = append(ids, d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Low}).ID)
			time.Sleep(time.Minute)
		}
		a := d.get("security/alerts_v2?$top=2&$count=true").wants(200).is(5.0, "@odata.count").is(ids[4], "value", 0, "id")
		next, _ := a.at("@odata.nextLink").(string)
		d.get(next).is(ids[2], "value", 0, "id")
		since := time.Now().UTC().Add(-90 * time.Second).Format(time.RFC3339)
		for filter, want := range map[string]int{
			"lastUpdateDateTime ge " + since: 1,
			"status eq 'new'":                5,
			"status eq 'resolved'":           0,
			"serviceSource eq 'microsoftDefenderForEndpoint' and severity eq 'low'":                                           5,
			"evidence/any(e: e/microsoft.graph.security.deviceEvidence/deviceDnsName eq 'lt-042.contoso.example')":            5,
			"evidence/any(e: e/microsoft.graph.security.userEvidence/userAccount/userPrincipalName eq 'bo@contoso.example')":  0,
			"evidence/any(e: e/microsoft.graph.security.userEvidence/userAccount/userPrincipalName eq 'ana@contoso.example')": 5,
		} {
			if got := len(d.get(where("security/alerts_v2", "$filter", filter)).wants(200).rows()); got != want {
				t.Errorf("%s: %d, want %d", filter, got, want)
			}
		}
		d.get(where("security/alerts_v2", "$filter", "incidentId eq '1001'")).wants(400)
	})
}

func TestAnUpdateMovesTheMark(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		alert := d.tenant.Infect("LT-042", graphtest.High)
		time.Sleep(time.Hour)
		mark := time.Now().UTC()
		d.tenant.Investigate("LT-042", "failed")
		d.get(where("security/alerts_v2", "$filter", "lastUpdateDateTime ge "+mark.Format(time.RFC3339Nano))).
			is(alert.ID, "value", 0, "id").is("failed", "value", 0, "investigationState").is("new", "value", 0, "status")
	})
}

// Resolving a device's last open alert takes the risk away, whatever is on it.
func TestResolvingAlerts(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		first, second := d.tenant.Infect("LT-042", graphtest.High), d.tenant.Infect("LT-042", graphtest.Low)
		if first.IncidentID != second.IncidentID {
			t.Error("two incidents")
		}
		d.ask("PATCH", "security/alerts_v2/"+first.ID, `{"status":"resolved","classification":"truePositive","determination":"malware","assignedTo":"bo@contoso.example"}`).
			wants(200).is("resolved", "status").is("bo@contoso.example", "assignedTo")
		d.get(managed+"/"+lt.ID).is("highSeverity", "partnerReportedThreatState")
		d.ask("PATCH", "security/alerts_v2/"+second.ID, `{"status":"resolved"}`).wants(200)
		d.get(managed+"/"+lt.ID).is("secured", "partnerReportedThreatState").is("compliant", "complianceState")
		d.get(managed+"/"+lt.ID+"/windowsProtectionState/detectedMalwareState").is("active", "value", 0, "threatState")
		d.ask("PATCH", "security/alerts_v2/"+second.ID, `{"status":"done"}`).wants(400)
	})
}

func TestCommentsAreOnlyAdded(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		alert := d.tenant.Infect("LT-042", graphtest.High)
		for range 2 {
			d.ask("POST", "security/alerts_v2/"+alert.ID+"/comments", map[string]string{
				"@odata.type": "microsoft.graph.security.alertComment", "comment": "seen, task 17",
			}).wants(200)
		}
		if got := d.tenant.Comments(alert.ID); strings.Join(got, "|") != "seen, task 17|seen, task 17" {
			t.Errorf("%q", got)
		}
	})
}

func TestAnAlertMayNameNoEntraDevice(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		alert := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High, HideEntraID: true})
		d.get("security/alerts_v2/"+alert.ID).is(nil, "evidence", 0, "azureAdDeviceId").is(lt.DefenderID, "evidence", 0, "mdeDeviceId")
		d.tenant.Redirect(alert.IncidentID, "77")
		d.get("security/incidents/"+alert.IncidentID).is("redirected", "status").is("77", "redirectIncidentId")
	})
}

func TestSecurityIsLimitedToItsRate(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		d.tenant.SetRules(graphtest.Rules{SecurityPerMinute: 150})
		for range 150 {
			d.get("security/alerts_v2").wants(200)
		}
		a := d.get("security/alerts_v2").wants(429)
		if a.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		d.get(managed).wants(200)
		time.Sleep(time.Minute)
		d.get("security/alerts_v2").wants(200)
	})
}
