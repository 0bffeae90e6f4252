package graph_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestWhichMachineIsMeant(t *testing.T) {
	old := func(d *desk, m graphtest.Machine) graphtest.Machine { return d.tenant.AddMachine("LT-042", m) }
	for name, c := range map[string]struct {
		do   func(*desk) string // returns the id that is meant; empty: the device's own
		says string
	}{
		"only one": {do: func(*desk) string { return "" }},
		"the old record is not onboarded": {do: func(d *desk) string {
			old(d, graphtest.Machine{Onboarding: "CanBeOnboarded", LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"the old record is inactive": {do: func(d *desk) string {
			old(d, graphtest.Machine{Health: "Inactive", LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"the newest of two": {do: func(d *desk) string { return old(d, graphtest.Machine{LastSeen: time.Now().Add(time.Hour)}).ID }},
		"one was merged": {do: func(d *desk) string {
			old(d, graphtest.Machine{MergedInto: machineID, LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"after a reset": {do: func(d *desk) string {
			dev := d.look(d.tenant.Device("LT-042"))
			if err := d.client.Reset(d.ctx, dev); err != nil {
				d.t.Fatal(err)
			}
			time.Sleep(20 * time.Hour)
			return d.tenant.Device("LT-042").DefenderID
		}},
		"two alike": {says: "nothing tells apart", do: func(d *desk) string {
			return old(d, graphtest.Machine{LastSeen: d.tenant.Device("LT-042").LastSync}).ID
		}},
		"not onboarded": {says: "not onboarded", do: func(d *desk) string { d.tenant.Offboard("LT-042"); return "" }},
		"none":          {says: "knows no machine", do: func(d *desk) string { d.tenant.Remove("LT-042"); return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, dev events.Device) {
				meant := c.do(d)
				if meant == "" {
					meant = laptop.DefenderID
				}
				m, err := d.client.Machine(d.ctx, dev)
				if c.says != "" {
					want{giveUp: true, says: c.says, status: 0}.check(t, err)
					want{giveUp: true, says: c.says}.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
					if n := len(d.toldDefender("POST")); n != 0 {
						t.Errorf("%d actions on some machine", n)
					}
					return
				}
				if err != nil || m.ID != meant || m.Onboarding != "Onboarded" || m.LastSeen.IsZero() {
					t.Errorf("%+v %v, want %s", m, err, meant)
				}
			})
		})
	}
}

func TestAFilterThatDefenderIgnores(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.AddDevice(ana("LT-043"))
		d.client = d.reach(func(c *graph.Tenant) {
			c.Defender = &graph.DefenderEndpoint{API: "https://eu.api.security.microsoft.com"}
			next := c.Transport
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/api/") {
					if r.URL.Host != "eu.api.security.microsoft.com" {
						t.Errorf("asked %s", r.URL.Host)
					}
					r.URL.RawQuery = ""
				}
				return next.RoundTrip(r)
			})
		})
		dev := d.look(laptop)
		if m, err := d.client.Machine(d.ctx, dev); err != nil || m.ID != laptop.DefenderID {
			t.Errorf("%+v %v", m, err)
		}
	})
}

func TestWhereDefenderIs(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(*graph.Tenant)
		says string
	}{
		"a national cloud needs both": {func(c *graph.Tenant) { c.Cloud = graph.China }, "give its API's host and its scope"},
		"plain HTTP":                  {func(c *graph.Tenant) { c.Defender.API = "http://x.example" }, "defender endpoint"},
		"a path":                      {func(c *graph.Tenant) { c.Defender.API = "https://x.example/api" }, "defender endpoint"},
		"only Graph is elsewhere": {func(c *graph.Tenant) {
			c.Endpoint = &graph.Endpoint{Graph: "https://a.example", Login: "https://b.example"}
		}, "give Defender's too"},
		"a time that is none": {func(c *graph.Tenant) { c.SeenWithin = -1 }, "within the last"},
	} {
		t.Run(name, func(t *testing.T) {
			config := graph.Tenant{ID: contosoID, Auth: graph.Auth{Client: clientID, Secret: secret}, Defender: &graph.DefenderEndpoint{}}
			c.how(&config)
			if _, err := graph.New(config); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}
