package graph

import (
	"context"

	"curfew/events"
)

// Machine is [Client.Machine].
func (ts Tenants) Machine(ctx context.Context, d events.Device) (Machine, error) {
	c, err := ts.of("find the machine in Defender", d.Key.Tenant)
	if err != nil {
		return Machine{}, err
	}
	return c.Machine(ctx, d)
}

// RunAntiVirusScan is [Client.RunAntiVirusScan].
func (ts Tenants) RunAntiVirusScan(ctx context.Context, d events.Device, full bool, task, why string) (MachineAction, error) {
	c, err := ts.of("scan by Defender", d.Key.Tenant)
	if err != nil {
		return MachineAction{}, err
	}
	return c.RunAntiVirusScan(ctx, d, full, task, why)
}

// Isolate is [Client.Isolate].
func (ts Tenants) Isolate(ctx context.Context, d events.Device, task, why string) (MachineAction, error) {
	c, err := ts.of("isolate", d.Key.Tenant)
	if err != nil {
		return MachineAction{}, err
	}
	return c.Isolate(ctx, d, task, why)
}

// Unisolate is [Client.Unisolate].
func (ts Tenants) Unisolate(ctx context.Context, d events.Device, task, why string) (MachineAction, error) {
	c, err := ts.of("release from isolation", d.Key.Tenant)
	if err != nil {
		return MachineAction{}, err
	}
	return c.Unisolate(ctx, d, task, why)
}

// StartInvestigation is [Client.StartInvestigation].
func (ts Tenants) StartInvestigation(ctx context.Context, d events.Device, task, why string) (Investigation, error) {
	c, err := ts.of("start an investigation", d.Key.Tenant)
	if err != nil {
		return Investigation{}, err
	}
	return c.StartInvestigation(ctx, d, task, why)
}

// MachineAction is [Client.MachineAction].
func (ts Tenants) MachineAction(ctx context.Context, tenant, id string) (MachineAction, error) {
	c, err := ts.of("read the machine action", tenant)
	if err != nil {
		return MachineAction{}, err
	}
	return c.MachineAction(ctx, id)
}

// MachineActions is [Client.MachineActions].
func (ts Tenants) MachineActions(ctx context.Context, d events.Device) ([]MachineAction, error) {
	c, err := ts.of("list the machine's actions", d.Key.Tenant)
	if err != nil {
		return nil, err
	}
	return c.MachineActions(ctx, d)
}
