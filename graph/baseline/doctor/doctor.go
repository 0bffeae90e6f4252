// Package doctor answers the questions of people whose baseline does not bite, or
// bites the wrong ones: each is found, not found, or cannot be told, with why it
// matters and what to do.
//
// [Examine] is a function of what was read. [Read] fetches what a baseline's own
// reading leaves out.
package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/graph/baseline"
)

// A State is what became of a question.
type State string

// The states.
const (
	Found    State = "found"
	NotFound State = "not found"
	Unknown  State = "cannot tell"
)

// An Answer is what was found about one question.
type Answer struct {
	Question string `json:"question"`
	State    State  `json:"state"`
	What     string `json:"what"`
	Why      string `json:"why"`
	Fix      string `json:"fix"`
}

// Seen is what the questions are asked about.
type Seen struct {
	Spec  baseline.Spec
	State *baseline.State
	More  More
	Now   time.Time
}

// More is what [Read] fetches. Each part that could not be read is in Unread, by the
// question that asks for it.
type More struct {
	Portals      int      // Android devices
	Lacking      []string // those whose inventory shows no Company Portal
	Unclear      int      // those whose inventory does not say
	DeviceGroups []string // groups that app protection is assigned to and that have devices in them
	Unread       map[string]string
}

// The questions.
const (
	NoLink      = "the connector says on, and Defender is not connected"
	NoMAM       = "app protection is off in the connector"
	OldBeat     = "the connector's heartbeat is old"
	NoPortal    = "Android users without Company Portal"
	AppDisabled = "the Defender app says disabled by administrator"
	NoAIR       = "automated investigation is not licensed"
	NotSecure   = "devices without a policy count as compliant"
	DeviceGroup = "app protection is assigned to a group of devices"
	NotExcluded = "an emergency account is not excluded"
	NoRight     = "permissions are missing"
)

// Examine asks all questions.
func Examine(s Seen) []Answer {
	return []Answer{
		s.link(), s.mam(), s.heartbeat(), s.portal(), s.disabled(), s.investigation(), s.secure(), s.deviceGroup(), s.emergency(), s.permissions(),
	}
}

// unread is why a part of the state is not known, or "".
func (s Seen) unread(part string) string {
	if why := s.State.Unread[part]; why != "" {
		return part + " could not be read: " + why
	}
	return ""
}

// answer makes one: unknown where there is a reason why it cannot be told.
func answer(question, why, fix string, found bool, what, unknown string) Answer {
	a := Answer{Question: question, State: NotFound, What: what, Why: why, Fix: fix}
	switch {
	case found:
		a.State = Found
	case unknown != "":
		a.State, a.What = Unknown, unknown
	}
	return a
}

func (s Seen) switches(names ...string) (off []string) {
	for _, name := range names {
		if on, _ := s.State.Connector[name].(bool); !on {
			off = append(off, name)
		}
	}
	return off
}

// toggles are the connector's switches for platforms.
func toggles(platforms []baseline.Platform, suffix string) (names []string) {
	for _, p := range platforms {
		word := map[baseline.Platform]string{baseline.Windows: "windows", baseline.MacOS: "mac", baseline.IOS: "ios", baseline.Android: "android"}[p]
		if word != "" {
			names = append(names, word+suffix)
		}
	}
	return names
}

func (s Seen) connector() baseline.Connector {
	if s.Spec.Connector != nil {
		return *s.Spec.Connector
	}
	return baseline.Connector{Platforms: []baseline.Platform{baseline.Windows, baseline.IOS, baseline.Android}, AppProtection: []baseline.Platform{baseline.IOS, baseline.Android}}
}

func (s Seen) link() Answer {
	const why = "the switches in Intune do nothing while Defender's own side is off: no risk reaches compliance"
	link := baseline.Connection(s.State)
	on := s.State.Connector != nil && len(s.switches(toggles(s.connector().Platforms, "Enabled")...)) < len(s.connector().Platforms)
	fix := cmp.Or(strings.Join(link.Clicks, " "), "turn the Microsoft Intune connection on in the advanced features of Defender")
	return answer(NoLink, why, fix, !link.Open && (on || s.State.Connector == nil) && s.unread("connector") == "", link.Said, s.unread("connector"))
}

func (s Seen) mam() Answer {
	const why = "the page Endpoint security shows them on while the connector has them off; without them app protection never hears of a threat"
	off := s.switches(toggles(s.connector().AppProtection, "MobileApplicationManagementEnabled")...)
	what := "the switches for app protection are on"
	if len(off) > 0 {
		what = "off in the connector: " + strings.Join(off, ", ")
	}
	return answer(NoMAM, why, "`curfew baseline apply` sets them; the portal needs about half an hour to show it", len(off) > 0 && s.State.Connector != nil, what, cmp.Or(s.unread("connector"), s.noConnector()))
}

func (s Seen) noConnector() string {
	if s.State.Connector == nil {
		return "there is no connector"
	}
	return ""
}

// oldBeat is how old a heartbeat is before it is worth a word: Intune ignores a
// partner that was silent for the days its connector says, 7 by default.
const oldBeat = 24 * time.Hour

func (s Seen) heartbeat() Answer {
	const why = "a partner that is silent for too long is ignored: devices keep the risk that they had"
	text, _ := s.State.Connector["lastHeartbeatDateTime"].(string)
	at, err := time.Parse(time.RFC3339, text)
	unknown := cmp.Or(s.unread("connector"), s.noConnector())
	if unknown == "" && (err != nil || at.Year() <= 1) {
		return answer(OldBeat, why, "open the connection in Defender, and see whether a heartbeat comes", true, "Defender never sent one", "")
	}
	age := s.Now.Sub(at)
	return answer(OldBeat, why, "turn the Microsoft Intune connection in Defender off and on", unknown == "" && age > oldBeat,
		"the last heartbeat was "+age.Round(time.Minute).String()+" ago", unknown)
}

func (s Seen) portal() Answer {
	const why = "on Android the Company Portal is the broker: without it app protection and compliance cannot be shown to Entra, even on a device that is not enrolled"
	what := fmt.Sprintf("%d Android devices, all with it or not inventoried (%d)", s.More.Portals, s.More.Unclear)
	unknown := s.More.Unread[NoPortal]
	if n := len(s.More.Lacking); n > 0 {
		what = fmt.Sprintf("%d of %d: %s", n, s.More.Portals, strings.Join(s.More.Lacking[:min(n, 10)], ", "))
	} else if unknown == "" && s.More.Portals > 0 && s.More.Unclear == s.More.Portals {
		unknown = "Intune inventories none of the Android devices: personal ones show only what it manages itself"
	}
	return answer(NoPortal, why, "assign the Company Portal as required, or ask the users to install it", len(s.More.Lacking) > 0, what, unknown)
}

func (s Seen) disabled() Answer {
	const why = "the Defender app on a phone says so when its tenant does not let it work: the platform is off in the connector, or the user has no licence for Defender"
	unknown := cmp.Or(s.unread("connector"), s.unread("licences"), s.noConnector())
	var causes []string
	phones := slices.DeleteFunc(slices.Clone(s.connector().Platforms), func(p baseline.Platform) bool { return p != baseline.IOS && p != baseline.Android })
	if off := s.switches(toggles(phones, "Enabled")...); len(off) > 0 && s.State.Connector != nil {
		causes = append(causes, "off in the connector: "+strings.Join(off, ", "))
	}
	if s.unread("licences") == "" && !s.State.Licences.Defender {
		causes = append(causes, "the tenant has no licence for Defender")
	}
	return answer(AppDisabled, why, "turn the platforms on in the connector, assign the licence, then sign out of the app and in again", len(causes) > 0,
		cmp.Or(strings.Join(causes, "; "), "nothing in the tenant makes it say so"), unknown)
}

func (s Seen) investigation() Answer {
	const why = "without it nothing cleans up by itself, and rungs that wait for an investigation wait for nothing"
	return answer(NoAIR, why, "Defender for Business or for Endpoint Plan 2 has it; Plan 1 has not", s.unread("licences") == "" && (s.State.Licences.Plan1Only || !s.State.Licences.Defender),
		map[bool]string{true: "the tenant has Defender for Endpoint Plan 1 only, or no Defender", false: "a plan with automated investigation is there"}[s.State.Licences.Plan1Only || !s.State.Licences.Defender], s.unread("licences"))
}

func (s Seen) secure() Answer {
	const why = "a device that no policy is assigned to counts as compliant and keeps its access, whatever is on it"
	settings, _ := s.State.Settings["settings"].(map[string]any)
	on, said := settings["secureByDefault"].(bool)
	unknown := s.unread("settings")
	if unknown == "" && !said {
		unknown = "Intune does not say"
	}
	return answer(NotSecure, why, "compliance: {no_policy_fails: true} in the file sets it once all users have a policy", said && !on,
		map[bool]string{true: "they count as not compliant", false: "secureByDefault is off"}[on], unknown)
}

func (s Seen) deviceGroup() Answer {
	const why = "app protection is for users: assigned to devices it reaches nobody, and no page says so"
	what := "its groups have users in them only"
	if n := len(s.More.DeviceGroups); n > 0 {
		what = strings.Join(s.More.DeviceGroups, "; ")
	}
	return answer(DeviceGroup, why, "assign it to a group of users", len(s.More.DeviceGroups) > 0, what, cmp.Or(s.unread("protection"), s.More.Unread[DeviceGroup]))
}

// permissions are parts that Microsoft refused to show.
func (s Seen) permissions() Answer {
	var all []string
	for part, why := range s.State.Unread {
		all = append(all, part+": "+why)
	}
	for part, why := range s.More.Unread {
		all = append(all, part+": "+why)
	}
	slices.Sort(all)
	return answer(NoRight, "what cannot be read is neither planned nor checked", "`curfew doctor` says which permission each app lacks; the README lists those of baselines",
		len(all) > 0, cmp.Or(strings.Join(all, "; "), "everything that was asked for could be read"), "")
}
