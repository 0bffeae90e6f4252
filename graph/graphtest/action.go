package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What an action turned out to be.
const (
	AutopilotReset = "autopilotReset" // wipe {keepEnrollmentData: true, keepUserData: false}
	FullWipe       = "fullWipe"       // wipe {false, false}, or without a body
	WipeKeepUser   = "wipeKeepUser"   // wipe {keepUserData: true}
	QuickScan      = "quickScan"      // windowsDefenderScan {quickScan: true}
	FullScan       = "fullScan"       // windowsDefenderScan {quickScan: false}
)

// An Action is a device action that Graph accepted with 204.
type Action struct {
	Device string
	Name   string // wipe, windowsDefenderScan, syncDevice, …
	// Kind tells what it means: AutopilotReset, FullWipe, QuickScan, … or Name
	// where there is only one meaning.
	Kind    string
	Body    []byte // exactly as asked for, after undoing Content-Encoding
	App     string
	Asked   time.Time
	Started time.Time // zero: the device has not heard of it
	Ended   time.Time // zero: not over
	State   string    // what Intune says: pending, active, done, failed, notSupported
	// Happened tells whether the device really did it. "done" is no proof.
	Happened bool
}

type action struct {
	Action
	outcome Outcome
	changed time.Time // of State
}

// An Outcome is what comes of an action.
type Outcome int

// The outcomes. Works is the normal one.
const (
	Works Outcome = iota
	// Lies ends as done although nothing happened, like an interrupted Autopilot
	// Reset.
	Lies
	// Fails ends as failed: no recovery environment, say.
	Fails
	// Vanishes is accepted and never heard of again (microsoft-graph-docs#12964).
	Vanishes
	// Sticks stays pending for ever.
	Sticks
)

func (a *action) over() bool {
	return a.State != "pending" && a.State != "active" || a.outcome == Vanishes || a.outcome == Sticks
}

// act accepts a device action: 204 means queued, no more (Graph docs:
// intune-devices-manageddevice-wipe and its siblings).
func (k *call) act() reply {
	m, out := k.managedDevice()
	if out.status != 0 {
		return out
	}
	d, t := k.tenant.keep(m.device), k.tenant
	a := &action{Action: Action{
		Device: d.Name, Name: k.canonicalAction(), Body: slices.Clone(k.body), App: k.app.ID,
		Asked: k.now, State: "pending",
	}, changed: k.now}
	var bad string
	if a.Kind, bad = a.kind(d.OS); bad != "" {
		return k.failIntune(http.StatusBadRequest, "BadRequest", bad)
	}
	if out := k.gate(d, a.Name); out.status != 0 {
		return out
	}
	if outcomes := d.outcomes[a.Name]; len(outcomes) > 0 {
		a.outcome, d.outcomes[a.Name] = outcomes[0], outcomes[1:]
	}
	if a.outcome != Vanishes {
		switch a.Name {
		case "wipe":
			d.wiping = "wipePending"
		case "retire":
			d.wiping = "retirePending"
		}
	}
	d.actions = append(d.actions, a)
	if len(d.actions) > keptActions {
		d.actions = slices.Delete(d.actions, 0, 1)
	}
	t.busy[d.n] = d
	return empty(http.StatusNoContent)
}

// canonicalAction is the action the path names, however it was spelled.
func (k *call) canonicalAction() string {
	last := k.segs[len(k.segs)-1]
	for _, name := range deviceActions {
		if strings.EqualFold(name, last) {
			return name
		}
	}
	return last
}

// deviceActions are the actions this cloud has, as the metadata spells them.
var deviceActions = []string{"syncDevice", "windowsDefenderUpdateSignatures", "windowsDefenderScan", "wipe", "rebootNow", "remoteLock", "retire"}

// kind reads an action's body. wipe's parameters may all be left out, quickScan
// may not (Graph v1.0 metadata: Nullable="false"). What wipe is to keep is mapped
// to nodes of Windows' RemoteWipe CSP only (Intune docs: device-wipe, 2025-11), so
// any other platform is taken to lose everything, whatever the body says.
func (a *action) kind(os string) (kind, bad string) {
	var body struct {
		QuickScan          *bool   `json:"quickScan"`
		KeepEnrollmentData bool    `json:"keepEnrollmentData"`
		KeepUserData       bool    `json:"keepUserData"`
		MacOSUnlockCode    *string `json:"macOsUnlockCode"`
	}
	if len(a.Body) > 0 {
		if err := json.Unmarshal(a.Body, &body); err != nil {
			return "", "Invalid JSON in the request body: " + err.Error()
		}
	}
	switch a.Name {
	case "windowsDefenderScan":
		if body.QuickScan == nil {
			return "", "The parameter 'quickScan' is required."
		}
		if *body.QuickScan {
			return QuickScan, ""
		}
		return FullScan, ""
	case "wipe":
		switch {
		case body.MacOSUnlockCode != nil && *body.MacOSUnlockCode != "" && os != "macOS":
			return "", "macOsUnlockCode is for macOS devices." // Intune-PowerShell-SDK#51
		case os != "Windows":
			return FullWipe, ""
		case body.KeepUserData:
			return WipeKeepUser, ""
		case body.KeepEnrollmentData:
			return AutopilotReset, ""
		}
		return FullWipe, ""
	}
	return a.Name, ""
}

// next is when the action takes its next step; zero if it takes none. Nothing
// moves while the device is offline.
func (t *Tenant) next(d *device, a *action) time.Time {
	if d.Offline || a.over() {
		return time.Time{}
	}
	at := a.Asked.Add(t.timing.Pickup)
	since := d.onlineAt.Add(t.timing.Pickup)
	if a.State == "active" {
		at, since = a.Started.Add(t.duration(a)), d.onlineAt
	}
	if since.After(at) && d.onlineAt.After(a.Asked) {
		return since
	}
	return at
}

func (t *Tenant) duration(a *action) time.Duration {
	switch a.Kind {
	case "syncDevice":
		return t.timing.Sync
	case "windowsDefenderUpdateSignatures":
		return t.timing.Signatures
	case QuickScan:
		return t.timing.QuickScan
	case FullScan:
		return t.timing.FullScan
	case "rebootNow":
		return t.timing.Reboot
	case "remoteLock":
		return t.timing.Lock
	case AutopilotReset:
		return t.timing.Reset
	case "retire":
		return t.timing.Retire
	}
	return t.timing.Wipe
}

// step takes an action one state further.
func (t *Tenant) step(d *device, a *action, at time.Time) {
	a.changed = at
	if a.State == "pending" {
		a.State, a.Started = "active", at
		switch {
		case a.unsupported(d):
			a.State, a.Ended = "notSupported", at
		case a.outcome == Fails:
			a.State, a.Ended = "failed", at
		}
	} else {
		a.State, a.Ended, a.Happened = "done", at, a.outcome == Works
	}
	// pending -> issued -> managed or failed: the members of managementState.
	if a.Name == "wipe" || a.Name == "retire" {
		switch a.State {
		case "active":
			d.wiping = a.Name + "Issued"
		case "done":
			d.wiping = ""
		default:
			d.wiping = a.Name + "Failed"
		}
	}
	if a.Happened {
		t.effect(d, a, at)
	}
}

// unsupported tells whether the device cannot do it. Scans are for Windows
// (Intune docs: full-scan, 2025-10); Autopilot Reset is for Entra-joined devices,
// not hybrid ones (Intune docs: Windows Autopilot Reset, 2025-10); a device that
// is only attached to Defender has no MDM channel.
func (a *action) unsupported(d *device) bool {
	switch {
	case d.Agent == "msSense":
		return true
	case a.Kind == AutopilotReset:
		return d.Join != EntraJoined
	}
	return strings.HasPrefix(a.Name, "windowsDefender") && d.OS != "Windows"
}

// effect is what an action does to the device.
func (t *Tenant) effect(d *device, a *action, at time.Time) {
	d.synced = at // it reported
	switch a.Kind {
	case "windowsDefenderUpdateSignatures":
		d.signed = at
	case QuickScan:
		d.quick = at
	case FullScan:
		d.full = at
		if d.scanHeals {
			t.heal(d, at, "successfullyRemediated")
		}
	case AutopilotReset, WipeKeepUser:
		t.reset(d, a.Kind == AutopilotReset, at)
	case "retire", FullWipe:
		// Enrolment and join are gone (Intune docs: device-wipe, device-retire).
		d.retired, d.risk, d.malware = true, "", nil
		t.tellEntra(d, at)
	}
}

// reset makes the device as good as new. Enrolment and Entra membership stay,
// the primary user goes (Intune docs: Windows Autopilot Reset, 2025-10), and
// Defender sees a new machine.
func (t *Tenant) reset(d *device, forgetUser bool, at time.Time) {
	if forgetUser {
		d.User = ""
	}
	if !t.rules.ResetKeepsAlerts {
		t.heal(d, at, "successfullyRemediated")
	}
	d.risk, d.malware, d.failing, d.encrypted, d.scanHeals = "", nil, nil, true, false
	d.machines, d.tags = append(d.machines, machine{id: d.DefenderID, seen: at, tags: d.tags}), nil
	d.generation++
	d.DefenderID = t.defenderID(d.n, d.generation)
	d.quick, d.full, d.signed = at, at, at
	t.judge(d, at)
}
