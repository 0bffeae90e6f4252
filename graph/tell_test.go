package graph_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

const teamsApp = "5a0e35b9-1111-4222-8333-444455556666"

func absent(err error) bool {
	e, ok := errors.AsType[*graph.Error](err)
	return ok && e.NotThere() && e.GiveUp()
}

// Teams shows a notification to whom the app is installed for, and shows the same
// one once however often it is sent.
func TestActivity(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		anna := "anna@" + d.tenant.Domain
		d.tenant.AddUser(graphtest.User{UPN: anna})
		client := d.reach(func(c *graph.Tenant) { c.TeamsApp = teamsApp })
		d.app.Revoke("TeamsActivity.Send")
		send := func(key string) error {
			return client.Activity(d.ctx, anna, "Your device needs your attention", "LT-042 is at risk "+strings.Repeat("…", 200), key)
		}
		want{giveUp: true, status: http.StatusForbidden, says: "the application permission TeamsActivity.Send"}.check(t, send("1"))
		d.app.Grant("TeamsActivity.Send")
		time.Sleep(2 * time.Hour) // a token has the new role
		if err := send("1"); !absent(err) || !strings.Contains(err.Error(), "does not have the app") {
			t.Errorf("who does not have the app: %v", err)
		}
		d.tenant.InstallTeamsApp(teamsApp, anna)
		for _, key := range []string{"1", "1", "2"} {
			if err := send(key); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		shown := d.tenant.Activities()
		if len(shown) != 2 || shown[0].User != anna || shown[0].Text != "Your device needs your attention" || len([]rune(shown[0].Preview)) != 150 {
			t.Errorf("the feed shows %+v", shown)
		}
		want{giveUp: true, says: "no app of Teams"}.check(t, d.client.Activity(d.ctx, anna, "a", "b", "c"))
		want{giveUp: true, says: "neither the object id"}.check(t, client.Activity(d.ctx, "../x", "a", "b", "c"))
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.CutOffButDone, Times: 1})
		if err := send("3"); !leftOpen(err) {
			t.Errorf("a lost answer: %v", err)
		}
	})
}

func leftOpen(err error) bool {
	e, ok := errors.AsType[*graph.Error](err)
	return ok && e.Unsure()
}

// Company Portal is on phones alone, and is not asked too often.
func TestPush(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		of := func(x graphtest.Device) events.Device {
			return events.Device{Key: events.Key{Tenant: d.tenant.ID, Device: x.EntraID}, IntuneID: x.ID}
		}
		phone := of(d.tenant.AddDevice(graphtest.Device{Name: "iPhone of Anna", OS: "iOS"}))
		laptop := of(d.tenant.AddDevice(graphtest.Device{Name: "LT-042"}))
		want{giveUp: true, status: http.StatusForbidden, says: "DeviceManagementServiceConfig.ReadWrite.All"}.check(t, d.client.Push(d.ctx, phone, "title", "text"))
		d.app.Grant("DeviceManagementServiceConfig.ReadWrite.All")
		time.Sleep(2 * time.Hour)
		if err := d.client.Push(d.ctx, laptop, "title", "text"); !absent(err) {
			t.Errorf("to a laptop: %v", err)
		}
		for i := range 11 {
			err := d.client.Push(d.ctx, phone, strings.Repeat("ü", 60), strings.Repeat("n", 600))
			if e, _ := errors.AsType[*graph.Error](err); i < 10 && err != nil || i == 10 && (e == nil || e.Status != http.StatusTooManyRequests || e.GiveUp()) {
				t.Fatalf("number %d: %v", i+1, err)
			}
		}
		if got := d.tenant.Pushes(); len(got) != 10 || got[0].Device != "iPhone of Anna" || len([]rune(got[0].Title)) != 50 || len([]rune(got[0].Body)) != 500 {
			t.Errorf("it shows %+v", got)
		}
		want{giveUp: true, says: "no id in Intune"}.check(t, d.client.Push(d.ctx, events.Device{IntuneID: "x"}, "a", "b"))
	})
}

// A look knows the user's time zone, where it is asked for, in whichever words the
// mailbox has it; and does without.
func TestTimeZoneOfTheUser(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		anna := "anna@" + d.tenant.Domain
		dev := d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: anna})
		d.client = d.reach(func(c *graph.Tenant) { c.Look.TimeZone = true })
		d.app.Revoke("MailboxSettings.Read")
		if got := d.look(dev); got.TimeZone != "" || len(got.Missing) > 0 {
			t.Errorf("without the permission: %q, missing %v", got.TimeZone, got.Missing)
		}
		d.app.Grant("MailboxSettings.Read")
		time.Sleep(2 * time.Hour)
		for said, want := range map[string]string{
			"W. Europe Standard Time": "Europe/Berlin", "tokyo standard time": "Asia/Tokyo", "America/New_York": "America/New_York",
			"Customized Time Zone": "", "Local": "", "../../etc/passwd": "", "": "Etc/UTC",
		} {
			d.tenant.SetTimeZone(anna, said)
			if got := d.look(dev); got.TimeZone != want || len(got.Missing) > 0 {
				t.Errorf("%q: got %q, want %q; missing %v", said, got.TimeZone, want, got.Missing)
			}
		}
	})
}

// Whoever approves is a user like others, or nobody whom Entra knows.
func TestLanguageOfAUser(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		kim := "kim@" + d.tenant.Domain
		d.tenant.AddUser(graphtest.User{UPN: kim, Language: "de-AT"})
		all := graph.Tenants{d.tenant.ID: d.client}
		for who, want := range map[string]string{kim: "de-AT", "guest@elsewhere.example": ""} {
			if got, err := all.LanguageOf(d.ctx, d.tenant.ID, who); got != want || err != nil {
				t.Errorf("%s: %q, %v", who, got, err)
			}
		}
		if _, err := all.LanguageOf(d.ctx, d.tenant.ID, "../kim"); err == nil {
			t.Error("a path is somebody")
		}
	})
}
