package reset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// A kind is what tells the actions apart.
type kind struct {
	is    string   // its name for people
	asks  string   // what Intune will ask the device
	would string   // what a dry run leaves out
	names []string // what Intune's record may call it
	stem  string   // how managementState begins while it goes on
	// leaves says that the device leaves Intune by it, and its record there with it.
	leaves bool
	fits   func(events.Device) error // why it is not for this device
}

// kinds are the actions of this handler. deviceActionResults names them freely: it
// has been seen with the name of the call; the audit of the same call knows the
// other names (Graph beta schema: remoteAction, 2026-08).
var kinds = map[events.Action]kind{
	events.Reset: {
		is: "Autopilot Reset", asks: "to reset itself", would: "the device would have been reset",
		names: []string{"wipe", "factoryReset", "factoryResetKeepEnrollmentData", "automaticRedeployment", "autopilotReset"},
		stem:  "wipe", fits: fitsReset,
	},
	events.Retire: {
		is: "retirement", asks: "to retire", would: "the device would have been retired",
		names: []string{"retire", "removeCompanyData"}, stem: "retire", leaves: true, fits: fitsAll,
	},
	events.Wipe: {
		is: "factory wipe", asks: "to wipe itself", would: "the device would have been wiped",
		names: []string{"wipe", "factoryReset"}, stem: "wipe", leaves: true, fits: fitsWipe,
	},
}

// Recorded reports whether an entry of Intune's record, or of its audit, may be of
// one of the actions of this handler.
func Recorded(a events.DeviceAction) bool {
	for _, k := range kinds {
		if slices.ContainsFunc(k.names, func(n string) bool { return strings.EqualFold(n, a.Name) }) {
			return true
		}
	}
	return false
}

// fitsReset: Autopilot Reset is for Windows that is joined to Entra ID only (Intune
// docs: Windows Autopilot Reset, 2025-10).
func fitsReset(d events.Device) error {
	switch {
	case !handlers.Windows(d):
		return fmt.Errorf("the device runs %q; Autopilot Reset is for Windows", d.OS)
	case d.Join == "ServerAd", d.Join == "Workplace":
		return fmt.Errorf("the device's join type is %s; Autopilot Reset needs one that is joined to Entra ID only", d.Join)
	}
	return nil
}

// fitsAll: Intune retires whatever is enrolled, on every platform.
func fitsAll(events.Device) error { return nil }

// fitsWipe: a wipe takes a person's own things too, so only what belongs to the
// organisation is wiped.
func fitsWipe(d events.Device) error {
	switch {
	case strings.EqualFold(d.Owner, "company"):
		return nil
	case d.Owner == "":
		return errors.New("Intune does not say whose the device is; only the organisation's own are wiped")
	}
	return fmt.Errorf("the device's owner is %q; only the organisation's own are wiped", d.Owner)
}

// ready says why the device is left alone for now: something else is under way,
// or the last look showed less than the one before.
func ready(was, is events.Device) error {
	if slices.Contains([]string{"wipepending", "wipeissued", "retirepending", "retireissued", "deletepending"}, strings.ToLower(is.Management)) {
		return handlers.After(fmt.Errorf("managementState is %s by somebody else's doing: waiting for it to end", is.Management), 15*time.Minute)
	}
	for _, m := range is.Missing {
		if !slices.Contains(was.Missing, m) {
			return fmt.Errorf("the last look could not read %s; nothing is taken from a device on an incomplete picture", m)
		}
	}
	for _, a := range was.OpenAlerts() {
		if !slices.ContainsFunc(is.Alerts, func(x events.Alert) bool { return x.ID == a.ID }) {
			return errors.New("the last look did not show alert " + a.ID + "; nothing is taken from a device on an incomplete picture")
		}
	}
	return nil
}
