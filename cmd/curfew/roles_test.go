package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate/actuator"
	"curfew/events/gate/link"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// A duo is a tenant with two apps, and a broker that a watcher and an actuator
// share, each with a configuration of its own.
type duo struct {
	t      *testing.T
	tenant *graphtest.Tenant
	url    string // of the queue
	dir    string // of all files; the queue's is below
	logs   map[role]*lines
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const duoRules = `
relook: 2s
pace: {check_after: 1s, settle: 2s}
limits: {reset: {count: 10, within: 24h, percent: 100}, breaker: {devices: 100}}
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    grace: 1s
    clear_for: 1s
    ladder:
      - do: [mail: {template: threat-found}]
      - after: 1s
        do: [scan: {kind: quick}]
      - after: 1s
        waits_for_investigation: true
        approval: one
        do: [reset]
`

func newDuo(t *testing.T) *duo {
	t.Helper()
	cloud := graphtest.NewCloud()
	t.Cleanup(cloud.Close)
	d := &duo{t: t, tenant: cloud.AddTenant("contoso", contoso), dir: t.TempDir(), logs: map[role]*lines{roleWatch: {}, roleAct: {}}}
	d.tenant.SetTiming(graphtest.QuickTiming())
	d.tenant.AddUser(graphtest.User{UPN: "it@" + d.tenant.Domain, Name: "IT"})
	d.tenant.AddApp(siteClient, "watch-secret-0123456789", watchRoles...)
	d.tenant.AddApp(siteActor, "act-secret-0123456789", actRoles...)
	check(t, cloud.Listen("127.0.0.1:0"))
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: filepath.Join(d.dir, "queue"), Listen: "127.0.0.1:0"}, quiet)
	check(t, err)
	t.Cleanup(func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) })
	d.url = b.URL()
	write(t, d.dir, "cloud.pem", string(cloud.CA()), 0o600)
	for as, key := range map[role]string{roleWatch: "auth: {client_id: " + siteClient, roleAct: "auth: {client_id: " + siteClient + ", client_secret_file: nowhere}\n    actuator: {client_id: " + siteActor} {
		write(t, d.dir, string(as), string(as)+"-secret-0123456789", 0o600)
		text := fmt.Sprintf("role: %s\ndry_run: false\nlisten: 127.0.0.1:0\nadmin: %s\nnats: {url: %q, nkey_file: queue/nats.nk}\ntenants:\n  - name: contoso\n    id: %s\n    endpoints: {graph: %[5]q, login: %[5]q, ca_file: cloud.pem}\n    defender: {api: %[5]q}\n    %s, client_secret_file: %[1]s}\n    mail_from: it@contoso.example\n    sweep: 1s\n",
			as, freeAddress(t), d.url, contoso, cloud.URL, key)
		if as == roleAct { // nobody else has the key
			text += "data: act-data\n"
			_, err := link.LoadKey(filepath.Join(d.dir, "approval.key"))
			check(t, err)
			text += "approvals: {key_file: approval.key}\n"
		}
		write(t, d.dir, string(as)+".yaml", text+duoRules, 0o600)
	}
	return d
}

func (d *duo) file(as role) string { return filepath.Join(d.dir, string(as)+".yaml") }

// start runs one of the two until the returned function is called.
func (d *duo) start(as role) (stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	var wg sync.WaitGroup
	var code int
	wg.Go(func() {
		code = execute(ctx, []string{"run", "-c", d.file(as), "--level", "info"}, nothingSet, d.logs[as], d.logs[as])
	})
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if code != exitFine {
			d.t.Errorf("%s ended with %d", as, code)
		}
	})
	d.t.Cleanup(func() {
		stop()
		if d.t.Failed() {
			for line := range strings.Lines(d.logs[as].String()) {
				if !strings.Contains(line, "msg=swept") {
					d.t.Logf("%s: %s", as, line)
				}
			}
		}
	})
	d.until(string(as)+" runs", func() bool { return strings.Contains(d.logs[as].String(), "running role="+string(as)) })
	return stop
}

func (d *duo) until(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			j := d.journal()
			for c, err := range j.Cases(d.t.Context(), contoso) {
				d.t.Logf("%s %s rung %d, %d pending, attention %q, %v", c.Key, c.State(), c.Rung, len(c.Pending), c.Attention, err)
			}
			d.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// journal is the queue as whoever has the watcher's key sees it.
func (d *duo) journal() *journal.Journal {
	d.t.Helper()
	b, err := broker.Dial(d.t.Context(), broker.Remote{URL: d.url, NKey: filepath.Join(d.dir, "queue", "nats.nk")}, quiet)
	check(d.t, err)
	d.t.Cleanup(func() { check(d.t, b.Stop(context.WithoutCancel(d.t.Context()))) })
	j, err := journal.Open(d.t.Context(), b.Conn(), journal.Options{}, quiet)
	check(d.t, err)
	return j
}

// laptop enrols one.
func (d *duo) laptop(name string) (graphtest.Device, events.Key) {
	l := d.tenant.AddDevice(graphtest.Device{Name: name, User: "ana@contoso.example", Join: graphtest.EntraJoined})
	return l, events.Key{Tenant: contoso, Device: l.EntraID}
}

// held is why the task of an action is held by the actuator in a case, or was given
// up before it began: already its record is not the device's. Empty: neither.
func (d *duo) held(j *journal.Journal, k events.Key, a events.Action) (reason string) {
	c, _, err := j.Case(d.t.Context(), k)
	check(d.t, err)
	for _, t := range c.Pending {
		if t.Action == a && t.Held != nil && t.Held.Gate == actuator.Gate {
			reason = t.Held.Reason
		}
	}
	for _, t := range c.Given {
		if t.Action == a {
			reason = t.Why
		}
	}
	return reason
}

// writes are the requests that change anything, by the app that made them.
func (d *duo) writes(app string) (paths []string) {
	for _, r := range d.tenant.Requests() {
		if r.App == app && r.Method != http.MethodGet && !strings.Contains(r.Path, "/oauth2/") {
			parts := strings.Split(r.Path, "/")
			paths = append(paths, parts[len(parts)-1])
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// TestTwoIdentities: one process watches and tells, the other does what is done to
// the device, each by its own app; a reset goes through when a person has approved.
func TestTwoIdentities(t *testing.T) {
	d := newDuo(t)
	stopAct := d.start(roleAct) // in any order
	d.start(roleWatch)
	l, k := d.laptop("LT-001")
	j := d.journal()
	d.tenant.Infect(l.Name, graphtest.High)
	d.tenant.Investigate(l.Name, "failed")
	d.until("the user is told", func() bool { return len(d.tenant.Mails()) == 1 })
	d.until("the laptop is scanned", func() bool { return d.tenant.Happened(l.Name, "windowsDefenderScan") == 1 })
	waits := func() bool {
		c, _, err := j.Case(t.Context(), k)
		check(t, err)
		return slices.ContainsFunc(c.Pending, func(x events.Task) bool { return x.Action == events.Reset && x.Needs == 1 })
	}
	d.until("the reset waits for approval", waits)

	kim := func(key string) string { return map[string]string{"SUDO_USER": "kim"}[key] }
	stopAct()
	if out, stderr, code := call(t.Context(), kim, "approve", "LT-001", "-c", d.file(roleAct)); code != exitFine {
		t.Fatalf("%d %s %s", code, out, stderr)
	}
	if n := d.tenant.Happened(l.Name, graphtest.AutopilotReset); n != 0 {
		t.Fatalf("%d resets, and nobody acts", n)
	}
	d.start(roleAct)
	d.until("the laptop is reset", func() bool { return d.tenant.Happened(l.Name, graphtest.AutopilotReset) == 1 })
	d.until("the case is closed and the user told", func() bool {
		c, _, err := j.Case(t.Context(), k)
		check(t, err)
		return !c.Open && len(d.tenant.Mails()) == 2
	})
	if got := d.writes(siteClient); !slices.Equal(got, []string{"sendMail"}) {
		t.Errorf("the watcher has written %q", got)
	}
	if got := d.writes(siteActor); !slices.Contains(got, "wipe") || !slices.Contains(got, "windowsDefenderScan") || slices.Contains(got, "sendMail") {
		t.Errorf("the actuator has written %q", got)
	}
}

// TestWatcherIsTakenOver: whoever has the watcher's key to the queue keeps the
// cases by rules of their own: every device is at risk, nobody need approve, and
// approvals are made up. Nothing is done to any device, and the log of the process
// that acts says what was tried.
func TestWatcherIsTakenOver(t *testing.T) {
	d := newDuo(t)
	d.start(roleAct)
	healthy, healthyKey := d.laptop("LT-010")
	sick, sickKey := d.laptop("LT-011")
	d.tenant.Infect(sick.Name, graphtest.High)
	j := d.journal()
	third, thirdKey := d.laptop("LT-012")
	d.tenant.Infect(third.Name, graphtest.High)
	stranger := events.Key{Tenant: fabrikam, Device: "77777777-7777-4777-8777-777777777777"}
	d.evil(j, func(k events.Key) events.Device {
		dev := events.Device{
			Key: k, IntuneID: healthy.ID, OS: "Windows", Threat: "highSeverity", SeenAt: time.Now().UTC(), LastSync: time.Now().UTC(),
			User: "ana@contoso.example", UserMail: "ana@contoso.example",
		}
		if k == thirdKey { // the truth, so that the one who approves would see nothing amiss
			dev.IntuneID, dev.Compliance = third.ID, "noncompliant"
			dev.Malware = []events.Malware{{Name: "Trojan:Win32/Wacatac.B!ml", State: "active"}}
			dev.Settings = []events.Setting{{Policy: graphtest.RiskPolicy, Name: "Windows10CompliancePolicy.DeviceThreatProtectionRequiredSecurityLevel"}}
		}
		return dev
	})
	for k, why := range map[events.Key]string{
		healthyKey: "not at risk", sickKey: "another device", stranger: "no tenant", thirdKey: "0 of 1 approvals are signed",
	} {
		check(t, j.Append(t.Context(), k, events.Noticed{Source: "nobody"}, ""))
		d.forge(j, k)
		d.until("the reset of "+k.Device+" is stopped: "+why, func() bool { return strings.Contains(d.held(j, k, events.Reset), why) })
		d.until("and the wipe, which no rule here orders", func() bool { return d.held(j, k, events.Wipe) != "" })
		d.until("and the isolation", func() bool { return d.held(j, k, events.Isolate) != "" })
	}
	for _, l := range []graphtest.Device{healthy, sick, third} {
		if n := len(d.tenant.Actions(l.Name)); n != 0 {
			t.Errorf("%s: %+v", l.Name, d.tenant.Actions(l.Name))
		}
	}
	if got := d.writes(siteActor); len(got) > 0 {
		t.Errorf("the actuator has written %q", got)
	}
	if log := d.logs[roleAct].String(); !strings.Contains(log, "does not agree") || strings.Contains(log, "secret-0123456789") {
		t.Error("the log does not say that somebody tried")
	}
}

// always holds for every device.
type always struct{}

func (always) Holds(events.Device) (bool, error) { return true, nil }

// evil keeps the cases by rules that the actuator does not know, under names that
// it does, and says that every user was told.
func (d *duo) evil(j *journal.Journal, see func(events.Key) events.Device) {
	rules := events.Policies{Relook: time.Hour, List: []events.Policy{{
		Name: "threat", When: always{}, ClearFor: time.Hour,
		Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail}}},
			{Do: []events.Order{{Action: events.Ticket, Destination: "nowhere"}}},
			{Do: []events.Order{{Action: events.Reset}, {Action: events.Wipe}, {Action: events.Isolate}}, Approvals: 1},
		},
	}}}
	ctx, cancel := context.WithCancel(d.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Keep(ctx, func() events.Policies { return rules }) })
	wg.Go(func() {
		_ = j.Serve(ctx, events.Look, func(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
			return events.Seen{Device: see(c.Key), Task: t.ID}, nil
		}, journal.ServeOptions{})
	})
	for _, a := range []events.Action{events.Mail, events.Ticket} {
		wg.Go(func() {
			_ = j.Serve(ctx, a, func(_ context.Context, _ events.Case, t events.Task) (events.Fact, error) {
				return events.Done{Task: t.ID}, nil
			}, journal.ServeOptions{})
		})
	}
	d.t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// forge approves all that waits for approval in a case, and lets it through.
func (d *duo) forge(j *journal.Journal, k events.Key) {
	d.t.Helper()
	d.until("something waits for approval", func() bool {
		c, _, err := j.Case(d.t.Context(), k)
		check(d.t, err)
		for _, x := range c.Pending {
			if x.Needs > 0 {
				check(d.t, j.Append(d.t.Context(), k, events.Approved{Task: x.ID, By: "kim", Seal: x.Seal, Given: time.Now(), Sig: "1.Zm9yZ2Vk"}, ""))
			}
		}
		return slices.ContainsFunc(c.Pending, func(x events.Task) bool { return x.Needs > 0 })
	})
}
