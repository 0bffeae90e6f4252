package graphtest_test

import (
	"testing"
	"time"

	"curfew/graph/graphtest"
)

func TestTheAuditLogsKeepTheirRules(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.EditPolicy(graphtest.PolicyEdit{What: "P", At: time.Now().Add(-time.Hour)})
		d.tenant.EditPolicy(graphtest.PolicyEdit{What: "Q", Access: true})
		d.tenant.Bustle(2)
		const entra, intune = "auditLogs/directoryAudits", "deviceManagement/auditEvents"

		d.get(where(entra, "$filter", "initiatedBy eq 'x'")).wants(400)
		if n := len(d.get(where(intune, "$filter", "actor eq 'x'")).wants(200).rows()); n != 3 { // ignored
			t.Errorf("%d rows", n)
		}
		if got := d.get(where(entra, "$filter", "loggedByService eq 'Conditional Access' and operationType eq 'Update'")).wants(200).names("activityDisplayName"); got != "Update conditional access policy Update named location" {
			t.Errorf("%q", got)
		}
		first := d.get(intune + "?$top=2").wants(200)
		last := d.get(first.at("@odata.nextLink").(string)).wants(200)
		if first.names("category") != "Device Device" || last.names("category") != "Compliance" {
			t.Errorf("%q %q", first.names("category"), last.names("category"))
		}

		for range 3 {
			d.get(entra).wants(200)
		}
		if d.get(entra).wants(429).header.Get("Retry-After") == "" { // the sixth within ten seconds
			t.Error("no Retry-After")
		}
		time.Sleep(11 * time.Second)
		d.app.Revoke("AuditLog.Read.All", "DeviceManagementApps.Read.All")
		d.get(entra).wants(403)
		d.get(intune).wants(403)
	})
}
