package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Check is one thing to be known about a device before it is reset: whether it
// is so, and why that is thought. What follows from a no, or from not knowing, is
// for policy.
type Check struct {
	Name    string // see the constants
	Verdict Verdict
	Reason  string // for people, on one line
}

// A Verdict answers a [Check].
type Verdict string

// The verdicts. Yes speaks for a reset, No against it.
const (
	Yes     Verdict = "yes"
	No      Verdict = "no"
	Unknown Verdict = "unknown" // it was asked, and Microsoft refused, said nothing, or said something new
)

// The checks of [Client.Preflight], in their order.
const (
	CheckWindows   = "windows"      // Autopilot Reset is for Windows; on anything else the request is a full wipe
	CheckJoin      = "entra-joined" // and not hybrid (Intune docs: Windows Autopilot Reset, 2025-10)
	CheckAutopilot = "autopilot"    // an Autopilot identity is registered (memdocs#2083: it must be)
	CheckKey       = "recovery-key" // a BitLocker recovery key of the system volume is in Entra
	CheckSeen      = "seen"         // the device checked in lately, see [Tenant].SeenWithin
	CheckNotWiping = "not-wiping"   // no wipe, retirement or deletion is under way
	CheckNoAction  = "no-action"    // no other device action is open
	CheckRisk      = "risk-stands"  // more than an alert that Defender has dealt with and nobody closed
	CheckUser      = "primary-user" // there is one, and a reset would remove it (Intune docs: Windows Autopilot Reset)
)

const seenWithin = 24 * time.Hour

// Preflight reads all that should be known about a device before a reset, afresh;
// of d, only its ids and the alerts that its case knows count. Of those, ten are
// read again, the longest unread first. What
// Microsoft refuses to show is Unknown and says which permission is missing; what
// passes by itself (throttling, a server's error, no answer) fails it as a whole, and so
// does a device that is not there any more, for which GiveUp reports true.
func (c *Client) Preflight(ctx context.Context, d events.Device) ([]Check, error) {
	const op = "pre-flight"
	if err := c.mine(call{op: op}, d); err != nil {
		return nil, err
	}
	row, err := c.getManaged(ctx, op, d.IntuneID, d.Key.Device, lookProperties())
	if err != nil {
		return nil, err
	}
	now := events.Device{Key: d.Key, Alerts: d.Alerts, DefenderID: d.DefenderID}
	row.fill(&now)
	checks := []Check{windows(now)}
	for _, check := range []func(context.Context, events.Device) (Check, error){
		c.checkJoin, c.checkAutopilot, c.checkKey, c.checkSeen, checkWiping, checkActions, c.checkRisk, c.checkUser,
	} {
		k, err := check(ctx, now)
		if err != nil {
			return nil, err
		}
		k.Reason = oneLine(k.Reason, maxText)
		checks = append(checks, k)
	}
	return checks, nil
}

// unless is the verdict where a read failed: Unknown if Microsoft refused, and
// an error if it passes.
func unless(name string, err error) (Check, error) {
	if e, no := refused(err); no {
		return Check{name, Unknown, missing("it could not be read", e)}, nil
	}
	return Check{}, err
}

func isWindows(d events.Device) bool { return strings.EqualFold(d.OS, "Windows") }

func windows(d events.Device) Check {
	switch {
	case isWindows(d):
		return Check{CheckWindows, Yes, "it runs " + d.OS + " " + d.OSVersion}
	case d.OS == "":
		return Check{CheckWindows, Unknown, "Intune does not say what it runs"}
	}
	return Check{CheckWindows, No, "it runs " + oneLine(d.OS, 64) + ", where the request would be a full wipe"}
}

func (c *Client) checkJoin(ctx context.Context, d events.Device) (Check, error) {
	if err := c.lookEntra(ctx, &d); err != nil {
		return Check{}, err
	}
	switch {
	case len(d.Missing) > 0:
		return Check{CheckJoin, Unknown, strings.Join(d.Missing, "; ")}, nil
	case d.Join == "AzureAd":
		return Check{CheckJoin, Yes, "it is joined to Entra only"}, nil
	case d.Join == "ServerAd":
		return Check{CheckJoin, No, "it is hybrid joined, which Autopilot Reset does not support"}, nil
	case d.Join == "Workplace":
		return Check{CheckJoin, No, "it is registered in Entra, not joined"}, nil
	}
	return Check{CheckJoin, Unknown, fmt.Sprintf("its trustType in Entra is %q", d.Join)}, nil
}

func (c *Client) checkSeen(_ context.Context, d events.Device) (Check, error) {
	within := cmp.Or(c.tenant.SeenWithin, seenWithin)
	ago := time.Since(d.LastSync).Round(time.Minute)
	switch {
	case d.LastSync.IsZero():
		return Check{CheckSeen, Unknown, "Intune does not say when it last checked in"}, nil
	case ago > within:
		return Check{CheckSeen, No, fmt.Sprintf("it last checked in %v ago, which is over %v", ago, within)}, nil
	}
	return Check{CheckSeen, Yes, fmt.Sprintf("it checked in %v ago", max(ago, 0))}, nil
}

// checkWiping goes by managementState, which shows a wipe even where the record of
// actions shows none (powershell-intune-samples#35, #161).
func checkWiping(_ context.Context, d events.Device) (Check, error) {
	says := fmt.Sprintf("managementState is %q", d.Management)
	switch strings.ToLower(d.Management) {
	case "wipepending", "wipeissued", "retirepending", "retireissued", "deletepending":
		return Check{CheckNotWiping, No, says}, nil
	case "managed", "wipefailed", "wipecanceled", "retirefailed", "retirecanceled":
		return Check{CheckNotWiping, Yes, says}, nil
	}
	return Check{CheckNotWiping, Unknown, says}, nil
}

// checkActions looks at deviceActionResults (Graph v1.0 metadata: actionState).
func checkActions(_ context.Context, d events.Device) (Check, error) {
	strange := ""
	for _, a := range d.Actions {
		switch strings.ToLower(a.State) {
		case "pending", "active":
			return Check{CheckNoAction, No, fmt.Sprintf("%s is %s since %s", a.Name, a.State, a.Started.Format(time.RFC3339))}, nil
		case "none", "canceled", "done", "failed", "notsupported":
		default:
			strange = fmt.Sprintf("%s is in the state %q", a.Name, a.State)
		}
	}
	if strange != "" {
		return Check{CheckNoAction, Unknown, strange}, nil
	}
	return Check{CheckNoAction, Yes, "Intune's record shows no open action"}, nil
}

// checkRisk finds the device whose only trouble is that nobody closed an alert:
// Defender counts it as a risk until somebody does, so a healthy device stays
// blocked (Defender docs: conditional-access), and a reset would be for nothing.
func (c *Client) checkRisk(ctx context.Context, d events.Device) (Check, error) {
	if isWindows(d) {
		if err := c.lookProtection(ctx, &d); err != nil {
			return Check{}, err
		}
	}
	d.Alerts = slices.Clone(d.Alerts)
	for i := range d.Alerts { // however lately they were read
		d.Alerts[i].ReadAt = d.Alerts[i].ReadAt.Add(-alertAge)
	}
	if err := c.lookAlerts(ctx, &d); err != nil {
		return Check{}, err
	}
	settled := func(a events.Alert) bool { return a.Remediated() && a.Status != "resolved" }
	switch open, active := d.OpenAlerts(), d.ActiveMalware(); {
	case len(active) > 0:
		return Check{CheckRisk, Yes, fmt.Sprintf("%s is active on it", active[0].Name)}, nil
	case len(d.Missing) > 0:
		return Check{CheckRisk, Unknown, strings.Join(d.Missing, "; ")}, nil
	case len(open) > 0:
		return Check{CheckRisk, Yes, fmt.Sprintf("alert %s stands: %s", open[0].ID, open[0].Title)}, nil
	case slices.ContainsFunc(d.Alerts, settled):
		return Check{CheckRisk, No, "the only alerts are ones that Defender has dealt with and nobody closed: close them instead"}, nil
	case d.Threat.Level() >= events.Low:
		return Check{CheckRisk, Yes, "Intune reports the threat state " + string(d.Threat)}, nil
	case d.Threat.Level() == events.Strange:
		return Check{CheckRisk, Unknown, "Intune reports the threat state " + string(d.Threat)}, nil
	}
	return Check{CheckRisk, No, "no open alert, no active malware, and the threat state is " + cmp.Or(string(d.Threat), "not said")}, nil
}

func (c *Client) checkUser(ctx context.Context, d events.Device) (Check, error) {
	id, err := c.PrimaryUser(ctx, d)
	switch {
	case err != nil:
		return unless(CheckUser, err)
	case id == "":
		return Check{CheckUser, No, "it has no primary user, so there is none to restore"}, nil
	}
	return Check{CheckUser, Yes, "user " + id}, nil
}

// Preflight is [Client.Preflight].
func (ts Tenants) Preflight(ctx context.Context, d events.Device) ([]Check, error) {
	c, err := ts.of("pre-flight", d.Key.Tenant)
	if err != nil {
		return nil, err
	}
	return c.Preflight(ctx, d)
}
