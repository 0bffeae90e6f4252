package graph_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// guarded tells a story in a tenant with Multi Admin Approval, once with the
// answers that Microsoft documents and once with those that callers saw.
func guarded(t *testing.T, tell func(t *testing.T, d *desk, dev events.Device)) {
	t.Helper()
	for name, observed := range map[string]bool{"as documented": false, "as observed": true} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				d.app.Grant(graphtest.ActingRoles()...)
				d.tenant.SetRules(graphtest.Rules{ApprovalAsObserved: observed})
				d.tenant.RequireApproval()
				tell(t, d, d.look(d.tenant.AddDevice(ana("LT-042"))))
			})
		})
	}
}

const why = "Curfew task 7-reset: malware on LT-042 – see Ä1"

// file files a request for a reset and returns its code.
func (d *desk) file(dev events.Device) string {
	d.t.Helper()
	e := refusal(d.t, d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: why}))
	if !e.ApprovalRequired() || e.ApprovalOpen() || e.Approval == "" || e.Unsure() || !e.GiveUp() || !strings.Contains(e.Error(), e.Approval) {
		d.t.Fatalf("%+v", e)
	}
	return e.Approval
}

func refusal(t *testing.T, err error) *graph.Error {
	t.Helper()
	e, ok := err.(*graph.Error) // and nothing around it
	if !ok {
		t.Fatalf("want a *graph.Error, got %T: %v", err, err)
	}
	return e
}

// stands checks how a request stands.
func (d *desk) stands(code string, want graph.ApprovalStatus) time.Time {
	d.t.Helper()
	got, until, err := d.client.ApprovalState(d.ctx, code)
	if err != nil || got != want {
		d.t.Fatalf("the request is %q, %v; want %q", got, err, want)
	}
	return until
}

func (d *desk) wiped(want int) {
	d.t.Helper()
	if got := len(d.tenant.Actions("LT-042")); got != want {
		d.t.Fatalf("%d actions were accepted, want %d", got, want)
	}
}

func TestAResetThatASecondAdministratorApproves(t *testing.T) {
	guarded(t, func(t *testing.T, d *desk, dev events.Device) {
		code := d.file(dev)
		if asked := d.tenant.Approvals(); len(asked) != 1 || asked[0].Justification != why || asked[0].Code != code {
			t.Fatalf("%+v", asked)
		}
		until := d.stands(code, graph.NeedsApproval)
		if left := time.Until(until); left < 71*time.Hour || left > 72*time.Hour {
			t.Errorf("it expires in %v", left)
		}
		// Too early: the code opens nothing yet.
		early := refusal(t, d.client.ResetWith(d.ctx, dev, graph.Approval{Code: code}))
		if early.ApprovalRequired() || !early.GiveUp() || !strings.Contains(early.Error(), "does not take the approval") {
			t.Errorf("%+v", early)
		}
		d.wiped(0)
		d.tenant.Approve(code)
		d.stands(code, graph.Approved)
		d.wiped(0) // approval alone does nothing
		if err := d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: why, Code: strings.ToUpper(code)}); err != nil {
			t.Fatal(err)
		}
		d.wiped(1)
		d.stands(code, graph.Completed)
		if d.tenant.Actions("LT-042")[0].Kind != graphtest.AutopilotReset {
			t.Error("something else was done")
		}
		// Once, and no more.
		if e := refusal(t, d.client.ResetWith(d.ctx, dev, graph.Approval{Code: code})); !e.GiveUp() {
			t.Errorf("%+v", e)
		}
		d.wiped(1)
		var bodies, justified, coded []string
		for _, r := range d.posted() {
			bodies = append(bodies, string(r.Body))
			justified, coded = append(justified, r.Header.ApprovalJustification), append(coded, r.Header.ApprovalCode)
			if (r.Header.ApprovalCode == "") == (r.Header.ApprovalJustification == "") {
				t.Errorf("sent %+v: one of the two headers goes out, never both", r.Header)
			}
		}
		if raw, err := base64.StdEncoding.DecodeString(justified[0]); err != nil || string(raw) != why || len(bodies) != 4 || bodies[0] != bodies[2] {
			t.Errorf("%q %q %q", bodies, justified, coded)
		}
	})
}

func TestEndsOfAnApprovalThatAreNoErrors(t *testing.T) {
	for want, end := range map[graph.ApprovalStatus]func(*desk, string){
		graph.Rejected:  func(d *desk, code string) { d.tenant.Reject(code) },
		graph.Cancelled: func(d *desk, code string) { d.tenant.Approve(code); d.tenant.Cancel(code) },
		graph.Expired:   func(*desk, string) { time.Sleep(72 * time.Hour) },
		graph.NotFound:  func(*desk, string) { time.Sleep(31 * 24 * time.Hour) },
	} {
		t.Run(string(want), func(t *testing.T) {
			guarded(t, func(t *testing.T, d *desk, dev events.Device) {
				code := d.file(dev)
				end(d, code)
				d.stands(code, want)
				if want.Open() {
					t.Error("it is over")
				}
				if e := refusal(t, d.client.ResetWith(d.ctx, dev, graph.Approval{Code: code})); !e.GiveUp() || e.Unsure() {
					t.Errorf("%+v", e)
				}
				d.wiped(0)
				if again := d.file(dev); again == code { // the way is free for another
					t.Error("the same code twice")
				}
			})
		})
	}
}

func TestAnApprovalAfterItsTimeIsExpired(t *testing.T) {
	// Intune has been known to lag: what counts is expirationDateTime.
	story(t, func(t *testing.T, d *desk) {
		const code = "aabb1234-5678-4012-abcd-ef0123456789"
		body := func(expires string) func(*http.Request) *http.Response {
			return func(r *http.Request) *http.Response {
				return jsonAnswer(`{"value":[{"id":"` + code + `","status":"approved","expirationDateTime":"` + expires + `"},{"id":"other","status":"rejected"}]}`)
			}
		}
		d.client = d.instead(body(time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
		d.stands(code, graph.Approved)
		time.Sleep(time.Hour)
		d.client = d.instead(body(time.Now().UTC().Format(time.RFC3339)))
		d.stands(code, graph.Expired)
		d.client = d.instead(func(r *http.Request) *http.Response {
			return jsonAnswer(`{"value":[{"id":"` + code + `","status":"deferred"}]}`)
		})
		d.stands(code, "deferred")
		if !graph.ApprovalStatus("deferred").Open() {
			t.Error("a status that nobody knows is no end")
		}
		d.client = d.instead(func(r *http.Request) *http.Response {
			if strings.HasSuffix(r.URL.Path, "Requests") {
				return answer(400, "application/json", `{"error":{"code":"BadRequest","message":"Could not find a property named 'requestId'"}}`)
			}
			return jsonAnswer(`{"id":"` + code + `","status":"canceled"}`)
		})
		d.stands(code, graph.Cancelled)
	})
}

func TestALostCodeIsFoundAgain(t *testing.T) {
	guarded(t, func(t *testing.T, d *desk, dev events.Device) {
		if code, err := d.client.FindApproval(d.ctx, why); code != "" || err != nil {
			t.Fatalf("%q %v", code, err)
		}
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TimedOutButDone, Method: "POST", Path: "deviceManagement/managedDevices/*/wipe", Times: 1})
		want{unsure: true, status: 504}.check(t, d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: why}))
		open := refusal(t, d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: why}))
		if !open.ApprovalRequired() || !open.ApprovalOpen() || open.Approval != "" || !open.GiveUp() || open.Unsure() {
			t.Fatalf("%+v", open)
		}
		code, err := d.client.FindApproval(d.ctx, why)
		if err != nil || code != d.tenant.Approvals()[0].Code {
			t.Fatalf("%q %v", code, err)
		}
		if same, err := d.client.FindApproval(d.ctx, "Curfew task 7-reset:"); same != code || err != nil {
			t.Errorf("by how it begins: %q %v", same, err)
		}
		for _, other := range []string{why + "x", "task 7-reset"} {
			if code, err := d.client.FindApproval(d.ctx, other); code != "" || err != nil {
				t.Errorf("%q finds %q %v", other, code, err)
			}
		}
		d.tenant.Approve(code)
		if err := d.client.ResetWith(d.ctx, dev, graph.Approval{Code: code}); err != nil {
			t.Fatal(err)
		}
		d.wiped(1)
		if code, err := d.client.FindApproval(d.ctx, why); code != "" || err != nil {
			t.Errorf("a completed request is found: %q %v", code, err)
		}
	})
}

func TestWhatApprovalIsNeededFor(t *testing.T) {
	guarded(t, func(t *testing.T, d *desk, dev events.Device) {
		e := refusal(t, d.client.Reset(d.ctx, dev)) // without a justification nothing is filed
		if !e.ApprovalRequired() || e.Approval != "" || !e.GiveUp() || !strings.Contains(e.Error(), "give a justification") {
			t.Errorf("%+v", e)
		}
		for _, do := range []func() error{
			func() error { return d.client.RetireWith(d.ctx, dev, graph.Approval{Justification: "a"}) },
			func() error { return d.client.FactoryWipeWith(d.ctx, dev, graph.Approval{Justification: "b"}) },
		} {
			if e := refusal(t, do()); !e.ApprovalRequired() {
				t.Errorf("%+v", e)
			}
		}
		d.wiped(0)
		if err := d.client.Sync(d.ctx, dev); err != nil {
			t.Error(err)
		}
		d.tenant.RequireApproval(clientID) // the app is excluded: a header more does no harm
		if err := d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: why}); err != nil {
			t.Error(err)
		}
		d.wiped(2)
	})
}

func TestAnApprovalIsBounded(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		dev := d.look(d.tenant.AddDevice(ana("LT-042")))
		for _, a := range []graph.Approval{
			{Code: "x"}, {Code: "aabb1234-5678-4012-abcd-ef0123456789\r\nHost: x"}, {Justification: " \n"},
			{Justification: strings.Repeat("ä", 1025)}, {Justification: "\xff"},
		} {
			want{giveUp: true}.check(t, d.client.ResetWith(d.ctx, dev, a))
		}
		if _, _, err := d.client.ApprovalState(d.ctx, "x' or 'a' eq 'a"); err == nil {
			t.Error("any text is a code")
		}
		if _, err := d.client.FindApproval(d.ctx, ""); err == nil {
			t.Error("nothing is a justification")
		}
		if len(d.posted()) != 0 {
			t.Errorf("sent %+v", d.posted())
		}
		if err := d.client.ResetWith(d.ctx, dev, graph.Approval{Justification: strings.Repeat("ä", 1024)}); err != nil {
			t.Error(err)
		}
		_, _, err := d.client.ApprovalState(d.ctx, "aabb1234-5678-4012-abcd-ef0123456789")
		want{giveUp: true, status: 403, says: "DeviceManagementRBAC.Read.All"}.check(t, err)
	})
}
