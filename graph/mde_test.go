package graph_test

import (
	"net/http"
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

func TestWhichMachineIsMeant(t *testing.T) {
	old := func(d *desk, m graphtest.Machine) graphtest.Machine { return d.tenant.AddMachine("LT-042", m) }
	for name, c := range map[string]struct {
		do   func(*desk) string // returns the id that is meant; empty: the device's own
		says string
	}{
		"only one": {do: func(*desk) string { return "" }},
		"the old record is not onboarded": {do: func(d *desk) string {
			old(d, graphtest.Machine{Onboarding: "CanBeOnboarded", LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"the old record is inactive": {do: func(d *desk) string {
			old(d, graphtest.Machine{Health: "Inactive", LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"the newest of two": {do: func(d *desk) string { return old(d, graphtest.Machine{LastSeen: time.Now().Add(time.Hour)}).ID }},
		"one was merged": {do: func(d *desk) string {
			old(d, graphtest.Machine{MergedInto: machineID, LastSeen: time.Now().Add(time.Hour)})
			return ""
		}},
		"after a reset": {do: func(d *desk) string {
			dev := d.look(d.tenant.Device("LT-042"))
			if err := d.client.Reset(d.ctx, dev); err != nil {
				d.t.Fatal(err)
			}
			time.Sleep(20 * time.Hour)
			return d.tenant.Device("LT-042").DefenderID
		}},
		"two alike": {says: "nothing tells apart", do: func(d *desk) string {
			return old(d, graphtest.Machine{LastSeen: d.tenant.Device("LT-042").LastSync}).ID
		}},
		"not onboarded": {says: "not onboarded", do: func(d *desk) string { d.tenant.Offboard("LT-042"); return "" }},
		"none":          {says: "knows no machine", do: func(d *desk) string { d.tenant.Remove("LT-042"); return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			defended(t, func(t *testing.T, d *desk, laptop graphtest.Device, dev events.Device) {
				meant := c.do(d)
				if meant == "" {
					meant = laptop.DefenderID
				}
				m, err := d.client.Machine(d.ctx, dev)
				if c.says != "" {
					want{giveUp: true, says: c.says, status: 0}.check(t, err)
					want{giveUp: true, says: c.says}.check(t, second(d.client.Isolate(d.ctx, dev, task, "why")))
					if n := len(d.toldDefender("POST")); n != 0 {
						t.Errorf("%d actions on some machine", n)
					}
					return
				}
				if err != nil || m.ID != meant || m.Onboarding != "Onboarded" || m.LastSeen.IsZero() {
					t.Errorf("%+v %v, want %s", m, err, meant)
				}
			})
		})
	}
}

func TestAFilterThatDefenderIgnores(t *testing.T) {
	acting(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		d.tenant.AddDevice(ana("LT-043"))
		d.client = d.reach(func(c *graph.Tenant) {
			c.Defender = &graph.DefenderEndpoint{API: "https://eu.api.security.microsoft.com"}
			next := c.Transport
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/api/") {
					if r.URL.Host != "eu.api.security.microsoft.com" {
						t.Errorf("asked %s", r.URL.Host)
					}
					r.URL.RawQuery = ""
				}
				return next.RoundTrip(r)
			})
		})
		dev := d.look(laptop)
		if m, err := d.client.Machine(d.ctx, dev); err != nil || m.ID != laptop.DefenderID {
			t.Errorf("%+v %v", m, err)
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

func TestWhereDefenderIs(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(*graph.Tenant)
		says string
	}{
		"a national cloud needs both": {func(c *graph.Tenant) { c.Cloud = graph.China }, "give its API's host and its scope"},
		"plain HTTP":                  {func(c *graph.Tenant) { c.Defender.API = "http://x.example" }, "defender endpoint"},
		"a path":                      {func(c *graph.Tenant) { c.Defender.API = "https://x.example/api" }, "defender endpoint"},
		"only Graph is elsewhere": {func(c *graph.Tenant) {
			c.Endpoint = &graph.Endpoint{Graph: "https://a.example", Login: "https://b.example"}
		}, "give Defender's too"},
		"a time that is none": {func(c *graph.Tenant) { c.SeenWithin = -1 }, "within the last"},
	} {
		t.Run(name, func(t *testing.T) {
			config := graph.Tenant{ID: contosoID, Auth: graph.Auth{Client: clientID, Secret: secret}, Defender: &graph.DefenderEndpoint{}}
			c.how(&config)
			if _, err := graph.New(config); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}
