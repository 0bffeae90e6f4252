package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"curfew/events"
)

// recorder is Intune's record, as somebody last read it.
type recorder struct {
	d     events.Device
	err   error
	asked int
}

func (r *recorder) Record(context.Context, events.Device) (events.Device, error) {
	r.asked++
	return r.d, r.err
}

// TestBeforeTheCall: what the record shows is kept before something destructive is
// asked for. If it cannot be read, nothing is asked for; and nobody reads it for a scan.
func TestBeforeTheCall(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := events.Case{Device: events.Device{IntuneID: "i1"}}
	reset, scan := events.Task{Order: events.Order{Action: events.Reset}}, events.Task{Order: events.Order{Action: events.Scan}}

	r := &recorder{d: events.Device{Management: "managed", LastSync: at}}
	if got, err := before(r)(t.Context(), c, reset); err != nil || got != "managementState managed, last check-in 2026-03-02T09:00:00Z, no actions" {
		t.Errorf("%q, %v", got, err)
	}
	r.d.Actions = []events.DeviceAction{{Name: "syncDevice", State: "done", Started: at}, {Name: "wipe", State: "failed", Started: at.Add(time.Hour)}, {Name: "rebootNow", State: "done"}}
	if got, err := before(r)(t.Context(), c, reset); err != nil || !strings.HasSuffix(got, "3 actions, the newest: wipe failed, started 2026-03-02T10:00:00Z") {
		t.Errorf("%q, %v", got, err)
	}
	asked := r.asked
	if got, err := before(r)(t.Context(), c, scan); got != "" || err != nil || r.asked != asked {
		t.Errorf("before a scan: %q, %v, asked %d times", got, err, r.asked)
	}
	r.err = errors.New("503")
	if _, err := before(r)(t.Context(), c, reset); !errors.Is(err, r.err) {
		t.Errorf("unreadable: %v", err)
	}
}
