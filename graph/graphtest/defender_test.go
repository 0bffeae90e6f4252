package graphtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

const defenderRoot = "https://api.security.microsoft.com/api/"

// defended is patient with an app that may use Defender.
func defended(t *testing.T, tell func(t *testing.T, d *desk, lt graphtest.Device)) {
	t.Helper()
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.app.Grant(graphtest.ActingRoles()...)
		d.token = d.app.DefenderToken()
		tell(t, d, lt)
	})
}

func TestDefenderWantsItsOwnToken(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device) {
		d.get(defenderRoot + "machines").wants(200)
		d.token = d.app.Token()
		d.get(defenderRoot+"machines").wants(401).is("Unauthorized", "error", "code")
		d.token = ""
		d.get(defenderRoot + "machines").wants(401)
		d.token = d.app.DefenderToken()
		d.app.Revoke("Machine.Read.All")
		d.get(defenderRoot+"machines").wants(403).is("Forbidden", "error", "code")
	})
}

func TestMachines(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		of := func(id string) string { return where(defenderRoot+"machines", "$filter", "aadDeviceId eq "+id) }
		d.get(of(lt.EntraID)).is(lt.DefenderID, "value", 0, "id").is("Onboarded", "value", 0, "onboardingStatus").is("None", "value", 0, "riskScore")
		d.tenant.Infect("LT-042", graphtest.High)
		d.get(defenderRoot+"machines/"+lt.DefenderID).is("High", "riskScore")
		d.get(of(fabrikID)).wants(404)
		byod := d.tenant.AddDevice(graphtest.Device{Name: "BYOD", Join: graphtest.Registered})
		d.get(of(byod.EntraID)).wants(404) // has no aadDeviceId
		d.get(defenderRoot+"machines/"+byod.DefenderID).is(nil, "aadDeviceId")
		d.tenant.Offline("LT-042")
		time.Sleep(8 * 24 * time.Hour)
		d.get(of(lt.EntraID)).is("Inactive", "value", 0, "healthStatus")
	})
}

func TestMachineActionsTakeTheirTime(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		one := defenderRoot + "machines/" + lt.DefenderID + "/"
		d.ask("POST", one+"isolate", `{"IsolationType":"Full"}`).wants(400)
		d.ask("POST", one+"isolate", `{"Comment":"c","IsolationType":"Half"}`).wants(400)
		d.ask("POST", one+"runAntiVirusScan", `{"Comment":"c"}`).wants(400)
		d.ask("POST", one+"isolate", nil).wants(400)
		id, _ := d.ask("POST", one+"isolate", `{"Comment":"c","IsolationType":"Full"}`).wants(201).is("Pending", "status").at("id").(string)
		d.ask("POST", one+"isolate", `{"Comment":"d","IsolationType":"Full"}`).wants(400).is("ActiveRequestAlreadyExists", "error", "code")
		time.Sleep(time.Minute)
		d.get(defenderRoot+"machineactions/"+id).is("InProgress", "status")
		if d.tenant.Isolated("LT-042") {
			t.Error("too early")
		}
		time.Sleep(time.Minute)
		d.get(defenderRoot+"machineactions/"+id).is("Succeeded", "status")
		if !d.tenant.Isolated("LT-042") {
			t.Error("it is not isolated")
		}
		d.tenant.Next("LT-042", "isolate", graphtest.Fails, graphtest.Vanishes)
		for _, status := range []string{"Failed", ""} {
			a := d.ask("POST", one+"isolate", `{"Comment":"c","IsolationType":"Full"}`).wants(201)
			time.Sleep(time.Hour)
			if got := d.get(defenderRoot + "machineactions/" + a.at("id").(string)); status == "" {
				got.wants(404)
			} else {
				got.is(status, "status")
			}
		}
		list := d.get(where(defenderRoot+"machineactions", "$filter", "machineId eq '"+lt.DefenderID+"' and status eq 'Succeeded'"))
		if rows := list.rows(); len(rows) != 1 {
			t.Errorf("%d rows", len(rows))
		}
	})
}

func TestDefendersFullScanMayHeal(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.tenant.Infect("LT-042", graphtest.High)
		d.tenant.ScanHeals("LT-042")
		d.ask("POST", defenderRoot+"machines/"+lt.DefenderID+"/runAntiVirusScan", `{"Comment":"c","ScanType":"Full"}`).wants(201)
		time.Sleep(2 * time.Hour)
		d.get(defenderRoot+"machines/"+lt.DefenderID).is("None", "riskScore")
	})
}

func TestAResetLeavesTheOldMachineBehind(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		d.token = d.app.Token()
		d.act(lt, "wipe", autopilotReset).wants(204)
		time.Sleep(10 * time.Hour)
		d.token = d.app.DefenderToken()
		list := d.get(where(defenderRoot+"machines", "$filter", "aadDeviceId eq "+lt.EntraID))
		if now := d.tenant.Device("LT-042"); list.names("id") != now.DefenderID+" "+lt.DefenderID {
			t.Errorf("%s, now %s, before %s", list.names("id"), now.DefenderID, lt.DefenderID)
		}
		// What is asked of the old record never happens.
		d.ask("POST", defenderRoot+"machines/"+lt.DefenderID+"/isolate", `{"Comment":"c","IsolationType":"Full"}`).wants(201)
		time.Sleep(10 * time.Hour)
		if d.tenant.Isolated("LT-042") {
			t.Error("the new machine is isolated")
		}
	})
}

func TestDefendersLimits(t *testing.T) {
	for path, limits := range map[string]struct {
		most  int
		after string
	}{"machines": {100, "60"}, "machines/*/startInvestigation": {50, "3600"}} {
		t.Run(path, func(t *testing.T) {
			defended(t, func(t *testing.T, d *desk, lt graphtest.Device) {
				method, address, body := http.MethodGet, defenderRoot+path, any(nil)
				if strings.Contains(path, "*") {
					method, body = http.MethodPost, `{"Comment":"c"}`
					address = strings.Replace(address, "*", lt.DefenderID, 1)
				}
				for range limits.most {
					if a := d.ask(method, address, body); a.status >= 300 {
						t.Fatal(a.body)
					}
				}
				if a := d.ask(method, address, body).wants(429); a.header.Get("Retry-After") != limits.after {
					t.Errorf("come again in %s", a.header.Get("Retry-After"))
				}
				time.Sleep(time.Hour)
				if a := d.ask(method, address, body); a.status >= 300 {
					t.Error(a.body)
				}
			})
		})
	}
}
