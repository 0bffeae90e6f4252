package graph_test

import (
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// defended tells a story in a tenant whose Defender for Endpoint is used.
func defended(t *testing.T, tell func(t *testing.T, d *desk, laptop graphtest.Device, dev events.Device)) {
	t.Helper()
	acting(t, func(t *testing.T, d *desk) {
		d.client = d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.AddDevice(ana("LT-043"))
		tell(t, d, laptop, d.look(laptop))
	})
}

const task = contosoID + "/3-isolate"

// toldDefender are the requests to Defender that reached the tenant, of a method
// or of any.
func (d *desk) toldDefender(method string) []graphtest.Request {
	var all []graphtest.Request
	for _, r := range d.tenant.Requests() {
		if strings.HasPrefix(r.Path, "/api/") && (method == "" || r.Method == method) {
			all = append(all, r)
		}
	}
	return all
}

func TestADeviceIsIsolatedAndReleased(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, dev events.Device) {
		a, err := d.client.Isolate(d.ctx, dev, task, "malware on\nLT-042")
		if err != nil || a.ID == "" || a.Type != "Isolate" || a.Status != "Pending" || a.Machine != laptop.DefenderID || !a.Open() || !a.Of(task) || a.Of(task+"x") {
			t.Fatalf("%+v %v", a, err)
		}
		sent := d.toldDefender("POST")
		if len(sent) != 1 || sent[0].Path != "/api/machines/"+laptop.DefenderID+"/isolate" ||
			string(sent[0].Body) != `{"Comment":"[curfew `+task+`] malware on LT-042","IsolationType":"Full"}` {
			t.Errorf("%+v %s", sent, sent[0].Body)
		}
		time.Sleep(time.Hour)
		if a, err = d.client.MachineAction(d.ctx, a.ID); err != nil || a.Status != "Succeeded" || a.Open() || !d.tenant.Isolated("LT-042") {
			t.Fatalf("%+v %v", a, err)
		}
		if a, err = d.client.Unisolate(d.ctx, dev, task, "clean"); err != nil || a.Type != "Unisolate" {
			t.Fatalf("%+v %v", a, err)
		}
		time.Sleep(time.Hour)
		if d.tenant.Isolated("LT-042") {
			t.Error("it is still isolated")
		}
		all, err := d.client.MachineActions(d.ctx, dev)
		if err != nil || len(all) != 2 || all[0].Type != "Unisolate" || all[1].Type != "Isolate" {
			t.Errorf("%+v %v", all, err)
		}
	})
}

func TestWhatDefenderIsAskedFor(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, dev events.Device) {
		for kind, full := range map[string]bool{"Quick": false, "Full": true} {
			if _, err := d.client.RunAntiVirusScan(d.ctx, dev, full, task, kind); err != nil {
				t.Fatal(err)
			}
			all := d.tenant.MachineActions("LT-042")
			if last := all[len(all)-1]; last.Scope != kind || last.Type != "RunAntiVirusScan" || !strings.Contains(last.Comment, task) {
				t.Errorf("%+v", last)
			}
			time.Sleep(2 * time.Hour)
		}
		i, err := d.client.StartInvestigation(d.ctx, dev, task, "because")
		if err != nil || i.ID == "" || i.State != "Running" || i.Machine != laptop.DefenderID {
			t.Errorf("%+v %v", i, err)
		}
		if got := d.tenant.Investigations("LT-042"); len(got) != 1 || got[0] != "[curfew "+task+"] because" {
			t.Errorf("%q", got)
		}
	})
}

func TestSomebodyElseWasFaster(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		d.tenant.IsolateByHand("LT-042", "attack disruption")
		a, err := d.client.Isolate(d.ctx, dev, task, "why")
		if err != nil || a.ID == "" || a.Of(task) || !a.Open() || a.Comment != "attack disruption" {
			t.Fatalf("%+v %v", a, err)
		}
		if n := len(d.tenant.MachineActions("LT-042")); n != 1 {
			t.Errorf("%d actions", n)
		}
		// That the record cannot be read does not undo it.
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "machineactions", Times: 1})
		if a, err = d.client.Isolate(d.ctx, dev, task, "why"); err != nil || a.ID != "" || a.Type != "Isolate" || !a.Open() {
			t.Errorf("%+v %v", a, err)
		}
	})
}

func TestAnUnclearEndAtDefender(t *testing.T) {
	for kind, w := range map[graphtest.Kind]want{
		graphtest.TimedOutButDone: {unsure: true, status: 504}, graphtest.TimedOut: {unsure: true, status: 504},
		graphtest.CutOffButDone: {unsure: true, says: "no answer"}, graphtest.EmptyError: {unsure: true, status: 500},
		graphtest.BadGateway: {unsure: true, status: 502},
	} {
		t.Run(string(kind), func(t *testing.T) {
			defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
				d.tenant.Inject(graphtest.Fault{Kind: kind, Method: "POST", Path: "machines/*/isolate"})
				w.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
				if n := len(d.toldDefender("POST")); n != 1 {
					t.Errorf("sent %d times", n)
				}
				all, err := d.client.MachineActions(d.ctx, dev) // which settles it
				executed := kind == graphtest.TimedOutButDone || kind == graphtest.CutOffButDone
				if err != nil || (len(all) == 1 && all[0].Of(task)) != executed {
					t.Errorf("%+v %v", all, err)
				}
			})
		})
	}
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) { // azcore forgets that it had left
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Slow, Path: "machines/*/isolate", Wait: time.Hour})
		began := time.Now()
		want{unsure: true, says: "no answer in time"}.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestDefenderThrottles(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		d.tenant.Throttle("machines/*/isolate", 1, 90*time.Second)
		want{status: 429, after: 90 * time.Second, says: "TooManyRequests"}.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
		asked := len(d.toldDefender(""))
		want{after: 90 * time.Second, says: "nothing was sent"}.check(t, second(d.client.Machine(d.ctx, dev)))
		if len(d.toldDefender("")) != asked {
			t.Error("it was asked all the same")
		}
		if err := d.client.Sync(d.ctx, dev); err != nil { // Graph is another service
			t.Error(err)
		}
		time.Sleep(90 * time.Second)
		if _, err := d.client.Isolate(d.ctx, dev, task, "why"); err != nil {
			t.Error(err)
		}
	})
}

func TestDefendersLimitsAreKept(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		done, refused := 0, 0
		for end := time.Now().Add(2 * time.Hour); time.Now().Before(end); {
			_, err := d.client.Machine(d.ctx, dev)
			if err == nil {
				done++
				continue
			}
			e := refusal(t, err)
			if e.Status != 0 || e.RetryAfter() <= 0 {
				t.Fatal(err) // Defender had to say it
			}
			refused++
			time.Sleep(e.RetryAfter())
		}
		if done < 2000 || refused == 0 {
			t.Errorf("%d calls in two hours", done)
		}
	})
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		done := 0
		for end := time.Now().Add(3 * time.Hour); time.Now().Before(end); {
			_, err := d.client.StartInvestigation(d.ctx, dev, task, "why")
			if err == nil {
				done++
				continue
			}
			e := refusal(t, err)
			if e.Status != 0 || e.GiveUp() || e.Unsure() {
				t.Fatal(err)
			}
			time.Sleep(e.RetryAfter())
		}
		if done < 80 || done > 150 {
			t.Errorf("%d investigations in three hours", done)
		}
	})
}

func TestDefenderRefuses(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		d.app.Revoke("Machine.Isolate")
		e := want{giveUp: true, status: 403, says: "Machine.Isolate of WindowsDefenderATP"}.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
		if strings.Contains(e.Error(), "Graph says") || !strings.Contains(e.Error(), "Defender says") {
			t.Error(e)
		}
		for _, bad := range []string{"", "a\nb", "a]", strings.Repeat("t", 256)} {
			want{giveUp: true, says: "task id"}.check(t, second(d.client.Unisolate(d.ctx, dev, bad, "why")))
		}
		want{giveUp: true, says: "not the id"}.check(t, second(d.client.MachineAction(d.ctx, "../machines")))
		want{giveUp: true, status: 404}.check(t, second(d.client.MachineAction(d.ctx, contosoID)))
		other := dev
		other.Key.Tenant = fabrikID
		want{giveUp: true, says: "another tenant"}.check(t, second(d.client.Isolate(d.ctx, other, task, "why")))
		other = dev
		other.Key.Device = events.UnresolvedPrefix + machineID
		want{giveUp: true, says: "not a device id of Entra"}.check(t, second(d.client.Machine(d.ctx, other)))
		if n := len(d.toldDefender("POST")); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
	acting(t, func(t *testing.T, d *desk) {
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		want{giveUp: true, says: "does not use Defender"}.check(t, second(d.client.Machine(d.ctx, dev)))
	})
}

func TestATokenForDefenderIsNoneForGraph(t *testing.T) {
	defended(t, func(t *testing.T, d *desk, _ graphtest.Device, dev events.Device) {
		wrong := d.reach(func(c *graph.Tenant) {
			c.Defender = &graph.DefenderEndpoint{Scope: "https://graph.microsoft.com/.default"}
		})
		want{status: 401, says: "Invalid Authorization payload"}.check(t, second(wrong.Machine(d.ctx, dev)))
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TokenDown})
		fresh := d.reach(func(c *graph.Tenant) { c.Defender = &graph.DefenderEndpoint{} })
		for range 2 { // and the second time nobody knocks at Entra
			e := refusal(t, second(fresh.Isolate(d.ctx, dev, task, "why")))
			if e.GiveUp() || e.Unsure() || e.RetryAfter() == 0 || strings.Contains(e.Error(), secret) {
				t.Errorf("%+v", e)
			}
		}
		if n := d.tenant.Asked("POST", "/"+d.tenant.ID+"/oauth2/v2.0/token"); n > 4 {
			t.Errorf("%d tokens were asked for", n)
		}
	})
}
