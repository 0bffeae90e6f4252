package graph

import (
	"context"
	"strings"
	"time"

	"curfew/events"
)

// remoteAuditRow is a remoteActionAudit (Graph beta docs, 2024-08). Its action is a
// member of remoteAction, which tells a factory reset from one that keeps the
// enrolment; deviceActionResults does not always.
type remoteAuditRow struct {
	Device text   `json:"managedDeviceId"`
	Action text   `json:"action"`
	State  text   `json:"actionState"`
	Asked  moment `json:"requestDateTime"`
}

// Audited are the actions on the device that Intune's audit of remote actions
// shows since then: a second witness, where [Client.Record] shows none
// (powershell-intune-samples#35: a wipe that deviceActionResults does not list).
// Only the beta API has it. It says nothing of how an action stands later, so
// Updated is when it was asked for.
func (c *Client) Audited(ctx context.Context, d events.Device, since time.Time) ([]events.DeviceAction, error) {
	k := call{op: "read the audit of remote actions", needs: "DeviceManagementManagedDevices.Read.All", service: intune}
	if err := c.mine(k, d); err != nil {
		return nil, err
	}
	var found []events.DeviceAction
	pages := 0
	// No filter is documented for it; what is not ours is passed over here.
	first := k.of(c.raw("beta/deviceManagement/remoteActionAudits", ""), nil)
	err := read(ctx, c.send, first, c.follow(k), func(p page[remoteAuditRow]) error {
		if pages++; pages > findPages {
			return &Error{Message: "this tenant has too many audits of remote actions to search"}
		}
		for _, r := range p.Value.list {
			if at := r.Asked.time(); strings.EqualFold(string(r.Device), d.IntuneID) && !at.Before(since) {
				found = append(found, events.DeviceAction{Name: string(r.Action), State: string(r.State), Started: at, Updated: at})
			}
		}
		return nil
	})
	if err != nil {
		return nil, c.about(k, err)
	}
	return found, nil
}

// Audited is [Client.Audited].
func (ts Tenants) Audited(ctx context.Context, d events.Device, since time.Time) ([]events.DeviceAction, error) {
	c, err := ts.of("read the audit of remote actions", d.Key.Tenant)
	if err != nil {
		return nil, err
	}
	return c.Audited(ctx, d, since)
}
