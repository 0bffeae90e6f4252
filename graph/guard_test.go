package graph_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// Each of these fails without the guard it is about.

// dev is a device for calls that need not find it.
func (d *desk) dev() events.Device {
	return events.Device{
		Key:      events.Key{Tenant: d.tenant.ID, Device: "11111111-2222-3333-4444-555555555555"},
		IntuneID: "99999999-2222-3333-4444-555555555555", OS: "Windows",
	}
}

func TestNothingIsSentTwice(t *testing.T) {
	calls := map[string]func(*desk, *graph.Client) error{
		"a scan": func(d *desk, c *graph.Client) error { return c.Scan(d.ctx, d.dev(), false) },
		"a wipe": func(d *desk, c *graph.Client) error { return c.FactoryWipe(d.ctx, d.dev()) },
		"a read": func(d *desk, c *graph.Client) error { _, err := c.Record(d.ctx, d.dev()); return err },
		"a mail": func(d *desk, c *graph.Client) error { return c.SendMail(d.ctx, "a@b.example", "s", "", "t", "k") },
		"a look": func(d *desk, c *graph.Client) error {
			_, err := c.Look(d.ctx, events.Case{Key: d.dev().Key})
			return err
		},
		"a check": func(d *desk, c *graph.Client) error { _, err := c.Sent(d.ctx, "k"); return err },
	}
	for name, do := range calls {
		for _, status := range []int{429, 500, 502, 503, 504} {
			t.Run(fmt.Sprint(name, " answered ", status), func(t *testing.T) {
				story(t, func(t *testing.T, d *desk) {
					sent, began := 0, time.Now()
					client := d.instead(func(*http.Request) *http.Response {
						sent++
						return answer(status, "application/json", `{"error":{"code":"x","message":"y"}}`, "Retry-After", "77")
					})
					err := do(d, client)
					effect := name == "a scan" || name == "a wipe" || name == "a mail"
					want{status: status, after: 77 * time.Second, unsure: effect && status >= 500}.check(t, err)
					if sent != 1 || time.Since(began) != 0 {
						t.Errorf("sent %d times, in %v", sent, time.Since(began))
					}
				})
			})
		}
	}
}

func TestBodiesArePlain(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		dev := d.look(laptop)
		for range 40 { // the SDK's own order of handlers is another each time
			client := d.reach(func(*graph.Tenant) {})
			if err := client.Scan(d.ctx, dev, true); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range d.tenant.Requests() {
			if r.Header.ContentEncoding != "" {
				t.Fatalf("%s %s came as %s", r.Method, r.Path, r.Header.ContentEncoding)
			}
			if strings.HasSuffix(r.Path, "/windowsDefenderScan") && string(r.Body) != `{"quickScan":false}` {
				t.Fatalf("sent %s", r.Body)
			}
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		var hosts []string
		client := d.instead(func(r *http.Request) *http.Response {
			hosts = append(hosts, r.URL.Host)
			return answer(307, "", "", "Location", "https://elsewhere.example/v1.0/devices")
		})
		want{status: 307, unsure: false, says: "not followed"}.check(t, client.Scan(d.ctx, d.dev(), true))
		if len(hosts) != 1 {
			t.Errorf("asked %v", hosts)
		}
	})
}

func TestAForeignLinkIsRefusedAloud(t *testing.T) {
	for _, link := range []string{
		"https://graph.microsoft.com.evil.example/v1.0/deviceManagement/managedDevices?$skiptoken=2",
		"http://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2",
		"https://graph.microsoft.us/v1.0/deviceManagement/managedDevices?$skiptoken=2",
		"https://graph.microsoft.com:8443/v1.0/x", "//evil.example/x", "https://u:p@graph.microsoft.com/v1.0/x", ":", "https://",
	} {
		t.Run(link, func(t *testing.T) {
			story(t, func(t *testing.T, d *desk) {
				sent := 0
				page, _ := json.Marshal(map[string]any{"value": []any{}, "@odata.nextLink": link})
				d.client = d.instead(func(*http.Request) *http.Response {
					sent++
					return jsonAnswer(string(page))
				})
				_, err := d.client.Look(d.ctx, events.Case{Key: d.dev().Key})
				want{giveUp: true}.check(t, err)
				if sent != 1 {
					t.Errorf("%d requests left the house", sent)
				}
				if res := d.sweep(newBook()).SweepDevices(d.ctx); res.Complete || res.Err == nil {
					t.Errorf("the sweep says %+v", res)
				}
			})
		})
	}
}

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
				if e = asError(t, err); e.GiveUp() {
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

// endless is a body that does not end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}
func (*endless) Close() error { return nil }

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	for _, status := range []int{200, 500} {
		story(t, func(t *testing.T, d *desk) {
			body := &endless{}
			client := d.instead(func(*http.Request) *http.Response {
				res := answer(status, "application/json", "")
				res.Body, res.ContentLength = body, -1
				return res
			})
			if _, err := client.Record(d.ctx, d.dev()); err == nil {
				t.Error("no error")
			}
			if body.read > 33<<20 {
				t.Errorf("read %d MB", body.read>>20)
			}
		})
	}
}

func TestNoSecretInAnError(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJzdWIiOiJhcHAifQ.c2lnbmF0dXJl"
	story(t, func(t *testing.T, d *desk) {
		long := strings.Repeat("very ", 500)
		said, _ := json.Marshal(map[string]any{"error": map[string]any{
			"code": "BadRequest", "message": "Bearer " + token + " for\r\n\tsecret " + secret + " is \u202ebad " + long,
		}})
		client := d.instead(func(r *http.Request) *http.Response { return answer(400, "application/json", string(said)) })
		e := want{status: 400, giveUp: true, says: "[token]"}.check(t, client.Sync(d.ctx, d.dev()))
		if s := e.Error(); strings.Contains(s, secret) || strings.Contains(s, "eyJ") || strings.ContainsAny(s, "\r\n\t\u202e") || len(s) > 700 {
			t.Errorf("%d bytes: %s", len(s), s)
		}
	})
	story(t, func(t *testing.T, d *desk) { // no answer: net/http quotes the URL
		d.client = d.reach(func(c *graph.Tenant) {
			c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Host, "login.") {
					return d.cloud.Transport().RoundTrip(r)
				}
				return nil, fmt.Errorf("proxy said %s: %w", secret, io.ErrUnexpectedEOF)
			})
		})
		e := want{unsure: true, says: "no answer: proxy said [secret]"}.check(t, d.client.Scan(d.ctx, d.dev(), true))
		if strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "https://") {
			t.Error(e)
		}
	})
}

func TestSigningInFails(t *testing.T) {
	story(t, func(t *testing.T, d *desk) {
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.app.ExpireSecret()
		for range 30 {
			err := d.client.Sync(d.ctx, d.dev())
			e := asError(t, err)
			if e.Code != "AADSTS7000222" || e.GiveUp() || e.Unsure() || e.RetryAfter() != 30*time.Second || strings.Contains(e.Error(), secret) {
				t.Fatal(e)
			}
		}
		if n := d.tenant.Asked("POST", "/"+contosoID); n != 1 {
			t.Errorf("knocked %d times", n)
		}
		restore := d.tenant.RevokeConsent()
		other := d.reach(func(*graph.Tenant) {})
		if e := asError(t, other.Sync(d.ctx, d.dev())); e.Code != "AADSTS700016" || !strings.Contains(e.Error(), "must consent") {
			t.Error(e)
		}
		restore()
		time.Sleep(31 * time.Second)
		d.tenant.AddApp("c5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33", "new", graphtest.AllRoles()...)
		healed := d.reach(func(c *graph.Tenant) {
			c.Auth = graph.Auth{Client: "c5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33", Secret: "new"}
		})
		if _, err := healed.Look(d.ctx, d.kase(laptop)); err != nil {
			t.Error(err)
		}
	})
	story(t, func(t *testing.T, d *desk) { // and heals by itself
		laptop := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.TokenDown, Times: 1})
		if e := asError(t, second(d.client.Look(d.ctx, d.kase(laptop)))); e.GiveUp() || e.RetryAfter() != 30*time.Second {
			t.Error(e)
		}
		time.Sleep(20 * time.Second)
		if e := asError(t, second(d.client.Look(d.ctx, d.kase(laptop)))); e.RetryAfter() != 10*time.Second {
			t.Error(e)
		}
		time.Sleep(10 * time.Second)
		d.look(laptop)
	})
}

func second[T any](_ T, err error) error { return err }
