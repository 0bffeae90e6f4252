package baseline

import (
	"cmp"
	"maps"
	"time"
)

// A Spec says how one tenant is to be: what a baseline file says for all, with what
// it says for this tenant put over it. A part that is nil is left alone.
type Spec struct {
	Pilot     string    `json:"pilot"`   // the group that goes first: its name or object id
	Exclude   []string  `json:"exclude"` // groups that are left out of everything
	Emergency Emergency `json:"emergency"`

	Connector     *Connector                    `json:"connector"`
	Notification  *Notification                 `json:"notification"`
	Compliance    *Compliance                   `json:"compliance"`
	AppProtection map[Platform]ProtectionPolicy `json:"app_protection"`
	Access        *Access                       `json:"conditional_access"`

	// Rollout is what the gate between two stages asks for. Nil: the defaults.
	Rollout *Rollout `json:"rollout"`

	// Adopt maps an object's key, such as compliance/windows, to the id of one that
	// is there already and is to become Curfew's, or to "new": make one beside what
	// looks like it.
	Adopt map[string]string `json:"adopt"`
}

// Emergency are the accounts for when nobody else can sign in. No Conditional
// Access policy may hit them.
type Emergency struct {
	Accounts []string `json:"accounts"` // user principal names or object ids
	Groups   []string `json:"groups"`   // of such accounts, excluded as well
}

// A Platform is what a policy is for.
type Platform string

// The platforms. Those of Android are apart where the way of enrolment is.
const (
	Windows            Platform = "windows"
	MacOS              Platform = "macos"
	IOS                Platform = "ios"
	Android            Platform = "android"
	AndroidWorkProfile Platform = "android_work_profile"
	AndroidDeviceOwner Platform = "android_device_owner"
)

// A Connector is the connector from Defender to Intune.
type Connector struct {
	Platforms         []Platform `json:"platforms"`           // windows, macos, ios, android
	BlockWithoutData  []Platform `json:"block_without_data"`  // not compliant until Defender has reported
	AppProtection     []Platform `json:"app_protection"`      // ios, android, windows
	UnresponsiveAfter int        `json:"unresponsive_after"`  // days, after which Intune ignores the partner's data
	BlockUnsupported  bool       `json:"block_unsupported"`   // operating systems that Defender does not support
	AppInventory      bool       `json:"app_inventory"`       // of iOS and iPadOS
	PersonalInventory bool       `json:"personal_inventory"`  // of devices that are the users' own, too
	SettingsByIntune  *bool      `json:"security_management"` // Defender for Endpoint attach; nil: left as it is
}

// A Notification is the mail that a device's user gets from Intune.
type Notification struct {
	Name     string             `json:"name"`
	Default  string             `json:"default"`  // the locale of who has none of these
	Branding []string           `json:"branding"` // company_logo, company_name, contact_information, company_portal_link, device_details
	Messages map[string]Message `json:"messages"` // by locale, as en-US
}

// A Message is a notification in one language.
type Message struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// Compliance are the compliance policies and the tenant's settings about them.
type Compliance struct {
	// NoPolicyFails counts devices without a policy as not compliant, from when all
	// users have one. Nil: left as it is.
	NoPolicyFails *bool `json:"no_policy_fails"`
	// ValidDays is for how long a device's last report counts. 0: left as it is.
	ValidDays int                           `json:"valid_days"`
	Policies  map[Platform]CompliancePolicy `json:"policies"`
}

// A Level is how much of a threat is let pass. Clear lets nothing pass, High
// everything.
type Level string

// The levels.
const (
	Clear  Level = "clear"
	Low    Level = "low"
	Medium Level = "medium"
	High   Level = "high"
)

// A CompliancePolicy holds the devices of one platform to Defender's risk.
type CompliancePolicy struct {
	Name       string         `json:"name"`
	Level      Level          `json:"level"`
	BlockAfter Hours          `json:"block_after"` // the one block action: not compliant after this grace
	Notify     []NotifyAction `json:"notify"`
	PushAfter  *Hours         `json:"push_after"`   // the Company Portal's; nil: none
	RetireIn   *Hours         `json:"retire_after"` // onto the retire list, which a person confirms; nil: never
}

// A NotifyAction sends the notification.
type NotifyAction struct {
	After Hours    `json:"after"`
	CC    []string `json:"cc"` // groups
}

// Hours are a length of time that Intune counts in whole hours.
type Hours int

// A ProtectionPolicy is app protection for one platform (ios, android, windows).
type ProtectionPolicy struct {
	Name   string   `json:"name"`
	Level  Level    `json:"level"`  // the highest threat that is let pass
	Action string   `json:"action"` // block, warn or wipe
	Apps   []string `json:"apps"`   // bundle or package ids; or one of core, microsoft, all
}

// Access is Conditional Access.
type Access struct {
	Name string `json:"name"` // what the policies' names begin with
	// Variant is "one" policy that a compliant device or a protected app satisfies,
	// or "two": protected apps on mobiles, compliant devices on desktops.
	Variant      string     `json:"variant"`
	Applications []string   `json:"applications"` // Office365, All, or application ids
	ClientApps   []string   `json:"client_apps"`  // as Graph names them; all
	Platforms    []Platform `json:"platforms"`    // windows, macos, ios, android; none: all there are
	// Start is the state in which policies are created: report-only, or off, which
	// they stay in until the pilot is enforced.
	Start string `json:"start"`
	// SyncRole excludes the directory synchronisation accounts. Nil: yes.
	SyncRole *bool `json:"exclude_directory_sync"`
}

// WithDefaults is the spec with what was left out.
func (s Spec) WithDefaults() Spec {
	if c := s.Connector; c != nil && c.UnresponsiveAfter == 0 {
		with := *c
		with.UnresponsiveAfter = 7
		s.Connector = &with
	}
	s.AppProtection = maps.Clone(s.AppProtection)
	for p, c := range s.AppProtection {
		c.Action = cmp.Or(c.Action, "block")
		s.AppProtection[p] = c
	}
	if a := s.Access; a != nil {
		with := *a
		with.Variant, with.Start = cmp.Or(a.Variant, "one"), cmp.Or(a.Start, "report-only")
		if len(a.Applications) == 0 {
			with.Applications = []string{"Office365"}
		}
		if len(a.ClientApps) == 0 {
			with.ClientApps = []string{"all"}
		}
		s.Access = &with
	}
	return s
}

// A Rollout is what the gate between two stages asks for; see package readiness. 0:
// the default.
type Rollout struct {
	Stay      Hours `json:"stay"`      // in a stage, at the least; a week
	Reporting Hours `json:"reporting"` // within which a device must have checked in; a week
	Stale     Hours `json:"stale"`     // after which an unused object in Entra is stale; 90 days
}

// PilotFor is the least time in a pilot, before all; see the readiness gate.
const PilotFor = 7 * 24 * time.Hour
