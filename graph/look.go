package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"curfew/events"

	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
)

const needsDevices = "DeviceManagementManagedDevices.Read.All"

func (c *Client) managedDevices() *devicemanagement.ManagedDevicesRequestBuilder {
	return devicemanagement.NewDeviceManagementRequestBuilderInternal(nil, c.adapter).ManagedDevices()
}

// managed is the builder for one managed device, whose id must have been checked.
func (c *Client) managed(id string) *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder {
	return c.managedDevices().ByManagedDeviceId(id)
}

// Look reads how the device of a case is now. It takes several reads, so what it
// returns is how the device was at some moments after SeenAt.
//
// A device that Intune does not have, or has twice, and one that only Defender
// knows ([events.UnresolvedPrefix]), are for a person: the error says why, and
// GiveUp reports true. A part that Graph refuses is named in Missing, with the
// permission it needs, unless [LookOptions] leave it out. Whatever passes by
// itself (throttling, a server's error, no answer) fails the whole look: half a
// device is none.
//
// Of the alerts, those that the case knows are read again; new ones are found by
// [Sweep].
func (c *Client) Look(ctx context.Context, kase events.Case) (events.Device, error) {
	d, err := c.look(ctx, kase)
	if err != nil {
		return events.Device{}, err
	}
	return d, nil
}

func (c *Client) look(ctx context.Context, kase events.Case) (events.Device, error) {
	op := call{op: "look"}
	if kase.Key.Tenant != c.tenant.ID {
		return events.Device{}, c.told(op, final("", "the device is of another tenant, %s", kase.Key.Tenant))
	}
	d := events.Device{
		Key: kase.Key, SeenAt: time.Now().UTC(),
		DefenderID: kase.Device.DefenderID, Alerts: kase.Device.Alerts,
	}
	if strings.HasPrefix(kase.Key.Device, events.UnresolvedPrefix) {
		return d, c.about(op, c.lookUnresolved(ctx, kase))
	}
	if !isGUID(kase.Key.Device) {
		return d, c.told(op, final("", "%q is not a device id of Entra", oneLine(kase.Key.Device, 64)))
	}
	id, err := c.findManaged(ctx, kase.Key.Device)
	if err != nil {
		return d, err
	}
	row, err := c.getManaged(ctx, "read the managed device", id, kase.Key.Device, lookProperties())
	if err != nil {
		return d, err
	}
	row.fill(&d)
	o := c.tenant.Look
	for _, part := range []struct {
		wanted bool
		read   func(context.Context, *events.Device) error
	}{
		{!o.SkipSettings && d.Compliance != "compliant", c.lookSettings},
		{!o.SkipProtection && strings.EqualFold(d.OS, "Windows"), c.lookProtection},
		{!o.SkipAlerts, c.lookAlerts},
		{!o.SkipEntra, c.lookEntra},
		{!o.SkipUser && d.User+d.UserID != "", c.lookUser},
		{o.Groups && d.User+d.UserID != "", c.lookGroups},
		{o.Tags && c.defender != nil, c.lookTags},
	} {
		if !part.wanted {
			continue
		}
		if err := part.read(ctx, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// about completes an error that was made without its call.
func (c *Client) about(k call, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Tenant == "" {
		e.Tenant = c.tenant.Name
		if e.Op == "" {
			e.Op = k.op
		}
	}
	return err
}

// findPages bounds the search for one device, should the filter be ignored.
const findPages = 20

// findManaged finds the one managed device with this Entra id. Intune ignores
// filters that it does not support and sends every device instead, so each row
// is looked at, and only a list read to its end counts.
func (c *Client) findManaged(ctx context.Context, entraID string) (id string, err error) {
	filter := "azureADDeviceId eq " + quote(entraID)
	k := call{op: "find the managed device", needs: needsDevices, service: intune}
	ids, pages := map[string]bool{}, 0
	first := k.of(c.managedDevices().ToGetRequestInformation(ctx, &devicemanagement.ManagedDevicesRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesRequestBuilderGetQueryParameters{
			Filter: &filter, Select: []string{"id", "azureADDeviceId"},
		},
	}))
	next := func(link string) call {
		return k.of(c.managedDevices().WithUrl(link).ToGetRequestInformation(ctx, nil))
	}
	err = read(ctx, c.send, first, next, func(p page[managedRow]) error {
		if pages++; pages > findPages {
			return &Error{Op: k.op, Message: "Intune ignores the filter and sends every device; this tenant has too many to search"}
		}
		if p.Value.bad > 0 {
			return &Error{Op: k.op, Message: "a row that cannot be read, which might be the device"}
		}
		for _, r := range p.Value.list {
			switch {
			case !r.is(entraID):
			case !isGUID(string(r.ID)):
				return final(k.op, "Intune names the device %q, which is no id", oneLine(string(r.ID), 64))
			default:
				ids[string(r.ID)] = true
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return "", c.about(k, err)
	case len(ids) == 0:
		return "", c.told(k, final("", "Intune has no device with the Entra id %s: it is not enrolled, or not any more", entraID))
	case len(ids) > 1:
		return "", c.told(k, final("", "Intune has %d devices with the Entra id %s: a person must say which one it is, and delete the others", len(ids), entraID))
	}
	for id := range ids {
		return id, nil
	}
	return "", nil
}

// getManaged reads one managed device by its Intune id, and makes sure that it
// still is the device that was meant.
func (c *Client) getManaged(ctx context.Context, op, id, entraID string, properties []string) (managedRow, error) {
	var r managedRow
	k := call{op: op, needs: needsDevices, service: intune}
	err := c.send(ctx, k.of(c.managed(id).ToGetRequestInformation(ctx, &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetQueryParameters{Select: properties},
	})), &r)
	switch {
	case err != nil:
		return r, err
	case !strings.EqualFold(string(r.ID), id) || !r.is(entraID):
		return r, c.told(k, final("", "the managed device %s has the Entra id %q, not %s: it is another device by now", id, r.EntraID, entraID))
	}
	return r, nil
}

// orMissing notes a part that Graph refuses; anything else is an error.
func orMissing(d *events.Device, what string, err error) error {
	if e, no := refused(err); no {
		d.Missing = append(d.Missing, missing(what, e))
		return nil
	}
	return err
}

// tooMany notes that a part is longer than Curfew keeps.
func tooMany(d *events.Device, what string, most int) {
	d.Missing = append(d.Missing, fmt.Sprintf("%s: more than %d", what, most))
}
