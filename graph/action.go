package graph

import (
	"context"
	"strings"

	"curfew/events"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
)

const needsActions = "DeviceManagementManagedDevices.PrivilegedOperations.All"

// act asks Intune for something to be done to a device. Success is 204: queued,
// not done. Whatever goes wrong after the request left is [Error.Unsure].
func (c *Client) act(ctx context.Context, op string, d events.Device, build func(*devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error)) error {
	return c.actWith(ctx, op, d, Approval{}, build)
}

// actWith is act in a tenant that may want a second administrator to approve.
func (c *Client) actWith(ctx context.Context, op string, d events.Device, a Approval, build func(*devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error)) error {
	k := call{op: op, needs: needsActions, service: intune, write: true, effect: true}
	if err := c.mine(k, d); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return c.told(k, err)
	}
	req, err := build(c.managed(d.IntuneID))
	if err == nil {
		a.sign(req.Headers)
	}
	return a.told(c.send(ctx, k.of(req, err), nil))
}

// mine makes sure that the device is of this tenant, and its ids are ids.
func (c *Client) mine(k call, d events.Device) error {
	if err := c.entraKnows(k, d); err != nil {
		return err
	}
	if !isGUID(d.IntuneID) {
		return c.told(k, final("", "%q is not a device id of Intune: look at the device first", oneLine(d.IntuneID, 64)))
	}
	return nil
}

// Sync asks a device to check in with Intune now (Graph docs:
// managedDevice syncDevice). All platforms.
func (c *Client) Sync(ctx context.Context, d events.Device) error {
	return c.act(ctx, "sync", d, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.SyncDevice().ToPostRequestInformation(ctx, nil)
	})
}

// UpdateSignatures asks a Windows device to fetch Defender's newest signatures
// (Graph docs: managedDevice windowsDefenderUpdateSignatures).
func (c *Client) UpdateSignatures(ctx context.Context, d events.Device) error {
	return c.act(ctx, "update signatures", d, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.WindowsDefenderUpdateSignatures().ToPostRequestInformation(ctx, nil)
	})
}

// Scan asks a Windows device for a scan by Defender Antivirus: a quick one, or a
// full one (Graph docs: managedDevice windowsDefenderScan).
func (c *Client) Scan(ctx context.Context, d events.Device, full bool) error {
	quick := !full
	body := devicemanagement.NewManagedDevicesItemWindowsDefenderScanPostRequestBody()
	body.SetQuickScan(&quick)
	return c.act(ctx, "scan", d, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.WindowsDefenderScan().ToPostRequestInformation(ctx, body, nil)
	})
}

// Reset asks for an Autopilot Reset: the user's files, apps and settings go, the
// enrolment and the join stay. It is the wipe action with keepEnrollmentData
// true and keepUserData false (Intune docs: Remote device action: Autopilot
// Reset, 2025-10; the body is what CIPP and others send). One flipped boolean
// makes it something else, and on anything but Windows it is a full wipe: so the
// device is read once more, and refused if it is not the one meant, or not
// Windows.
func (c *Client) Reset(ctx context.Context, d events.Device) error {
	return c.ResetWith(ctx, d, Approval{})
}

// ResetWith is Reset in a tenant that wants a second administrator to approve;
// see [Approval].
func (c *Client) ResetWith(ctx context.Context, d events.Device, a Approval) error {
	const op = "Autopilot Reset"
	if err := c.mine(call{op: op}, d); err != nil {
		return err
	}
	row, err := c.getManaged(ctx, op+": last check", d.IntuneID, d.Key.Device, []string{"id", "azureADDeviceId", "operatingSystem"})
	if err != nil {
		return err
	}
	if !strings.EqualFold(string(row.OS), "Windows") {
		return c.told(call{op: op}, final("", "the device runs %q: Autopilot Reset is for Windows, and would be a full wipe", row.OS))
	}
	return c.wipe(ctx, op, d, a, true, false)
}

// FactoryWipe asks for everything on the device to go, the enrolment with it
// (Graph docs: managedDevice wipe). It is not Autopilot Reset: nothing is left
// that Curfew could look at.
func (c *Client) FactoryWipe(ctx context.Context, d events.Device) error {
	return c.FactoryWipeWith(ctx, d, Approval{})
}

// FactoryWipeWith is FactoryWipe in a tenant that wants a second administrator to
// approve; see [Approval].
func (c *Client) FactoryWipeWith(ctx context.Context, d events.Device, a Approval) error {
	return c.wipe(ctx, "factory wipe", d, a, false, false)
}

func (c *Client) wipe(ctx context.Context, op string, d events.Device, a Approval, keepEnrollment, keepUser bool) error {
	body := devicemanagement.NewManagedDevicesItemWipePostRequestBody()
	body.SetKeepEnrollmentData(&keepEnrollment)
	body.SetKeepUserData(&keepUser)
	return c.actWith(ctx, op, d, a, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.Wipe().ToPostRequestInformation(ctx, body, nil)
	})
}

// Record reads what Intune has on record about actions on the device:
// d with its Actions, Management and LastSync as they are now. Intune has been
// seen to list nothing for a wipe whose Management says wipePending
// (powershell-intune-samples#35, #161): look at both.
func (c *Client) Record(ctx context.Context, d events.Device) (events.Device, error) {
	const op = "read the record of actions"
	if err := c.mine(call{op: op}, d); err != nil {
		return d, err
	}
	row, err := c.getManaged(ctx, op, d.IntuneID, d.Key.Device, recordProperties())
	if err != nil {
		return d, err
	}
	d.Actions, d.Management, d.LastSync = row.actions(), string(row.Management), row.LastSync.time()
	return d, nil
}
