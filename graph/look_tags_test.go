package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// tagged tells a story in a tenant where tags are asked for.
func tagged(t *testing.T, tell func(t *testing.T, d *desk, laptop graphtest.Device)) {
	t.Helper()
	defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, _ events.Device) {
		d.client = d.reach(func(c *graph.Tenant) {
			c.Defender, c.Look.Tags = &graph.DefenderEndpoint{}, true
		})
		tell(t, d, laptop)
	})
}

func TestTagsThatCannotBeReadAreMissing(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(*desk)
		says string
	}{
		"no permission": {func(d *desk) { d.app.Revoke("Machine.Read.All") }, "Machine.Read.All of WindowsDefenderATP"},
		"throttled":     {func(d *desk) { d.tenant.Throttle("machines", 1, time.Minute) }, "TooManyRequests"},
		"no answer":     {func(d *desk) { d.tenant.Inject(graphtest.Fault{Kind: graphtest.CutOff, Path: "machines"}) }, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			tagged(t, func(t *testing.T, d *desk, laptop graphtest.Device) {
				d.tenant.Tag("LT-042", "Board")
				c.how(d)
				dev := d.look(laptop)
				if len(dev.Tags) != 0 || len(dev.Missing) != 1 || !strings.HasPrefix(dev.Missing[0], "Defender's tags: ") || !strings.Contains(dev.Missing[0], c.says) {
					t.Errorf("%q, missing %q", dev.Tags, dev.Missing)
				}
				if dev.Name != "LT-042" || dev.Join != "AzureAd" {
					t.Errorf("the rest of the look is gone: %+v", dev)
				}
			})
		})
	}
	tagged(t, func(t *testing.T, d *desk, laptop graphtest.Device) { // more than anybody looks at
		for i := range 60 {
			d.tenant.AddMachine("LT-042", graphtest.Machine{Tags: []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}})
		}
		if dev := d.look(laptop); len(dev.Tags) != 100 || len(dev.Missing) != 1 || !strings.Contains(dev.Missing[0], "more than 100") {
			t.Errorf("%d tags, missing %q", len(dev.Tags), dev.Missing)
		}
	})
	tagged(t, func(t *testing.T, d *desk, laptop graphtest.Device) { // a tag of a form that nobody knows
		next := d.cloud.Transport()
		d.client = d.reach(func(c *graph.Tenant) {
			c.Defender, c.Look.Tags = &graph.DefenderEndpoint{}, true
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/api/machines") {
					return jsonAnswer(`{"value":[{"id":"` + machineID + `","aadDeviceId":"` + laptop.EntraID + `","machineTags":["Board",null]}]}`), nil
				}
				return next.RoundTrip(r)
			})
		})
		if dev := d.look(laptop); len(dev.Tags) != 1 || len(dev.Missing) != 1 {
			t.Errorf("%q, missing %q", dev.Tags, dev.Missing)
		}
	})
}

func TestTagsAreReadOnlyWhereTheyAreAskedFor(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, _ events.Device) {
		d.tenant.Tag("LT-042", "Board")
		for _, how := range []func(*graph.Tenant){
			func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} },
			func(c *graph.Tenant) { c.Look.Tags = true },
		} {
			d.client = d.reach(how)
			if dev := d.look(laptop); len(dev.Tags)+len(dev.Missing) != 0 {
				t.Errorf("%q %q", dev.Tags, dev.Missing)
			}
		}
		if n := len(d.toldDefender("")); n != 0 {
			t.Errorf("Defender was asked %d times", n)
		}
	})
}

func TestALookShowsTagsAndCategory(t *testing.T) {
	tagged(t, func(t *testing.T, d *desk, laptop graphtest.Device) {
		if dev := d.look(laptop); len(dev.Tags)+len(dev.Missing) != 0 || dev.Category != "" {
			t.Errorf("%q %q %q", dev.Tags, dev.Missing, dev.Category)
		}
		d.tenant.Tag("LT-042", "VIP board", "Paris")
		d.tenant.AddMachine("LT-042", graphtest.Machine{Health: "Inactive", Tags: []string{"Paris", "Kiosk"}})
		d.tenant.SetRaw("LT-042", "deviceCategoryDisplayName", "Board room")
		dev := d.look(laptop)
		if !slices.Equal(dev.Tags, []string{"Kiosk", "Paris", "VIP board"}) || dev.Category != "Board room" || len(dev.Missing) != 0 {
			t.Errorf("%q %q %q", dev.Tags, dev.Category, dev.Missing)
		}
		if err := d.client.Reset(d.ctx, dev); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour) // a new machine in Defender, without tags
		if dev = d.look(laptop); !slices.Contains(dev.Tags, "VIP board") {
			t.Errorf("a reset took the protection away: %q", dev.Tags)
		}
	})
}

func TestAMachineWithoutAnEntraIDIsFoundByItsOwn(t *testing.T) {
	tagged(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		phone := d.tenant.AddDevice(graphtest.Device{Name: "PH-7", OS: "Android", Join: graphtest.Registered})
		d.tenant.Tag("PH-7", "Board")
		kase := d.kase(phone)
		for id, want := range map[string]int{"": 0, machineID: 0, phone.DefenderID: 1} {
			kase.Device.DefenderID = id
			dev, err := d.client.Look(d.ctx, kase)
			if err != nil || len(dev.Tags) != want || len(dev.Missing) != 0 {
				t.Errorf("%q: %q %q %v", id, dev.Tags, dev.Missing, err)
			}
		}
	})
}

func TestAnotherCategoryIsWorthALook(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		b := newBook()
		b.saw(d.look(laptop), false)
		if s := d.sweep(b).SweepDevices(d.ctx); !s.Complete || len(b.told()) != 0 {
			t.Fatalf("%+v", s)
		}
		d.tenant.SetRaw("LT-042", "deviceCategoryDisplayName", "Kiosk")
		if s := d.sweep(b).SweepDevices(d.ctx); !s.Complete || len(b.told()) != 1 {
			t.Errorf("%+v", s)
		}
	})
}
