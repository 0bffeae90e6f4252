package graphtest_test

import (
	"fmt"
	"testing"

	"curfew/graph/graphtest"
)

func TestGroupsAndWhoIsInThem(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "KI-1"})
		inner := d.tenant.AddGroup(graphtest.Group{Name: "Kiosks", Devices: []string{"KI-1"}, Groups: []string{"Outer"}}) // in a circle
		outer := d.tenant.AddGroup(graphtest.Group{Name: "Outer", Groups: []string{"Kiosks"}})
		ana := d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Outer", "Finance"}})

		d.get(where("groups", "$filter", "createdDateTime gt 2020-01-01T00:00:00Z")).wants(400)
		if got := d.get(where("groups", "$filter", "displayName eq 'kiosks'")).wants(200).names("id"); got != inner {
			t.Errorf("%q", got)
		}
		if got := d.get("groups?$select=id,displayName").wants(200).names("displayName"); got != "Kiosks Outer Finance" {
			t.Errorf("%q", got)
		}
		d.get("groups/"+outer).wants(200).is("Outer", "displayName")
		d.get("groups/" + contosoID).wants(404)
		d.get("groups/" + contosoID + "/transitiveMembers").wants(404)

		members := d.get("groups/" + outer + "/transitiveMembers?$select=id,displayName,deviceId").wants(200)
		if got := members.names("displayName"); got != "ana Kiosks KI-1" {
			t.Errorf("%q", got)
		}
		members.is(d.tenant.Device("KI-1").EntraID, "value", 2, "deviceId").is(nil, "value", 0, "userPrincipalName").is(ana, "value", 0, "id")
		first := d.get("groups/" + outer + "/transitiveMembers?$top=2").wants(200)
		if got := d.get(first.at("@odata.nextLink").(string)).wants(200).names("displayName"); got != "KI-1" {
			t.Errorf("%q", got)
		}
		d.app.Revoke("Device.Read.All") // what it is, and no more
		d.get("groups/"+inner+"/transitiveMembers").wants(200).is("#microsoft.graph.device", "value", 0, "@odata.type").is(nil, "value", 0, "deviceId")
		d.app.Revoke("Group.Read.All")
		d.get("groups").wants(403)
		d.get("groups/" + outer + "/transitiveMembers").wants(403)
	})
}

func TestUsersAndTheirDevices(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "LT-1", User: "ana@contoso.example"})
		d.tenant.AddDevice(graphtest.Device{Name: "LT-2", User: "bo@contoso.example"})
		d.tenant.AddFleet(120)
		if got := d.get("users/ana@contoso.example/managedDevices?$select=deviceName").wants(200).names("deviceName"); got != "LT-1" {
			t.Errorf("%q", got)
		}
		if got := d.get(where("users/bo@contoso.example/managedDevices", "$filter", "deviceName eq 'LT-1'")).wants(200).names("deviceName"); got != "LT-2" { // ignored
			t.Errorf("%q", got)
		}
		d.get("users/nobody@contoso.example/managedDevices").wants(404)
		page := d.get("users").wants(200)
		if n := len(page.rows()) + len(d.get(page.at("@odata.nextLink").(string)).wants(200).rows()); n != 122 {
			t.Errorf("%d users", n)
		}
		d.app.Revoke("DeviceManagementManagedDevices.Read.All", "User.Read.All")
		d.get("users/ana@contoso.example/managedDevices").wants(403)
		d.get("users").wants(403)
	})
}

func TestIncidentsAndTheirAlerts(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for i := range 60 {
			name := fmt.Sprintf("LT-%d", i)
			d.tenant.AddDevice(graphtest.Device{Name: name})
			d.tenant.AddAlert(name, graphtest.Alert{Severity: graphtest.Low})
		}
		page := d.get("security/incidents?$top=100").wants(200)
		if n := len(page.rows()); n != 50 { // the most on a page
			t.Errorf("%d rows", n)
		}
		if n := len(d.get(page.at("@odata.nextLink").(string)).wants(200).rows()); n != 10 {
			t.Errorf("%d rows", n)
		}
		in := d.get("security/incidents/1001?$expand=alerts").wants(200)
		in.is("lt-0", "alerts", 0, "evidence", 0, "hostName").is(nil, "alerts", 1)
	})
}
