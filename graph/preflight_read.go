package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/events"
)

type autopilotRow struct {
	EntraID text `json:"azureActiveDirectoryDeviceId"`
	Managed text `json:"managedDeviceId"`
	Serial  text `json:"serialNumber"`
	State   text `json:"enrollmentState"`
}

// checkAutopilot looks for the device among windowsAutopilotDeviceIdentities. It
// asks by serial number, which is the filter that others use there, and then by
// Entra id; the answer is checked, because Intune ignores filters. A serial number
// alone proves nothing: some makers give many devices the same.
func (c *Client) checkAutopilot(ctx context.Context, d events.Device) (Check, error) {
	if !isWindows(d) {
		return Check{CheckAutopilot, No, "it does not run Windows"}, nil
	}
	filters := []string{"azureActiveDirectoryDeviceId eq " + quote(d.Key.Device)}
	if d.Serial != "" {
		filters = append([]string{"contains(serialNumber," + quote(d.Serial) + ")"}, filters...)
	}
	namesake := false
	for _, filter := range filters {
		found, same, err := c.autopilot(ctx, d, filter)
		switch {
		case err != nil:
			return unless(CheckAutopilot, err)
		case found != nil:
			return Check{CheckAutopilot, Yes, "it is registered; enrollmentState is " + string(found.State)}, nil
		}
		namesake = namesake || same
	}
	if namesake {
		return Check{CheckAutopilot, Unknown, "an Autopilot device has its serial number and is tied to another device"}, nil
	}
	return Check{CheckAutopilot, No, "no Autopilot device has its ids"}, nil
}

func (c *Client) autopilot(ctx context.Context, d events.Device, filter string) (found *autopilotRow, namesake bool, err error) {
	k := call{op: "find the Autopilot identity", needs: needsAutopilot, service: intune}
	pages := 0
	first := k.of(c.raw("v1.0/deviceManagement/windowsAutopilotDeviceIdentities", filter), nil)
	err = read(ctx, c.send, first, c.follow(k), func(p page[autopilotRow]) error {
		if pages++; pages > findPages {
			return final(k.op, "Intune ignores the filter, and there are too many Autopilot devices to search")
		}
		for _, r := range p.Value.list {
			switch {
			case strings.EqualFold(string(r.EntraID), d.Key.Device), strings.EqualFold(string(r.Managed), d.IntuneID):
				found = &r
			case d.Serial != "" && strings.EqualFold(string(r.Serial), d.Serial):
				namesake = true
			}
		}
		if p.Value.bad > 0 {
			return final(k.op, "a row that cannot be read, which might be the device")
		}
		return nil
	})
	return found, namesake, c.about(k, err)
}

type keyRow struct { // and never the key
	DeviceID text   `json:"deviceId"`
	Volume   text   `json:"volumeType"`
	Created  moment `json:"createdDateTime"`
}

// checkKey asks whether Entra has a BitLocker recovery key of the system volume. It
// never asks for the key: without $select it is not sent (Graph docs:
// bitlocker-list-recoverykeys).
func (c *Client) checkKey(ctx context.Context, d events.Device) (Check, error) {
	if !isWindows(d) {
		return Check{CheckKey, No, "it does not run Windows"}, nil
	}
	k := call{op: "find the recovery key", needs: needsKeys, service: identity}
	system, other, pages := 0, 0, 0
	var newest time.Time
	first := k.of(c.raw("v1.0/informationProtection/bitlocker/recoveryKeys", "deviceId eq "+quote(d.Key.Device)), nil)
	err := read(ctx, c.send, first, c.follow(k), func(p page[keyRow]) error {
		if pages++; pages > findPages {
			return final(k.op, "the filter was ignored")
		}
		for _, r := range p.Value.list {
			if !strings.EqualFold(string(r.DeviceID), d.Key.Device) {
				continue
			}
			if r.Volume != "operatingSystemVolume" && r.Volume != "1" { // the docs have both forms
				other++
				continue
			}
			system++
			if at := r.Created.time(); at.After(newest) {
				newest = at
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return unless(CheckKey, c.about(k, err))
	case system > 0:
		return Check{CheckKey, Yes, fmt.Sprintf("Entra has %d of the system volume, the newest of %s", system, newest.Format(time.DateOnly))}, nil
	case other > 0:
		return Check{CheckKey, No, fmt.Sprintf("Entra has %d, but none of the system volume", other)}, nil
	}
	return Check{CheckKey, No, "Entra has none for it: it may not be encrypted, or the key is kept elsewhere"}, nil
}
