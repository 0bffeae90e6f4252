package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A Probed is what Microsoft answers when an area is really asked for something.
type Probed struct {
	Area     string // "Intune's devices"
	Audience Audience
	Role     string // that it needs at least
	Verdict  Access
	Reason   string // why not, or why that cannot be told; on one line
}

// Access is the verdict of a [Probed].
type Access string

// The verdicts.
const (
	Allowed    Access = "allowed"
	Refused    Access = "refused"
	CannotTell Access = "cannot tell" // it passes, or only doing it would tell
)

// Probe asks for one row of each area that Curfew may read, and says what
// Microsoft answers: what a permission is good for in this tenant, wherever it was
// granted. It writes nothing, so of all that writes it cannot tell. It takes some
// fifteen calls, which count against the budget like all others; a tenant without a
// licence may refuse what a permission would allow. An error means that ctx ended
// or the sign-in service gave no token, and then there are no answers.
func (c *Client) Probe(ctx context.Context) ([]Probed, error) {
	k := call{op: "probe"}
	if _, err := c.token(ctx, k, c.scope); err != nil {
		return nil, err
	}
	var all []Probed
	device := ""
	for _, p := range c.probes(&device) {
		if err := ctx.Err(); err != nil {
			return nil, c.told(k, &Error{Message: "called off", Err: err})
		}
		all = append(all, p.ask(ctx, c))
	}
	return append(all, c.untried()...), nil
}

// A probe is one cheap read.
type probe struct {
	Probed
	service service
	path    func() string // empty: there is nothing to ask for
	none    string        // why there is nothing
	first   *string       // takes the id of the first row
}

func (c *Client) probes(device *string) []probe {
	at := func(path string) func() string { return func() string { return path } }
	graph := func(area, role string, s service, path func() string) probe {
		return probe{Probed: Probed{Area: area, Audience: GraphAPI, Role: role}, service: s, path: path}
	}
	devices := graph("Intune's devices", needsDevices, intune, at("v1.0/deviceManagement/managedDevices?$select=id&"))
	devices.first = device
	settings := graph("compliance settings of a device", "DeviceManagementConfiguration.Read.All", intune, func() string {
		if *device == "" {
			return ""
		}
		return "v1.0/deviceManagement/managedDevices/" + *device + "/deviceCompliancePolicyStates?"
	})
	settings.none = "there is no device to ask about"
	sent := graph("sent items", needsSent, mailbox, func() string {
		if c.tenant.MailFrom == "" {
			return ""
		}
		return "v1.0/users/" + url.PathEscape(c.tenant.MailFrom) + "/mailFolders/sentitems/messages?$select=id&"
	})
	sent.none = "the configuration names no mailbox"
	all := []probe{
		devices, settings,
		graph("Defender's alerts", needsAlerts, security, at("v1.0/security/alerts_v2?")),
		graph("Defender's incidents", needsIncident, security, at("v1.0/security/incidents?")),
		graph("devices in Entra", needsEntra, identity, at("v1.0/devices?$select=id&")),
		graph("users", needsUser, identity, at("v1.0/users?$select=id&")),
		graph("groups", needsMembers, identity, at("v1.0/groups?$select=id&")),
		sent,
		graph("Entra's audit log", needsAudit, auditing, at("v1.0/auditLogs/directoryAudits?")),
		graph("Intune's audit log", needsIntuneAudit, intune, at("v1.0/deviceManagement/auditEvents?")),
		graph("approval requests", needsApprovals, intune, at("beta/deviceManagement/operationApprovalRequests?")),
		graph("Autopilot identities", needsAutopilot, intune, at("v1.0/deviceManagement/windowsAutopilotDeviceIdentities?")),
		graph("BitLocker recovery keys", needsKeys, identity, at("v1.0/informationProtection/bitlocker/recoveryKeys?")),
	}
	if c.defender != nil {
		all = append(all, probe{Probed: Probed{Area: "Defender's machines", Audience: DefenderAPI, Role: machineRead}, service: endpoint, path: at("machines")})
	}
	return all
}

func (p probe) ask(ctx context.Context, c *Client) Probed {
	out, path := p.Probed, p.path()
	if path == "" {
		out.Verdict, out.Reason = CannotTell, p.none
		return out
	}
	var got page[struct {
		ID text `json:"id"`
	}]
	k := call{op: "probe " + p.Area, needs: p.Role, service: p.service}
	var err error
	if p.Audience == DefenderAPI {
		k.needs += ofDefender
		err = c.ask(ctx, k, http.MethodGet, path, url.Values{"$top": {"1"}}, nil, &got)
		if status(err) == http.StatusNotFound { // there is none (Defender docs: get-machines)
			err = nil
		}
	} else {
		err = c.send(ctx, k.of(c.raw(path+"$top=1", ""), nil), &got)
	}
	out.Verdict = Allowed
	if e, ok := errors.AsType[*Error](err); ok {
		out.Verdict, out.Reason = CannotTell, strings.TrimPrefix(e.Error(), "graph: ")
		if e.Status == http.StatusForbidden {
			out.Verdict, out.Reason = Refused, e.Message
		}
	}
	if p.first != nil && got.Value != nil && len(got.Value.list) > 0 && isGUID(string(got.Value.list[0].ID)) {
		*p.first = string(got.Value.list[0].ID)
	}
	return out
}

// untried are the areas where only doing it would tell.
func (c *Client) untried() []Probed {
	all := []Probed{
		{Area: "sending mail", Audience: GraphAPI, Role: needsMail},
		{Area: "device actions", Audience: GraphAPI, Role: needsActions},
		{Area: "setting the primary user", Audience: GraphAPI, Role: needsManage},
	}
	if c.defender != nil {
		all = append(all, Probed{Area: "scans by Defender", Audience: DefenderAPI, Role: machineScan},
			Probed{Area: "isolation", Audience: DefenderAPI, Role: machineIsolate},
			Probed{Area: "investigations", Audience: DefenderAPI, Role: alertWrite})
	}
	for i := range all {
		all[i].Verdict, all[i].Reason = CannotTell, "only doing it would tell; see what is granted"
	}
	return all
}

// Probe is [Client.Probe].
func (ts Tenants) Probe(ctx context.Context, tenant string) ([]Probed, error) {
	c, err := ts.of("probe", tenant)
	if err != nil {
		return nil, err
	}
	return c.Probe(ctx)
}
