package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// street tells a story in a tenant with some devices, of which Ana has two.
func street(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		for _, name := range []string{"LT-042", "LT-007"} {
			d.tenant.AddDevice(ana(name))
		}
		d.tenant.AddDevice(graphtest.Device{Name: "LT-099", User: "bo@contoso.example"})
		tell(t, d)
	})
}

func called(found []events.Device) string {
	var all []string
	for _, dev := range found {
		all = append(all, dev.Name)
	}
	return strings.Join(all, " ")
}

func wantFound(t *testing.T, names string, left []string) func([]events.Device, []string, error) {
	t.Helper()
	return func(found []events.Device, leftOut []string, err error) {
		t.Helper()
		if err != nil || called(found) != names || len(leftOut) != len(left) {
			t.Fatalf("found %q, left out %q: %v", called(found), leftOut, err)
		}
		for i, says := range left {
			if !strings.Contains(leftOut[i], says) {
				t.Errorf("%q does not say %q", leftOut[i], says)
			}
		}
		for _, dev := range found {
			if !dev.Key.Valid() || dev.IntuneID == "" || dev.OS == "" || dev.Management == "" || dev.LastSync.IsZero() || dev.SeenAt.IsZero() {
				t.Errorf("%+v", dev)
			}
		}
	}
}

func third[A, B any](_ A, _ B, err error) error { return err }

func TestNeighboursThatMicrosoftRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(*desk) error
		role  string
		paths string // a throttled one
	}{
		"of a user":      {func(d *desk) error { return third(d.client.DevicesOfUser(d.ctx, "ana@contoso.example")) }, "DeviceManagementManagedDevices.Read.All", "users"},
		"of an incident": {func(d *desk) error { return third(d.client.DevicesOfIncident(d.ctx, "1001")) }, "SecurityIncident.Read.All", "security/incidents"},
		"of a group":     {func(d *desk) error { return third(d.client.DevicesOfGroup(d.ctx, "Finance")) }, "GroupMember.Read.All", "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			street(t, func(t *testing.T, d *desk) {
				d.tenant.Infect("LT-042", graphtest.High)
				d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Finance"}})
				if err := c.do(d); err != nil {
					t.Fatal(err)
				}
				lift := d.tenant.Throttle(c.paths, 1, time.Minute)
				want{status: 429, after: time.Minute}.check(t, c.do(d))
				lift()
				time.Sleep(2 * time.Minute)
				d.app.Revoke(graphtest.AllRoles()...)
				d.app.Grant("User.Read.All")
				want{giveUp: true, status: 403, says: c.role}.check(t, c.do(d))
			})
		})
	}
}

func TestNobodysNeighbours(t *testing.T) {
	street(t, func(t *testing.T, d *desk) {
		d.tenant.AddGroup(graphtest.Group{Name: "Kiosks"})
		d.tenant.AddGroup(graphtest.Group{Name: "kiosks", ID: fabrikID})
		d.tenant.Infect("LT-042", graphtest.High)
		for _, c := range []struct {
			err    error
			status int
			says   string
		}{
			{third(d.client.DevicesOfUser(d.ctx, "nobody@contoso.example")), 404, "nobody@"},
			{third(d.client.DevicesOfUser(d.ctx, "ana")), 0, "neither the object id"},
			{third(d.client.DevicesOfUser(d.ctx, "a@b/../../devices")), 0, "neither the object id"},
			{third(d.client.DevicesOfIncident(d.ctx, "4711")), 404, "4711"},
			{third(d.client.DevicesOfIncident(d.ctx, "1001?$expand=x")), 0, "no id of an incident"},
			{third(d.client.DevicesOfIncident(d.ctx, "")), 0, "no id of an incident"},
			{third(d.client.DevicesOfGroup(d.ctx, "Nobody's")), 0, "no group"},
			{third(d.client.DevicesOfGroup(d.ctx, "")), 0, "neither a group's"},
			{third(d.client.DevicesOfGroup(d.ctx, contosoID)), 404, contosoID},
			{third(d.client.DevicesOfGroup(d.ctx, "Kiosks")), 0, "2 groups that are called \"Kiosks\": say which by its object id"},
			{third((graph.Tenants{}).DevicesOfUser(d.ctx, contosoID, "a@b")), 0, "no tenant"},
			{third((graph.Tenants{}).DevicesOfIncident(d.ctx, contosoID, "1")), 0, "no tenant"},
			{third((graph.Tenants{}).DevicesOfGroup(d.ctx, contosoID, "g")), 0, "no tenant"},
		} {
			want{giveUp: true, status: c.status, says: c.says}.check(t, c.err)
		}
		// Every incident was merged into the other.
		d.tenant.Infect("LT-099", graphtest.High)
		d.tenant.Redirect("1001", "1002")
		d.tenant.Redirect("1002", "1001")
		want{giveUp: true, says: "without an end: 1001, 1002, 1001"}.check(t, third(d.client.DevicesOfIncident(d.ctx, "1001")))
		// Silence is no empty list.
		d.client = d.instead(func(*http.Request) *http.Response { return jsonAnswer(`{"id":"7"}`) })
		want{says: "without a list of alerts"}.check(t, third(d.client.DevicesOfIncident(d.ctx, "7")))
		want{says: "another incident"}.check(t, third(d.client.DevicesOfIncident(d.ctx, "8")))
		want{says: "no list"}.check(t, third(d.client.DevicesOfUser(d.ctx, "ana@contoso.example")))
	})
}

func TestMoreNeighboursThanOneMayActOn(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		var names []string
		for i := range 205 {
			names = append(names, fmt.Sprintf("LT-%03d", i))
			d.tenant.AddDevice(ana(names[i]))
		}
		d.tenant.AddGroup(graphtest.Group{Name: "Everything", Devices: names})
		for what, do := range map[string]func() ([]events.Device, []string, error){
			"user":  func() ([]events.Device, []string, error) { return d.client.DevicesOfUser(d.ctx, "ana@contoso.example") },
			"group": func() ([]events.Device, []string, error) { return d.client.DevicesOfGroup(d.ctx, "Everything") },
		} {
			found, _, err := do()
			want{giveUp: true, says: "more than 200 devices"}.check(t, err)
			if len(found) != 200 || found[0].Name != "LT-000" {
				t.Errorf("%s: %d devices", what, len(found))
			}
		}
		for i := range 501 {
			d.tenant.AddUser(graphtest.User{UPN: fmt.Sprintf("u%d@contoso.example", i), Groups: []string{"All staff"}})
		}
		found, _, err := d.client.DevicesOfGroup(d.ctx, "All staff")
		want{giveUp: true, says: "more than 500 users and devices"}.check(t, err)
		if found != nil {
			t.Errorf("%d devices", len(found))
		}
	})
}

func TestDevicesOfAUser(t *testing.T) {
	street(t, func(t *testing.T, d *desk) {
		wantFound(t, "LT-007 LT-042", nil)(d.client.DevicesOfUser(d.ctx, "ana@contoso.example"))
		d.tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "iOS", User: "ana@contoso.example", EntraID: graphtest.NotInEntra})
		for _, name := range []string{"TW-1", "TW-2"} {
			d.tenant.AddDevice(graphtest.Device{Name: name, User: "ana@contoso.example", EntraID: fabrikID})
		}
		id := d.look(d.tenant.Device("LT-042")).UserID
		for _, user := range []string{id, strings.ToUpper(id), "Ana@Contoso.example"} {
			wantFound(t, "LT-007 LT-042", []string{"PH-1", "TW-1: Intune has 2 devices"})(d.client.DevicesOfUser(d.ctx, user))
		}
		// A list that has more than was asked for.
		d.client = d.instead(func(r *http.Request) *http.Response {
			if !strings.Contains(r.URL.Path, "/managedDevices") {
				return nil
			}
			return jsonAnswer(`{"value":[7,{"id":"` + contosoID + `","azureADDeviceId":"` + contosoID + `","userPrincipalName":"bo@contoso.example"}]}`)
		})
		wantFound(t, "", []string{"rows that cannot be read: 1"})(d.client.DevicesOfUser(d.ctx, "ana@contoso.example"))
	})
}

func TestDevicesOfAnIncident(t *testing.T) {
	street(t, func(t *testing.T, d *desk) {
		first := d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.AddAlert("LT-099", graphtest.Alert{Severity: graphtest.Low, IncidentID: first.IncidentID})
		d.tenant.AddAlert("LT-099", graphtest.Alert{Severity: graphtest.High, IncidentID: first.IncidentID})
		wantFound(t, "LT-042 LT-099", nil)(d.client.DevicesOfIncident(d.ctx, first.IncidentID))

		// It is merged into another, about a device that its alert names by Defender's
		// id only, and one that Intune has not.
		other := d.tenant.AddAlert("LT-007", graphtest.Alert{Severity: graphtest.Low, HideEntraID: true})
		d.tenant.AddDevice(graphtest.Device{Name: "SRV-1"})
		d.tenant.AddAlert("SRV-1", graphtest.Alert{Severity: graphtest.Low, IncidentID: other.IncidentID})
		d.tenant.Remove("SRV-1")
		d.tenant.Redirect(first.IncidentID, other.IncidentID)
		left := []string{"lt-007.contoso.example (machine", "srv-1.contoso.example"}
		for _, id := range []string{first.IncidentID, other.IncidentID} {
			wantFound(t, "LT-042 LT-099", left)(d.client.DevicesOfIncident(d.ctx, id))
		}

		d.client = d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		left[0] += " " + d.tenant.Device("LT-007").DefenderID + " in Defender): its alert does not say which device of Entra it is, and Defender cannot be asked: the app needs"
		wantFound(t, "LT-042 LT-099", left)(d.client.DevicesOfIncident(d.ctx, first.IncidentID))
		d.app.Grant("Machine.Read.All")
		time.Sleep(2 * time.Hour)
		wantFound(t, "LT-007 LT-042 LT-099", left[1:])(d.client.DevicesOfIncident(d.ctx, first.IncidentID))
	})
}

func TestEvidenceWithoutAnID(t *testing.T) {
	street(t, func(t *testing.T, d *desk) {
		entra := d.tenant.Device("LT-042").EntraID
		d.client = d.instead(func(r *http.Request) *http.Response {
			device := func(ids string) string {
				return `{"@odata.type":"#microsoft.graph.security.deviceEvidence"` + ids + `}`
			}
			switch {
			case strings.HasSuffix(r.URL.Path, "/incidents/7"): // its alerts go on, on another page
				return jsonAnswer(`{"id":"7","alerts":[3,{"id":"a1","evidence":[` + device("") + `,4]}],"alerts@odata.nextLink":"https://graph.microsoft.com/v1.0/security/alerts_v2?p=2"}`)
			case strings.HasSuffix(r.URL.Path, "/alerts_v2"):
				return jsonAnswer(`{"value":[{"id":"a2","evidence":[` + device(`,"azureAdDeviceId":"`+entra+`"`) + `,{"@odata.type":"#microsoft.graph.security.userEvidence"}]}]}`)
			}
			return nil
		})
		wantFound(t, "LT-042", []string{"alert a1: evidence without an id: 2", "alerts that cannot be read: 1"})(d.client.DevicesOfIncident(d.ctx, "7"))
	})
}

func TestDevicesOfAGroup(t *testing.T) {
	street(t, func(t *testing.T, d *desk) {
		d.tenant.AddDevice(graphtest.Device{Name: "KI-1"})
		d.tenant.AddDevice(graphtest.Device{Name: "KI-2"})
		d.tenant.AddGroup(graphtest.Group{Name: "Kiosks", Devices: []string{"KI-1", "KI-2", "LT-042"}})
		id := d.tenant.AddGroup(graphtest.Group{Name: "Ana's & Bo's", Groups: []string{"Kiosks"}})
		d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: []string{"Ana's & Bo's"}})
		d.tenant.AddUser(graphtest.User{UPN: "cy@contoso.example", Groups: []string{"Ana's & Bo's"}}) // has no device
		for _, group := range []string{id, strings.ToUpper(id), "Ana's & Bo's", "ana's & bo's"} {
			wantFound(t, "KI-1 KI-2 LT-007 LT-042", nil)(d.client.DevicesOfGroup(d.ctx, group))
		}
		d.tenant.Remove("KI-2") // from Entra as well, so from the group
		wantFound(t, "KI-1 LT-007 LT-042", nil)(d.client.DevicesOfGroup(d.ctx, id))
		d.app.Revoke("Device.Read.All") // members are there, and do not say which devices they are
		wantFound(t, "LT-007 LT-042", []string{"Device.Read.All", "Device.Read.All"})(d.client.DevicesOfGroup(d.ctx, id))
	})
}
