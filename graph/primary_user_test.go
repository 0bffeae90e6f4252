package graph_test

import (
	"net/http"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// afterReset tells a story about a device that was reset and so has lost its
// primary user, who was Ana.
func afterReset(t *testing.T, tell func(t *testing.T, d *desk, dev events.Device, was string)) {
	t.Helper()
	acting(t, func(t *testing.T, d *desk) {
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		was, err := d.client.PrimaryUser(d.ctx, dev)
		if err != nil || was != dev.UserID || was == "" {
			t.Fatalf("%q %v", was, err)
		}
		if err := d.client.Reset(d.ctx, dev); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if now, err := d.client.PrimaryUser(d.ctx, dev); err != nil || now != "" || d.tenant.Happened("LT-042", graphtest.AutopilotReset) != 1 {
			t.Fatalf("%q %v", now, err)
		}
		if again := d.look(d.tenant.Device("LT-042")); again.User != "" || again.UserID != "" {
			t.Fatalf("a look still shows %q", again.User)
		}
		tell(t, d, dev, was)
	})
}

// references counts the writes of a primary user.
func (d *desk) references() int {
	n := 0
	for _, r := range d.tenant.Requests() {
		if r.Method == http.MethodPost && r.Path == "/beta/deviceManagement/managedDevices/"+d.tenant.Device("LT-042").ID+"/users/$ref" {
			n++
		}
	}
	return n
}

func TestWhoeverSignedInMeanwhileStays(t *testing.T) {
	afterReset(t, func(t *testing.T, d *desk, dev events.Device, was string) {
		d.tenant.SignIn("LT-042", "bo@contoso.example")
		want{giveUp: true, says: "has become the primary user meanwhile"}.check(t, d.client.SetPrimaryUser(d.ctx, dev, was))
		if user := d.tenant.Device("LT-042").User; user != "bo@contoso.example" || d.references() != 0 {
			t.Errorf("the primary user is %q after %d writes", user, d.references())
		}
	})
}

func TestAPrimaryUserWhoCannotBeRestored(t *testing.T) {
	afterReset(t, func(t *testing.T, d *desk, dev events.Device, was string) {
		want{giveUp: true, says: "not the object id"}.check(t, d.client.SetPrimaryUser(d.ctx, dev, "ana@contoso.example"))
		want{giveUp: true, status: 400, says: "does not exist"}.check(t, d.client.SetPrimaryUser(d.ctx, dev, fabrikID))
		d.tenant.Throttle("deviceManagement/managedDevices/*/users", 1, time.Minute) // nobody knows who is: nothing is written
		want{status: 429, after: time.Minute}.check(t, d.client.SetPrimaryUser(d.ctx, dev, was))
		time.Sleep(time.Minute)
		if n := d.references(); n != 1 {
			t.Errorf("%d writes", n)
		}
		d.app.Revoke("DeviceManagementManagedDevices.ReadWrite.All")
		want{giveUp: true, status: 403, says: "DeviceManagementManagedDevices.ReadWrite.All"}.check(t, d.client.SetPrimaryUser(d.ctx, dev, was))
		stranger := dev
		stranger.Key.Tenant = fabrikID
		want{giveUp: true, says: "no tenant"}.check(t, graph.Tenants{contosoID: d.client}.SetPrimaryUser(d.ctx, stranger, was))
	})
	acting(t, func(t *testing.T, d *desk) { // two primary users are nobody
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		d.client = d.instead(func(r *http.Request) *http.Response {
			return jsonAnswer(`{"value":[{"id":"` + contosoID + `"},{"id":"` + fabrikID + `"}]}`)
		})
		want{giveUp: true, says: "more than one"}.check(t, second(d.client.PrimaryUser(d.ctx, dev)))
		want{giveUp: true, says: "more than one"}.check(t, d.client.SetPrimaryUser(d.ctx, dev, contosoID))
	})
}

func TestThePrimaryUserIsRestored(t *testing.T) {
	afterReset(t, func(t *testing.T, d *desk, dev events.Device, was string) {
		for range 2 {
			if err := d.client.SetPrimaryUser(d.ctx, dev, was); err != nil {
				t.Fatal(err)
			}
		}
		if now, err := d.client.PrimaryUser(d.ctx, dev); err != nil || now != was || d.references() != 1 {
			t.Fatalf("%q %v after %d writes", now, err, d.references())
		}
		if again := d.look(d.tenant.Device("LT-042")); again.User != "ana@contoso.example" {
			t.Errorf("a look shows %q", again.User)
		}
	})
}
