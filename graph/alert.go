package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"curfew/events"

	sdksecurity "github.com/microsoftgraph/msgraph-sdk-go/security"
)

// alertRow is a security.alert of alerts_v2.
type alertRow struct {
	ID            text   `json:"id"`
	Incident      text   `json:"incidentId"`
	Title         text   `json:"title"`
	Severity      text   `json:"severity"`
	Status        text   `json:"status"`
	Class         text   `json:"classification"`
	Investigation text   `json:"investigationState"`
	Threat        text   `json:"threatDisplayName"`
	Source        text   `json:"serviceSource"`
	URL           text   `json:"alertWebUrl"`
	Created       moment `json:"createdDateTime"`
	Updated       moment `json:"lastUpdateDateTime"`

	Evidence parts[evidenceRow] `json:"evidence"`
}

type evidenceRow struct {
	Type        text `json:"@odata.type"`
	EntraID     text `json:"azureAdDeviceId"` // null when not joined to Entra
	Machine     text `json:"mdeDeviceId"`
	Remediation text `json:"remediationStatus"`
	Verdict     text `json:"verdict"`
	Name        text `json:"deviceDnsName"`
}

func (e evidenceRow) isDevice() bool {
	return strings.EqualFold(string(e.Type), "#microsoft.graph.security.deviceEvidence")
}

// settled reports whether what the evidence stands for was dealt with.
func (e evidenceRow) settled() bool {
	switch e.Remediation {
	case "remediated", "prevented", "blocked", "notFound":
		return true
	}
	return false
}

// key is whom the evidence is about. A machine that Entra does not know is keyed
// by its Defender id; evidence with neither id names nobody.
func (c *Client) keyOf(e evidenceRow) (events.Key, bool) {
	if k, ok := c.key(string(e.EntraID)); ok {
		return k, true
	}
	if isMachine(string(e.Machine)) {
		return events.Key{Tenant: c.tenant.ID, Device: events.UnresolvedPrefix + strings.ToLower(string(e.Machine))}, true
	}
	return events.Key{}, false
}

// devices is what the alert says about each device, and how many of the devices
// could not be told apart from any other. Of several pieces of evidence about
// one device the worst counts.
func (c *Client) devices(r alertRow) (about map[events.Key]evidenceRow, nameless int) {
	about = map[events.Key]evidenceRow{}
	for _, e := range r.Evidence.list {
		if !e.isDevice() {
			continue
		}
		k, ok := c.keyOf(e)
		if !ok {
			nameless++
			continue
		}
		if had, twice := about[k]; !twice || had.settled() && !e.settled() {
			about[k] = e
		}
	}
	return about, nameless
}

func (r alertRow) alert(e evidenceRow, readAt time.Time) events.Alert {
	return events.Alert{
		ID: string(r.ID), Incident: string(r.Incident), Title: string(r.Title),
		Severity: string(r.Severity), Status: string(r.Status), Class: string(r.Class),
		Investigation: string(r.Investigation), Threat: string(r.Threat), Source: string(r.Source), URL: string(r.URL),
		Created: r.Created.time(), Updated: r.Updated.time(), ReadAt: readAt,
		Remediation: string(e.Remediation), Verdict: string(e.Verdict), DefenderDevice: string(e.Machine),
	}
}

const needsAlerts = "SecurityAlert.Read.All"

func (c *Client) alerts() *sdksecurity.Alerts_v2RequestBuilder {
	return sdksecurity.NewSecurityRequestBuilderInternal(nil, c.adapter).Alerts_v2()
}

func (c *Client) alert(ctx context.Context, id string) (alertRow, error) {
	var r alertRow
	err := c.send(ctx, call{op: "read an alert", needs: needsAlerts, service: security}.
		of(c.alerts().ByAlertId(id).ToGetRequestInformation(ctx, nil)), &r)
	if err == nil && string(r.ID) != id {
		err = &Error{Tenant: c.tenant.Name, Op: "read an alert", Message: "Graph answered with another one"}
	}
	return r, err
}

// An alert that stands is read again at a look when what is known of it is older
// than that. One that is all that is left of a risk is read at every look: what
// the device does not show any more is a matter of minutes, and the sweep's copy
// would keep a healthy device's case open, or tell people of a risk that is over.
const (
	alertAge   = 5 * time.Minute
	alertReads = 10 // at one look; the longest unread first
)

// due are the known alerts that a look reads again, by index.
func due(d *events.Device, now time.Time) []int {
	known, last := d.Alerts, calm(*d)
	var which []int
	for i, a := range known {
		if a.ID != "" && a.Status != "resolved" && (last && a.Open() || now.Sub(a.ReadAt) >= alertAge) {
			which = append(which, i)
		}
	}
	slices.SortStableFunc(which, func(a, b int) int { return known[a].ReadAt.Compare(known[b].ReadAt) })
	return which[:min(len(which), alertReads)]
}

// calm reports whether nothing but its alerts speaks against the device.
func calm(d events.Device) bool {
	level := d.Threat.Level()
	return level != events.Strange && level <= events.Clear && len(d.ActiveMalware()) == 0
}

// lookAlerts brings the alerts known of the device up to date.
func (c *Client) lookAlerts(ctx context.Context, d *events.Device) error {
	d.Alerts = slices.Clone(d.Alerts)
	for _, i := range due(d, time.Now()) {
		was := &d.Alerts[i]
		now := time.Now().UTC()
		r, err := c.alert(ctx, was.ID)
		if e, no := refused(err); no {
			d.Missing = append(d.Missing, missing("alert "+was.ID, e))
			if e.Status == 403 {
				break // the others will not fare better
			}
			continue
		} else if err != nil {
			return err
		}
		about, _ := c.devices(r)
		e, ok := about[d.Key]
		if !ok { // Defender has taken the device off the alert, or it is known under another id
			e = evidenceRow{Remediation: text(was.Remediation), Verdict: text(was.Verdict), Machine: text(was.DefenderDevice)}
		}
		*was = r.alert(e, now)
	}
	for _, a := range d.Alerts {
		if d.DefenderID == "" {
			d.DefenderID = a.DefenderDevice
		}
	}
	return nil
}

// lookUnresolved is the look at a device that only Defender knows. Its alerts
// may by now say which device of Entra it is.
func (c *Client) lookUnresolved(ctx context.Context, kase events.Case) error {
	machine := strings.TrimPrefix(kase.Key.Device, events.UnresolvedPrefix)
	if !isMachine(machine) {
		return final("look", "%q is not a machine id of Defender", oneLine(machine, 64))
	}
	reads := 0
	for _, a := range kase.Device.Alerts {
		if reads++; reads > alertReads {
			break
		}
		r, err := c.alert(ctx, a.ID)
		if e, no := refused(err); no && e.Status == 404 {
			continue
		} else if err != nil {
			return err
		}
		for _, e := range r.Evidence.list {
			if k, ok := c.key(string(e.EntraID)); ok && e.isDevice() && strings.EqualFold(string(e.Machine), machine) {
				return final("look", "Defender's machine %s is the device %s of Entra by now, which has a case of its own: go on there and close this one", machine, k.Device)
			}
		}
	}
	return final("look", "Defender knows this device (machine %s), Entra does not: a person must find it in the Defender portal, and enrol or isolate it", machine)
}

func missing(what string, e *Error) string {
	reason := e.Message
	switch {
	case e.Status == 404:
		reason = "Graph has none"
	case e.Code != "":
		reason = e.Code + ": " + reason
	}
	return what + ": " + reason
}
