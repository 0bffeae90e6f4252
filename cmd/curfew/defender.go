package main

import (
	"context"

	"curfew/events"
	"curfew/events/gate"
	"curfew/graph"
	"curfew/handlers"
)

// machines are the tenants' Defender for Endpoint, as the handlers want to see it.
type machines struct {
	tenants graph.Tenants
	guard   *gate.Guard
}

func machineAction(a graph.MachineAction, task string) handlers.MachineAction {
	return handlers.MachineAction{
		ID: a.ID, Type: a.Type, Status: a.Status, By: a.Requestor, Mine: a.Of(task), Created: a.Created, Updated: a.Updated,
	}
}

// MachineActions implements [handlers.MachineRecorder].
func (m machines) MachineActions(ctx context.Context, d events.Device, task string) ([]handlers.MachineAction, error) {
	all, err := m.tenants.MachineActions(ctx, d)
	if err != nil {
		return nil, err
	}
	out := make([]handlers.MachineAction, 0, len(all))
	for _, a := range all {
		out = append(out, machineAction(a, task))
	}
	return out, nil
}

// Isolate isolates the device, if nothing has come up against it since the
// handler's last look.
func (m machines) Isolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error) {
	if err := m.guard.Last(ctx, events.Isolate, d); err != nil {
		return handlers.MachineAction{}, err
	}
	a, err := m.tenants.Isolate(ctx, d, task, why)
	return machineAction(a, task), err
}

// Unisolate lets the device back.
func (m machines) Unisolate(ctx context.Context, d events.Device, task, why string) (handlers.MachineAction, error) {
	a, err := m.tenants.Unisolate(ctx, d, task, why)
	return machineAction(a, task), err
}

// RunAntiVirusScan scans the device.
func (m machines) RunAntiVirusScan(ctx context.Context, d events.Device, full bool, task, why string) (handlers.MachineAction, error) {
	a, err := m.tenants.RunAntiVirusScan(ctx, d, full, task, why)
	return machineAction(a, task), err
}

// StartInvestigation has Defender investigate the device.
func (m machines) StartInvestigation(ctx context.Context, d events.Device, task, why string) (id, state string, err error) {
	i, err := m.tenants.StartInvestigation(ctx, d, task, why)
	return i.ID, i.State, err
}
