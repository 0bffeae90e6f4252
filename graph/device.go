package graph

import (
	"cmp"
	"slices"
	"strings"

	"curfew/events"
)

// managedRow is a managedDevice of Graph v1.0, as far as it is of interest. The
// zero value of a property is what it has when nothing was sent.
type managedRow struct {
	ID         text   `json:"id"`
	EntraID    text   `json:"azureADDeviceId"`
	Name       text   `json:"deviceName"`
	Serial     text   `json:"serialNumber"`
	OS         text   `json:"operatingSystem"`
	OSVersion  text   `json:"osVersion"`
	Owner      text   `json:"managedDeviceOwnerType"`
	User       text   `json:"userPrincipalName"`
	UserID     text   `json:"userId"`
	UserName   text   `json:"userDisplayName"`
	Compliance text   `json:"complianceState"`
	Grace      moment `json:"complianceGracePeriodExpirationDateTime"`
	Threat     text   `json:"partnerReportedThreatState"`
	Management text   `json:"managementState"`
	Agent      text   `json:"managementAgent"`
	Registered text   `json:"deviceRegistrationState"`
	LastSync   moment `json:"lastSyncDateTime"`
	Category   text   `json:"deviceCategoryDisplayName"`

	Actions parts[actionRow] `json:"deviceActionResults"`
}

type actionRow struct {
	Name    text   `json:"actionName"`
	State   text   `json:"actionState"`
	Started moment `json:"startDateTime"`
	Updated moment `json:"lastUpdatedDateTime"`
}

// What is asked for of a managed device. Lists never have deviceActionResults
// (powershell-intune-samples#35, #161).
func rowProperties() []string {
	return []string{"id", "azureADDeviceId", "deviceName", "operatingSystem", "complianceState",
		"partnerReportedThreatState", "managementState", "lastSyncDateTime", "deviceCategoryDisplayName"}
}

func lookProperties() []string { return append(listProperties(), "deviceActionResults") }

func listProperties() []string {
	return append(rowProperties(), "serialNumber", "osVersion", "managedDeviceOwnerType", "userPrincipalName", "userId",
		"userDisplayName", "complianceGracePeriodExpirationDateTime", "managementAgent", "deviceRegistrationState")
}

func recordProperties() []string {
	return []string{"id", "azureADDeviceId", "deviceActionResults", "managementState", "lastSyncDateTime"}
}

// is reports whether the row is about the device with this Entra id. GUIDs are
// the same in either case.
func (r managedRow) is(entraID string) bool { return strings.EqualFold(string(r.EntraID), entraID) }

// maxActions bounds the record of actions; the newest count.
const maxActions = 50

func (r managedRow) actions() []events.DeviceAction {
	var out []events.DeviceAction
	for _, a := range r.Actions.list {
		out = append(out, events.DeviceAction{
			Name: string(a.Name), State: string(a.State), Started: a.Started.time(), Updated: a.Updated.time(),
		})
	}
	slices.SortStableFunc(out, func(a, b events.DeviceAction) int {
		return cmp.Or(b.Started.Compare(a.Started), b.Updated.Compare(a.Updated))
	})
	return out[:min(len(out), maxActions)]
}

// fill takes over what the row says.
func (r managedRow) fill(d *events.Device) {
	d.IntuneID, d.Name, d.Serial = string(r.ID), string(r.Name), string(r.Serial)
	d.OS, d.OSVersion, d.Owner = string(r.OS), string(r.OSVersion), string(r.Owner)
	d.User, d.UserID, d.UserName = string(r.User), string(r.UserID), string(r.UserName)
	d.Compliance, d.GraceUntil = string(r.Compliance), r.Grace.time()
	d.Threat = events.Threat(r.Threat)
	d.Management, d.Agent, d.Registration = string(r.Management), string(r.Agent), string(r.Registered)
	d.LastSync, d.Actions, d.Category = r.LastSync.time(), r.actions(), string(r.Category)
}

// key is the device's key, if Entra knows it at all.
func (c *Client) key(entraID string) (events.Key, bool) {
	if !isGUID(entraID) {
		return events.Key{}, false
	}
	return events.Key{Tenant: c.tenant.ID, Device: strings.ToLower(entraID)}, true
}
