package graph

import (
	"context"

	"curfew/events"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
)

// RemoteLock asks a device to lock its screen (Graph docs: managedDevice
// remoteLock). Intune does not have it for Windows (Intune docs: device-remote-lock).
func (c *Client) RemoteLock(ctx context.Context, d events.Device) error {
	return c.act(ctx, "remote lock", d, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.RemoteLock().ToPostRequestInformation(ctx, nil)
	})
}

// Restart asks a device to restart now (Graph docs: managedDevice rebootNow).
// What its user has not saved is lost.
func (c *Client) Restart(ctx context.Context, d events.Device) error {
	return c.act(ctx, "restart", d, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.RebootNow().ToPostRequestInformation(ctx, nil)
	})
}

// Retire asks for the company's data and the enrolment to go (Graph docs:
// managedDevice retire). The join to Entra goes with them: a laptop that is
// joined to Entra only may then have nobody who can sign in.
func (c *Client) Retire(ctx context.Context, d events.Device) error {
	return c.RetireWith(ctx, d, Approval{})
}

// RetireWith is Retire in a tenant that wants a second administrator to approve;
// see [Approval].
func (c *Client) RetireWith(ctx context.Context, d events.Device, a Approval) error {
	return c.actWith(ctx, "retire", d, a, func(b *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilder) (*abstractions.RequestInformation, error) {
		return b.Retire().ToPostRequestInformation(ctx, nil)
	})
}

// RemoteLock is [Client.RemoteLock].
func (ts Tenants) RemoteLock(ctx context.Context, d events.Device) error {
	return ts.act(ctx, "remote lock", d, (*Client).RemoteLock)
}

// Restart is [Client.Restart].
func (ts Tenants) Restart(ctx context.Context, d events.Device) error {
	return ts.act(ctx, "restart", d, (*Client).Restart)
}

// RetireWith is [Client.RetireWith].
func (ts Tenants) RetireWith(ctx context.Context, d events.Device, a Approval) error {
	return ts.act(ctx, "retire", d, func(c *Client, ctx context.Context, d events.Device) error { return c.RetireWith(ctx, d, a) })
}

// FactoryWipeWith is [Client.FactoryWipeWith].
func (ts Tenants) FactoryWipeWith(ctx context.Context, d events.Device, a Approval) error {
	return ts.act(ctx, "factory wipe", d, func(c *Client, ctx context.Context, d events.Device) error { return c.FactoryWipeWith(ctx, d, a) })
}
