package rules

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"curfew/events"
)

// A field is one thing a condition can ask about.
type field struct {
	name    string
	typ     *cel.Type
	get     func(any) (ref.Val, error)
	members []string // of an enumeration: what Microsoft documents; nil: anything goes
}

// A schema is what conditions can ask: the fields of each kind of thing.
type schema map[string][]field

func (s schema) find(kind, name string) (field, bool) {
	i := slices.IndexFunc(s[kind], func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return s[kind][i], true
}

func (s schema) names(kind string) []string {
	var out []string
	for _, f := range s[kind] {
		out = append(out, f.name)
	}
	return out
}

// ask is a field with any value.
func ask[T, V any](name string, typ *cel.Type, of func(T) (V, error), val func(V) ref.Val) field {
	return field{name: name, typ: typ, get: func(thing any) (ref.Val, error) {
		t, ok := thing.(T)
		if !ok {
			return nil, fmt.Errorf("%s: not a %T", name, t)
		}
		v, err := of(t)
		if err != nil {
			return nil, err
		}
		return val(v), nil
	}}
}

func text[T any](name string, of func(T) string) field {
	return ask(name, cel.StringType, func(t T) (string, error) { return of(t), nil },
		func(s string) ref.Val { return types.String(s) })
}

// member is a field whose values Microsoft enumerates. A value that is not
// among them is an error, so that it can be neither equal nor unequal to anything.
func member[T any](name, property string, of func(T) string, members ...string) field {
	f := ask(name, cel.StringType, func(t T) (string, error) {
		s := of(t)
		if s != "" && !slices.Contains(members, s) {
			return "", strangeError{property, s}
		}
		return s, nil
	}, func(s string) ref.Val { return types.String(s) })
	f.members = members
	return f
}

func rank[T any](name, property string, of func(T) (events.Level, string)) field {
	return ask(name, levelType, func(t T) (events.Level, error) {
		l, sent := of(t)
		if l == events.Strange {
			return l, strangeError{property, sent}
		}
		return l, nil
	}, func(l events.Level) ref.Val { return level(l) })
}

func flag[T any](name string, of func(T) (bool, error)) field {
	return ask(name, cel.BoolType, of, func(b bool) ref.Val { return types.Bool(b) })
}

func list[T, E any](name, kind string, of func(T) []E) field {
	typ := cel.ObjectType(kind)
	return ask(name, cel.ListType(typ), func(t T) ([]E, error) { return of(t), nil }, func(es []E) ref.Val {
		vals := make([]ref.Val, len(es))
		for i, e := range es {
			vals[i] = object{typ: typ, native: e}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, vals)
	})
}

// isSet answers has(): whether there is anything. A value that this version
// does not know is something.
func (f field) isSet(thing any) bool {
	v, err := f.get(thing)
	if err != nil {
		var s strangeError
		return errors.As(err, &s)
	}
	switch v := v.(type) {
	case types.String:
		return v != ""
	case level:
		return events.Level(v) != events.Nothing
	case traits.Lister:
		return v.Size() != types.IntZero
	}
	return true
}

// A strangeError is a value that this version does not know.
type strangeError struct{ property, value string }

func (e strangeError) Error() string {
	return fmt.Sprintf("%s is %.64q, which this version of Curfew does not know", e.property, e.value)
}

// threatFields are the fields of a device that tell of a threat.
var threatFields = [...]string{"threat", "alerts", "malware", "investigating"}

// newSchema lists the fields. Members of enumerations are those of Microsoft
// Graph v1.0 (schema of 2026-08-20).
func newSchema() schema {
	return schema{
		"device": {
			text("id", func(d events.Device) string { return d.Device }),
			text("tenant", func(d events.Device) string { return d.Tenant }),
			text("name", func(d events.Device) string { return d.Name }),
			text("serial", func(d events.Device) string { return d.Serial }),
			text("os", func(d events.Device) string { return d.OS }),
			text("os_version", func(d events.Device) string { return d.OSVersion }),
			member("owner", "managedDeviceOwnerType", func(d events.Device) string { return d.Owner },
				"unknown", "company", "personal"),
			text("user", func(d events.Device) string { return d.User }),
			text("language", func(d events.Device) string { return d.Language }),
			ask("groups", cel.ListType(cel.StringType), func(d events.Device) ([]string, error) { return d.Groups, nil },
				func(s []string) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, s) }),
			member("compliance", "complianceState", func(d events.Device) string { return d.Compliance },
				"unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager"),
			list("settings", "setting", func(d events.Device) []events.Setting { return d.Settings }),
			rank("threat", "partnerReportedThreatState", func(d events.Device) (events.Level, string) {
				return d.Threat.Level(), string(d.Threat)
			}),
			list("alerts", "alert", func(d events.Device) []events.Alert { return d.Alerts }),
			list("malware", "malware", func(d events.Device) []events.Malware { return d.Malware }),
			flag("investigating", func(d events.Device) (bool, error) { return d.Investigating(), nil }),
			member("join", "trustType", func(d events.Device) string { return d.Join }, "AzureAd", "ServerAd", "Workplace"),
			member("management", "managementState", func(d events.Device) string { return d.Management },
				"managed", "retirePending", "retireFailed", "wipePending", "wipeFailed", "unhealthy", "deletePending",
				"retireIssued", "wipeIssued", "wipeCanceled", "retireCanceled", "discovered"),
			member("agent", "managementAgent", func(d events.Device) string { return d.Agent },
				"eas", "mdm", "easMdm", "intuneClient", "easIntuneClient", "configurationManagerClient",
				"configurationManagerClientMdm", "configurationManagerClientMdmEas", "unknown", "jamf",
				"googleCloudDevicePolicyController", "microsoft365ManagedMdm", "msSense"),
			member("registration", "deviceRegistrationState", func(d events.Device) string { return d.Registration },
				"notRegistered", "registered", "revoked", "keyConflict", "approvalPending", "certificateReset",
				"notRegisteredPendingEnrollment", "unknown"),
			ask("hours_since_sync", cel.IntType, hoursSinceSync, func(n int) ref.Val { return types.Int(n) }),
		},
		"setting": {
			text("policy", func(s events.Setting) string { return s.Policy }),
			text("name", func(s events.Setting) string { return s.Name }),
			member("state", "complianceStatus", func(s events.Setting) string { return s.State },
				"unknown", "notApplicable", "compliant", "remediated", "nonCompliant", "error", "conflict", "notAssigned"),
			text("detail", func(s events.Setting) string { return s.Detail }),
		},
		"malware": {
			text("name", func(m events.Malware) string { return m.Name }),
			rank("severity", "severity of malware", func(m events.Malware) (events.Level, string) {
				return events.Severity(m.Severity), m.Severity
			}),
			member("state", "threatState", func(m events.Malware) string { return m.State }, threatStates()...),
			flag("active", active),
		},
		"alert": alertFields(),
	}
}

func alertFields() []field {
	return []field{
		text("id", func(a events.Alert) string { return a.ID }),
		text("incident", func(a events.Alert) string { return a.Incident }),
		text("title", func(a events.Alert) string { return a.Title }),
		rank("severity", "severity of an alert", func(a events.Alert) (events.Level, string) {
			return events.Severity(a.Severity), a.Severity
		}),
		member("status", "status of an alert", func(a events.Alert) string { return a.Status }, alertStates()...),
		member("classification", "classification of an alert", func(a events.Alert) string { return a.Class }, alertClasses()...),
		flag("open", open),
		flag("remediated", func(a events.Alert) (bool, error) { return a.Remediated(), nil }),
		member("investigation", "investigationState", func(a events.Alert) string { return a.Investigation },
			"unknown", "terminated", "successfullyRemediated", "benign", "failed", "partiallyRemediated", "running",
			"pendingApproval", "pendingResource", "queued", "innerFailure", "preexistingAlert", "unsupportedOs",
			"unsupportedAlertType", "suppressedAlert", "partiallyInvestigated", "terminatedByUser", "terminatedBySystem"),
		member("remediation", "remediationStatus", func(a events.Alert) string { return a.Remediation },
			"none", "remediated", "prevented", "blocked", "notFound", "active", "pendingApproval", "declined",
			"unremediated", "running", "partiallyRemediated"),
		member("verdict", "verdict", func(a events.Alert) string { return a.Verdict },
			"unknown", "suspicious", "malicious", "noThreatsFound"),
		text("threat", func(a events.Alert) string { return a.Threat }),
		member("source", "serviceSource", func(a events.Alert) string { return a.Source },
			"unknown", "microsoftDefenderForEndpoint", "microsoftDefenderForIdentity", "microsoftDefenderForCloudApps",
			"microsoftDefenderForOffice365", "microsoft365Defender", "azureAdIdentityProtection", "microsoftAppGovernance",
			"dataLossPrevention", "microsoftDefenderForCloud", "microsoftSentinel", "microsoftInsiderRiskManagement",
			"microsoftThreatIntelligence", "microsoftSecurityForAI"),
	}
}

func threatStates() []string {
	return []string{"active", "actionFailed", "manualStepsRequired", "fullScanRequired", "rebootRequired",
		"remediatedWithNonCriticalFailures", "quarantined", "removed", "cleaned", "allowed", "noStatusCleared"}
}

func alertStates() []string { return []string{"unknown", "new", "inProgress", "resolved"} }

func alertClasses() []string {
	return []string{"unknown", "falsePositive", "truePositive", "informationalExpectedActivity"}
}

// active is [events.Malware.Active], but for a state that this version does not
// know, of which a condition says neither yes nor no.
func active(m events.Malware) (bool, error) {
	if m.State != "" && !slices.Contains(threatStates(), m.State) {
		return false, strangeError{"threatState", m.State}
	}
	return m.Active(), nil
}

// open is [events.Alert.Open], likewise. What is closed for a known reason is
// closed, whatever else is unknown about it.
func open(a events.Alert) (bool, error) {
	switch {
	case !a.Open():
		return false, nil
	case a.Status != "" && !slices.Contains(alertStates(), a.Status):
		return false, strangeError{"status of an alert", a.Status}
	case a.Class != "" && !slices.Contains(alertClasses(), a.Class):
		return false, strangeError{"classification of an alert", a.Class}
	}
	return true, nil
}

// hoursSinceSync counts whole hours up to when the device was seen, not to now:
// a condition gives the same answer for the same device, always.
func hoursSinceSync(d events.Device) (int, error) {
	if d.LastSync.IsZero() || d.SeenAt.IsZero() {
		return 0, errors.New("lastSyncDateTime is not known")
	}
	return max(0, int(d.SeenAt.Sub(d.LastSync)/time.Hour)), nil
}
