package graph

import (
	"context"
	"encoding/json"
	"strings"

	"curfew/events"
)

// PrimaryUser reads the object id of the device's primary user as it is now;
// empty: it has none. A reset from afar removes it (Intune docs: Windows Autopilot
// Reset, 2025-10), so whoever resets keeps it for [Client.SetPrimaryUser].
func (c *Client) PrimaryUser(ctx context.Context, d events.Device) (userID string, err error) {
	k := call{op: "read the primary user", needs: needsDevices, service: intune}
	if err := c.mine(k, d); err != nil {
		return "", err
	}
	var ids []string
	first := k.of(c.managed(d.IntuneID).Users().ToGetRequestInformation(ctx, nil))
	err = read(ctx, c.send, first, c.follow(k), func(p page[userRow]) error {
		for _, u := range p.Value.list {
			if isGUID(string(u.ID)) {
				ids = append(ids, strings.ToLower(string(u.ID)))
			}
		}
		if p.Value.bad > 0 || len(ids) > 1 {
			return final("", "Intune names more than one primary user, or one that cannot be read")
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return "", c.about(k, err)
	}
	return ids[0], nil
}

// SetPrimaryUser makes the user, by object id, the primary user of a device that
// has none. It can be repeated. Where somebody else is by now, who signs in first
// after a reset (Intune docs: Windows Autopilot Reset, 2025-10), they stay: that is
// an error, for which GiveUp reports true. Intune has no way to make this one step,
// so whoever signs in between the last look and the write is replaced.
//
// The reference is written to beta, as Microsoft's own samples do
// (mggraph-intune-samples); v1.0 documents none, although its metadata has the
// property.
func (c *Client) SetPrimaryUser(ctx context.Context, d events.Device, userID string) error {
	k := call{op: "set the primary user", needs: needsManage, service: intune, write: true}
	if err := c.mine(k, d); err != nil {
		return err
	}
	if !isGUID(userID) {
		return c.told(k, final("", "%q is not the object id of a user", oneLine(userID, 64)))
	}
	switch is, err := c.PrimaryUser(ctx, d); {
	case err != nil:
		return err
	case strings.EqualFold(is, userID):
		return nil
	case is != "":
		return c.told(k, final("", "the user %s has become the primary user meanwhile, and stays it", is))
	}
	body, err := json.Marshal(map[string]string{"@odata.id": c.graph + "/beta/users/" + userID})
	if err != nil {
		return c.told(k, final("", "the request cannot be made: %s", err))
	}
	return c.send(ctx, k.of(c.post("beta/deviceManagement/managedDevices/"+d.IntuneID+"/users/$ref", body), nil), nil)
}

// PrimaryUser is [Client.PrimaryUser].
func (ts Tenants) PrimaryUser(ctx context.Context, d events.Device) (userID string, err error) {
	c, err := ts.of("read the primary user", d.Key.Tenant)
	if err != nil {
		return "", err
	}
	return c.PrimaryUser(ctx, d)
}

// SetPrimaryUser is [Client.SetPrimaryUser].
func (ts Tenants) SetPrimaryUser(ctx context.Context, d events.Device, userID string) error {
	return ts.act(ctx, "set the primary user", d, func(c *Client, ctx context.Context, d events.Device) error {
		return c.SetPrimaryUser(ctx, d, userID)
	})
}
