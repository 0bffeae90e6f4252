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

func TestWhatIsRefusedIsMissing(t *testing.T) {
	for role, part := range map[string]string{
		"Device.Read.All": "Entra device: ",
		"User.Read.All":   "user: ",
	} {
		t.Run(role, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				laptop := d.tenant.AddDevice(ana("LT-042"))
				d.app.Revoke(role, "Group.Read.All")
				dev := d.look(laptop)
				if len(dev.Missing) != 1 || !strings.HasPrefix(dev.Missing[0], part) || !strings.Contains(dev.Missing[0], role) {
					t.Errorf("%q", dev.Missing)
				}
				d.client = d.reach(func(c *graph.Tenant) { c.Look.SkipEntra, c.Look.SkipUser = true, true })
				if dev := d.look(laptop); len(dev.Missing) != 0 {
					t.Errorf("nobody asked for %v", dev.Missing)
				}
			})
		})
	}
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.app.Revoke("DeviceManagementManagedDevices.Read.All")
		_, err := d.client.Look(d.ctx, d.kase(laptop))
		want{status: 403, giveUp: true, says: "DeviceManagementManagedDevices.Read.All"}.check(t, err)
	})
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.Break("LT-042", graphtest.BaselinePolicy, "Windows10CompliancePolicy.SecureBootEnabled")
		d.client = d.instead(func(r *http.Request) *http.Response {
			if strings.HasSuffix(r.URL.Path, "/windowsProtectionState") || strings.HasSuffix(r.URL.Path, "/deviceCompliancePolicyStates") {
				return answer(404, "application/json", `{"error":{"code":"ResourceNotFound","message":"none"}}`)
			}
			return nil
		})
		dev := d.look(laptop)
		if want := []string{"compliance policy states: Graph has none", "windowsProtectionState: Graph has none"}; !slices.Equal(dev.Missing, want) {
			t.Errorf("%q", dev.Missing)
		}
	})
}

func TestWhatPassesByItselfFailsTheWholeLook(t *testing.T) {
	parts := []string{"deviceManagement/managedDevices", "deviceManagement/managedDevices/*/deviceCompliancePolicyStates",
		"deviceManagement/managedDevices/*/windowsProtectionState", "devices", "users"}
	for _, part := range parts {
		for _, kind := range []graphtest.Kind{graphtest.Throttled, graphtest.Unavailable, graphtest.TimedOut, graphtest.CutOff,
			graphtest.BadGateway, graphtest.EmptyError, graphtest.BareError} {
			t.Run(part+" "+string(kind), func(t *testing.T) {
				story(t, func(t *testing.T, d *desk) {
					laptop := d.tenant.AddDevice(ana("LT-042"))
					d.tenant.Infect("LT-042", graphtest.High)
					d.tenant.Inject(graphtest.Fault{Kind: kind, Path: part, Times: 1})
					dev, err := d.client.Look(d.ctx, d.kase(laptop))
					if e := asError(t, err); e.GiveUp() || e.Unsure() || dev.Name != "" {
						t.Errorf("%+v, %v", dev, err)
					}
					time.Sleep(time.Minute)
					d.look(laptop)
				})
			})
		}
	}
}

func TestKnownAlertsAreReadAgain(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		kase := d.kase(laptop)
		for i := range 12 {
			a := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium, ID: fmt.Sprintf("da%02d_1", i)})
			read := time.Now().Add(-time.Hour - time.Duration(i)*time.Minute)
			kase.Device.Alerts = append(kase.Device.Alerts, events.Alert{ID: a.ID, Severity: "medium", Status: "new", ReadAt: read})
		}
		fresh := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.Medium, ID: "fresh"})
		kase.Device.Alerts = append(kase.Device.Alerts,
			events.Alert{ID: fresh.ID, Status: "new", ReadAt: time.Now().Add(-time.Minute)},
			events.Alert{ID: "old", Status: "resolved", ReadAt: time.Now().Add(-24 * time.Hour)})
		before := slices.Clone(kase.Device.Alerts)
		d.tenant.Remediate("LT-042")
		dev, err := d.client.Look(d.ctx, kase)
		if err != nil {
			t.Fatal(err)
		}
		if n := d.tenant.Asked("GET", "/v1.0/security/alerts_v2/"); n != 10 {
			t.Errorf("%d alerts read", n)
		}
		for i, a := range dev.Alerts {
			again := i >= 2 && i < 12 // the two read last wait their turn
			if resolved := a.Status == "resolved"; i < 13 && resolved != again || again && (a.Open() || a.Remediation != "remediated" || !a.ReadAt.Equal(dev.SeenAt)) {
				t.Errorf("%d: %+v", i, a)
			}
		}
		if len(dev.Alerts) != 14 || dev.DefenderID != laptop.DefenderID || !slices.Equal(before, kase.Device.Alerts) {
			t.Errorf("%d alerts, %s", len(dev.Alerts), dev.DefenderID)
		}
	})
}

func TestAnAlertThatIsGoneIsMissing(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		kase := d.kase(laptop)
		kase.Device.Alerts = []events.Alert{{ID: "../../users/x", Status: "new"}, {ID: "gone", Status: "new"}}
		dev, err := d.client.Look(d.ctx, kase)
		if err != nil || len(dev.Missing) != 2 || dev.Missing[1] != "alert gone: Graph has none" || !dev.Alerts[1].Open() {
			t.Errorf("%v %+v", err, dev)
		}
		d.app.Revoke("SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All")
		dev, err = d.client.Look(d.ctx, kase)
		if err != nil || len(dev.Missing) != 1 || !strings.Contains(dev.Missing[0], "SecurityAlert.Read.All") {
			t.Errorf("%v %q", err, dev.Missing)
		}
		d.client = d.reach(func(c *graph.Tenant) { c.Look.SkipAlerts = true })
		if dev, err = d.client.Look(d.ctx, kase); err != nil || len(dev.Missing) != 0 || len(dev.Alerts) != 2 {
			t.Errorf("%v %q", err, dev.Missing)
		}
	})
}

func TestADeviceThatOnlyDefenderKnows(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		hidden := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High, HideEntraID: true})
		kase := events.Case{Key: events.Key{Tenant: contosoID, Device: events.UnresolvedPrefix + laptop.DefenderID}}
		kase.Device.Alerts = []events.Alert{{ID: "gone"}, {ID: hidden.ID}}
		_, err := d.client.Look(d.ctx, kase)
		want{giveUp: true, says: "Defender knows this device (machine " + laptop.DefenderID + "), Entra does not: a person must"}.check(t, err)

		shown := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: graphtest.High})
		kase.Device.Alerts = append(kase.Device.Alerts, events.Alert{ID: shown.ID})
		_, err = d.client.Look(d.ctx, kase)
		want{giveUp: true, says: "is the device " + laptop.EntraID + " of Entra by now"}.check(t, err)

		d.tenant.Throttle("security", 1, time.Minute)
		_, err = d.client.Look(d.ctx, kase)
		want{status: 429, after: time.Minute, says: "contoso: read an alert"}.check(t, err)
	})
}

func TestAUserWhoIsGoneCannotBeTold(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.client = d.instead(func(r *http.Request) *http.Response {
			if strings.HasPrefix(r.URL.Path, "/v1.0/users/") {
				return answer(404, "application/json", `{"error":{"code":"Request_ResourceNotFound"}}`)
			}
			return nil
		})
		if dev := d.look(laptop); dev.User != "" || dev.UserID != "" || len(dev.Missing) != 1 {
			t.Errorf("%+v", dev)
		}
	})
}

func TestALongListOfGroupsIsCutAndSaysSo(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		var groups []string
		for i := range 2000 {
			groups = append(groups, fmt.Sprintf("Group %d", i))
		}
		d.tenant.AddUser(graphtest.User{UPN: "ana@contoso.example", Groups: groups})
		d.client = d.reach(func(c *graph.Tenant) { c.Look.Groups = true })
		if dev := d.look(laptop); len(dev.Groups) != 1000 || !slices.Equal(dev.Missing, []string{"groups: more than 500"}) {
			t.Errorf("%d, %q", len(dev.Groups), dev.Missing)
		}
	})
}

func TestSilenceAboutMalwareIsNotHealth(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		for body, missing := range map[string]string{
			`{"id":"x"}`:                               "windowsProtectionState: no list of malware in it",
			`{"id":"x","detectedMalwareState":null}`:   "windowsProtectionState: no list of malware in it",
			`{"id":"x","detectedMalwareState":"none"}`: "windowsProtectionState: 1 detections that cannot be read",
			`{"id":"x","detectedMalwareState":[7,null,{"threatState":"active","severity":{}}]}`:                                                                                                              "windowsProtectionState: 2 detections that cannot be read",
			`{"id":"x","detectedMalwareState":[],"detectedMalwareState@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/none/windowsProtectionState/detectedMalwareState"}`: "windowsProtectionState: Graph has none",
		} {
			client := d.instead(func(r *http.Request) *http.Response {
				if strings.HasSuffix(r.URL.Path, "/windowsProtectionState") {
					return jsonAnswer(body)
				}
				return nil
			})
			dev, err := client.Look(d.ctx, d.kase(laptop))
			if err != nil || !slices.Equal(dev.Missing, []string{missing}) {
				t.Errorf("%s: %v %q", body, err, dev.Missing)
			}
		}
	})
}

// Intune forgets no detection; what is there counts, and of what is gone the newest.
func TestAllThatALaptopEverHadIsNotCarriedAlong(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		for range 30 {
			d.tenant.Infect("LT-042", graphtest.High)
			time.Sleep(time.Minute)
			d.tenant.Heal("LT-042")
			time.Sleep(time.Minute)
		}
		healed := time.Now()
		d.tenant.Infect("LT-042", graphtest.High)
		dev := d.look(laptop)
		if len(dev.Malware) != 21 || len(dev.ActiveMalware()) != 1 || !dev.Malware[0].Active() || healed.Sub(dev.Malware[20].Changed) > time.Hour {
			t.Errorf("%d: %+v", len(dev.Malware), dev.Malware)
		}
	})
}

// Defender has healed the laptop, and the alert as the last sweep had it is all
// that speaks against it: it is read at once, though it was read a minute ago.
func TestAnAlertThatIsAllThatIsLeftIsReadAgain(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		kase := d.kase(laptop)
		a := d.tenant.Infect("LT-042", graphtest.High)
		kase.Device.Alerts = []events.Alert{{ID: a.ID, Severity: "high", Status: "new", ReadAt: time.Now().Add(-time.Minute)}}
		look := func() events.Device {
			t.Helper()
			dev, err := d.client.Look(d.ctx, kase)
			if err != nil {
				t.Fatal(err)
			}
			return dev
		}
		if look(); d.tenant.Asked("GET", "/v1.0/security/alerts_v2/") != 0 {
			t.Error("read, although the device shows the threat by itself")
		}
		d.tenant.Remediate("LT-042")
		if open := look().OpenAlerts(); len(open) != 0 {
			t.Errorf("still open: %v", open)
		}
	})
}
