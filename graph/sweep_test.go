package graph_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// noticed are the devices that the facts so far say to look at, by Entra id.
func (b *book) noticed(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, e := range b.told() {
		if f, ok := e.fact.(events.Noticed); !ok || f.Source != "sweep" || e.key.Tenant != contosoID {
			t.Errorf("told %+v", e)
		}
		ids = append(ids, e.key.Device)
	}
	slices.Sort(ids)
	return ids
}

func complete(t *testing.T, s graph.Swept) graph.Swept {
	t.Helper()
	if !s.Complete || s.Err != nil {
		t.Fatalf("%s: %+v", s.Kind, s)
	}
	return s
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("noticed %v, want %v", got, want)
	}
}

func TestTheSweepFindsWhatNobodyTold(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(2500)
		laptop, locker := d.tenant.AddDevice(ana("LT-042")), d.tenant.AddDevice(ana("LT-043"))
		odd := d.tenant.AddDevice(ana("LT-044"))
		b := newBook()
		s := d.sweep(b)
		if res := complete(t, s.SweepDevices(d.ctx)); res.Rows != 2503 || res.Pages != 3 || res.Told != 0 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t))
		d.tenant.Infect("LT-042", graphtest.Medium)
		d.tenant.BreakBitLocker("LT-043")
		d.tenant.SetRaw("LT-044", "partnerReportedThreatState", "cosmicSeverity")
		d.tenant.Infect("PC-000777", graphtest.Low)
		complete(t, s.SweepDevices(d.ctx))
		expect(t, b.noticed(t), laptop.EntraID, locker.EntraID, odd.EntraID, d.tenant.Device("PC-000777").EntraID)
	})
}

func TestWhatACaseHasSeenIsNoNews(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.Infect("LT-042", graphtest.Medium)
		b := newBook()
		s := d.sweep(b)
		b.saw(d.look(laptop), true)
		for range 3 {
			complete(t, s.SweepDevices(d.ctx))
			time.Sleep(time.Hour)
		}
		expect(t, b.noticed(t))
		d.tenant.BreakBitLocker("LT-042") // it was not compliant before
		complete(t, s.SweepDevices(d.ctx))
		expect(t, b.noticed(t))
		time.Sleep(8 * time.Hour) // it checked in
		complete(t, s.SweepDevices(d.ctx))
		expect(t, b.noticed(t), laptop.EntraID)
		b.saw(d.look(laptop), false) // a case that is closed does not care for check-ins
		time.Sleep(8 * time.Hour)
		complete(t, s.SweepDevices(d.ctx))
		expect(t, b.noticed(t))
		d.tenant.Heal("LT-042")
		complete(t, s.SweepDevices(d.ctx))
		expect(t, b.noticed(t), laptop.EntraID)
	})
}

func TestTheSameStateOfThingsIsOneFact(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		d.tenant.Infect("LT-042", graphtest.Medium)
		b := newBook()
		s := d.sweep(b)
		for range 3 {
			complete(t, s.SweepDevices(d.ctx))
		}
		if len(b.ids) != 1 {
			t.Errorf("ids: %v", b.ids)
		}
		d.tenant.Infect("LT-042", graphtest.High)
		complete(t, s.SweepDevices(d.ctx))
		if len(b.ids) != 2 {
			t.Errorf("ids: %v", b.ids)
		}
	})
}

func TestADeviceWithoutAnEntraIDIsSaidToBeNameless(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "LT-042", EntraID: graphtest.NotInEntra})
		d.tenant.AddDevice(graphtest.Device{Name: "LT-043", EntraID: graphtest.NotInEntra})
		d.tenant.BreakBitLocker("LT-042")
		b := newBook()
		if res := complete(t, d.sweep(b).SweepDevices(d.ctx)); res.Nameless != 1 || res.Told != 0 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t))
	})
}

func TestAPassThatFailsIsNotHealth(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(1500)
		var said strings.Builder
		b := newBook()
		s := d.sweep(b)
		s.Log = slog.New(slog.NewTextHandler(&said, nil))
		served := 0
		s.Client = d.instead(func(r *http.Request) *http.Response {
			if served++; served == 1 {
				return nil
			}
			return answer(502, "text/html", "<html>")
		})
		res := s.SweepDevices(d.ctx)
		if res.Complete || res.Err == nil || res.Pages != 1 || res.Rows != 1000 {
			t.Errorf("%+v", res)
		}
		if !strings.Contains(said.String(), "level=WARN") || !strings.Contains(said.String(), "not known to be healthy") {
			t.Errorf("said %s", &said)
		}
		if served != 1+5 {
			t.Errorf("tried the page %d times", served-1)
		}
	})
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		d.app.Revoke("DeviceManagementManagedDevices.Read.All")
		res := d.sweep(newBook()).SweepDevices(d.ctx)
		want{status: 403, giveUp: true, says: "DeviceManagementManagedDevices.Read.All"}.check(t, res.Err)
	})
	story(t, func(t *testing.T, d *desk) { // one row that is no object
		d.client = d.instead(func(*http.Request) *http.Response {
			return jsonAnswer(`{"value":[7,{"id":"x","azureADDeviceId":"11111111-2222-3333-4444-555555555555","complianceState":"noncompliant"},null]}`)
		})
		b := newBook()
		if res := d.sweep(b).SweepDevices(d.ctx); res.Complete || res.Unreadable != 2 || res.Told != 1 {
			t.Errorf("%+v", res)
		}
	})
	story(t, func(t *testing.T, d *desk) { // pages in a circle
		d.client = d.instead(func(*http.Request) *http.Response {
			return jsonAnswer(`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2"}`)
		})
		if res := d.sweep(newBook()).SweepDevices(d.ctx); res.Complete || !strings.Contains(res.Err.Error(), "in circles") {
			t.Errorf("%+v", res)
		}
	})
	story(t, func(t *testing.T, d *desk) { // the journal is down
		d.tenant.AddDevice(ana("LT-042"))
		d.tenant.Infect("LT-042", graphtest.Medium)
		b := newBook()
		b.fail = func(entry) error { return errors.New("disk full") }
		for _, res := range []graph.Swept{d.sweep(b).SweepDevices(d.ctx), d.sweep(b).SweepAlerts(d.ctx)} {
			if res.Complete || !strings.Contains(res.Err.Error(), "disk full") || res.Told != 0 {
				t.Errorf("%+v", res)
			}
		}
		if len(b.marks) != 0 {
			t.Errorf("marks moved: %v", b.marks)
		}
	})
}

func TestASweepWaitsAsLongAsItIsTold(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(3500)
		timing := graphtest.DefaultTiming()
		timing.Token = 10 * time.Minute // and signs in again when it wakes
		d.tenant.SetTiming(timing)
		d.client = d.reach(func(*graph.Tenant) {})
		s := d.sweep(newBook())
		complete(t, s.SweepDevices(d.ctx))
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Throttled, RetryAfter: 25 * time.Minute, AsDate: true, Times: 1})
		d.tenant.Throttle("deviceManagement", 1, 25*time.Minute)
		began := time.Now()
		if res := complete(t, s.SweepDevices(d.ctx)); res.Rows != 3500 {
			t.Errorf("%+v", res)
		}
		if took := time.Since(began); took < 50*time.Minute || took > 51*time.Minute {
			t.Errorf("took %v", took)
		}
	})
	story(t, func(t *testing.T, d *desk) { // but not for ever
		d.tenant.Throttle("", 0, time.Hour)
		began := time.Now()
		if res := d.sweep(newBook()).SweepDevices(d.ctx); res.Complete || time.Since(began) > 2*time.Hour {
			t.Errorf("after %v: %+v", time.Since(began), res)
		}
	})
	story(t, func(t *testing.T, d *desk) { // nor after it was called off
		d.tenant.Throttle("", 0, time.Hour)
		ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
		defer cancel()
		began := time.Now()
		if res := d.sweep(newBook()).SweepAlerts(ctx); res.Complete || time.Since(began) != time.Minute {
			t.Errorf("after %v: %+v", time.Since(began), res)
		}
	})
}

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
		d.tenant.Heal("LT-042") // over: news only to a case
		time.Sleep(time.Minute)
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

func TestEntraTellsWhatChanged(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.SetRules(graphtest.Rules{DeltaPage: 100, DeltaEmptyPages: true, DeltaReplays: true})
		d.tenant.AddFleet(450)
		laptop, known := d.tenant.AddDevice(ana("LT-042")), d.tenant.AddDevice(ana("LT-043"))
		b := newBook()
		s := d.sweep(b)
		b.saw(d.look(known), false)
		if res := complete(t, s.SweepEntra(d.ctx)); res.Rows != 452 || res.Pages != 6 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t)) // all are well, and being in the list means nothing the first time
		d.tenant.BreakBitLocker("LT-042")
		d.tenant.BreakBitLocker("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
		expect(t, b.noticed(t), laptop.EntraID, known.EntraID)
		b.saw(d.look(known), true)
		d.tenant.FixBitLocker("LT-042")
		d.tenant.FixBitLocker("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
		// The change before may be told again; who is known is told in any case.
		if !slices.Contains(b.noticed(t), known.EntraID) {
			t.Error("the device that is known was passed over")
		}
		d.tenant.Remove("LT-043")
		time.Sleep(time.Hour)
		complete(t, s.SweepEntra(d.ctx))
	})
}

func TestTheFirstReadingFindsWhatIsNotAsTheCaseHasIt(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		sick, healed, same := d.tenant.AddDevice(ana("LT-1")), d.tenant.AddDevice(ana("LT-2")), d.tenant.AddDevice(ana("LT-3"))
		b := newBook()
		b.saw(d.look(sick), false)
		d.tenant.BreakBitLocker("LT-1")
		d.tenant.BreakBitLocker("LT-2")
		b.saw(d.look(healed), true)
		d.tenant.FixBitLocker("LT-2")
		d.tenant.BreakBitLocker("LT-3")
		b.saw(d.look(same), true)
		time.Sleep(time.Hour)
		complete(t, d.sweep(b).SweepEntra(d.ctx))
		expect(t, b.noticed(t), sick.EntraID, healed.EntraID)
	})
}

func TestAnOldOrRefusedLinkStartsOver(t *testing.T) {
	for name, expire := range map[string]func(*desk, *book){
		"410": func(d *desk, _ *book) { d.tenant.ResetDelta() },
		"400": func(d *desk, _ *book) {
			d.tenant.SetRules(graphtest.Rules{DeltaExpiry400: true})
			d.tenant.ResetDelta()
		},
		"too old":  func(*desk, *book) { time.Sleep(8 * 24 * time.Hour) },
		"nonsense": func(d *desk, b *book) { b.marks["sweep."+contosoID+".entra"] = []byte(`{"link":17}`) },
		"a link to elsewhere": func(d *desk, b *book) {
			b.marks["sweep."+contosoID+".entra"] = fmt.Appendf(nil, `{"link":"https://evil.example/v1.0/devices/delta?$deltatoken=x","at":%q}`, time.Now().Format(time.RFC3339))
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				laptop := d.tenant.AddDevice(ana("LT-042"))
				hosts := map[string]bool{}
				d.client = d.instead(func(r *http.Request) *http.Response { hosts[r.URL.Host] = true; return nil })
				b := newBook()
				s := d.sweep(b)
				complete(t, s.SweepEntra(d.ctx))
				d.tenant.BreakBitLocker("LT-042")
				time.Sleep(time.Hour)
				expire(d, b)
				complete(t, s.SweepEntra(d.ctx))
				expect(t, b.noticed(t), laptop.EntraID)
				if len(hosts) != 1 {
					t.Errorf("asked %v", hosts)
				}
				complete(t, s.SweepEntra(d.ctx))
				expect(t, b.noticed(t))
			})
		})
	}
}

func TestALongFirstReadingGoesOnWhereItStopped(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(1000)
		b := newBook()
		s := d.sweep(b)
		served := 0
		s.Client = d.instead(func(*http.Request) *http.Response {
			if served++; served > 3 {
				return answer(500, "", "")
			}
			return nil
		})
		if res := s.SweepEntra(d.ctx); res.Complete || res.Rows != 600 {
			t.Errorf("%+v", res)
		}
		s.Client = d.client
		if res := complete(t, s.SweepEntra(d.ctx)); res.Rows != 400 {
			t.Errorf("%+v", res)
		}
	})
}

func TestAChangeThatDoesNotNameTheDevice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.BreakBitLocker("LT-042")
		time.Sleep(time.Hour)
		d.client = d.instead(func(r *http.Request) *http.Response {
			if !strings.Contains(r.URL.Path, "delta") {
				return nil
			}
			return jsonAnswer(`{"value":[{"id":"` + laptop.ObjectID + `","isCompliant":false},{"id":"` + d.dev().IntuneID + `","isCompliant":false},
				{"id":"x","isCompliant":false},{"id":"y","@removed":{"reason":"changed"}}],
				"@odata.deltaLink":"https://graph.microsoft.com/v1.0/devices/delta()?$deltatoken=1"}`)
		})
		b := newBook()
		if res := d.sweep(b).SweepEntra(d.ctx); res.Err != nil || res.Unreadable != 1 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t), laptop.EntraID)
	})
	for _, body := range []string{`{"value":[]}`, `{"value":[],"@odata.deltaLink":"https://evil.example/"}`} {
		story(t, func(t *testing.T, d *desk) {
			d.client = d.instead(func(*http.Request) *http.Response { return jsonAnswer(body) })
			b := newBook()
			if res := d.sweep(b).SweepEntra(d.ctx); res.Complete || len(b.marks) != 0 {
				t.Errorf("%+v, %s", res, b.marks)
			}
		})
	}
}

func TestSweepsGoOnUntilTheyAreEnded(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		passes := map[string][]time.Time{}
		results := make(chan graph.Swept, 1000)
		s := d.sweep(newBook())
		s.Devices, s.Alerts, s.Entra = time.Hour, 0, -1
		s.Report = func(r graph.Swept) { results <- r }
		ctx, cancel := context.WithCancel(d.ctx)
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(10 * time.Hour)
		restore := d.tenant.RevokeConsent()
		time.Sleep(5 * time.Hour)
		restore()
		time.Sleep(10 * time.Hour)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		close(results)
		failed := 0
		for r := range results {
			passes[r.Kind] = append(passes[r.Kind], r.Began)
			if !r.Complete {
				failed++
			}
		}
		if n := len(passes["devices"]); n < 22 || n > 29 {
			t.Errorf("%d passes over devices in 25 hours", n)
		}
		if n := len(passes["alerts"]); n < 270 || n > 330 {
			t.Errorf("%d passes over alerts in 25 hours", n)
		}
		if len(passes["entra"]) != 0 || failed == 0 || failed > 80 {
			t.Errorf("%d passes over Entra, %d failed", len(passes["entra"]), failed)
		}
		for kind, at := range passes {
			gaps := map[time.Duration]bool{}
			for i := 1; i < len(at); i++ {
				gaps[at[i].Sub(at[i-1]).Round(time.Second)] = true
			}
			if len(gaps) < 3 {
				t.Errorf("%s: no jitter: %v", kind, gaps)
			}
		}
	})
	if err := (&graph.Sweep{}).Run(t.Context()); err == nil {
		t.Error("a sweep of nothing")
	}
}

func TestALongSweepSaysHowFarItIs(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(30_000)
		timing := graphtest.DefaultTiming()
		timing.Latency = 2 * time.Second
		d.tenant.SetTiming(timing)
		var said strings.Builder
		s := d.sweep(newBook())
		s.Log = slog.New(slog.NewTextHandler(&said, nil))
		complete(t, s.SweepDevices(d.ctx))
		if n := strings.Count(said.String(), "sweep goes on"); n < 4 || n > 7 {
			t.Errorf("%d lines in a minute: %s", n, &said)
		}
		if !strings.Contains(said.String(), "tenant=contoso sweep=devices") || !strings.Contains(said.String(), "rows=30000") {
			t.Error(said.String())
		}
	})
}

// TestALargeTenantIsNeverHeld reads 100,000 devices and keeps none.
func TestALargeTenantIsNeverHeld(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		name := d.tenant.AddFleet(100_000)
		d.tenant.Infect(name(99_999), graphtest.High)
		largest := 0
		d.client = d.reach(func(c *graph.Tenant) {
			next := c.Transport
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				res, err := next.RoundTrip(r)
				if err == nil {
					body, _ := io.ReadAll(res.Body)
					largest = max(largest, len(body))
					res.Body = io.NopCloser(strings.NewReader(string(body)))
				}
				return res, err
			})
		})
		b := newBook()
		if res := complete(t, d.sweep(b).SweepDevices(d.ctx)); res.Rows != 100_000 || res.Told != 1 {
			t.Errorf("%+v", res)
		}
		expect(t, b.noticed(t), d.tenant.Device(name(99_999)).EntraID)
		if largest > 1<<20 {
			t.Errorf("a page of %d bytes", largest)
		}
	})
}
