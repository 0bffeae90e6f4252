package graphtest_test

import (
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// patient lets a story last for hours: tokens do not run out.
func patient(t *testing.T, tell func(t *testing.T, d *desk, lt graphtest.Device)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		tm := graphtest.DefaultTiming()
		tm.Token = 1000 * time.Hour
		d.tenant.SetTiming(tm)
		d.token = d.app.Token()
		tell(t, d, d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"}))
	})
}

func (d *desk) act(lt graphtest.Device, action string, body any) answer {
	d.t.Helper()
	return d.ask("POST", managed+"/"+lt.ID+"/"+action, body)
}

const autopilotReset = `{"keepEnrollmentData":true,"keepUserData":false}`

func TestAnAcceptedActionIsOnlyQueued(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.act(lt, "windowsDefenderScan", `{"quickScan":false}`).wants(204)
		one := managed + "/" + lt.ID
		d.get(one).is("windowsDefenderScan", "deviceActionResults", 0, "actionName").is("pending", "deviceActionResults", 0, "actionState")
		time.Sleep(time.Minute)
		d.get(one).is("active", "deviceActionResults", 0, "actionState").is("Full", "deviceActionResults", 0, "scanType")
		time.Sleep(time.Hour)
		d.get(one).is("done", "deviceActionResults", 0, "actionState")
		if got := len(d.get(managed).at("value", 0, "deviceActionResults").([]any)); got != 0 {
			t.Errorf("a list shows %d action results", got)
		}
		a := d.tenant.Actions("LT-042")[0]
		if a.Kind != graphtest.FullScan || !a.Happened || a.Ended.Sub(a.Asked) != 61*time.Minute {
			t.Errorf("%+v", a)
		}
	})
}

func TestAutopilotReset(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		alert := d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.BreakBitLocker("LT-042")
		d.act(lt, "wipe", autopilotReset).wants(204)
		one := managed + "/" + lt.ID
		d.get(one).is("wipePending", "managementState").is("highSeverity", "partnerReportedThreatState")
		time.Sleep(time.Minute)
		d.get(one).is("wipeIssued", "managementState")
		time.Sleep(45 * time.Minute)
		d.get(one).is("managed", "managementState").is("secured", "partnerReportedThreatState").is("compliant", "complianceState").
			is("", "userPrincipalName").is("", "userId").is(lt.EntraID, "azureADDeviceId").
			is(time.Now().UTC().Format(time.RFC3339), "lastSyncDateTime")
		d.get("security/alerts_v2/"+alert.ID).is("resolved", "status").is(lt.DefenderID, "evidence", 0, "mdeDeviceId")
		if now := d.tenant.Device("LT-042"); now.DefenderID == lt.DefenderID {
			t.Error("Defender should see a new machine")
		}
		a := d.tenant.Actions("LT-042")[0]
		if string(a.Body) != autopilotReset || a.Kind != graphtest.AutopilotReset {
			t.Errorf("%+v", a)
		}
	})
}

func TestOneFlippedBooleanIsAFullWipe(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		for body, kind := range map[string]string{
			autopilotReset: graphtest.AutopilotReset,
			`{"keepEnrollmentData":false,"keepUserData":false}`: graphtest.FullWipe,
			``: graphtest.FullWipe,
			`{"keepEnrollmentData":true,"keepUserData":true}`: graphtest.WipeKeepUser,
		} {
			d.act(lt, "wipe", body).wants(204)
			all := d.tenant.Actions("LT-042")
			if got := all[len(all)-1].Kind; got != kind {
				t.Errorf("%s is %s, want %s", body, got, kind)
			}
		}
		d.act(lt, "wipe", `{"keepEnrollmentData":`).wants(400)
		d.act(lt, "windowsDefenderScan", nil).wants(400)
	})
}

func TestAFullWipeEndsTheEnrolment(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.act(lt, "wipe", `{"keepEnrollmentData":false,"keepUserData":false}`).wants(204)
		time.Sleep(2 * time.Hour)
		d.get(managed + "/" + lt.ID).wants(404)
		d.act(lt, "syncDevice", nil).wants(404)
		d.get("devices/"+lt.ObjectID).is(false, "isManaged").is(false, "isCompliant")
	})
}

func TestAnOfflineDeviceDoesNothing(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.Offline("LT-042")
		d.act(lt, "syncDevice", nil).wants(204)
		time.Sleep(48 * time.Hour)
		one := managed + "/" + lt.ID
		before := d.get(one).is("pending", "deviceActionResults", 0, "actionState").at("lastSyncDateTime")
		d.tenant.Online("LT-042")
		time.Sleep(2 * time.Minute)
		after := d.get(one).is("done", "deviceActionResults", 0, "actionState").at("lastSyncDateTime")
		if before == after {
			t.Error("it did not check in")
		}
	})
}

func TestDevicesCheckInByThemselves(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		first := d.get(managed + "/" + lt.ID).at("lastSyncDateTime")
		time.Sleep(7 * time.Hour)
		d.get(managed+"/"+lt.ID).is(first, "lastSyncDateTime")
		time.Sleep(time.Hour)
		d.get(managed+"/"+lt.ID).is(time.Now().UTC().Format(time.RFC3339), "lastSyncDateTime")
	})
}

func TestDoneMayBeALie(t *testing.T) {
	for name, c := range map[string]struct {
		outcome graphtest.Outcome
		state   any
		manage  string
	}{
		"it lies":     {graphtest.Lies, "done", "managed"},
		"it fails":    {graphtest.Fails, "failed", "wipeFailed"},
		"it vanishes": {graphtest.Vanishes, nil, "managed"},
		"it sticks":   {graphtest.Sticks, "pending", "wipePending"},
	} {
		t.Run(name, func(t *testing.T) {
			patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
				d.tenant.Infect("LT-042", graphtest.High)
				d.tenant.Next("LT-042", "wipe", c.outcome)
				d.act(lt, "wipe", autopilotReset).wants(204)
				time.Sleep(24 * time.Hour)
				d.get(managed+"/"+lt.ID).is(c.state, "deviceActionResults", 0, "actionState").is(c.manage, "managementState").
					is("highSeverity", "partnerReportedThreatState").is("ana@contoso.example", "userPrincipalName")
				if n := d.tenant.Happened("LT-042", "wipe"); n != 0 {
					t.Errorf("it happened %d times", n)
				}
				d.act(lt, "wipe", autopilotReset).wants(204)
				time.Sleep(24 * time.Hour)
				d.get(managed+"/"+lt.ID).is("done", "deviceActionResults", 0, "actionState").is("secured", "partnerReportedThreatState")
			})
		})
	}
}

func TestSomeDevicesCannotBeReset(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		for _, spec := range []graphtest.Device{
			{Name: "hybrid", Join: graphtest.HybridJoined}, {Name: "attached", Agent: "msSense"},
		} {
			lt := d.tenant.AddDevice(spec)
			d.act(lt, "wipe", autopilotReset).wants(204)
			time.Sleep(time.Hour)
			d.get(managed+"/"+lt.ID).is("notSupported", "deviceActionResults", 0, "actionState")
		}
	})
}

func TestAPhoneLosesEverything(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		phone := d.tenant.AddDevice(graphtest.Device{Name: "PH-1", OS: "iOS"})
		d.act(phone, "wipe", autopilotReset).wants(204)
		time.Sleep(2 * time.Hour)
		if d.tenant.Happened("PH-1", graphtest.FullWipe) != 1 {
			t.Errorf("%+v", d.tenant.Actions("PH-1"))
		}
		d.get(managed + "/" + phone.ID).wants(404)
	})
}

func TestResultsMayBeHiddenOrSpelledOtherwise(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.act(lt, "wipe", autopilotReset).wants(204)
		d.tenant.SetRules(graphtest.Rules{Spelling: map[string]string{"wipe": "factoryResetKeepEnrollmentData"}})
		d.get(managed+"/"+lt.ID).is("factoryResetKeepEnrollmentData", "deviceActionResults", 0, "actionName")
		d.tenant.SetRules(graphtest.Rules{HideResults: true})
		d.get(managed+"/"+lt.ID).is(nil, "deviceActionResults", 0).is("wipePending", "managementState")
		// beta has a second witness.
		d.get("https://graph.microsoft.com/beta/deviceManagement/remoteActionAudits").wants(200).
			is("factoryResetKeepEnrollmentData", "value", 0, "action").is(lt.ID, "value", 0, "managedDeviceId")
		d.get("deviceManagement/remoteActionAudits").wants(400)
	})
}

func TestAFullScanMayHeal(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.ScanHeals("LT-042")
		d.act(lt, "windowsDefenderScan", map[string]bool{"quickScan": true}).wants(204)
		time.Sleep(time.Hour)
		d.get(managed+"/"+lt.ID).is("highSeverity", "partnerReportedThreatState")
		d.act(lt, "windowsDefenderScan", map[string]bool{"quickScan": false}).wants(204)
		time.Sleep(2 * time.Hour)
		d.get(managed+"/"+lt.ID).is("secured", "partnerReportedThreatState")
	})
}

// With QuickTiming a reset is over in about a second, for demonstrations.
func TestQuickTiming(t *testing.T) {
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.SetTiming(graphtest.QuickTiming())
		d.tenant.Infect("LT-042", graphtest.High)
		d.act(lt, "wipe", autopilotReset).wants(204)
		time.Sleep(2 * time.Second)
		if n := d.tenant.Happened("LT-042", graphtest.AutopilotReset); n != 1 {
			t.Errorf("it happened %d times", n)
		}
	})
}
