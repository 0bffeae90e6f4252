package readiness

import (
	"fmt"
	"strings"
	"time"
)

// spell writes a length of time by its two largest units.
func spell(d time.Duration) string {
	d = d.Round(time.Minute)
	switch {
	case d >= day && d%day >= time.Hour:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= day:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

// compliant asks every device to be so, and names what each fails.
func (j *judge) compliant() Check {
	var found []Finding
	for i, d := range j.Devices {
		if d.Compliance == "compliant" {
			continue
		}
		var fails []string
		for _, s := range d.Failing {
			name := s.Name
			if name == "" {
				name = s.State
			}
			fails = append(fails, s.Policy+": "+name)
		}
		what := cmpOr(d.Compliance, "unknown")
		switch {
		case len(fails) > 3:
			what += fmt.Sprintf(" (%s, and %d more)", strings.Join(fails[:3], "; "), len(fails)-3)
		case len(fails) > 0:
			what += " (" + strings.Join(fails, "; ") + ")"
		default:
			what += " (which setting is not known)"
		}
		found = append(found, j.against(i, Compliant, what, "mend the setting, or have the device check in"))
	}
	return j.check(Compliant, counted(len(j.Devices), "device")+", all compliant", found, "")
}

// reporting asks every device to have checked in lately, and Defender to have said
// how it is where compliance depends on that.
func (j *judge) reporting() Check {
	var found []Finding
	for i, d := range j.Devices {
		switch silent := j.now.Sub(d.LastSync); {
		case d.LastSync.IsZero():
			found = append(found, j.against(i, Reporting, "it has never checked in", "finish its enrolment, or delete the record"))
		case silent > j.rules.Reporting:
			found = append(found, j.against(i, Reporting, "it last checked in "+spell(silent)+" ago", "switch it on and sync it, or delete the record"))
		case j.Scope.Threat && !reported(d.Threat):
			found = append(found, j.against(i, Reporting, "Defender reports nothing of it ("+cmpOr(d.Threat, "unknown")+")", "onboard it to Defender, and open the Defender app once on a phone"))
		}
	}
	return j.check(Reporting, "all checked in within "+spell(j.rules.Reporting), found, "")
}

// reported reports whether a threat state is one that Defender gave. A member that
// this version does not know was given by somebody.
func reported(state string) bool {
	switch state {
	case "", "unknown", "activated", "deactivated", "unresponsive", "misconfigured":
		return false
	}
	return true
}

// policies asks that each device has a compliance policy: without one Intune counts
// it as compliant, unless the tenant says otherwise.
func (j *judge) policies() Check {
	var found []Finding
	for i, d := range j.Devices {
		if d.Policy == No {
			found = append(found, j.against(i, Policies, "no compliance policy is assigned to it", "assign one for "+d.OS+", or add the user to the group"))
		}
	}
	return j.check(Policies, "each device has one", found, j.unread(partPolicies))
}

// equipped asks that everybody has a device: whoever has none loses all access.
func (j *judge) equipped() Check {
	has := make([]bool, len(j.Users))
	for _, d := range j.Devices {
		if d.User >= 0 && d.User < len(has) {
			has[d.User] = true
		}
	}
	var found []Finding
	for i, u := range j.Users {
		switch {
		case has[i]:
		case u.Guest:
			found = append(found, Finding{ID: id(Equipped, u.ID), User: u.UPN, What: "a guest, who can have no device here", Fix: "exclude guests, or trust what their own tenant says of their devices (cross-tenant access settings)"})
		default:
			found = append(found, Finding{ID: id(Equipped, u.ID), User: u.UPN, What: "no device in Intune", Fix: "enrol one, or exclude the account if nobody signs in with it"})
		}
	}
	unknown := ""
	if len(j.Users) == 0 && j.unread(partUsers) == "" {
		unknown = "there is nobody in scope: is the pilot group empty?"
	}
	return j.check(Equipped, counted(len(j.Users), "user")+", each with a device", found, unknown)
}

// licensed asks that everybody may use Intune.
func (j *judge) licensed() Check {
	var found []Finding
	unknown := j.unread(partLicences)
	for _, u := range j.Users {
		switch u.Licensed {
		case No:
			found = append(found, Finding{ID: id(Licensed, u.ID), User: u.UPN, What: "no product with Intune is assigned", Fix: "assign one, or exclude the account"})
		case NotKnown:
			unknown = cmpOr(unknown, "which products have Intune is not known")
		}
	}
	return j.check(Licensed, "everybody has a product with Intune", found, unknown)
}

// directory asks that Entra knows each device once, as Intune does: Conditional
// Access judges the object that a sign-in happens to use.
func (j *judge) directory() Check {
	var found []Finding
	for i, d := range j.Devices {
		switch {
		case !d.InEntra:
			found = append(found, j.against(i, Directory, "Entra has no object of it", "register it: have the user sign in with the work account in Settings or the Company Portal"))
		case d.Enabled == No:
			found = append(found, j.against(i, Directory, "its object in Entra is disabled", "enable it, or find out who disabled it"))
		case d.Compliance == "compliant" && d.Access != Yes:
			found = append(found, j.against(i, Directory, "Intune has it compliant, and Entra does not yet", "sync the device; if it stays so, look for a second object of it in Entra"))
		case !d.Seen.IsZero() && j.now.Sub(d.Seen) > j.rules.Stale:
			found = append(found, j.against(i, Directory, "its object in Entra was last used "+spell(j.now.Sub(d.Seen))+" ago", "make sure that the device signs in with this object"))
		}
	}
	for _, o := range j.Left {
		if o.Twin < 0 || o.Twin >= len(j.Devices) {
			continue
		}
		d := j.Devices[o.Twin]
		what := fmt.Sprintf("a second object of that name in Entra (%s, %s)", cmpOr(o.Trust, "unknown trust"), o.DeviceID)
		if !o.Seen.IsZero() && j.now.Sub(o.Seen) > j.rules.Stale {
			what += ", stale: last used " + spell(j.now.Sub(o.Seen)) + " ago"
		}
		found = append(found, Finding{ID: id(Directory, o.ID), User: j.user(d), Device: d.Name, Platform: o.OS, What: what,
			Fix: "delete the one that the device does not use (dsregcmd /status shows which it does)"})
	}
	return j.check(Directory, "each device once", found, "")
}

// phones asks for the apps that a phone needs to prove itself. What a personal
// phone has is often nobody's to know.
func (j *judge) phones() Check {
	var found []Finding
	phones, unsure := 0, 0
	for i, d := range j.Devices {
		if !mobile(d.OS) {
			continue
		}
		phones++
		var lacks []string
		for _, app := range d.Apps.needed(d.OS) {
			switch app.has {
			case No:
				lacks = append(lacks, app.name)
			case NotKnown:
				unsure++
			}
		}
		if len(lacks) > 0 {
			found = append(found, j.against(i, Phones, "it lacks "+strings.Join(lacks, ", "), "assign the apps as required, and have the user open each once"))
		}
	}
	unknown := j.unread(partApps)
	if unknown == "" && unsure > 0 {
		unknown = fmt.Sprintf("of %s not all apps are inventoried (of personal ones Intune lists only what it manages itself)", counted(phones, "phone"))
	}
	return j.check(Phones, counted(phones, "phone")+", all with what they need", found, unknown)
}

func mobile(os string) bool {
	return strings.EqualFold(os, "iOS") || strings.EqualFold(os, "iPadOS") || strings.EqualFold(os, "Android")
}

type app struct {
	name string
	has  Answer
}

// needed are the apps that a phone needs: the broker that speaks for it, and
// Defender. On Android the broker is the Company Portal, on iOS the Authenticator
// (Intune docs: app-based-conditional-access-intune).
func (a Apps) needed(os string) []app {
	if strings.EqualFold(os, "Android") {
		return []app{{"Company Portal", a.Portal}, {"Microsoft Defender", a.Defender}}
	}
	return []app{{"Microsoft Authenticator", a.Authenticator}, {"Microsoft Defender", a.Defender}}
}
