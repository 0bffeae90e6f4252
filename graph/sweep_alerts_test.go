package graph_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph/graphtest"
)

func TestAlertsBecomeFactsAboutEachDevice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop, other := d.tenant.AddDevice(ana("LT-042")), d.tenant.AddDevice(ana("LT-043"))
		first := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High, Investigation: "running"})
		hidden := d.tenant.AddAlert("LT-043", graphtest.Alert{Severity: graphtest.Low, HideEntraID: true})
		b := newBook()
		s := d.sweep(b)
		complete(t, s.SweepAlerts(d.ctx))
		facts := map[string]events.Alert{}
		for _, e := range b.told() {
			facts[e.key.Device] = e.fact.(events.Alerted).Alert
		}
		a := facts[laptop.EntraID]
		if a.ID != first.ID || a.Severity != "high" || a.Status != "new" || a.Investigation != "running" || a.Remediation != "active" ||
			a.DefenderDevice != laptop.DefenderID || a.Incident == "" || a.Updated.IsZero() || a.ReadAt.IsZero() || a.URL == "" || !a.Open() {
			t.Errorf("%+v", a)
		}
		if a := facts[events.UnresolvedPrefix+other.DefenderID]; a.ID != hidden.ID || len(facts) != 2 {
			t.Errorf("%+v", facts)
		}
	})
}

func TestAnAlertIsToldOncePerVersion(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		b := newBook()
		s := d.sweep(b)
		d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium})
		for range 5 { // overlapping passes
			complete(t, s.SweepAlerts(d.ctx))
			time.Sleep(time.Minute)
		}
		if told := b.told(); len(told) != 1 {
			t.Errorf("told %+v", told)
		}
		if asked := d.tenant.Requests(); !strings.Contains(asked[len(asked)-1].Query.Get("$filter"), "lastUpdateDateTime ge ") {
			t.Errorf("asked %+v", asked[len(asked)-1].Query)
		}
		d.tenant.Investigate("LT-042", "running")
		complete(t, s.SweepAlerts(d.ctx))
		if told := b.told(); len(told) != 1 || told[0].fact.(events.Alerted).Alert.Investigation != "running" {
			t.Errorf("told %+v", told)
		}
		time.Sleep(time.Minute)
		d.tenant.Heal("LT-042") // over: news only to a case
		complete(t, s.SweepAlerts(d.ctx))
		if told := b.told(); len(told) != 0 {
			t.Errorf("told %+v", told)
		}
		b.saw(events.Device{Key: d.kase(laptop).Key}, true)
		d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium})
		d.tenant.Heal("LT-042")
		complete(t, s.SweepAlerts(d.ctx))
		if told := b.told(); len(told) != 1 || told[0].fact.(events.Alerted).Alert.Open() {
			t.Errorf("told %+v", told)
		}
	})
}

func TestTheMarkMovesOnlyPastWhatIsStored(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		b := newBook()
		s := d.sweep(b)
		complete(t, s.SweepAlerts(d.ctx))
		time.Sleep(24 * time.Hour)
		before := string(b.marks["sweep."+contosoID+".alerts"])
		for range 30 {
			d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium})
			time.Sleep(time.Hour)
		}
		n := 0
		b.fail = func(entry) error {
			if n++; n == 20 {
				return errors.New("disk full")
			}
			return nil
		}
		if res := s.SweepAlerts(d.ctx); res.Complete || string(b.marks["sweep."+contosoID+".alerts"]) != before {
			t.Errorf("%+v, mark %s", res, b.marks)
		}
		b.fail = nil
		b.told()
		complete(t, s.SweepAlerts(d.ctx))
		if told := b.told(); len(told) != 30 {
			t.Errorf("told %d", len(told))
		}
		if string(b.marks["sweep."+contosoID+".alerts"]) == before {
			t.Error("the mark stays")
		}
	})
}

func TestAnIgnoredFilterIsNoStormOfAlerts(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		for range 50 {
			d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium})
		}
		time.Sleep(40 * 24 * time.Hour)
		fresh := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High})
		d.client = d.blind()
		b := newBook()
		complete(t, d.sweep(b).SweepAlerts(d.ctx))
		if told := b.told(); len(told) != 1 || told[0].fact.(events.Alerted).Alert.ID != fresh.ID {
			t.Errorf("told %d", len(told))
		}
	})
}

func TestADateInTheFutureHidesNothing(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		odd := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium})
		d.tenant.SetAlertRaw(odd.ID, "lastUpdateDateTime", time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339))
		b := newBook()
		s := d.sweep(b)
		complete(t, s.SweepAlerts(d.ctx))
		time.Sleep(time.Hour)
		d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High})
		complete(t, s.SweepAlerts(d.ctx))
		found := 0
		for _, e := range b.told() {
			if e.fact.(events.Alerted).Alert.Severity == "high" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("found %d", found)
		}
	})
}

func TestAnAlertWithOddEvidence(t *testing.T) {
	const row = `{"id":"a1","status":"new","severity":"high","lastUpdateDateTime":"%s","evidence":%s}`
	const device, machine = "11111111-2222-3333-4444-555555555555", machineID
	for name, c := range map[string]struct {
		evidence             string
		told, nameless       int
		key, remediation     string
		complete, unreadable bool
	}{
		"none":         {evidence: `[]`},
		"null":         {evidence: `null`},
		"no list":      {evidence: `"x"`},
		"other kinds":  {evidence: `[{"@odata.type":"#microsoft.graph.security.userEvidence","azureAdDeviceId":"` + device + `"},null,7]`},
		"no ids":       {evidence: `[{"@odata.type":"#microsoft.graph.security.deviceEvidence","deviceDnsName":"lt-042"}]`, nameless: 1},
		"ids that lie": {evidence: `[{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"*.>","mdeDeviceId":"../x"}]`, nameless: 1},
		"zeros":        {evidence: `[{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"00000000-0000-0000-0000-000000000000","mdeDeviceId":"` + strings.ToUpper(machine) + `"}]`, told: 1, key: "mde-" + machine},
		"twice, the worst counts": {evidence: `[{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"` + device + `","remediationStatus":"remediated"},
			{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"` + strings.ToUpper(device) + `","remediationStatus":"active"},
			{"@odata.type":"#microsoft.graph.security.deviceEvidence","azureAdDeviceId":"` + device + `","remediationStatus":"blocked"}]`, told: 1, key: device, remediation: "active"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				d.client = d.instead(func(*http.Request) *http.Response {
					return jsonAnswer(`{"value":[` + fmt.Sprintf(row, time.Now().UTC().Format(time.RFC3339), c.evidence) + `]}`)
				})
				b := newBook()
				res := complete(t, d.sweep(b).SweepAlerts(d.ctx))
				told := b.told()
				if len(told) != c.told || res.Nameless != c.nameless {
					t.Fatalf("%+v, told %+v", res, told)
				}
				if c.told > 0 && (told[0].key.Device != c.key || told[0].fact.(events.Alerted).Alert.Remediation != c.remediation) {
					t.Errorf("told %+v", told[0])
				}
			})
		})
	}
}
