package graphtest_test

import (
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const beta = "https://graph.microsoft.com/beta"

// setting tells a story of an app that may set the tenant up.
func setting(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		d.app.Grant(graphtest.BaselineRoles()...)
		d.token = d.app.Token()
		tell(t, d)
	})
}

const policies = "/deviceManagement/deviceCompliancePolicies"

func risk(actions string) string {
	return `{"@odata.type":"#microsoft.graph.windows10CompliancePolicy","displayName":"Risk","deviceThreatProtectionEnabled":true,
"deviceThreatProtectionRequiredSecurityLevel":"low","scheduledActionsForRule":[{"ruleName":"PasswordRequired","scheduledActionConfigurations":[` + actions + `]}]}`
}

const blockNow = `{"actionType":"block","gracePeriodHours":0,"notificationTemplateId":"","notificationMessageCCList":[]}`

func TestACompliancePolicy(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		for _, actions := range []string{"", blockNow + "," + blockNow, `{"actionType":"retire","gracePeriodHours":9}`} {
			if a := d.ask("POST", beta+policies, risk(actions)).wants(400); !strings.Contains(a.body, "one and only one block scheduled action") {
				t.Error(a.body)
			}
		}
		d.ask("POST", beta+policies, risk(strings.Replace(blockNow, ":0", ":8761", 1))).wants(400)
		d.ask("POST", beta+policies, risk(blockNow+`,{"actionType":"notification","gracePeriodHours":0,"notificationTemplateId":"x"}`)).wants(400)
		d.ask("POST", root+policies, risk(blockNow)).wants(400) // v1.0 has no threat level for Windows
		made := d.ask("POST", beta+policies, risk(blockNow)).wants(201)
		id := text(made, "id")
		if strings.Contains(made.body, "scheduledActionsForRule") {
			t.Error("scheduled actions come without being expanded")
		}
		expand := "?$expand=assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)"
		d.get(beta+policies+expand).is("block", "value", 0, "scheduledActionsForRule", 0, "scheduledActionConfigurations", 0, "actionType")
		d.get(beta + policies + "/" + id + "/scheduledActionsForRule").wants(400)
		if a := d.get(root + policies); strings.Contains(a.body, "deviceThreatProtection") {
			t.Error("v1.0 shows what it does not have")
		}
		for _, group := range []string{"11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"} {
			d.ask("POST", beta+policies+"/"+id+"/assign", `{"assignments":[{"target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"`+group+`"}}]}`).wants(200)
		}
		d.get(beta+policies+expand).is("22222222-2222-4222-8222-222222222222", "value", 0, "assignments", 0, "target", "groupId").is(nil, "value", 0, "assignments", 1)
		d.ask("POST", beta+policies+"/"+id+"/scheduleActionsForRules", `{"deviceComplianceScheduledActionForRules":[{"scheduledActionConfigurations":[]}]}`).wants(400)
		d.ask("DELETE", beta+policies+"/"+id, nil).wants(204)
		d.ask("PATCH", beta+policies+"/"+id, `{"displayName":"x"}`).wants(404)
		d.ask("POST", beta+policies, strings.Replace(risk(blockNow), "windows10", "linux", 1)).wants(400)
	})
}

func text(a answer, key string) string {
	_, rest, _ := strings.Cut(a.body, `"`+key+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func TestTheConnector(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		const path = "/deviceManagement/mobileThreatDefenseConnectors"
		const id = "fc780465-2017-40d4-a0c5-307022471b92"
		d.get(beta + path + "/" + id).wants(404)
		d.ask("PATCH", beta+path+"/"+id, `{"windowsEnabled":true}`).wants(404)
		d.ask("POST", beta+path, `{"id":"`+id+`","macEnabled":true}`).wants(201).is("notSetUp", "partnerState")
		d.ask("POST", beta+path, `{"id":"`+id+`"}`).wants(409)
		d.get(root+path+"/"+id).is("unavailable", "partnerState").is(nil, "macEnabled")
		d.tenant.ConnectDefender()
		d.ask("PATCH", root+path+"/"+id, `{"macEnabled":true}`).wants(400)
		d.tenant.DropLink(2)
		d.ask("PATCH", beta+path+"/"+id, `{"macEnabled":false}`).wants(200).is("enabled", "partnerState")
		d.ask("PATCH", beta+path+"/"+id, `{"windowsEnabled":true}`).wants(200).is("notSetUp", "partnerState").is("0001-01-01T00:00:00Z", "lastHeartbeatDateTime")
		d.ask("PATCH", beta+"/deviceManagement", `{"settings":{"secureByDefault":true,"deviceComplianceCheckinThresholdDays":121}}`).wants(400)
		d.ask("PATCH", beta+"/deviceManagement", `{"settings":{"secureByDefault":true,"deviceComplianceCheckinThresholdDays":9}}`).wants(200).is(false, "settings", "isScheduledActionEnabled")
	})
}

func TestATemplateHasOneDefault(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		const path = root + "/deviceManagement/notificationMessageTemplates"
		d.ask("POST", path, `{"displayName":"x","description":"y"}`).wants(400) // v1.0 has none
		d.ask("POST", path, `{"displayName":"x","brandingOptions":"includeCat"}`).wants(400)
		id := text(d.ask("POST", path, `{"displayName":"x","defaultLocale":"en-US","brandingOptions":"none"}`).wants(201), "id")
		messages := path + "/" + id + "/localizedNotificationMessages"
		message := func(locale, subject string, usual bool) map[string]any {
			return map[string]any{"locale": locale, "subject": subject, "messageTemplate": "<p>x</p>", "isDefault": usual}
		}
		d.ask("POST", messages, message("en-US", strings.Repeat("x", 79), true)).wants(400)
		en := text(d.ask("POST", messages, message("en-US", "x", true)).wants(201), "id")
		d.ask("POST", messages, message("en-us", "x", false)).wants(409)
		d.ask("POST", messages, message("de-DE", "x", true)).wants(201)
		d.get(path+"/"+id).is(nil, "localizedNotificationMessages")
		d.get(path+"/"+id+"?$expand=localizedNotificationMessages").is(false, "localizedNotificationMessages", 0, "isDefault").is(true, "localizedNotificationMessages", 1, "isDefault")
		d.get(path+"?$expand=localizedNotificationMessages").is(nil, "value", 0, "localizedNotificationMessages")
		d.ask("PATCH", messages+"/"+en, `{"isDefault":true}`).wants(200)
		d.ask("PATCH", messages+"/"+en, `{"isDefault":false}`).wants(400)
	})
}

func TestAppProtectionIsAboutThreatsInBetaOnly(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		const set = "/deviceAppManagement/iosManagedAppProtections"
		d.ask("POST", root+set, `{"displayName":"x","maximumAllowedDeviceThreatLevel":"secured"}`).wants(400)
		d.ask("POST", beta+set, `{"displayName":"x","maximumAllowedDeviceThreatLevel":"clear"}`).wants(400)
		id := text(d.ask("POST", beta+set, `{"displayName":"x","maximumAllowedDeviceThreatLevel":"secured"}`).wants(201), "id")
		d.ask("POST", beta+set+"/"+id+"/targetApps", `{"appGroupType":"selectedPublicApps","apps":[{"mobileAppIdentifier":{"@odata.type":"#microsoft.graph.androidMobileAppIdentifier","packageId":"x"}}]}`).wants(400)
		d.ask("POST", beta+set+"/"+id+"/targetApps", `{"appGroupType":"allApps","apps":[]}`).wants(204)
		d.get(beta+set).is(nil, "value", 0, "apps").is(nil, "value", 0, "@odata.type").is("secured", "value", 0, "maximumAllowedDeviceThreatLevel")
		d.get(root+set).is(nil, "value", 0, "maximumAllowedDeviceThreatLevel")
		d.get(root + "/deviceAppManagement/windowsManagedAppProtections").wants(400)
	})
}

func TestAConditionalAccessPolicy(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		const path = root + "/identity/conditionalAccess/policies"
		policy := func(control string) string {
			return `{"displayName":"x","state":"disabled","conditions":{"clientAppTypes":["all"],"applications":{"includeApplications":["Office365"]},"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["` + control + `"]}}`
		}
		slowly := func() { time.Sleep(time.Second) }
		id := text(d.ask("POST", path, policy("riskRemediation")).wants(201), "id")
		crowded := d.get(path).wants(429) // within the same second
		if crowded.header.Get("Retry-After") != "" {
			t.Error("it says when to come again")
		}
		slowly()
		d.get(path).is("unknownFutureValue", "value", 0, "grantControls", "builtInControls", 0)
		d.header.Set("Prefer", "include-unknown-enum-members")
		slowly()
		d.get(path).is("riskRemediation", "value", 0, "grantControls", "builtInControls", 0)
		for _, bad := range []string{policy("never"), strings.Replace(policy("mfa"), `"All"`, "", 1), strings.Replace(policy("mfa"), `"disabled"`, `"on"`, 1), strings.Replace(policy("mfa"), `"All"`, `"nobody"`, 1)} {
			slowly()
			d.ask("POST", path, bad).wants(400)
		}
		slowly()
		d.ask("PATCH", path+"/"+id, `{"conditions":{"clientAppTypes":["all"]}}`).wants(400) // it replaces
		slowly()
		d.ask("PATCH", path+"/"+id, `{"state":"enabled"}`).wants(204)
		slowly()
		d.ask("DELETE", path+"/"+id, nil).wants(204)
		slowly()
		d.ask("DELETE", path+"/"+id, nil).wants(404)
	})
}

func TestListsLagBehind(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		timing := graphtest.DefaultTiming()
		timing.ListLag = time.Minute
		d.tenant.SetTiming(timing)
		id := text(d.ask("POST", beta+policies, risk(blockNow)).wants(201), "id")
		d.get(beta+policies).is(nil, "value", 0)
		d.get(beta + policies + "/" + id).wants(200)
		time.Sleep(time.Minute)
		d.get(beta+policies).is(id, "value", 0, "id")
	})
}

func TestCompliancePoliciesUnderMultiAdminApproval(t *testing.T) {
	setting(t, func(t *testing.T, d *desk) {
		d.tenant.RequireApprovalOf("compliancePolicy")
		d.ask("POST", beta+policies, risk(blockNow)).wants(403).is("ApprovalRequired", "error", "code")
		h, v := reason("baseline")
		d.header.Set(h, v)
		code := d.ask("POST", beta+policies, risk(blockNow)).wants(403).header.Get("x-msft-approval-code")
		d.header.Del(h)
		d.tenant.Approve(code)
		d.header.Set("x-msft-approval-code", code)
		d.ask("POST", beta+policies, risk(blockNow+" ")).wants(403) // another body
		d.ask("POST", beta+policies, risk(blockNow)).wants(201)
		d.ask("POST", beta+policies, risk(blockNow)).wants(403) // once
		d.header.Del("x-msft-approval-code")
		d.get(beta + policies).wants(200) // reading is never covered
		d.get(requests+"/"+code).is("completed", "status").is("compliancePolicy", "requiredOperationApprovalPolicyTypes", 0)
	})
}
