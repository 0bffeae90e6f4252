package graph_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

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
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		d.tenant.Infect("LT-042", graphtest.High)
		b := newBook()
		s := d.sweep(b)
		s.Entra = -1
		if err := s.Once(d.ctx); err != nil || len(b.told()) != 2 || d.tenant.Asked("GET", "/v1.0/devices") != 0 {
			t.Errorf("%v", err)
		}
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TimedOut, Path: "security"})
		want{status: 504}.check(t, s.Once(d.ctx))
	})
	if err := (&graph.Sweep{}).Run(t.Context()); err == nil {
		t.Error("a sweep of nothing")
	}
}

func TestASweepThatPanicsHasFailedAndGoesOn(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		b, said := newBook(), strings.Builder{}
		b.saw(d.look(laptop), true)
		s := d.sweep(b)
		s.Cases = &broken{book: b}
		s.Log = slog.New(slog.NewTextHandler(&said, nil))
		if r := s.SweepDevices(d.ctx); r.Complete || r.Err == nil || !strings.Contains(r.Err.Error(), "panicked: nobody thought of this") {
			t.Errorf("%+v", r)
		}
		if !strings.Contains(said.String(), "sweep_run_test.go") {
			t.Errorf("the log does not say where: %s", &said)
		}
		s.Cases = b
		complete(t, s.SweepDevices(d.ctx))
	})
}

// Broken cases are those whose reading panics.
type broken struct{ *book }

func (*broken) Case(context.Context, events.Key) (events.Case, uint64, error) {
	panic("nobody thought of this")
}

func TestASweepGivesWayAndComesThrough(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		a := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High, HideEntraID: true})
		kase := events.Case{Key: events.Key{Tenant: contosoID, Device: events.UnresolvedPrefix + laptop.DefenderID}}
		kase.Device.Alerts = []events.Alert{{ID: a.ID}}
		busy, stop := context.WithTimeout(d.ctx, 10*time.Minute)
		defer stop()
		var looks sync.WaitGroup
		for range 20 { // each look reads one alert, as fast as it may
			looks.Go(func() {
				for busy.Err() == nil {
					var e *graph.Error
					if _, err := d.client.Look(busy, kase); errors.As(err, &e) {
						time.Sleep(max(e.RetryAfter(), time.Second))
					}
				}
			})
		}
		time.Sleep(time.Minute)
		began := time.Now()
		complete(t, d.sweep(newBook()).SweepAlerts(d.ctx))
		if took := time.Since(began); took < 8*time.Minute || took > 12*time.Minute {
			t.Errorf("took %v", took)
		}
		looks.Wait()
	})
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
