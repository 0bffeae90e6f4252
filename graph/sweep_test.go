package graph_test

import (
	"context"
	"errors"
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
