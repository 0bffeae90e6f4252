// Package scan has Defender Antivirus scan a device: by way of Intune
// (windowsDefenderScan), which needs the device to check in, or by Defender for
// Endpoint (runAntiVirusScan), whose sensor needs not and whose record says who
// asked. Scanning twice does no harm, but is still avoided: when it is open
// whether a scan was started, the record is asked first.
//
// Accepted is not done, and a scan that is called done proves nothing about the
// device; only a later look does.
package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Intune is what this handler needs of Graph.
type Intune interface {
	handlers.Recorder

	// Scan asks for a quick or a full scan. Nil says that Intune took it on (204);
	// an error that is not Unsure says that it did not.
	Scan(ctx context.Context, d events.Device, full bool) error
}

// Handler scans devices.
type Handler struct {
	Intune   Intune
	Defender Defender // nil: there is none to scan by

	First  time.Duration // from the call until the record is first read; zero: a minute
	Limit  time.Duration // how long the scan may take; zero: 24 hours
	Settle time.Duration // how long the record may lag; zero: 10 minutes
}

// Do starts a scan, or reads what became of it.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	fact, err := h.do(ctx, c, t)
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return fact, nil
}

func (h Handler) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	full, err := kind(t.Kind)
	if err != nil {
		return nil, err
	}
	f := handlers.Follow{
		First:  cmp.Or(h.First, time.Minute),
		Limit:  cmp.Or(h.Limit, 24*time.Hour),
		Settle: cmp.Or(h.Settle, 10*time.Minute),
	}
	switch t.Via {
	case "", "intune":
		f.Names = handlers.ScanNames(full)
		return h.byIntune(ctx, c, t, f, full)
	case "defender":
		f.Names = []string{handlers.MachineScan}
		return h.byDefender(ctx, c, t, f, full)
	}
	return nil, handlers.GiveUp(errors.New(`a scan is done by way of "intune" or "defender"`))
}

func (h Handler) byIntune(ctx context.Context, c events.Case, t events.Task, f handlers.Follow, full bool) (events.Fact, error) {
	if t.Accepted != nil || t.Unsure {
		return f.Up(ctx, h.Intune, c, t, nil)
	}
	if err := handlers.Reachable(c.Device); err != nil {
		return nil, err
	}
	if !handlers.Windows(c.Device) {
		return nil, handlers.GiveUp(fmt.Errorf("the device runs %q, and Intune scans Windows only", c.Device.OS))
	}
	if err := h.Intune.Scan(ctx, c.Device, full); err != nil {
		return nil, handlers.Effect(err)
	}
	return f.Accepted(t, "Intune will ask the device for a "+cmp.Or(t.Kind, "quick")+" scan"), nil
}

func kind(kind string) (full bool, err error) {
	switch kind {
	case "", "quick":
		return false, nil
	case "full":
		return true, nil
	}
	return false, handlers.GiveUp(errors.New(`the kind of a scan is "quick" or "full"`))
}
