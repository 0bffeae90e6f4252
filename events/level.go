package events

// A Level ranks how bad something is. Ranks are Curfew's own: neither the order
// of Microsoft's enumerations nor the numbers of an SDK.
type Level int

// The levels, mildest first. Nothing is below Clear because nothing reported is
// not health, and Strange is below all so that no comparison can mistake a value
// this version does not know for a threat it may act on; see [Device.Strange].
const (
	Strange       Level = iota - 1 // Microsoft sent a member this version does not know
	Nothing                        // nothing was reported
	Clear                          // reported healthy
	Informational                  //
	Low                            //
	Medium                         //
	High                           //
	Compromised                    // an active threat that its user cannot easily fix
)

// String is the level's name in rule files.
func (l Level) String() string {
	if l < Strange || l > Compromised {
		return "strange"
	}
	return [...]string{"strange", "nothing", "clear", "informational", "low", "medium", "high", "compromised"}[l+1]
}

// Threat is managedDevice.partnerReportedThreatState as Intune sent it.
type Threat string

// Level ranks the state. Unresponsive and misconfigured partners report nothing
// that could be believed (Graph v1.0 schema, managedDevicePartnerReportedHealthState).
func (t Threat) Level() Level {
	switch t {
	case "", "unknown", "activated", "deactivated", "unresponsive", "misconfigured":
		return Nothing
	case "secured":
		return Clear
	case "lowSeverity":
		return Low
	case "mediumSeverity":
		return Medium
	case "highSeverity":
		return High
	case "compromised":
		return Compromised
	}
	return Strange
}

// Severity ranks the severity of an alert (security.alertSeverity) or of malware
// (windowsMalwareSeverity), which share most members.
func Severity(s string) Level {
	switch s {
	case "", "unknown":
		return Nothing
	case "informational":
		return Informational
	case "low":
		return Low
	case "medium", "moderate":
		return Medium
	case "high":
		return High
	case "severe":
		return Compromised
	}
	return Strange
}
