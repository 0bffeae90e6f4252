package graph

import (
	"slices"
	"strings"
)

// A Feature is something that Curfew can be told to do in a tenant, as far as it
// needs a permission.
type Feature string

// The features.
const (
	FeatureLook        Feature = "look"             // reads a device from Intune
	FeatureSweep       Feature = "sweep"            // reads all of them, again and again
	FeatureAlerts      Feature = "alerts"           // Defender's alerts, in looks and sweeps
	FeatureEntra       Feature = "entra"            // devices in Entra, in looks and sweeps
	FeatureUser        Feature = "user"             // whom to tell
	FeatureGroups      Feature = "groups"           // which groups the user is in
	FeatureTags        Feature = "tags"             // Defender's machine tags
	FeatureUserEvents  Feature = "subscribe users"  // change notifications
	FeatureGroupEvents Feature = "subscribe groups" //
	FeatureMail        Feature = "mail"
	FeatureSentItems   Feature = "sent items" // whether a mail was sent before
	FeatureTimeZone    Feature = "time zone"  // of the user's mailbox
	FeatureNotify      Feature = "notify"     // in Teams
	FeaturePush        Feature = "push"       // by Company Portal
	FeatureEdits       Feature = "policy edits"
	FeatureDrift       Feature = "drift" // of a tenant from its baseline
	FeatureOfUser      Feature = "neighbours by user"
	FeatureOfIncident  Feature = "neighbours by incident"
	FeatureOfGroup     Feature = "neighbours by group"

	FeatureSync         Feature = "sync"
	FeatureScan         Feature = "scan" // by Intune
	FeatureLock         Feature = "lock"
	FeatureRestart      Feature = "restart"
	FeatureReset        Feature = "reset"
	FeatureRetire       Feature = "retire"
	FeatureWipe         Feature = "wipe"
	FeatureApprovals    Feature = "approvals" // Microsoft's Multi Admin Approval
	FeaturePreflight    Feature = "pre-flight"
	FeatureRestore      Feature = "restore" // the primary user
	FeatureDefenderScan Feature = "defender scan"
	FeatureIsolate      Feature = "isolate" // and release
	FeatureInvestigate  Feature = "investigate"
)

// The features of a tenant's baseline; see package baseline.
const (
	FeaturePlan  Feature = "baseline plan"
	FeatureApply Feature = "baseline apply"
	FeatureGate  Feature = "baseline rollout" // whether a tenant may go on
)

// Features are all of them, in the order above.
func Features() []Feature {
	var all []Feature
	for _, n := range needs() {
		if !slices.Contains(all, n.Feature) {
			all = append(all, n.Feature)
		}
	}
	return all
}

// An Identity is one of the apps that Curfew may be given: one that only reads and
// tells, and one that changes devices, which one app may be both; and one that
// changes policies, which the worker never is.
type Identity string

// The identities.
const (
	Watch Identity = "watch"
	Act   Identity = "act"
	Set   Identity = "set" // the baseline's
)

// A Need is one permission that a feature needs.
type Need struct {
	Feature  Feature
	Identity Identity // whose it is
	Audience Audience
	Role     string   // the least privileged application permission
	Instead  []string // others, any of which does too
	Why      string   // ends the sentence "it is needed to …"
	// Optional: the feature works without it, or may; it is neither lacking nor too
	// much.
	Optional bool
	// Elsewhere says where else it may be granted so that no token shows it.
	Elsewhere string
}

// Needs are what the features need, of whichever identity. A feature that is not
// one of [Features] needs nothing.
func Needs(features ...Feature) []Need {
	return slices.DeleteFunc(needs(), func(n Need) bool { return !slices.Contains(features, n.Feature) })
}

// Needs are those of the features' needs that are this identity's. What a look
// needs is of both: name those features for [Act] only if the actuator looks for
// itself.
func (id Identity) Needs(features ...Feature) []Need {
	return slices.DeleteFunc(Needs(features...), func(n Need) bool { return n.Identity != id })
}

// What does in place of a least privileged permission, from the permissions tables
// of the pages that the calls name. A subscription takes exactly the permission of
// its resource (Graph docs: subscription-post-subscriptions), so nothing does there.
func instead(role string) []string {
	switch role {
	case needsDevices:
		return []string{needsManage}
	case needsAlerts: // the last two are in the service's own refusal (wazuh-documentation#7300)
		return []string{"SecurityAlert.ReadWrite.All", needsIncident, "SecurityIncident.ReadWrite.All"}
	case needsIncident:
		return []string{"SecurityIncident.ReadWrite.All"}
	case needsEntra:
		return []string{"Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	case needsUser:
		return []string{"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	case needsMembers:
		return []string{"Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	case needsSent:
		return []string{"Mail.ReadWrite"}
	case needsZone:
		return []string{"MailboxSettings.ReadWrite"}
	case needsIntuneAudit:
		return []string{"DeviceManagementApps.ReadWrite.All"}
	case needsAutopilot:
		return []string{"DeviceManagementServiceConfig.ReadWrite.All"}
	case needsKeys:
		return []string{"BitlockerKey.Read.All"}
	case needsApprovals:
		return []string{"DeviceManagementRBAC.ReadWrite.All", "DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"}
	case machineRead:
		return []string{"Machine.ReadWrite.All"}
	case needsConfig:
		return []string{needsConfigWrite}
	case needsLicences:
		return []string{"Organization.Read.All", "Directory.Read.All", "Organization.ReadWrite.All", "Directory.ReadWrite.All"}
	}
	return nil
}

// needs is the table. It is made anew each time, for the caller to change.
func needs() []Need {
	const exchange = "Exchange may grant it for one mailbox (RBAC for Applications)"
	read := func(f Feature, id Identity, role, why string) Need {
		api := GraphAPI
		if strings.HasPrefix(role, "Machine.") {
			api = DefenderAPI
		}
		return Need{Feature: f, Identity: id, Audience: api, Role: role, Instead: instead(role), Why: why}
	}
	exactly := func(n Need) Need { n.Instead = nil; return n }
	optional := func(n Need) Need { n.Optional = true; return n }
	byExchange := func(n Need) Need { n.Elsewhere = exchange; return n }
	all := []Need{
		read(FeatureLook, Watch, needsDevices, "read Intune's devices, their compliance and what Defender Antivirus found"),
		// The settings' own permission is not documented; this is their neighbours'.
		optional(read(FeatureLook, Watch, "DeviceManagementConfiguration.Read.All", "read which compliance settings are not met, in tenants that ask for it")),
		read(FeatureSweep, Watch, needsDevices, "find devices that are not well"),
		read(FeatureAlerts, Watch, needsAlerts, "read Defender's alerts"),
		read(FeatureEntra, Watch, needsEntra, "read how a device is joined, and what changed in Entra"),
		read(FeatureUser, Watch, needsUser, "know whom to tell, and in which language"),
		read(FeatureGroups, Watch, needsMembers, "know the user's groups, for conditions and protection"),
		read(FeatureTags, Watch, machineRead, "read Defender's tags, for conditions and protection"),
		exactly(read(FeatureUserEvents, Watch, needsUser, "subscribe to changes of users")),
		exactly(read(FeatureGroupEvents, Watch, "Group.Read.All", "subscribe to changes of groups")),
		byExchange(read(FeatureMail, Watch, needsMail, "send mail")),
		byExchange(read(FeatureSentItems, Watch, needsSent, "find out after a crash whether a mail was sent")),
		byExchange(read(FeatureTimeZone, Watch, needsZone, "write times as the user reads them")),
		{Feature: FeatureNotify, Identity: Watch, Audience: GraphAPI, Role: needsActivity, Why: "notify users in Teams", Elsewhere: "the manifest of the app of Teams may ask for TeamsActivity.Send.User"},
		read(FeatureEdits, Watch, needsAudit, "read who changed Conditional Access"),
		read(FeatureEdits, Watch, needsIntuneAudit, "read who changed compliance policies"),
		read(FeatureDrift, Watch, needsAutopilot, "compare the connector and the notification with the baseline"),
		read(FeatureDrift, Watch, needsConfig, "compare compliance policies with the baseline"),
		read(FeatureDrift, Watch, needsIntuneAudit, "compare app protection with the baseline"),
		read(FeatureDrift, Watch, needsAccess, "compare Conditional Access with the baseline"),
		read(FeatureDrift, Watch, needsLicences, "know what the tenant is licensed for"),
		read(FeatureDrift, Watch, needsMembers, "find the groups that the baseline names"),
		read(FeatureDrift, Watch, needsUser, "find the emergency accounts"),
		read(FeatureOfUser, Watch, needsDevices, "find the user's other devices"),
		read(FeatureOfIncident, Watch, needsIncident, "find the devices of an incident"),
		read(FeatureOfIncident, Watch, needsDevices, "find the devices of an incident in Intune"),
		read(FeatureOfGroup, Watch, needsMembers, "find the members of a group"),
		read(FeatureOfGroup, Watch, needsEntra, "know which devices the members are"),
		read(FeatureOfGroup, Watch, needsDevices, "find the members' devices in Intune"),
	}
	for _, n := range all { // an actuator that looks for itself reads what the watcher reads
		if slices.Contains([]Feature{FeatureLook, FeatureAlerts, FeatureEntra, FeatureUser, FeatureGroups, FeatureTags}, n.Feature) {
			n.Identity = Act
			all = append(all, n)
		}
	}
	for _, f := range []Feature{FeatureSync, FeatureScan, FeatureLock, FeatureRestart, FeatureReset, FeatureRetire, FeatureWipe} {
		all = append(all, read(f, Act, needsActions, string(f)), read(f, Act, needsDevices, "check the device right before, and see what became of it"))
	}
	all = append(all,
		// Of the two that the page of the group form names, that of the device form
		// names only this one (Graph docs: managedDevice
		// sendCustomNotificationToCompanyPortal).
		exactly(read(FeaturePush, Act, needsPush, "push to phones by Company Portal")),
		read(FeaturePush, Act, needsDevices, "find the user's phone"),
		read(FeatureApprovals, Act, needsApprovals, "see what a second administrator decided"),
		read(FeaturePreflight, Act, needsDevices, "read the device right before a reset"),
		read(FeaturePreflight, Act, needsEntra, "know that the device is not hybrid joined"),
		read(FeaturePreflight, Act, needsAlerts, "know that the risk still stands"),
		read(FeaturePreflight, Act, needsAutopilot, "know that the device has an Autopilot identity"),
		read(FeaturePreflight, Act, needsKeys, "know that a BitLocker recovery key is kept in Entra; the key itself is never read"),
		read(FeatureRestore, Act, needsManage, "give a device back its primary user after a reset"),
		read(FeatureRestore, Act, needsDevices, "see that nobody else is the primary user by now"),
		optional(read(FeatureRestore, Act, needsUser, "see that the user is still there, and not blocked")),
		read(FeatureDefenderScan, Act, machineScan, "have Defender scan"),
		read(FeatureDefenderScan, Act, machineRead, "find the device in Defender, and see what became of the scan"),
		read(FeatureIsolate, Act, machineIsolate, "isolate a device, and release it"),
		read(FeatureIsolate, Act, machineRead, "find the device in Defender, and see what became of it"),
		Need{Feature: FeatureInvestigate, Identity: Act, Audience: DefenderAPI, Role: alertWrite, Why: "start an automated investigation"},
		read(FeatureInvestigate, Act, machineRead, "find the device in Defender"),
	)
	for _, n := range [][2]string{
		{needsAutopilot, "the connector to Defender and the notification"}, {needsConfig, "compliance policies"}, {needsIntuneAudit, "app protection"},
		{needsAccess, "Conditional Access"}, {needsLicences, "licences"}, {needsMembers, "the groups that a baseline names"}, {needsUser, "the emergency accounts"},
	} {
		all = append(all, read(FeaturePlan, Set, n[0], "read "+n[1]))
	}
	for _, n := range [][2]string{
		{needsServiceWrite, "write the connector to Defender and the notification"}, {needsConfigWrite, "write compliance policies"}, {needsAppsWrite, "write app protection"},
		{needsAccessWrite, "write Conditional Access"}, {needsAppRead, "write Conditional Access, which asks for it too"},
	} {
		all = append(all, Need{Feature: FeatureApply, Identity: Set, Audience: GraphAPI, Role: n[0], Why: n[1]})
	}
	for _, n := range [][2]string{
		{needsDevices, "read how ready devices are, before a rollout goes on"}, {needsEntra, "read whether Entra knows each device once"},
		{needsAudit, "read what report-only policies made of sign-ins, and who changed a policy"},
	} {
		all = append(all, optional(read(FeatureGate, Set, n[0], n[1])))
	}
	return append(all, optional(read(FeatureApply, Set, needsApprovals, "see what a second administrator decided about a policy")))
}

const (
	needsManage    = "DeviceManagementManagedDevices.ReadWrite.All"
	needsIncident  = "SecurityIncident.Read.All"
	needsMembers   = "GroupMember.Read.All"
	needsMail      = "Mail.Send"
	needsSent      = "Mail.Read"
	needsZone      = "MailboxSettings.Read"
	needsActivity  = "TeamsActivity.Send"
	needsPush      = "DeviceManagementServiceConfig.ReadWrite.All"
	needsAutopilot = "DeviceManagementServiceConfig.Read.All"
	needsKeys      = "BitlockerKey.ReadBasic.All"

	// Of WindowsDefenderATP.
	machineRead    = "Machine.Read.All"
	machineScan    = "Machine.Scan"
	machineIsolate = "Machine.Isolate"
	alertWrite     = "Alert.ReadWrite.All"
)
