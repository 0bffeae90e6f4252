package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A route is one operation of Graph this cloud has.
type route struct {
	method, path string
	// roles are the application permissions of which one suffices, the least
	// privileged first.
	roles []string
	do    func(*call) reply
	beta  bool // Microsoft has it in /beta only
	alone bool // do takes the tenant's lock itself, because it waits for others
}

// Application permissions, from the permission tables of the pages named.
var (
	// Graph docs: intune-devices-manageddevice-get, -windowsprotectionstate-get.
	readDevices = []string{"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"}
	// Graph docs: intune-devices-manageddevice-windowsdefenderscan, -wipe.
	doDevices = []string{"DeviceManagementManagedDevices.PrivilegedOperations.All"}
	// mggraph-intune-samples, ManagedDevices.
	writeDevices = []string{"DeviceManagementManagedDevices.ReadWrite.All"}
	// Graph docs: intune-rbac-operationapprovalrequest-get.
	readApprovals = []string{"DeviceManagementRBAC.Read.All", "DeviceManagementRBAC.ReadWrite.All",
		"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"}
	// Graph docs: intune-enrollment-windowsautopilotdeviceidentity-list.
	readAutopilot = []string{"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"}
	// Graph docs: bitlocker-list-recoverykeys.
	readKeys = []string{"BitlockerKey.ReadBasic.All", "BitlockerKey.Read.All"}
	// Graph docs: directoryaudit-list; intune-auditing-auditevent-list.
	readAudits       = []string{"AuditLog.Read.All", "Directory.Read.All"}
	readIntuneAudits = []string{"DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"}
	// Graph docs: conditionalaccessroot-evaluate.
	readAccess = []string{"Policy.Read.ConditionalAccess", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"}
	// Graph docs: intune-reporting-devicemanagementreports-getdeviceswithoutcompliancepolicyreport.
	readReports = []string{"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All",
		"DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All",
		"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"}
	// Graph docs: intune-onboarding-mobilethreatdefenseconnector-update, intune-
	// notification-notificationmessagetemplate-create.
	readService  = []string{"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"}
	writeService = []string{"DeviceManagementServiceConfig.ReadWrite.All"}
	// Graph docs: intune-deviceconfig-devicecompliancepolicy-list, -create.
	readConfig  = []string{"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"}
	writeConfig = []string{"DeviceManagementConfiguration.ReadWrite.All"}
	// Graph docs: intune-mam-iosmanagedappprotection-list, -create.
	readApps  = []string{"DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"}
	writeApps = []string{"DeviceManagementApps.ReadWrite.All"}
	// Graph docs: conditionalaccessroot-list-policies, -post-policies (which wants
	// Policy.Read.All and Application.Read.All besides).
	listsAccess  = []string{"Policy.Read.ConditionalAccess", "Policy.Read.All"}
	writesAccess = []string{"Policy.ReadWrite.ConditionalAccess"}
	// Graph docs: subscribedsku-list.
	readSKUs = []string{"LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All", "Organization.ReadWrite.All", "Directory.ReadWrite.All"}
	// Graph docs: device-get, device-list, device-delta.
	readDirectoryDevices = []string{"Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	// Graph docs: security-list-alerts_v2, permissions include; the SecurityIncident
	// roles are in the service's own refusal (wazuh-documentation#7300).
	readAlerts = []string{"SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All",
		"SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"}
	writeAlerts   = []string{"SecurityAlert.ReadWrite.All"}
	readIncidents = []string{"SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"}
	// Graph docs: user-get; user-list-transitivememberof.
	readUsers = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	readGroup = []string{"User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	// Graph docs: group-list, group-get, group-list-transitivemembers.
	readMembers = []string{"GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	// Graph docs: user-sendmail; singlevaluelegacyextendedproperty-get (Mail.Read;
	// Mail.ReadBasic does not see extended properties).
	sendMail = []string{"Mail.Send"}
	readMail = []string{"Mail.Read", "Mail.ReadWrite"}
)

var routes = slices.Concat(baselineRoutes, []route{
	{method: "GET", path: "deviceManagement/managedDevices", roles: readDevices, do: (*call).listManagedDevices},
	{method: "GET", path: "deviceManagement/managedDevices/*", roles: readDevices, do: (*call).getManagedDevice},
	{method: "GET", path: "deviceManagement/managedDevices/*/deviceCompliancePolicyStates", roles: readDevices, do: (*call).listPolicyStates},
	{method: "GET", path: "deviceManagement/managedDevices/*/deviceCompliancePolicyStates/*", roles: readDevices, do: (*call).getPolicyState},
	{method: "GET", path: "deviceManagement/managedDevices/*/deviceCompliancePolicyStates/*/settingStates", roles: readDevices, do: (*call).listSettingStates},
	{method: "GET", path: "deviceManagement/managedDevices/*/windowsProtectionState", roles: readDevices, do: (*call).getProtectionState},
	{method: "GET", path: "deviceManagement/managedDevices/*/windowsProtectionState/detectedMalwareState", roles: readDevices, do: (*call).listMalware},
	{method: "POST", path: "deviceManagement/managedDevices/*/syncDevice", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/windowsDefenderUpdateSignatures", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/windowsDefenderScan", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/wipe", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/rebootNow", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/remoteLock", roles: doDevices, do: (*call).act},
	{method: "POST", path: "deviceManagement/managedDevices/*/retire", roles: doDevices, do: (*call).act},
	{method: "GET", path: "deviceManagement/remoteActionAudits", roles: readDevices, do: (*call).listAudits, beta: true},
	{method: "GET", path: "deviceManagement/managedDevices/*/users", roles: readDevices, do: (*call).listPrimaryUsers},
	{method: "POST", path: "deviceManagement/managedDevices/*/users/$ref", roles: writeDevices, do: (*call).setPrimaryUser, beta: true},
	{method: "GET", path: "deviceManagement/operationApprovalRequests", roles: readApprovals, do: (*call).listApprovals, beta: true},
	{method: "GET", path: "deviceManagement/operationApprovalRequests/*", roles: readApprovals, do: (*call).getApproval, beta: true},
	{method: "GET", path: "deviceManagement/windowsAutopilotDeviceIdentities", roles: readAutopilot, do: (*call).listAutopilot},
	{method: "GET", path: "informationProtection/bitlocker/recoveryKeys", roles: readKeys, do: (*call).listRecoveryKeys},
	{method: "GET", path: "deviceManagement/auditEvents", roles: readIntuneAudits, do: (*call).listIntuneAudits},
	{method: "GET", path: "auditLogs/directoryAudits", roles: readAudits, do: (*call).listDirectoryAudits},
	{method: "GET", path: "auditLogs/signIns", roles: readAudits, do: (*call).listSignIns},
	{method: "POST", path: "identity/conditionalAccess/evaluate", roles: readAccess, do: (*call).evaluate},
	{method: "GET", path: "deviceManagement/detectedApps", roles: readDevices, do: (*call).listDetected},
	{method: "GET", path: "deviceManagement/detectedApps/*/managedDevices", roles: readDevices, do: (*call).listHaving},
	{method: "POST", path: "deviceManagement/reports/getDevicesWithoutCompliancePolicyReport", roles: readReports, do: (*call).reportUnassigned},
	{method: "GET", path: "devices", roles: readDirectoryDevices, do: (*call).listDevices},
	{method: "GET", path: "devices/delta", roles: readDirectoryDevices, do: (*call).deltaDevices},
	{method: "GET", path: "devices/*", roles: readDirectoryDevices, do: (*call).getDevice},
	{method: "GET", path: "security/alerts_v2", roles: readAlerts, do: (*call).listAlerts},
	{method: "GET", path: "security/alerts_v2/*", roles: readAlerts, do: (*call).getAlert},
	{method: "PATCH", path: "security/alerts_v2/*", roles: writeAlerts, do: (*call).patchAlert},
	{method: "POST", path: "security/alerts_v2/*/comments", roles: writeAlerts, do: (*call).commentAlert},
	{method: "GET", path: "security/incidents", roles: readIncidents, do: (*call).listIncidents},
	{method: "GET", path: "security/incidents/*", roles: readIncidents, do: (*call).getIncident},
	{method: "GET", path: "users", roles: readUsers, do: (*call).listUsers},
	{method: "GET", path: "users/*", roles: readUsers, do: (*call).getUser},
	{method: "GET", path: "users/*/managedDevices", roles: readDevices, do: (*call).listUsersDevices},
	{method: "GET", path: "groups", roles: readMembers, do: (*call).listAllGroups},
	{method: "GET", path: "groups/*", roles: readMembers, do: (*call).getGroup},
	{method: "GET", path: "groups/*/transitiveMembers", roles: readMembers, do: (*call).listMembers},
	{method: "GET", path: "groups/*/transitiveMembers/device", roles: readMembers, do: (*call).listDeviceMembers},
	{method: "GET", path: "groups/*/transitiveMembers/user", roles: readMembers, do: (*call).listUserMembers},
	{method: "GET", path: "users/*/transitiveMemberOf", roles: readGroup, do: (*call).listGroups},
	{method: "GET", path: "users/*/transitiveMemberOf/group", roles: readGroup, do: (*call).listGroups},
	{method: "GET", path: "users/*/mailboxSettings/timeZone", roles: readMailbox, do: (*call).zone},
	{method: "POST", path: "users/*/teamwork/sendActivityNotification", roles: sendActivity, do: (*call).activity},
	{method: "POST", path: "deviceManagement/managedDevices/*/sendCustomNotificationToCompanyPortal", roles: pushToPortal, do: (*call).push, beta: true},
	{method: "POST", path: "users/*/sendMail", roles: sendMail, do: (*call).sendMail},
	{method: "GET", path: "users/*/mailFolders/sentitems/messages", roles: readMail, do: (*call).listSent},
	// Subscriptions need the permission of the resource (Graph docs:
	// subscription-post-subscriptions); the handlers look at it.
	{method: "POST", path: "subscriptions", do: (*call).subscribe, alone: true},
	{method: "GET", path: "subscriptions", do: (*call).listSubscriptions},
	{method: "GET", path: "subscriptions/*", do: (*call).getSubscription},
	{method: "PATCH", path: "subscriptions/*", do: (*call).renewSubscription},
	{method: "DELETE", path: "subscriptions/*", do: (*call).deleteSubscription},
	{method: "POST", path: "subscriptions/*/reauthorize", do: (*call).reauthorizeSubscription},
})

// baselineRoutes are those of what makes up a tenant's baseline.
var baselineRoutes = slices.Concat([]route{
	{method: "GET", path: "subscribedSkus", roles: readSKUs, do: (*call).listSKUs},
	{method: "GET", path: "deviceManagement", roles: readConfig, do: (*call).getManagement},
	{method: "PATCH", path: "deviceManagement", roles: writeConfig, do: (*call).patchManagement},
	{method: "GET", path: "deviceManagement/mobileThreatDefenseConnectors/*", roles: readService, do: (*call).getConnector},
	{method: "PATCH", path: "deviceManagement/mobileThreatDefenseConnectors/*", roles: writeService, do: (*call).writeConnector},
	{method: "POST", path: "deviceManagement/mobileThreatDefenseConnectors", roles: writeService, do: (*call).writeConnector},
	{method: "GET", path: "deviceManagement/notificationMessageTemplates", roles: readService, do: (*call).listTemplates},
	{method: "POST", path: "deviceManagement/notificationMessageTemplates", roles: writeService, do: (*call).writeTemplate},
	{method: "GET", path: "deviceManagement/notificationMessageTemplates/*", roles: readService, do: (*call).getTemplate},
	{method: "PATCH", path: "deviceManagement/notificationMessageTemplates/*", roles: writeService, do: (*call).writeTemplate},
	{method: "DELETE", path: "deviceManagement/notificationMessageTemplates/*", roles: writeService, do: (*call).removeTemplate},
	{method: "POST", path: "deviceManagement/notificationMessageTemplates/*/localizedNotificationMessages", roles: writeService, do: (*call).writeMessage},
	{method: "PATCH", path: "deviceManagement/notificationMessageTemplates/*/localizedNotificationMessages/*", roles: writeService, do: (*call).writeMessage},
	{method: "DELETE", path: "deviceManagement/notificationMessageTemplates/*/localizedNotificationMessages/*", roles: writeService, do: (*call).removeMessage},
	{method: "GET", path: "deviceManagement/deviceCompliancePolicies", roles: readConfig, do: (*call).listPolicies},
	{method: "POST", path: "deviceManagement/deviceCompliancePolicies", roles: writeConfig, do: (*call).writePolicy},
	{method: "GET", path: "deviceManagement/deviceCompliancePolicies/*", roles: readConfig, do: (*call).getPolicy},
	{method: "PATCH", path: "deviceManagement/deviceCompliancePolicies/*", roles: writeConfig, do: (*call).writePolicy},
	{method: "DELETE", path: "deviceManagement/deviceCompliancePolicies/*", roles: writeConfig, do: (*call).removePolicy},
	{method: "GET", path: "deviceManagement/deviceCompliancePolicies/*/scheduledActionsForRule", roles: readConfig, do: (*call).getRules},
	{method: "POST", path: "deviceManagement/deviceCompliancePolicies/*/scheduleActionsForRules", roles: writeConfig, do: (*call).scheduleActions},
	{method: "POST", path: "deviceManagement/deviceCompliancePolicies/*/assign", roles: writeConfig, do: (*call).assignPolicy},
	{method: "GET", path: "identity/conditionalAccess/policies", roles: listsAccess, do: (*call).listAccess},
	{method: "POST", path: "identity/conditionalAccess/policies", roles: writesAccess, do: (*call).writeAccess},
	{method: "GET", path: "identity/conditionalAccess/policies/*", roles: listsAccess, do: (*call).getAccess},
	{method: "PATCH", path: "identity/conditionalAccess/policies/*", roles: writesAccess, do: (*call).writeAccess},
	{method: "DELETE", path: "identity/conditionalAccess/policies/*", roles: writesAccess, do: (*call).removeAccess},
}, protectionRoutes(IOSProtections, false), protectionRoutes(AndroidProtections, false), protectionRoutes(WindowsProtections, true))

func protectionRoutes(set string, beta bool) []route {
	path := "deviceAppManagement/" + set
	return []route{
		{method: "GET", path: path, roles: readApps, do: (*call).listProtections, beta: beta},
		{method: "POST", path: path, roles: writeApps, do: (*call).writeProtection, beta: beta},
		{method: "PATCH", path: path + "/*", roles: writeApps, do: (*call).writeProtection, beta: beta},
		{method: "DELETE", path: path + "/*", roles: writeApps, do: (*call).removeProtection, beta: beta},
		{method: "POST", path: path + "/*/targetApps", roles: writeApps, do: (*call).targetApps, beta: beta},
		{method: "POST", path: path + "/*/assign", roles: writeApps, do: (*call).assignProtection, beta: beta},
	}
}

// matches compares a path with a pattern in which * is one segment, and returns
// what the stars stood for. A prefix suffices when asked for.
func matches(pattern string, segs []string, prefix bool) (args []string, ok bool) {
	i := 0
	for want := range strings.SplitSeq(pattern, "/") {
		switch {
		case want == "":
			continue
		case i >= len(segs):
			return nil, false
		case want == "*":
			args = append(args, segs[i])
		case !strings.EqualFold(want, segs[i]):
			return nil, false
		}
		i++
	}
	return args, prefix || i == len(segs)
}

// graph answers a request to Graph: who asks, what spoils it, may they, do it.
func (k *call) graph() reply {
	if out := k.authenticate(); out.status != 0 {
		return out
	}
	if len(k.segs) == 0 {
		return k.badRequest("Resource not found for the segment ''.")
	}
	return k.spoiled(k.serve)
}

// spoiled serves a request, unless one of the tenant's faults does otherwise.
func (k *call) spoiled(serve func() reply) reply {
	t := k.tenant
	if !pause(k.r.Context(), t.latency()) {
		return reply{cut: true}
	}
	f := t.spoil(k)
	if f.wait > 0 && !pause(k.r.Context(), f.wait) {
		return reply{cut: true, fault: f.kind}
	}
	var out reply
	if f.instead == nil || f.executes {
		out = serve()
	}
	if f.instead != nil {
		out = f.instead(k)
	}
	out.fault = f.kind
	return out
}

func (k *call) serve() reply {
	if k.broken != nil {
		return k.badRequest("Unable to read JSON request payload: %v", k.broken)
	}
	var allowed []string
	for _, rt := range routes {
		args, ok := matches(rt.path, k.segs, false)
		if !ok || rt.beta && !k.beta {
			continue
		}
		if rt.method != k.r.Method {
			allowed = append(allowed, rt.method)
			continue
		}
		k.args = args
		if !rt.alone {
			k.tenant.mu.Lock()
			defer k.tenant.mu.Unlock()
			k.now = time.Now().UTC() // after the latency and the wait for the lock
			k.tenant.settle(k.now)
			if rt.roles != nil && !k.app.holds(k.tokenRoles, rt.roles) {
				return k.forbidden(rt.roles)
			}
		}
		return rt.do(k)
	}
	if allowed != nil {
		return k.fail(http.StatusMethodNotAllowed, "BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	// powershell-intune-samples#20 quotes this message.
	return k.badRequest("Resource not found for the segment '%s'.", k.segs[len(k.segs)-1])
}

// forbidden refuses an app that lacks a permission, in the words of the service
// behind Graph that would refuse.
func (k *call) forbidden(roles []string) reply {
	switch {
	case strings.EqualFold(k.segs[0], "deviceManagement"): // IntuneAssistant#6
		return k.failIntune(http.StatusForbidden, "Forbidden",
			"Application is not authorized to perform this operation. Application must have one of the following scopes: "+
				strings.Join(roles, ", "))
	case strings.EqualFold(k.segs[0], "security"): // wazuh-documentation#7300
		return k.fail(http.StatusForbidden, "Forbidden", "Missing application roles. API required roles: "+
			strings.Join(roles, ",")+", application roles: "+strings.Join(k.tokenRoles, ",")+".")
	case slices.Equal(roles, sendMail), slices.Equal(roles, readMail), slices.Equal(roles, readMailbox): // Graph docs: errors of Exchange resources
		return k.fail(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	}
	return k.fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}
