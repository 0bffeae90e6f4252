package graph

import (
	"context"
	"errors"
	"strings"

	"curfew/events"
)

// Tenants are the clients of all tenants, by tenant id. They do what [Client]
// does in the tenant that a device or a mail belongs to; a tenant that is not
// there is an error to give up on.
type Tenants map[string]*Client

// Open makes the clients of all tenants, and reports all mistakes in their
// configurations at once.
func Open(list []Tenant) (Tenants, error) {
	all, wrong := Tenants{}, []error(nil)
	for _, t := range list {
		c, err := New(t)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case all[c.tenant.ID] != nil:
			wrong = append(wrong, final("", "tenant %s is there twice, as %s and %s", c.tenant.ID, all[c.tenant.ID].tenant.Name, c.tenant.Name))
		default:
			all[c.tenant.ID] = c
		}
	}
	return all, errors.Join(wrong...)
}

func (ts Tenants) of(op, tenant string) (*Client, error) {
	if c := ts[strings.ToLower(tenant)]; c != nil {
		return c, nil
	}
	return nil, final(op, "no tenant %q is configured", oneLine(tenant, 64))
}

// Close lets go of connections that nobody uses.
func (ts Tenants) Close() {
	for _, c := range ts {
		c.Close()
	}
}

// Look is [Client.Look].
func (ts Tenants) Look(ctx context.Context, kase events.Case) (events.Device, error) {
	c, err := ts.of("look", kase.Key.Tenant)
	if err != nil {
		return events.Device{}, err
	}
	return c.Look(ctx, kase)
}

// Sync is [Client.Sync].
func (ts Tenants) Sync(ctx context.Context, d events.Device) error {
	return ts.act(ctx, "sync", d, (*Client).Sync)
}

// UpdateSignatures is [Client.UpdateSignatures].
func (ts Tenants) UpdateSignatures(ctx context.Context, d events.Device) error {
	return ts.act(ctx, "update signatures", d, (*Client).UpdateSignatures)
}

// Scan is [Client.Scan].
func (ts Tenants) Scan(ctx context.Context, d events.Device, full bool) error {
	return ts.act(ctx, "scan", d, func(c *Client, ctx context.Context, d events.Device) error { return c.Scan(ctx, d, full) })
}

// Reset is [Client.Reset].
func (ts Tenants) Reset(ctx context.Context, d events.Device) error {
	return ts.act(ctx, "Autopilot Reset", d, (*Client).Reset)
}

func (ts Tenants) act(ctx context.Context, op string, d events.Device, do func(*Client, context.Context, events.Device) error) error {
	c, err := ts.of(op, d.Key.Tenant)
	if err != nil {
		return err
	}
	return do(c, ctx, d)
}

// Record is [Client.Record].
func (ts Tenants) Record(ctx context.Context, d events.Device) (events.Device, error) {
	c, err := ts.of("read the record of actions", d.Key.Tenant)
	if err != nil {
		return d, err
	}
	return c.Record(ctx, d)
}

// SendMail is [Client.SendMail].
func (ts Tenants) SendMail(ctx context.Context, tenant, to, subject, html, text, key string) error {
	c, err := ts.of("send mail", tenant)
	if err != nil {
		return err
	}
	return c.SendMail(ctx, to, subject, html, text, key)
}

// Sent is [Client.Sent].
func (ts Tenants) Sent(ctx context.Context, tenant, key string) (bool, error) {
	c, err := ts.of("look for a sent mail", tenant)
	if err != nil {
		return false, err
	}
	return c.Sent(ctx, key)
}
