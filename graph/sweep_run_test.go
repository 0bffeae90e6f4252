package graph_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

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
