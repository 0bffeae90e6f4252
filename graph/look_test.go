package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

func ana(name string) graphtest.Device {
	return graphtest.Device{Name: name, User: "ana@contoso.example"}
}

func TestALookSeesTheWholeDevice(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Name: "Ana Ruiz", Language: "es-ES", Groups: []string{"Finance", "All staff"}})
		d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.BreakBitLocker("LT-042")
		d.client = d.reach(func(c *graph.Tenant) { c.Look.Groups = true })
		began := time.Now()
		dev := d.look(laptop)
		switch {
		case dev.Key != d.kase(laptop).Key, dev.IntuneID != laptop.ID, dev.EntraID != laptop.ObjectID:
			t.Errorf("ids: %+v", dev)
		case dev.Name != "LT-042", dev.OS != "Windows", dev.OSVersion != laptop.OSVersion, dev.Serial != laptop.Serial, dev.Owner != "company",
			dev.Join != "AzureAd", dev.Management != "managed", dev.Agent != "mdm", dev.Registration != "registered":
			t.Errorf("the device: %+v", dev)
		case dev.User != "ana@contoso.example", dev.UserName != "Ana Ruiz", dev.UserMail != "ana@contoso.example", dev.Language != "es-ES", dev.UserID == "":
			t.Errorf("the user: %+v", dev)
		case dev.Compliance != "noncompliant", dev.Threat != "highSeverity", dev.Threat.Level() != events.High:
			t.Errorf("the risk: %+v", dev)
		case len(dev.ActiveMalware()) != 1, dev.Malware[0].Severity != "high":
			t.Errorf("malware: %+v", dev.Malware)
		case !dev.SeenAt.Equal(began), dev.LastSync.IsZero():
			t.Errorf("times: %v %v", dev.SeenAt, dev.LastSync)
		case len(dev.Missing) != 0:
			t.Errorf("missing: %v", dev.Missing)
		}
		want := []string{graphtest.RiskPolicy, graphtest.BaselinePolicy}
		if got := policies(dev); !slices.Equal(got, want) {
			t.Errorf("policies not met: %v, want %v: %+v", got, want, dev.Settings)
		}
		if g := dev.Groups; !slices.Contains(g, "Finance") || !slices.Contains(g, d.tenant.GroupID("All staff")) || len(g) != 4 {
			t.Errorf("groups: %v", g)
		}
	})
}

func policies(dev events.Device) []string {
	var names []string
	for _, s := range dev.Settings {
		names = append(names, s.Policy)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestAHealthyDeviceNeedsFewReads(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		dev := d.look(laptop)
		if dev.Compliance != "compliant" || dev.Threat.Level() != events.Clear || !dev.GraceUntil.IsZero() || len(dev.Missing) != 0 {
			t.Errorf("%+v", dev)
		}
		if n := d.tenant.Asked("GET", "/v1.0/"); n != 5 { // find, read, protection, Entra, user
			t.Errorf("%d reads", n)
		}
		phone := d.tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "iOS"})
		d.tenant.Forget()
		if dev := d.look(phone); len(dev.Missing) != 0 || d.tenant.Asked("GET", "/v1.0/") != 3 { // nobody uses it, and no Defender Antivirus
			t.Errorf("%d reads, %v", d.tenant.Asked("GET", "/v1.0/"), dev.Missing)
		}
	})
}

func TestNoneAndTwoAreForAPerson(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(ana("LT-042"))
		_, err := d.client.Look(d.ctx, events.Case{Key: d.dev().Key})
		want{giveUp: true, says: "Intune has no device with the Entra id"}.check(t, err)

		twin := d.tenant.AddDevice(graphtest.Device{Name: "LT-043", EntraID: "12345678-aaaa-bbbb-cccc-1234567890ab"})
		d.tenant.AddDevice(graphtest.Device{Name: "LT-044", EntraID: twin.EntraID})
		_, err = d.client.Look(d.ctx, d.kase(twin))
		want{giveUp: true, says: "Intune has 2 devices"}.check(t, err)
	})
}

func TestIDsFromOutsideNeverReachAFilter(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(10)
		for _, id := range []string{"", "x", "' or azureADDeviceId ne '", graphtest.NotInEntra, "LT-042", "../users", strings.Repeat("a", 5000),
			events.UnresolvedPrefix, events.UnresolvedPrefix + "zz", "11111111-2222-3333-4444-555555555555\n"} {
			_, err := d.client.Look(d.ctx, events.Case{Key: events.Key{Tenant: contosoID, Device: id}})
			want{giveUp: true}.check(t, err)
			dev := d.dev()
			dev.IntuneID = id
			for _, err := range []error{d.client.Sync(d.ctx, dev), d.client.Scan(d.ctx, dev, true), d.client.Reset(d.ctx, dev),
				d.client.FactoryWipe(d.ctx, dev), d.client.UpdateSignatures(d.ctx, dev), second(d.client.Record(d.ctx, dev))} {
				want{giveUp: true}.check(t, err)
			}
		}
		_, err := d.client.Look(d.ctx, events.Case{Key: events.Key{Tenant: fabrikID, Device: d.dev().Key.Device}})
		want{giveUp: true, says: "another tenant"}.check(t, err)
		stranger := d.dev()
		stranger.Key.Tenant = fabrikID
		want{giveUp: true, says: "another tenant"}.check(t, d.client.FactoryWipe(d.ctx, stranger))
		if n := d.tenant.Asked("", "/v1.0/"); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// blind is a client whose Graph ignores every filter and sends all there is.
func (d *desk) blind() *graph.Client {
	return d.reach(func(c *graph.Tenant) {
		next := c.Transport
		c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			q := r.URL.Query()
			q.Del("$filter")
			r.URL.RawQuery = q.Encode()
			return next.RoundTrip(r)
		})
	})
}

func TestAnIgnoredFilterPicksNobodyElse(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(1500)
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.client = d.blind()
		if dev := d.look(laptop); dev.Name != "LT-042" || dev.EntraID != laptop.ObjectID || len(dev.Missing) != 0 {
			t.Errorf("%+v", dev)
		}
		_, err := d.client.Look(d.ctx, events.Case{Key: d.dev().Key})
		want{giveUp: true, says: "has no device"}.check(t, err)
		d.tenant.AddFleet(30_000)
		_, err = d.client.Look(d.ctx, d.kase(laptop))
		want{says: "ignores the filter"}.check(t, err) // not all were seen: neither one nor none
	})
}
