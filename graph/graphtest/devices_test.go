package graphtest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const managed = "deviceManagement/managedDevices"

func TestADeviceHasThreeIDs(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
		a := d.get(managed+"/"+lt.ID).wants(200).is(lt.ID, "id").is(lt.EntraID, "azureADDeviceId").
			is("LT-042", "deviceName").is("compliant", "complianceState").is("secured", "partnerReportedThreatState").
			is("9999-12-31T23:59:59Z", "complianceGracePeriodExpirationDateTime").is("managed", "managementState").
			is(root+"/$metadata#deviceManagement/managedDevices/$entity", "@odata.context")
		if a.header.Get("request-id") == "" || a.header.Get("client-request-id") == "" {
			t.Error("no request ids in the headers")
		}
		d.get("devices/"+lt.ObjectID).wants(200).is(lt.EntraID, "deviceId")
		d.get("devices(deviceId='"+lt.EntraID+"')").wants(200).is(lt.ObjectID, "id")
		d.get("devices/" + lt.EntraID).wants(404)
		d.get(managed+"/"+lt.EntraID).wants(404).is("ResourceNotFound", "error", "code")
	})
}

func TestIntuneIgnoresFiltersItDoesNotSupport(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		a := d.tenant.AddDevice(graphtest.Device{Name: "A", User: "ana@contoso.example"})
		d.tenant.AddDevice(graphtest.Device{Name: "B", OS: "iOS"})
		d.tenant.AddDevice(graphtest.Device{Name: "C", Owner: "personal"})
		d.tenant.BreakBitLocker("C")
		day := time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
		for filter, want := range map[string]string{
			"complianceState eq 'noncompliant'":                                         "C",
			"complianceState eq microsoft.graph.complianceState'noncompliant'":          "C",
			"complianceState eq 'noncompliant' or complianceState eq 'error'":           "C",
			"operatingSystem eq 'iOS'":                                                  "B",
			"azureADDeviceId eq '" + a.EntraID + "'":                                    "A",
			"contains(deviceName,'b')":                                                  "B",
			"userPrincipalName ne 'ana@contoso.example'":                                "B C",
			"lastSyncDateTime gt " + day:                                                "A B C",
			"lastSyncDateTime lt " + day:                                                "",
			"operatingSystem eq 'Windows' and complianceState eq 'compliant'":           "A",
			"partnerReportedThreatState eq 'highSeverity'":                              "A B C",
			"managedDeviceOwnerType eq 'personal'":                                      "A B C",
			"userId eq 'x'":                                                             "A B C",
			"lastSyncDateTime ge " + day:                                                "A B C",
			"operatingSystem eq 'iOS' or complianceState eq 'noncompliant'":             "A B C",
			"operatingSystem ne 'iOS'":                                                  "A B C",
			"operatingSystem eq 'iOS' and partnerReportedThreatState eq 'highSeverity'": "A B C",
			"deviceName eq 'O''Brien'":                                                  "",
			"not(complianceState eq 'noncompliant')":                                    "A B C",
		} {
			if got := d.get(where(managed, "$filter", filter)).wants(200).names("deviceName"); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
		}
		d.get(where(managed, "$filter", "complianceState eq 'noncompliant")).wants(400)
		d.get(where(managed, "$filter", "complianceState equals 'noncompliant'")).wants(400)
	})
}

func TestOneEntraDeviceMayBeEnrolledTwice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		a := d.tenant.AddDevice(graphtest.Device{Name: "A"})
		d.tenant.AddDevice(graphtest.Device{Name: "B", EntraID: a.EntraID})
		d.tenant.AddDevice(graphtest.Device{Name: "C", EntraID: graphtest.NotInEntra})
		got := d.get(where(managed, "$filter", "azureADDeviceId eq '"+a.EntraID+"'")).names("deviceName")
		if got != "A B" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSelectOfWhatIsNotThere(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.get(managed+"?$select=deviceName").wants(200).is(nil, "value", 0, "operatingSystem").is(lt.ID, "value", 0, "id")
		d.get(managed + "?$select=joinType").wants(400) // beta has it
		d.get("https://graph.microsoft.com/beta/"+managed+"?$select=joinType").wants(200).is("azureADJoined", "value", 0, "joinType")
		// Some properties come from a GET of one device with $select only.
		d.get(managed+"?$select=physicalMemoryInBytes").is(nil, "value", 0, "physicalMemoryInBytes")
		d.get(managed+"/"+lt.ID).is(nil, "physicalMemoryInBytes")
		d.get(managed+"/"+lt.ID+"?$select=physicalMemoryInBytes").is(17179869184.0, "physicalMemoryInBytes")
	})
}

func TestUnknownEnumMembersNeedAPreference(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.SetRaw("LT-042", "managementState", "quarantinePending")
		d.tenant.SetRaw("LT-042", "complianceState", "atRisk")
		alert := d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.SetAlertRaw(alert.ID, "serviceSource", "microsoftSentinel")
		d.get(managed+"/"+lt.ID).is("unknownFutureValue", "managementState").is("atRisk", "complianceState")
		d.get("security/alerts_v2/"+alert.ID).is("unknownFutureValue", "serviceSource")
		d.header.Set("Prefer", "respond-async, include-unknown-enum-members")
		a := d.get(managed+"/"+lt.ID).is("quarantinePending", "managementState")
		if a.header.Get("Preference-Applied") != "include-unknown-enum-members" {
			t.Error("no Preference-Applied")
		}
		d.get("security/alerts_v2/"+alert.ID).is("microsoftSentinel", "serviceSource")
	})
}

func TestAFleetIsPagedByAThousand(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		name := d.tenant.AddFleet(2500)
		d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.BreakBitLocker(name(1700))
		var sizes []int
		seen := map[string]bool{}
		for next := managed + "?$select=id,deviceName"; next != ""; {
			a := d.get(next).wants(200)
			sizes = append(sizes, len(a.rows()))
			for _, r := range a.rows() {
				seen[r.(map[string]any)["id"].(string)] = true
			}
			next, _ = a.at("@odata.nextLink").(string)
		}
		if fmt.Sprint(sizes) != "[1000 1000 501]" || len(seen) != 2501 {
			t.Errorf("pages %v, %d different devices", sizes, len(seen))
		}
		if got := d.get(where(managed, "$filter", "complianceState eq 'noncompliant'")).names("deviceName"); got != "PC-001700" {
			t.Errorf("got %q", got)
		}
		if n := len(d.get(managed + "?$top=5000").rows()); n != 1000 {
			t.Errorf("$top=5000 brought %d", n)
		}
		lt := d.tenant.Device(name(3))
		d.get(managed+"/"+lt.ID).wants(200).is(name(3), "deviceName")
		d.get("users/"+lt.User).wants(200).is(lt.User, "userPrincipalName")
		d.get(managed + "/" + strings.Replace(lt.ID, "-", "-0", 1)).wants(404)
	})
}

func TestThePathMayBeSpelledAsOData(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
		d.get(managed + "('" + lt.ID + "')").wants(200)
		d.get("devices/microsoft.graph.delta()").wants(200)
		d.ask("POST", managed+"/"+lt.ID+"/microsoft.graph.syncDevice", nil).wants(204)
		d.get("users('" + url.PathEscape("ana@contoso.example") + "')/mailFolders('SentItems')/messages").wants(200)
		d.get("devices/nothing/here").wants(400).is("BadRequest", "error", "code")
		d.ask("DELETE", "devices", nil).wants(405)
	})
}

func TestAThreatShowsEverywhere(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
		alert := d.tenant.Infect("LT-042", graphtest.Medium)
		d.get(managed+"/"+lt.ID).is("mediumSeverity", "partnerReportedThreatState").is("noncompliant", "complianceState")
		d.get(managed+"/"+lt.ID+"/windowsProtectionState?$expand=detectedMalwareState").wants(200).
			is("active", "detectedMalwareState", 0, "threatState").is(true, "fullScanRequired")
		d.get(managed+"/"+lt.ID+"/windowsProtectionState").is(nil, "detectedMalwareState")
		d.get(managed+"/"+lt.ID+"/windowsProtectionState/detectedMalwareState").is("moderate", "value", 0, "severity")
		d.get(managed+"/"+lt.ID+"/deviceCompliancePolicyStates").is("nonCompliant", "value", 0, "state").
			is("nonCompliant", "value", 0, "settingStates", 0, "state").is("compliant", "value", 1, "state")
		d.get("security/alerts_v2/"+alert.ID).wants(200).is("running", "investigationState").is("medium", "severity").
			is("new", "status").is(lt.EntraID, "evidence", 0, "azureAdDeviceId").is(lt.DefenderID, "evidence", 0, "mdeDeviceId").
			is("ana@contoso.example", "evidence", 1, "userAccount", "userPrincipalName")
		d.get("security/incidents/"+alert.IncidentID).is("active", "status")

		d.tenant.Remediate("LT-042")
		d.get(managed+"/"+lt.ID).is("secured", "partnerReportedThreatState").is("compliant", "complianceState")
		d.get("security/alerts_v2/"+alert.ID).is("successfullyRemediated", "investigationState").is("resolved", "status").
			is("remediated", "evidence", 0, "remediationStatus")
		d.get("security/incidents/"+alert.IncidentID).is("resolved", "status")
	})
}

func TestBitLockerIsNoThreat(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.BreakBitLocker("LT-042")
		d.tenant.Infect("LT-042", graphtest.Low)
		d.tenant.Heal("LT-042")
		d.get(managed+"/"+lt.ID).is("noncompliant", "complianceState").is("secured", "partnerReportedThreatState").is(false, "isEncrypted")
		states := d.get(managed+"/"+lt.ID+"/deviceCompliancePolicyStates").is("compliant", "value", 0, "state").
			is("nonCompliant", "value", 1, "state")
		id, _ := states.at("value", 1, "id").(string)
		d.get(managed+"/"+lt.ID+"/deviceCompliancePolicyStates/"+id+"/settingStates").is("nonCompliant", "value", 0, "state")
		d.tenant.FixBitLocker("LT-042")
		d.get(managed+"/"+lt.ID).is("compliant", "complianceState")
	})
}

func TestAnySettingMayFail(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.Break("LT-042", graphtest.DefaultPolicy, graphtest.ContactSetting)
		d.tenant.Break("LT-042", graphtest.BaselinePolicy, "Windows10CompliancePolicy.FirewallEnabled")
		states := managed + "/" + lt.ID + "/deviceCompliancePolicyStates"
		a := d.get(states).is("nonCompliant", "value", 1, "state").is("nonCompliant", "value", 2, "state").
			is(graphtest.ContactSetting, "value", 2, "settingStates", 0, "setting")
		d.get(states+"/"+a.at("value", 2, "id").(string)).wants(200).is(graphtest.DefaultPolicy, "displayName")
		d.get(states + "/nothing").wants(404)
		d.tenant.Fix("LT-042", graphtest.BaselinePolicy, "Windows10CompliancePolicy.FirewallEnabled")
		d.get(managed+"/"+lt.ID).is("noncompliant", "complianceState")
		d.tenant.Fix("LT-042", graphtest.DefaultPolicy, graphtest.ContactSetting)
		d.get(managed+"/"+lt.ID).is("compliant", "complianceState")
	})
}

func TestOverridesAndOwners(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.SetRaw("LT-042", "partnerReportedThreatState", "unresponsive")
		d.get(managed+"/"+lt.ID).is("unresponsive", "partnerReportedThreatState").is("", "userPrincipalName")
		d.tenant.Unset("LT-042", "partnerReportedThreatState")
		d.tenant.SignIn("LT-042", "bo@contoso.example")
		d.get(managed+"/"+lt.ID).is("secured", "partnerReportedThreatState").is("bo@contoso.example", "userPrincipalName")
		d.get("users/bo@contoso.example").wants(200)
	})
}

func TestGraceEndsByItself(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.SetRules(graphtest.Rules{Grace: 6 * time.Hour})
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.BreakBitLocker("LT-042")
		at := time.Now().UTC().Add(6 * time.Hour).Format(time.RFC3339)
		d.get(managed+"/"+lt.ID).is("inGracePeriod", "complianceState").is(at, "complianceGracePeriodExpirationDateTime")
		time.Sleep(time.Minute)
		d.get("devices/"+lt.ObjectID).is(true, "isCompliant") // access is still allowed
		time.Sleep(6 * time.Hour)
		d.token = d.app.Token()
		d.get(managed+"/"+lt.ID).is("noncompliant", "complianceState")
		time.Sleep(10 * time.Minute) // the directory lags behind
		d.get("devices/"+lt.ObjectID).is(false, "isCompliant")
	})
}

func TestPhonesHaveNoProtectionState(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		ph := d.tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "iOS"})
		d.get(managed + "/" + ph.ID + "/windowsProtectionState").wants(404)
		alert := d.tenant.Infect("PH-1", graphtest.High)
		d.get("security/alerts_v2/"+alert.ID).is("unsupportedOs", "investigationState")
	})
}

func BenchmarkSweep(b *testing.B) {
	d := newDesk(b, graphtest.NewCloud(), "contoso", contosoID)
	d.tenant.AddFleet(100_000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for next := managed + "?$select=id,deviceName,azureADDeviceId,complianceState,partnerReportedThreatState,lastSyncDateTime"; next != ""; {
			a := d.get(next).wants(200)
			n += strings.Count(a.body, `"deviceName"`)
			i := strings.Index(a.body, `"@odata.nextLink":"`)
			if next = ""; i >= 0 {
				next, _, _ = strings.Cut(a.body[i+19:], `"`)
			}
		}
		if n != 100_000 {
			b.Fatalf("%d devices", n)
		}
	}
}
