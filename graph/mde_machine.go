package graph

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A Machine is the record that Defender for Endpoint has of a device (Defender
// docs: machine resource, 2025-03). Enumerated values are as Microsoft sent them.
type Machine struct {
	ID         string
	Name       string    // computerDnsName
	Onboarding string    // onboardingStatus: Onboarded, CanBeOnboarded, Unsupported, InsufficientInfo
	Health     string    // healthStatus: Active, Inactive, ImpairedCommunication, NoSensorData …
	Risk       string    // riskScore: None, Informational, Low, Medium, High
	LastSeen   time.Time // the last full report: about one in 24 hours, and not what the portal shows
}

type machineRow struct {
	ID         text   `json:"id"`
	EntraID    text   `json:"aadDeviceId"` // null unless joined to Entra
	Name       text   `json:"computerDnsName"`
	Onboarding text   `json:"onboardingStatus"`
	Health     text   `json:"healthStatus"`
	Risk       text   `json:"riskScore"`
	LastSeen   moment `json:"lastSeen"`
	Merged     text   `json:"mergedIntoMachineId"`
	Excluded   yes    `json:"isExcluded"`

	Tags parts[text] `json:"machineTags"`
}

const (
	ofDefender    = " of " + string(DefenderAPI)
	needsMachines = machineRead + ofDefender
)

// Machine finds the record that Defender for Endpoint has of the device, by its
// Entra device id. A device that was reset or set up anew has several; the one
// that is onboarded, else active, else seen last is taken. None, none that is
// onboarded, and two that are alike are for a person: the error says so, and
// GiveUp reports true.
func (c *Client) Machine(ctx context.Context, d events.Device) (Machine, error) {
	k := call{op: "find the machine in Defender", needs: needsMachines, service: endpoint}
	rows, err := c.machines(ctx, k, d)
	if err != nil {
		return Machine{}, err
	}
	if len(rows) == 0 {
		return Machine{}, c.told(k, final("", "Defender for Endpoint knows no machine with the Entra id %s: the device is not onboarded, not joined to Entra, or was silent for too long", d.Key.Device))
	}
	slices.SortStableFunc(rows, func(a, b machineRow) int {
		return cmp.Or(b.rank()-a.rank(), b.LastSeen.time().Compare(a.LastSeen.time()))
	})
	best := rows[0]
	switch {
	case !best.onboarded():
		return Machine{}, c.told(k, final("", "Defender for Endpoint knows the device, but it is not onboarded: %q", best.Onboarding))
	case len(rows) > 1 && rows[1].rank() == best.rank() && rows[1].LastSeen.time().Equal(best.LastSeen.time()):
		return Machine{}, c.told(k, final("", "Defender for Endpoint has %d machines with the Entra id %s that nothing tells apart, %s and %s: a person must say which one it is",
			len(rows), d.Key.Device, best.ID, rows[1].ID))
	}
	return Machine{
		ID: strings.ToLower(string(best.ID)), Name: string(best.Name), Onboarding: string(best.Onboarding),
		Health: string(best.Health), Risk: string(best.Risk), LastSeen: best.LastSeen.time(),
	}, nil
}

func (r machineRow) onboarded() bool { return strings.EqualFold(string(r.Onboarding), "Onboarded") }

// rank is higher for the record that is more likely the device in use.
func (r machineRow) rank() int {
	rank := 0
	if r.onboarded() {
		rank += 2
	}
	if strings.EqualFold(string(r.Health), "Active") {
		rank++
	}
	return rank
}

// machines are the device's records. The filter is checked again; what was merged
// into another record, or excluded by somebody, is no candidate.
func (c *Client) machines(ctx context.Context, k call, d events.Device) ([]machineRow, error) {
	if err := c.entraKnows(k, d); err != nil {
		return nil, err
	}
	var found []machineRow
	broken, pages := 0, 0
	query := url.Values{"$filter": {"aadDeviceId eq " + d.Key.Device}} // a GUID, which OData does not quote
	err := askPages(ctx, c, k, "machines", query, func(p page[machineRow]) error {
		if pages++; pages > findPages {
			return &Error{Message: "Defender ignores the filter and sends every machine; this tenant has too many to search"}
		}
		broken += p.Value.bad
		for _, r := range p.Value.list {
			if strings.EqualFold(string(r.EntraID), d.Key.Device) && isMachine(string(r.ID)) && r.Merged == "" && !r.Excluded.is {
				found = append(found, r)
			}
		}
		return nil
	})
	switch {
	case status(err) == http.StatusNotFound: // there is none (Defender docs: get-machines)
		return nil, nil
	case err != nil:
		return nil, err
	case broken > 0:
		return nil, c.told(k, &Error{Message: "a row that cannot be read, which might be the machine"})
	}
	return found, nil
}

// entraKnows makes sure that the device is of this tenant and has an Entra id.
func (c *Client) entraKnows(k call, d events.Device) error {
	switch {
	case d.Key.Tenant != c.tenant.ID:
		return c.told(k, final("", "the device is of another tenant, %q", oneLine(d.Key.Tenant, 64)))
	case !isGUID(d.Key.Device):
		return c.told(k, final("", "%q is not a device id of Entra", oneLine(d.Key.Device, 64)))
	}
	return nil
}
