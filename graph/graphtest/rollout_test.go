package graphtest_test

import (
	"fmt"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// sees gives the app more permissions.
func (d *desk) sees(roles ...string) {
	d.app.Grant(roles...)
	d.token = d.app.Token()
}

const reporting = `{"id":"7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22","displayName":"Risk","state":"enabledForReportingButNotEnforced",
	"conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["Office365"]},
		"platforms":{"includePlatforms":["windows"]},"users":{"includeUsers":["All"],"excludeUsers":["%s"]}},
	"grantControls":{"operator":"OR","builtInControls":["compliantDevice"]}}`

// what is a body of the what-if evaluation.
func what(user, app, platform string) string {
	return fmt.Sprintf(`{"signInIdentity":{"@odata.type":"#microsoft.graph.userSignIn","userId":%q},
		"signInContext":{"@odata.type":"#microsoft.graph.applicationContext","includeApplications":[%q]},
		"signInConditions":{"devicePlatform":%q},"appliedPoliciesOnly":false}`, user, app, platform)
}

func TestWhatIfSaysWhichPoliciesApplyAndWhyNot(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		const exchange = "00000002-0000-0ff1-ce00-000000000000"
		ana, glass := d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example"}), d.tenant.AddUser(graphtest.User{UPN: "glass@contoso.example"})
		d.tenant.SetAccess(fmt.Sprintf(reporting, glass))
		const path = "identity/conditionalAccess/evaluate"
		d.ask("POST", path, what(ana, exchange, "windows")).wants(403)
		d.sees("Policy.Read.All")
		for _, c := range []struct {
			user, app, platform, reason string
			applies                     bool
		}{
			{ana, exchange, "windows", "notSet", true},
			{glass, exchange, "windows", "users", false},
			{ana, "11111111-2222-4333-8444-555555555555", "windows", "application", false},
			{ana, exchange, "iOS", "devicePlatform", false},
			{ana, exchange, "", "notEnoughInformation", false},
		} {
			time.Sleep(2 * time.Second) // one request a second
			a := d.ask("POST", path, what(c.user, c.app, c.platform)).wants(200)
			a.is(c.applies, "value", 0, "policyApplies").is(c.reason, "value", 0, "analysisReasons")
		}
		time.Sleep(2 * time.Second)
		d.ask("POST", path, `{}`).wants(400)
	})
}

func TestSignInsShowPoliciesToWhoMayReadThem(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
		d.tenant.SetAccess(fmt.Sprintf(reporting, "nobody"))
		d.tenant.SignsIn(graphtest.SignIn{User: lt.User, Device: "LT-042"})
		d.tenant.SignsIn(graphtest.SignIn{User: lt.User, At: time.Now().Add(-time.Hour)})
		d.tenant.SignsIn(graphtest.SignIn{User: lt.User, Platform: "iOS", At: time.Now().Add(-2 * time.Hour)})
		if a := d.get("auditLogs/signIns").wants(200); len(a.rows()) != 3 || a.at("value", 0, "appliedConditionalAccessPolicies", 0) != nil {
			t.Errorf("without the permission: %s", a.body)
		}
		d.sees("Policy.Read.All")
		a := d.get("auditLogs/signIns").wants(200) // the newest first
		for i, result := range []string{"reportOnlySuccess", "reportOnlyFailure", "reportOnlyNotApplied"} {
			a.is(result, "value", i, "appliedConditionalAccessPolicies", 0, "result")
		}
		a = d.get(where("auditLogs/signIns", "$filter", "createdDateTime ge "+time.Now().Add(-90*time.Minute).Format(time.RFC3339)) + "&$top=1").wants(200)
		if len(a.rows()) != 1 || a.at("@odata.nextLink") == nil {
			t.Errorf("the page is not of one: %s", a.body)
		}
		d.get(where("auditLogs/signIns", "$filter", "deviceDetail/isCompliant eq true")).wants(400)
		d.get("auditLogs/signIns").wants(200)
		d.get("auditLogs/signIns").wants(429) // five in ten seconds
	})
}

func TestTheInventoryOfPersonalPhonesShowsNothing(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "Android"})
		d.tenant.AddDevice(graphtest.Device{Name: "PH-2", OS: "Android", Owner: "personal"})
		d.tenant.AddDevice(graphtest.Device{Name: "PH-3", OS: "Android"})
		d.tenant.Uninstall("PH-3", graphtest.CompanyPortal)
		a := d.get("deviceManagement/detectedApps").wants(200)
		for i, row := range a.rows() {
			m, _ := row.(map[string]any)
			if m["displayName"] != graphtest.CompanyPortal || m["platform"] != "androidForWork" {
				continue
			}
			id, _ := a.at("value", i, "id").(string)
			if got := d.get("deviceManagement/detectedApps/" + id + "/managedDevices").wants(200).names("deviceName"); got != "PH-1" {
				t.Errorf("it is on %q", got)
			}
			return
		}
		t.Errorf("nobody has it: %s", a.body)
	})
}

func TestDevicesWithoutAPolicyAreInTheReportOnly(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		const path = "deviceManagement/reports/getDevicesWithoutCompliancePolicyReport"
		d.ask("POST", path, `{"skip":0,"top":50}`).wants(200).is(0.0, "TotalRowCount")
		d.tenant.Unassign("LT-042")
		d.ask("POST", path, `{"skip":0,"top":50}`).wants(200).is(1.0, "TotalRowCount").is("DeviceId", "Schema", 0, "Column").is(lt.ID, "Values", 0, 0)
		d.get("deviceManagement/managedDevices/"+lt.ID).wants(200).is("compliant", "complianceState")
	})
}

func TestACrowdSharesItsDevices(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		_, user := d.tenant.AddCrowd(40, 4, "Pilot")
		d.get("groups/" + d.tenant.GroupID("Pilot") + "/transitiveMembers/microsoft.graph.user").wants(400) // an advanced query
		d.header.Set("ConsistencyLevel", "eventual")
		a := d.get("groups/" + d.tenant.GroupID("Pilot") + "/transitiveMembers/microsoft.graph.user?$count=true&$select=id,userPrincipalName,accountEnabled").wants(200)
		if len(a.rows()) != 4 {
			t.Errorf("%d members", len(a.rows()))
		}
		d.header.Del("ConsistencyLevel")
		if got := len(d.get("users/" + user(0) + "/managedDevices").wants(200).rows()); got != 10 {
			t.Errorf("%d devices", got)
		}
		a = d.get("users?$top=3&$select=userPrincipalName,userType,assignedLicenses").wants(200)
		if len(a.rows()) != 3 || a.at("@odata.nextLink") == nil {
			t.Errorf("the page is not of three: %s", a.body)
		}
		a.is("Member", "value", 0, "userType").is(graphtest.BusinessPremium, "value", 0, "assignedLicenses", 0, "skuId")
	})
}
