package graph_test

import (
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// preflight checks a device that must be there, by the name of each check.
func (d *desk) preflight(dev events.Device) map[string]graph.Check {
	d.t.Helper()
	checks, err := d.client.Preflight(d.ctx, dev)
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]graph.Check{}
	for _, c := range checks {
		if c.Reason == "" || strings.ContainsAny(c.Reason, "\r\n") || all[c.Name].Name != "" {
			d.t.Errorf("%+v", c)
		}
		all[c.Name] = c
	}
	if len(all) != 9 {
		d.t.Errorf("%d checks", len(all))
	}
	return all
}

// lookAgain looks at a device again.
func (d *desk) lookAgain(dev events.Device) events.Device {
	d.t.Helper()
	dev, err := d.client.Look(d.ctx, events.Case{Key: dev.Key, Device: dev})
	if err != nil {
		d.t.Fatal(err)
	}
	return dev
}

func acting(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		d.app.Grant(graphtest.ActingRoles()...)
		tell(t, d)
	})
}

func TestNothingSpeaksAgainstAReset(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		dev := d.look(laptop)
		alert := d.tenant.Infect("LT-042", graphtest.High)
		dev.Alerts = []events.Alert{{ID: alert.ID}}
		for name, c := range d.preflight(dev) {
			if c.Verdict != graph.Yes {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if n := len(d.posted()); n != 0 {
			t.Errorf("%d writes", n)
		}
		for _, r := range d.tenant.Requests() {
			if strings.Contains(r.Path, "recoveryKeys") && (r.Query.Has("$select") || strings.HasSuffix(r.Path, "Keys/")) {
				t.Errorf("the key may be in the answer: %s %v", r.Path, r.Query)
			}
		}
	})
}

func TestWhatSpeaksAgainstAReset(t *testing.T) {
	for check, c := range map[string]struct {
		of   graphtest.Device
		do   func(*desk, *events.Device)
		want graph.Verdict
		says string
	}{
		graph.CheckWindows:   {of: graphtest.Device{OS: "macOS"}, want: graph.No, says: "full wipe"},
		graph.CheckJoin:      {of: graphtest.Device{Join: graphtest.HybridJoined}, want: graph.No, says: "hybrid"},
		graph.CheckAutopilot: {do: func(d *desk, _ *events.Device) { d.tenant.ForgetAutopilot("LT-042") }, want: graph.No, says: "no Autopilot"},
		graph.CheckKey:       {do: func(d *desk, _ *events.Device) { d.tenant.LoseRecoveryKey("LT-042") }, want: graph.No, says: "none"},
		graph.CheckSeen:      {do: func(d *desk, _ *events.Device) { d.tenant.Offline("LT-042"); time.Sleep(50 * time.Hour) }, want: graph.No, says: "50h"},
		graph.CheckNotWiping: {do: func(d *desk, dev *events.Device) { _ = d.client.Reset(d.ctx, *dev) }, want: graph.No, says: "wipePending"},
		graph.CheckNoAction:  {do: func(d *desk, dev *events.Device) { _ = d.client.Restart(d.ctx, *dev) }, want: graph.No, says: "rebootNow is pending"},
		graph.CheckUser:      {of: graphtest.Device{}, want: graph.No, says: "none to restore"},
		graph.CheckRisk: {want: graph.No, says: "close them instead", do: func(d *desk, dev *events.Device) {
			alert := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High, Investigation: "running"})
			d.tenant.SetRaw("LT-042", "partnerReportedThreatState", "highSeverity") // as long as it is open
			dev.Alerts = []events.Alert{{ID: alert.ID}}
			*dev = d.lookAgain(*dev)
			if c := d.preflight(*dev)[graph.CheckRisk]; c.Verdict != graph.Yes || !strings.Contains(c.Reason, alert.ID) {
				d.t.Errorf("%+v", c)
			}
			// A moment later the investigation ends well, and nobody closes the alert.
			d.tenant.Investigate("LT-042", "successfullyRemediated")
		}},
	} {
		t.Run(check, func(t *testing.T) {
			acting(t, func(t *testing.T, d *desk) {
				c.of.Name = "LT-042"
				if check != graph.CheckUser {
					c.of.User = "ana@contoso.example"
				}
				dev := d.look(d.tenant.AddDevice(c.of))
				d.tenant.AddDevice(ana("LT-043")) // whose ids must not count
				if c.do != nil {
					c.do(d, &dev)
				}
				if got := d.preflight(dev)[check]; got.Verdict != c.want || !strings.Contains(got.Reason, c.says) {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func TestWhatIsNotShownIsNotKnown(t *testing.T) {
	story(t, func(t *testing.T, d *desk) { // without the permissions of an actuator
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		d.app.Revoke("Device.Read.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All")
		dev.Alerts = []events.Alert{{ID: "a1"}}
		d.tenant.SetRaw("LT-042", "managementState", "hibernating")
		d.tenant.SetRaw("LT-042", "lastSyncDateTime", nil)
		d.tenant.SetRaw("LT-042", "deviceActionResults", []map[string]any{{"actionName": "dream", "actionState": "deep"}})
		got := d.preflight(dev)
		for name, says := range map[string]string{
			graph.CheckJoin: "Device.Read.All", graph.CheckAutopilot: "DeviceManagementServiceConfig.Read.All",
			graph.CheckKey: "BitlockerKey.ReadBasic.All", graph.CheckRisk: "SecurityAlert.Read.All",
			graph.CheckNotWiping: "hibernating", graph.CheckSeen: "does not say", graph.CheckNoAction: "deep",
		} {
			if c := got[name]; c.Verdict != graph.Unknown || !strings.Contains(c.Reason, says) {
				t.Errorf("%+v does not say %q", c, says)
			}
		}
	})
}

func TestHalfAPreflightIsNone(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		d.tenant.Throttle("informationProtection", 1, time.Minute)
		checks, err := d.client.Preflight(d.ctx, dev)
		want{status: 429, after: time.Minute}.check(t, err)
		if checks != nil {
			t.Errorf("%+v", checks)
		}
		time.Sleep(time.Minute)
		d.tenant.Remove("LT-042")
		want{giveUp: true, status: 404}.check(t, second(d.client.Preflight(d.ctx, dev)))
		dev.Key.Tenant = fabrikID
		want{giveUp: true, says: "another tenant"}.check(t, second(d.client.Preflight(d.ctx, dev)))
	})
}

func TestASerialNumberIsNoProof(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "LT-043", Serial: "System Serial Number"})
		dev := d.look(d.tenant.AddDevice(graphtest.Device{Name: "LT-042", Serial: "System Serial Number"}))
		d.tenant.ForgetAutopilot("LT-042")
		if c := d.preflight(dev)[graph.CheckAutopilot]; c.Verdict != graph.Unknown || !strings.Contains(c.Reason, "another device") {
			t.Errorf("%+v", c)
		}
	})
}

func TestMoreDeviceActions(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		for name, do := range map[string]func() error{
			"remoteLock": func() error { return d.client.RemoteLock(d.ctx, dev) },
			"rebootNow":  func() error { return d.client.Restart(d.ctx, dev) },
			"retire":     func() error { return d.client.Retire(d.ctx, dev) },
		} {
			if err := do(); err != nil {
				t.Error(err)
			}
			done := d.tenant.Actions("LT-042")
			if last := done[len(done)-1]; last.Kind != name || len(last.Body) != 0 {
				t.Errorf("%s: asked for %+v", name, last)
			}
		}
	})
}
