package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"curfew/events"

	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/devices"
)

// How much of each part is kept.
const (
	maxSettings = 100
	maxMalware  = 100
	// maxGone is how much malware that is not there any more: every look and every record
	// of a case bears it, and Intune forgets none.
	maxGone = 20
)

type policyRow struct {
	Name     text              `json:"displayName"`
	State    text              `json:"state"` // complianceStatus: nonCompliant, with a capital, unlike complianceState
	Settings parts[settingRow] `json:"settingStates"`
}

type settingRow struct {
	Setting text `json:"setting"`
	Name    text `json:"settingName"`
	State   text `json:"state"`
	Value   text `json:"currentValue"`
	Code    text `json:"errorCode"`
	Detail  text `json:"errorDescription"`
}

// met reports whether a compliance status asks nothing of anybody.
func met(state text) bool {
	switch state {
	case "compliant", "remediated", "notApplicable", "notAssigned":
		return true
	}
	return false
}

// lookSettings reads which settings of which policies are not met. A device has
// a row for its user and one for the system account (Intune docs:
// compliance-policy-monitor), so what is said twice is taken once.
func (c *Client) lookSettings(ctx context.Context, d *events.Device) error {
	const what = "compliance policy states"
	k := call{op: "read " + what, needs: needsDevices, service: intune}
	b := c.managed(d.IntuneID).DeviceCompliancePolicyStates()
	next := func(link string) call { return k.of(b.WithUrl(link).ToGetRequestInformation(ctx, nil)) }
	err := read(ctx, c.send, k.of(b.ToGetRequestInformation(ctx, nil)), next, func(p page[policyRow]) error {
		for _, policy := range p.Value.list {
			for _, s := range policy.unmet() {
				if !slices.Contains(d.Settings, s) {
					d.Settings = append(d.Settings, s)
				}
			}
		}
		if p.Value.bad > 0 {
			d.Missing = append(d.Missing, fmt.Sprintf("%s: %d that cannot be read", what, p.Value.bad))
		}
		return nil
	})
	if len(d.Settings) > maxSettings {
		d.Settings = d.Settings[:maxSettings]
		tooMany(d, what, maxSettings)
	}
	return orMissing(d, what, c.about(k, err))
}

func (p policyRow) unmet() []events.Setting {
	if met(p.State) {
		return nil
	}
	var out []events.Setting
	for _, s := range p.Settings.list {
		if met(s.State) {
			continue
		}
		name := s.Setting
		if name == "" {
			name = s.Name
		}
		detail := string(s.Detail)
		if detail == "" && s.Value != "" {
			detail = "is " + string(s.Value)
		}
		if s.Code != "" && s.Code != "0" {
			detail = strings.TrimSpace(detail + " (error " + string(s.Code) + ")")
		}
		out = append(out, events.Setting{Policy: string(p.Name), Name: string(name), State: string(s.State), Detail: oneLine(detail, maxText)})
	}
	if len(out) == 0 { // the policy is not met and does not say by what
		out = append(out, events.Setting{Policy: string(p.Name), State: string(p.State)})
	}
	return out
}

type protectionRow struct {
	Malware *parts[malwareRow] `json:"detectedMalwareState"`
	More    long               `json:"detectedMalwareState@odata.nextLink"`
}

type malwareRow struct {
	Name     text   `json:"displayName"`
	Severity text   `json:"severity"`
	State    text   `json:"threatState"`
	Changed  moment `json:"lastStateChangeDateTime"`
}

// lookProtection reads what Defender Antivirus found, by way of Intune.
func (c *Client) lookProtection(ctx context.Context, d *events.Device) error {
	const what = "windowsProtectionState"
	k := call{op: "read " + what, needs: needsDevices, service: intune}
	b := c.managed(d.IntuneID).WindowsProtectionState()
	var row protectionRow
	err := c.send(ctx, k.of(b.ToGetRequestInformation(ctx, &devicemanagement.ManagedDevicesItemWindowsProtectionStateRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesItemWindowsProtectionStateRequestBuilderGetQueryParameters{Expand: []string{"detectedMalwareState"}},
	})), &row)
	if err != nil {
		return orMissing(d, what, err)
	}
	if row.Malware == nil { // nothing was expanded: silence is not health
		d.Missing = append(d.Missing, what+": no list of malware in it")
		return nil
	}
	found, bad := row.Malware.list, row.Malware.bad
	next := func(link string) call {
		return k.of(b.DetectedMalwareState().WithUrl(link).ToGetRequestInformation(ctx, nil))
	}
	if row.More != "" {
		err = read(ctx, c.send, next(string(row.More)), next, func(p page[malwareRow]) error {
			found, bad = append(found, p.Value.list...), bad+p.Value.bad
			return nil
		})
	}
	d.Malware = malware(found)
	if bad > 0 {
		d.Missing = append(d.Missing, fmt.Sprintf("%s: %d detections that cannot be read", what, bad))
	}
	active := len(d.ActiveMalware())
	if active > maxMalware {
		tooMany(d, what+", active malware", maxMalware)
	}
	d.Malware = d.Malware[:min(len(d.Malware), active+maxGone, maxMalware)]
	return orMissing(d, what, c.about(k, err))
}

// malware has what is still there first, then the newest.
func malware(rows []malwareRow) []events.Malware {
	var out []events.Malware
	for _, m := range rows {
		out = append(out, events.Malware{Name: string(m.Name), Severity: string(m.Severity), State: string(m.State), Changed: m.Changed.time()})
	}
	slices.SortStableFunc(out, func(a, b events.Malware) int {
		switch {
		case a.Active() == b.Active():
			return b.Changed.Compare(a.Changed)
		case a.Active():
			return -1
		}
		return 1
	})
	return out
}

type entraRow struct {
	ID        text            `json:"id"`
	DeviceID  text            `json:"deviceId"`
	Trust     text            `json:"trustType"`
	Compliant yes             `json:"isCompliant"`
	Managed   yes             `json:"isManaged"`
	Removed   *map[string]any `json:"@removed"`
}

const needsEntra = "Device.Read.All"

func (c *Client) entra() *devices.DevicesRequestBuilder {
	return devices.NewDevicesRequestBuilderInternal(nil, c.adapter)
}

// lookEntra reads how the device is joined, and what Conditional Access goes by.
// The filter is checked again.
func (c *Client) lookEntra(ctx context.Context, d *events.Device) error {
	const what = "Entra device"
	k := call{op: "find the device in Entra", needs: needsEntra, service: identity}
	filter := "deviceId eq " + quote(d.Key.Device)
	var found []entraRow
	first := k.of(c.entra().ToGetRequestInformation(ctx, &devices.DevicesRequestBuilderGetRequestConfiguration{
		QueryParameters: &devices.DevicesRequestBuilderGetQueryParameters{Filter: &filter, Select: []string{"id", "deviceId", "trustType", "isCompliant"}},
	}))
	next := func(link string) call { return k.of(c.entra().WithUrl(link).ToGetRequestInformation(ctx, nil)) }
	pages := 0
	err := read(ctx, c.send, first, next, func(p page[entraRow]) error {
		if pages++; pages > findPages {
			return final(k.op, "the filter was ignored")
		}
		for _, r := range p.Value.list {
			if strings.EqualFold(string(r.DeviceID), d.Key.Device) {
				found = append(found, r)
			}
		}
		return nil
	})
	if err != nil {
		return orMissing(d, what, c.about(k, err))
	}
	if len(found) != 1 {
		d.Missing = append(d.Missing, fmt.Sprintf("%s: Entra has %d with this device id", what, len(found)))
		return nil
	}
	d.EntraID, d.Join, d.Access = string(found[0].ID), string(found[0].Trust), found[0].access()
	return nil
}

// access is isCompliant as a look keeps it: null, of a device that Intune has told
// Entra nothing about, is neither.
func (r entraRow) access() string {
	switch {
	case !r.Compliant.said:
		return ""
	case r.Compliant.is:
		return events.AccessGranted
	}
	return events.AccessRescinded
}
