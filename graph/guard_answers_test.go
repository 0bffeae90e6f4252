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

func TestAnErrorCanAlwaysBePrinted(t *testing.T) {
	for name, res := range map[string]func() *http.Response{
		"an empty object": func() *http.Response { return answer(403, "application/json", `{}`) },
		"no message":      func() *http.Response { return answer(403, "application/json", `{"error":{"code":"Forbidden"}}`) },
		"null":            func() *http.Response { return answer(403, "application/json", `{"error":null}`) },
		"null members": func() *http.Response {
			return answer(403, "application/json", `{"error":{"code":null,"message":null}}`)
		},
		"members of a kind": func() *http.Response {
			return answer(403, "application/json", `{"error":{"code":5,"message":{"a":[]}}}`)
		},
		"no body":            func() *http.Response { return answer(403, "", "") },
		"no body, but JSON":  func() *http.Response { return answer(403, "application/json", "") },
		"a page of HTML":     func() *http.Response { return answer(403, "text/html", "<html><h1>Forbidden</h1></html>") },
		"half an object":     func() *http.Response { return answer(403, "application/json", `{"error":{"code":"Forb`) },
		"a list":             func() *http.Response { return answer(403, "application/json", `[]`) },
		"a type of no known": func() *http.Response { return answer(403, "application/octet-stream", "\x00\x01") },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				client := d.instead(func(*http.Request) *http.Response { return res() })
				e := want{status: 403, giveUp: true, says: "contoso: sync: 403 Forbidden: "}.check(t, client.Sync(d.ctx, d.dev()))
				if e.ClientRequestID == "" || !strings.Contains(fmt.Sprintf("%v %s", e, e), "needs the application permission") {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

func TestSuccessWithoutABodyIsNoAnswer(t *testing.T) {
	for name, res := range map[string]func() *http.Response{
		"204":           func() *http.Response { return answer(204, "", "") },
		"200, nothing":  func() *http.Response { return answer(200, "", "") },
		"200, HTML":     func() *http.Response { return answer(200, "text/html", "<html>captive portal</html>") },
		"200, no list":  func() *http.Response { return jsonAnswer(`{}`) },
		"200, null":     func() *http.Response { return jsonAnswer(`null`) },
		"200, no value": func() *http.Response { return jsonAnswer(`{"value":null}`) },
		"200, half":     func() *http.Response { return jsonAnswer(`{"value":[{"id":"x"`) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				d.client = d.instead(func(*http.Request) *http.Response { return res() })
				_, err := d.client.Look(d.ctx, events.Case{Key: d.dev().Key})
				var e *graph.Error
				if e = asError(t, err); e.GiveUp() || strings.Contains(name, "nothing") && !strings.Contains(e.Error(), "without a body") {
					t.Errorf("nobody is there, it says: %v", err)
				}
				for _, swept := range []graph.Swept{d.sweep(newBook()).SweepDevices(d.ctx), d.sweep(newBook()).SweepAlerts(d.ctx), d.sweep(newBook()).SweepEntra(d.ctx)} {
					if swept.Complete || swept.Err == nil {
						t.Errorf("%s: %+v", swept.Kind, swept)
					}
				}
			})
		})
	}
}

func asError(t *testing.T, err error) *graph.Error {
	t.Helper()
	e, ok := err.(*graph.Error)
	if !ok {
		t.Fatalf("want a *graph.Error, got %T: %v", err, err)
	}
	return e
}

func TestMembersNobodyKnowsStayAsTheyCame(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		alert := d.tenant.AddAlert("LT-042", graphtest.Alert{Severity: "catastrophic", Investigation: "daydreaming"})
		d.tenant.SetRaw("LT-042", "complianceState", "halfCompliant")
		d.tenant.SetRaw("LT-042", "partnerReportedThreatState", "cosmicSeverity")
		d.tenant.SetRaw("LT-042", "managementState", "beingMoved")
		b := newBook()
		if res := d.sweep(b).SweepAlerts(d.ctx); !res.Complete {
			t.Fatal(res.Err)
		}
		kase := d.kase(laptop)
		kase.Device.Alerts = []events.Alert{b.told()[0].fact.(events.Alerted).Alert}
		time.Sleep(10 * time.Minute) // the alert is read again
		dev, err := d.client.Look(d.ctx, kase)
		if err != nil {
			t.Fatal(err)
		}
		if dev.Compliance != "halfCompliant" || dev.Threat != "cosmicSeverity" || dev.Management != "beingMoved" ||
			dev.Alerts[0].ID != alert.ID || dev.Alerts[0].Severity != "catastrophic" || dev.Alerts[0].Investigation != "daydreaming" {
			t.Errorf("%+v", dev)
		}
		if len(dev.Strange()) != 3 {
			t.Errorf("a person must look: %v", dev.Strange())
		}
	})
}

func TestNewerMembersAreAskedForOnEveryPage(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		d.tenant.AddFleet(2500)
		d.tenant.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
		d.tenant.Infect("LT-042", graphtest.High)
		s := d.sweep(newBook())
		for _, res := range []graph.Swept{s.SweepDevices(d.ctx), s.SweepAlerts(d.ctx), s.SweepEntra(d.ctx)} {
			if !res.Complete {
				t.Fatal(res.Kind, res.Err)
			}
		}
		later := 0
		for _, r := range d.tenant.Requests() {
			if !strings.HasPrefix(r.Path, "/v1.0/") {
				continue
			}
			if r.Header.Prefer != "include-unknown-enum-members" {
				t.Errorf("%s %s?%s prefers %q", r.Method, r.Path, r.Query, r.Header.Prefer)
			}
			if r.Query.Get("$skiptoken") != "" {
				later++
			}
		}
		if later < 3 {
			t.Errorf("only %d pages after the first", later)
		}
	})
}

func TestAStrangeClaimsChallengeDoesNoHarm(t *testing.T) {
	for _, challenge := range []string{"Bearer claims=abc", "Bearer claims", `Bearer realm="", claims=`, `Bearer claims=""`, "bearer ,claims x"} {
		t.Run(challenge, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				client := d.instead(func(*http.Request) *http.Response {
					return answer(401, "application/json", `{"error":{"code":"InvalidAuthenticationToken"}}`, "WWW-Authenticate", challenge)
				})
				want{status: 401, says: "InvalidAuthenticationToken"}.check(t, client.Sync(d.ctx, d.dev()))
			})
		})
	}
}

func TestAProperClaimsChallengeIsTakenToEntra(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		dev := d.look(laptop)
		time.Sleep(2 * time.Second)
		d.app.EndSessions()
		if err := d.client.Sync(d.ctx, dev); err != nil {
			t.Fatal(err)
		}
		if n := d.tenant.Happened("LT-042", "syncDevice"); n != 0 || len(d.tenant.Actions("LT-042")) != 1 {
			t.Errorf("%d, %v", n, d.tenant.Actions("LT-042"))
		}
	})
}
