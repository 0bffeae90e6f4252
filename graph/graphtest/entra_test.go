package graphtest_test

import (
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// round follows a delta link to its end: the rows, and the next delta link.
func (d *desk) round(link string) (rows []map[string]any, pages int, next string) {
	d.t.Helper()
	for {
		a := d.get(link).wants(200)
		pages++
		for _, r := range a.rows() {
			rows = append(rows, r.(map[string]any))
		}
		if link, _ = a.at("@odata.nextLink").(string); link == "" {
			next, _ = a.at("@odata.deltaLink").(string)
			return rows, pages, next
		}
	}
}

func TestDeltaShowsACompliantDeviceTurn(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.AddFleet(450)
		all, pages, link := d.round("devices/delta?$select=deviceId,isCompliant")
		if len(all) != 451 || pages != 3 {
			t.Fatalf("%d devices on %d pages", len(all), pages)
		}
		rows, _, link := d.round(link)
		if len(rows) != 0 {
			t.Errorf("nothing happened, got %v", rows)
		}
		d.tenant.Infect("LT-042", graphtest.High)
		if rows, _, link = d.round(link); len(rows) != 0 {
			t.Errorf("the directory lags behind, got %v", rows)
		}
		time.Sleep(5 * time.Minute)
		rows, _, link = d.round(link)
		if len(rows) != 1 || rows[0]["id"] != lt.ObjectID || rows[0]["isCompliant"] != false {
			t.Errorf("got %v", rows)
		}
		d.tenant.Heal("LT-042")
		time.Sleep(5 * time.Minute)
		d.tenant.Remove("LT-042")
		rows, _, _ = d.round(link)
		if len(rows) != 2 || rows[1]["@removed"] == nil {
			t.Errorf("got %v", rows)
		}
	})
}

func TestDeltaFromNow(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		rows, _, link := d.round("devices/delta?$deltatoken=latest")
		if len(rows) != 0 {
			t.Errorf("got %v", rows)
		}
		d.tenant.AddDevice(graphtest.Device{Name: "LT-043"})
		if rows, _, _ = d.round(link); len(rows) != 1 || rows[0]["displayName"] != "LT-043" {
			t.Errorf("got %v", rows)
		}
	})
}

func TestDeltaReplaysAndEmptyPages(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.SetRules(graphtest.Rules{DeltaReplays: true, DeltaEmptyPages: true, DeltaPage: 1})
		_, _, link := d.round("devices/delta")
		d.tenant.BreakBitLocker("LT-042")
		time.Sleep(5 * time.Minute)
		_, _, link = d.round(link)
		rows, pages, _ := d.round(link)
		if len(rows) == 0 || pages < 2 || rows[len(rows)-1]["id"] != lt.ObjectID {
			t.Errorf("%d pages, %v", pages, rows)
		}
	})
}

func TestDeltaTokensExpire(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		_, _, link := d.round("devices/delta?$deltatoken=latest")
		time.Sleep(7 * 24 * time.Hour)
		a := d.get(link).wants(410)
		if again := a.header.Get("Location"); !strings.HasPrefix(again, root+"/devices/delta") {
			t.Errorf("Location %q", again)
		} else if rows, _, _ := d.round(again); len(rows) != 1 {
			t.Errorf("the full read has %v", rows)
		}
		d.tenant.SetRules(graphtest.Rules{DeltaExpiry400: true})
		d.get(link).wants(400).is("syncStateNotFound", "error", "code")
		_, _, link = d.round("devices/delta?$deltatoken=latest")
		d.tenant.SetRules(graphtest.Rules{})
		d.tenant.ResetDelta()
		d.get(link).wants(410)
		d.get("devices/delta?$deltatoken=nonsense").wants(400)
	})
}

func TestEntraRefusesFiltersItDoesNotSupport(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", Join: graphtest.HybridJoined})
		d.tenant.AddFleet(150)
		d.get(where("devices", "$filter", "deviceId eq '"+lt.EntraID+"'")).is(lt.ObjectID, "value", 0, "id").is("ServerAd", "value", 0, "trustType")
		d.get(where("devices", "$filter", "contains(displayName,'LT')")).wants(400).is("Request_UnsupportedQuery", "error", "code")
		d.get("devices?$skip=100").wants(400)
		if a := d.get("devices"); len(a.rows()) != 100 || a.at("@odata.nextLink") == nil {
			t.Errorf("%d rows", len(a.rows()))
		}
	})
}

func TestDeltaOfChosenDevices(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		other := d.tenant.AddDevice(graphtest.Device{Name: "LT-043"})
		rows, _, link := d.round(where("devices/delta", "$filter", "id eq '"+lt.ObjectID+"'"))
		if len(rows) != 1 || rows[0]["id"] != lt.ObjectID {
			t.Errorf("got %v", rows)
		}
		d.tenant.BreakBitLocker("LT-042")
		d.tenant.BreakBitLocker("LT-043")
		time.Sleep(5 * time.Minute)
		if rows, _, _ = d.round(link); len(rows) != 1 || rows[0]["id"] != lt.ObjectID {
			t.Errorf("got %v", rows)
		}
		// A change to what was not selected does not surface.
		_, _, link = d.round("devices/delta?$select=displayName")
		d.tenant.FixBitLocker("LT-043")
		time.Sleep(5 * time.Minute)
		if rows, _, _ = d.round(link); len(rows) != 0 {
			t.Errorf("got %v", rows)
		}
		d.get(where("devices/delta", "$filter", "deviceId eq '"+other.EntraID+"'")).wants(400)
		d.get("devices/delta?$select=joinType").wants(400)
	})
}
