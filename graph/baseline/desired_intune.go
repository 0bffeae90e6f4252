package baseline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DefenderConnector is the id of the connector from Defender, in every tenant.
const DefenderConnector = "fc780465-2017-40d4-a0c5-307022471b92"

// connector is mobileThreatDefenseConnector, of which the toggles for macOS and for
// app protection on Windows are in /beta only.
func (d *desire) connector(c Connector) {
	on := func(list []Platform, p Platform) bool { return slices.Contains(list, p) }
	f := map[string]any{
		"windowsEnabled": on(c.Platforms, Windows), "macEnabled": on(c.Platforms, MacOS),
		"iosEnabled": on(c.Platforms, IOS), "androidEnabled": on(c.Platforms, Android),
		"windowsDeviceBlockedOnMissingPartnerData":    on(c.BlockWithoutData, Windows),
		"macDeviceBlockedOnMissingPartnerData":        on(c.BlockWithoutData, MacOS),
		"iosDeviceBlockedOnMissingPartnerData":        on(c.BlockWithoutData, IOS),
		"androidDeviceBlockedOnMissingPartnerData":    on(c.BlockWithoutData, Android),
		"iosMobileApplicationManagementEnabled":       on(c.AppProtection, IOS),
		"androidMobileApplicationManagementEnabled":   on(c.AppProtection, Android),
		"windowsMobileApplicationManagementEnabled":   on(c.AppProtection, Windows),
		"partnerUnsupportedOsVersionBlocked":          c.BlockUnsupported,
		"partnerUnresponsivenessThresholdInDays":      cmp.Or(c.UnresponsiveAfter, 7),
		"allowPartnerToCollectIOSApplicationMetadata": c.AppInventory, "allowPartnerToCollectIOSPersonalApplicationMetadata": c.PersonalInventory,
	}
	if c.SettingsByIntune != nil {
		f["microsoftDefenderForEndpointAttachEnabled"] = *c.SettingsByIntune
	}
	d.add(Object{Key: "connector", Kind: KindConnector, Name: "Defender connector", Fields: f})
	if len(c.BlockWithoutData) > 0 {
		d.note("connector", "block_without_data: a device is not compliant until Defender has reported on it for the first time, newly enrolled ones included")
	}
	link := Connection(d.state)
	if !link.Open {
		d.note("connector", "%s. %s", link.Said, strings.Join(link.Clicks, " "))
	}
	if f, ok := d.spec.AppProtection[IOS]; ok && !on(c.AppProtection, IOS) {
		d.note("connector", "app protection %q asks for Defender's risk on iOS, and the connector's app_protection leaves iOS out: the risk never arrives there", f.Name)
	}
	if f, ok := d.spec.AppProtection[Android]; ok && !on(c.AppProtection, Android) {
		d.note("connector", "app protection %q asks for Defender's risk on Android, and the connector's app_protection leaves Android out: the risk never arrives there", f.Name)
	}
}

// branding are the members of notificationTemplateBrandingOptions.
func branding(names []string) string {
	var all []string
	for _, n := range names {
		var b strings.Builder
		for word := range strings.SplitSeq(n, "_") {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		all = append(all, "include"+b.String())
	}
	slices.Sort(all)
	return cmp.Or(strings.Join(all, ","), "none")
}

func (d *desire) notification(n Notification) {
	f := map[string]any{
		"displayName":   withMark(n.Name, "notification"),
		"defaultLocale": n.Default, "brandingOptions": branding(n.Branding),
	}
	for locale, m := range n.Messages {
		f["messages/"+locale] = map[string]any{"subject": m.Subject, "messageTemplate": m.Body, "isDefault": strings.EqualFold(locale, n.Default)}
	}
	d.add(Object{Key: "notification", Kind: KindNotification, Name: n.Name, Fields: f})
}

// complianceType is the type of a platform's policy, and its property for Defender's
// machine risk score. On Windows that is deviceThreatProtectionRequiredSecurityLevel;
// elsewhere the property of that name is about third parties. All but those of
// iOS's, macOS's and the work profile's types exist in /beta only.
func complianceType(p Platform) (name, property string) {
	const elsewhere = "advancedThreatProtectionRequiredSecurityLevel"
	switch p {
	case MacOS:
		return "macOSCompliancePolicy", elsewhere
	case IOS:
		return "iosCompliancePolicy", elsewhere
	case AndroidWorkProfile:
		return "androidWorkProfileCompliancePolicy", elsewhere
	case AndroidDeviceOwner:
		return "androidDeviceOwnerCompliancePolicy", elsewhere
	}
	return "windows10CompliancePolicy", "deviceThreatProtectionRequiredSecurityLevel"
}

func (d *desire) compliance(p Platform, c CompliancePolicy) {
	key := "compliance/" + string(p)
	kind, property := complianceType(p)
	f := map[string]any{
		"displayName": c.Name, "description": described(key), property: c.Level.graph(),
		"assignments": d.people(d.stage.Everybody()),
	}
	if p == Windows {
		f["deviceThreatProtectionEnabled"] = true
	}
	actions := []any{action("block", c.BlockAfter, "", nil)}
	for _, n := range c.Notify {
		var cc []string
		for _, name := range n.CC {
			cc = append(cc, d.group(key, name))
		}
		actions = append(actions, action("notification", n.After, "@notification", cc))
	}
	if c.PushAfter != nil {
		actions = append(actions, action("pushNotification", *c.PushAfter, "", nil))
	}
	if c.RetireIn != nil {
		actions = append(actions, action("retire", *c.RetireIn, "", nil))
		d.note(key, "retire only puts the device onto Intune's list of devices to retire: a person confirms it there")
	}
	f["scheduledActions"] = actions
	if c.Level == High {
		d.note(key, "level high: every device passes, whatever Defender finds; it is a rehearsal and no protection")
	}
	if p == MacOS {
		d.note(key, "Microsoft names Windows, iOS and Android for Defender's risk in compliance; on macOS the property is there, and whether it bites must be verified")
	}
	d.add(Object{Key: key, Kind: KindCompliance, Name: c.Name, Type: kind, Fields: f})
}

// action is a deviceComplianceActionItem.
func action(kind string, after Hours, template string, cc []string) map[string]any {
	return map[string]any{"actionType": kind, "gracePeriodHours": int(after), "notificationTemplateId": template, "notificationMessageCCList": anys(cc)}
}

// settings are deviceManagement's.
func (d *desire) settings(c Compliance) {
	f := map[string]any{}
	if c.ValidDays > 0 {
		f["settings.deviceComplianceCheckinThresholdDays"] = c.ValidDays
	}
	if fails := c.NoPolicyFails; fails != nil && (!*fails || d.stage.Everybody()) {
		f["settings.secureByDefault"] = *fails
	} else if fails != nil {
		d.note("settings", "no_policy_fails waits until all users have a policy: now it would make every device outside the pilot not compliant")
	}
	if len(f) > 0 {
		d.add(Object{Key: "settings", Kind: KindSettings, Name: "compliance policy settings", Fields: f})
	}
}

// protectionTypes are the platforms' types and collections, all in /beta as far as
// the threat level goes, and the property of an app's identifier.
var protectionTypes = map[Platform]struct{ kind, set, app, id string }{
	IOS:     {"iosManagedAppProtection", "iosManagedAppProtections", "iosMobileAppIdentifier", "bundleId"},
	Android: {"androidManagedAppProtection", "androidManagedAppProtections", "androidMobileAppIdentifier", "packageId"},
	Windows: {"windowsManagedAppProtection", "windowsManagedAppProtections", "windowsAppIdentifier", "windowsAppId"},
}

// protection makes a policy for the pilot and, when it is time, one for all.
func (d *desire) protection(p Platform, c ProtectionPolicy) {
	for _, everybody := range []bool{true, false} {
		key, name := "protection/"+string(p)+"/pilot", c.Name+" (pilot)"
		acts, people := d.stage >= PilotEnforced, d.people(false)
		if everybody {
			key, name = "protection/"+string(p)+"/all", c.Name
			acts, people = d.stage == AllEnforced, d.people(true)
			if d.stage == AllReport {
				people = d.people(true, d.pilot) // which its own policy holds to more
			}
		}
		o := Object{
			Key: key, Kind: KindProtection, Name: name, Type: protectionTypes[p].kind,
			IfThere: everybody && !d.stage.Everybody() || !everybody && d.stage == AllEnforced,
		}
		if o.IfThere {
			people = []any{} // nobody, any more or yet
		}
		act := "warn"
		if acts {
			act = c.Action
		}
		o.Fields = map[string]any{
			"displayName": name, "description": described(key), "maximumAllowedDeviceThreatLevel": c.Level.graph(),
			"mobileThreatDefenseRemediationAction": act, "apps": apps(p, c.Apps), "assignments": people,
		}
		if p != Windows {
			o.First = maps.Clone(firstProtection())
		}
		d.add(o)
	}
	if c.Action == "wipe" {
		d.note("protection/"+string(p), "wipe removes the organisation's data from the apps, for a threat that may be gone an hour later; block keeps it and opens again")
	}
	if p == Android {
		d.note("protection/android", "on Android the Company Portal app must be installed (not signed in to) for app protection to work at all")
	}
	if p == Windows {
		d.note("protection/windows", "app protection on Windows is for Microsoft Edge, and in preview")
	}
	if c.Level == High {
		d.note("protection/"+string(p), "level high lets everything pass, and still asks every user to activate Defender")
	}
}

// apps is what a policy targets.
func apps(p Platform, list []string) map[string]any {
	group := map[string]string{"core": "allCoreMicrosoftApps", "microsoft": "allMicrosoftApps", "all": "allApps"}
	if len(list) == 1 && group[list[0]] != "" {
		return map[string]any{"appGroupType": group[list[0]], "apps": []any{}}
	}
	return map[string]any{"appGroupType": "selectedPublicApps", "apps": anys(list), "platform": string(p)}
}

// firstProtection are values for properties that Intune wants to be told of a new
// policy and that are nobody's concern here: the ones that ask for nothing (Graph
// docs: iosManagedAppProtection, androidManagedAppProtection).
func firstProtection() map[string]any {
	return map[string]any{
		"periodOfflineBeforeAccessCheck": "PT12H", "periodOnlineBeforeAccessCheck": "PT30M", "periodOfflineBeforeWipeIsEnforced": "P90D",
		"allowedInboundDataTransferSources": "allApps", "allowedOutboundDataTransferDestinations": "allApps", "allowedOutboundClipboardSharingLevel": "allApps",
		"organizationalCredentialsRequired": false, "dataBackupBlocked": false, "deviceComplianceRequired": false, "managedBrowserToOpenLinksRequired": false,
		"saveAsBlocked": false, "pinRequired": false, "printBlocked": false, "contactSyncBlocked": false, "fingerprintBlocked": false,
	}
}

// A Link is how the connection between Defender and Intune stands.
type Link struct {
	Open   bool
	Said   string
	Clicks []string // what to do in the portals, which no API does
}

// Connection says whether Defender is connected, by the connector's own words. A
// heartbeat older than the connector's own threshold counts as none: Intune then
// ignores what Defender said.
func Connection(s *State) Link {
	clicks := []string{
		"In https://security.microsoft.com: Settings, Endpoints, Advanced features, turn \"Microsoft Intune connection\" on, Save preferences.",
		"Within 15 minutes https://intune.microsoft.com shows it: Endpoint security, Microsoft Defender for Endpoint, \"Connection status\" Enabled.",
		"If it was on already: turn it off, save, wait a minute, and turn it on again.",
	}
	c := s.Connector
	state, beat := c.text("partnerState"), moment(c.text("lastHeartbeatDateTime"))
	switch {
	case c == nil:
		return Link{Said: "Defender has never been connected to Intune", Clicks: clicks}
	case state != "enabled" && state != "available":
		return Link{Said: fmt.Sprintf("the connection between Defender and Intune is not open (%s)", cmp.Or(state, "unknown")), Clicks: clicks}
	}
	days := number(c["partnerUnresponsivenessThresholdInDays"])
	if limit := cmp.Or(days, 7); !beat.IsZero() && s.Read.Sub(beat).Hours() > 24*limit {
		return Link{Said: fmt.Sprintf("Defender was last heard of on %s, and after %.0f days Intune ignores what it said", beat.Format("2006-01-02"), limit), Clicks: clicks}
	}
	return Link{Open: true, Said: "Defender is connected (" + state + ")"}
}
