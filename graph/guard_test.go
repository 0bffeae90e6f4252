package graph_test

import (
	"encoding/json"
	"fmt"
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
