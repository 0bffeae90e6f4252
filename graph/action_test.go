package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// posted are the POSTs to Graph that reached the tenant.
func (d *desk) posted() []graphtest.Request {
	var all []graphtest.Request
	for _, r := range d.tenant.Requests() {
		if r.Method == "POST" && strings.HasPrefix(r.Path, "/v1.0/") {
			all = append(all, r)
		}
	}
	return all
}

func TestWhatGoesOverTheWire(t *testing.T) {
	for _, c := range []struct {
		name, path, body, kind string
		do                     func(*desk, events.Device) error
	}{
		{"sync", "syncDevice", "", "syncDevice", func(d *desk, dev events.Device) error { return d.client.Sync(d.ctx, dev) }},
		{"signatures", "windowsDefenderUpdateSignatures", "", "windowsDefenderUpdateSignatures",
			func(d *desk, dev events.Device) error { return d.client.UpdateSignatures(d.ctx, dev) }},
		{"quick scan", "windowsDefenderScan", `{"quickScan":true}`, graphtest.QuickScan,
			func(d *desk, dev events.Device) error { return d.client.Scan(d.ctx, dev, false) }},
		{"full scan", "windowsDefenderScan", `{"quickScan":false}`, graphtest.FullScan,
			func(d *desk, dev events.Device) error { return d.client.Scan(d.ctx, dev, true) }},
		{"Autopilot Reset", "wipe", `{"keepEnrollmentData":true,"keepUserData":false}`, graphtest.AutopilotReset,
			func(d *desk, dev events.Device) error { return d.client.Reset(d.ctx, dev) }},
		{"factory wipe", "wipe", `{"keepEnrollmentData":false,"keepUserData":false}`, graphtest.FullWipe,
			func(d *desk, dev events.Device) error { return d.client.FactoryWipe(d.ctx, dev) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				laptop := d.tenant.AddDevice(ana("LT-042"))
				dev := d.look(laptop)
				if err := c.do(d, dev); err != nil {
					t.Fatal(err)
				}
				sent := d.posted()
				path := "/v1.0/deviceManagement/managedDevices/" + laptop.ID + "/" + c.path
				if len(sent) != 1 || sent[0].Path != path || string(sent[0].Body) != c.body || len(sent[0].Query) != 0 {
					t.Errorf("sent %+v", sent)
				}
				if done := d.tenant.Actions("LT-042"); len(done) != 1 || done[0].Kind != c.kind || done[0].State != "pending" {
					t.Errorf("asked for %+v", done)
				}
			})
		})
	}
}

func TestTheRecordOfAReset(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(ana("LT-042"))
		dev := d.look(laptop)
		if err := d.client.Reset(d.ctx, dev); err != nil {
			t.Fatal(err)
		}
		rec, err := d.client.Record(d.ctx, dev)
		if err != nil || rec.Management != "wipePending" || len(rec.Actions) != 1 || rec.Actions[0].State != "pending" || rec.User != dev.User {
			t.Fatalf("%v %+v", err, rec)
		}
		time.Sleep(2 * time.Hour)
		rec, err = d.client.Record(d.ctx, dev)
		if err != nil || rec.Actions[0].State != "done" || rec.Management != "managed" || !rec.LastSync.After(dev.LastSync) {
			t.Fatalf("%v %+v", err, rec)
		}
	})
}

func TestAResetIsForTheDeviceThatWasMeant(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop, other := d.tenant.AddDevice(ana("LT-042")), d.tenant.AddDevice(ana("LT-043"))
		mac := d.tenant.AddDevice(graphtest.Device{Name: "MB-1", OS: "macOS"})
		dev := d.look(laptop)
		dev.IntuneID = other.ID
		want{giveUp: true, says: "it is another device by now"}.check(t, d.client.Reset(d.ctx, dev))
		// A wrong word in the case must not matter either: Intune is asked.
		apple := d.look(mac)
		apple.OS = "Windows"
		want{giveUp: true, says: "Autopilot Reset is for Windows"}.check(t, d.client.Reset(d.ctx, apple))
		d.tenant.Remove("LT-042")
		dev.IntuneID = laptop.ID
		want{giveUp: true, status: 404}.check(t, d.client.Reset(d.ctx, dev))
		if sent := d.posted(); len(sent) != 0 {
			t.Errorf("sent %+v", sent)
		}
	})
}

func TestAnUnclearEndIsSaidToBeUnclear(t *testing.T) {
	for kind, status := range map[graphtest.Kind]int{
		graphtest.TimedOutButDone: 504, graphtest.TimedOut: 504, graphtest.Unavailable: 503, graphtest.BadGateway: 502,
		graphtest.EmptyError: 500, graphtest.BareError: 500, graphtest.CutOff: 0, graphtest.CutOffButDone: 0,
	} {
		t.Run(string(kind), func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				dev := d.look(d.tenant.AddDevice(ana("LT-042")))
				d.tenant.Inject(graphtest.Fault{Kind: kind, Method: "POST", Path: "deviceManagement/managedDevices/*/wipe"})
				want{unsure: true, status: status, says: "Autopilot Reset"}.check(t, d.client.Reset(d.ctx, dev))
				if n := len(d.posted()); n != 1 {
					t.Errorf("sent %d times", n)
				}
				rec, err := d.client.Record(d.ctx, dev) // which settles it
				executed := kind == graphtest.TimedOutButDone || kind == graphtest.CutOffButDone
				if err != nil || (len(rec.Actions) == 1) != executed {
					t.Errorf("%v %+v", err, rec.Actions)
				}
			})
		})
	}
	story(t, func(t *testing.T, d *desk) { // 429 was not executed
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		d.tenant.Throttle("deviceManagement/managedDevices/*/windowsDefenderScan", 1, 90*time.Second)
		want{status: 429, after: 90 * time.Second, says: "TooManyRequests"}.check(t, d.client.Scan(d.ctx, dev, true))
	})
	story(t, func(t *testing.T, d *desk) { // no answer for a minute
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Slow, Path: "deviceManagement/managedDevices/*/windowsDefenderScan", Wait: time.Hour})
		began := time.Now()
		want{unsure: true, says: "no answer in time"}.check(t, d.client.Scan(d.ctx, dev, true))
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestASecondAdministratorMustAgree(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.client = d.instead(func(r *http.Request) *http.Response {
			if strings.HasSuffix(r.URL.Path, "/wipe") { // Intune docs: Multi Admin Approval, 2026-05
				return answer(403, "application/json", `{"error":{"code":"ApprovalRequired","message":"Header x-msft-approval-justification is required"}}`)
			}
			return nil
		})
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		e := want{giveUp: true, status: 403, says: "Multi Admin Approval"}.check(t, d.client.Reset(d.ctx, dev))
		if !e.ApprovalRequired() || e.Code != "ApprovalRequired" {
			t.Errorf("%+v", e)
		}
	})
}

func TestAMailAndItsTrace(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		const key = contosoID + "/d'evice/3-mail"
		sent := func(key string) bool {
			t.Helper()
			yes, err := d.client.Sent(d.ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			return yes
		}
		if sent(key) {
			t.Error("before it was sent")
		}
		if err := d.client.SendMail(d.ctx, "Ana <ana@contoso.example>", "Your device\r\nBcc: x@y", "<p>Hi & bye</p>", "Hi", key); err != nil {
			t.Fatal(err)
		}
		m := d.tenant.Mails()[0]
		if m.From != "curfew@contoso.example" || !slices.Equal(m.To, []string{"ana@contoso.example"}) || m.Subject != "Your device  Bcc: x@y" ||
			m.Body != "<p>Hi & bye</p>" || m.ContentType != "html" || !m.InSentItems || len(m.Headers) != 0 || len(m.Extended) != 1 {
			t.Errorf("%+v", m)
		}
		time.Sleep(time.Minute)
		if !sent(key) || sent(key+"x") {
			t.Error("it is not found again, or another is")
		}
		if err := d.client.SendMail(d.ctx, "ana@contoso.example", "s", "", "only text", "k2"); err != nil {
			t.Fatal(err)
		}
		if m := d.tenant.Mails()[1]; m.ContentType != "text" || m.Body != "only text" {
			t.Errorf("%+v", m)
		}
	})
}

func TestWhatCannotBeSent(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		for _, to := range []string{"", "ana", "a@b, c@d", "a@b\r\nBcc: c@d", "ana@" + strings.Repeat("x", 400)} {
			want{giveUp: true, says: "is not a mail address"}.check(t, d.client.SendMail(d.ctx, to, "s", "", "t", "k"))
		}
		want{giveUp: true, says: "empty"}.check(t, d.client.SendMail(d.ctx, "a@b.example", "s", "", "", "k"))
		want{giveUp: true, says: "longer than"}.check(t, d.client.SendMail(d.ctx, "a@b.example", "s", strings.Repeat("x", 2<<20), "", "k"))
		for _, key := range []string{"", "a\nb", strings.Repeat("k", 256)} {
			want{giveUp: true, says: "key"}.check(t, d.client.SendMail(d.ctx, "a@b.example", "s", "", "t", key))
			want{giveUp: true, says: "key"}.check(t, second(d.client.Sent(d.ctx, key)))
		}
		mute := d.reach(func(c *graph.Tenant) { c.MailFrom = "" })
		want{giveUp: true, says: "no mailbox to send from"}.check(t, mute.SendMail(d.ctx, "a@b.example", "s", "", "t", "k"))
		if len(d.posted()) != 0 {
			t.Error("something was sent")
		}
	})
	story(t, func(t *testing.T, d *desk) { // a filter that is ignored proves nothing
		if err := d.client.SendMail(d.ctx, "ana@contoso.example", "s", "", "t", "k1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if yes, err := d.blind().Sent(d.ctx, "k2"); yes || err == nil {
			t.Errorf("%v %v", yes, err)
		}
		if yes, err := d.blind().Sent(d.ctx, "k1"); !yes || err != nil {
			t.Errorf("%v %v", yes, err)
		}
	})
}

// TestTheAuditIsASecondWitness: it shows what was asked of this device and since
// when, and nothing of another's.
func TestTheAuditIsASecondWitness(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop, other := d.look(d.tenant.AddDevice(ana("LT-042"))), d.look(d.tenant.AddDevice(graphtest.Device{Name: "LT-043"}))
		began := time.Now()
		for _, dev := range []events.Device{laptop, other} {
			if err := d.client.Reset(d.ctx, dev); err != nil {
				t.Fatal(err)
			}
		}
		got, err := d.client.Audited(d.ctx, laptop, began)
		if err != nil || len(got) != 1 || got[0].Name != "factoryResetKeepEnrollmentData" || got[0].State != "pending" || got[0].Started.Before(began) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := d.client.Audited(d.ctx, laptop, time.Now().Add(time.Minute)); err != nil || len(got) != 0 {
			t.Errorf("since later: %+v, %v", got, err)
		}
		if _, err := d.client.Audited(d.ctx, events.Device{Key: laptop.Key, IntuneID: "../x"}, began); err == nil {
			t.Error("an id that is none is asked for")
		}
	})
}
