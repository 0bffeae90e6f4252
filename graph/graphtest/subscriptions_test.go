package graphtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/graph/graphtest"
)

// A hook is a webhook that keeps what it gets.
type hook struct {
	mu     sync.Mutex
	got    []map[string]any // items, in order
	posts  int
	answer func(post int) int                           // status; nil is 202
	shake  func(w http.ResponseWriter, r *http.Request) // nil does it right
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("validationToken"); token != "" {
		if h.shake != nil {
			h.shake(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, token)
		return
	}
	var body struct{ Value []map[string]any }
	_ = json.NewDecoder(r.Body).Decode(&body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts++
	status := http.StatusAccepted
	if h.answer != nil {
		status = h.answer(h.posts)
	}
	if status < 300 {
		h.got = append(h.got, body.Value...)
	}
	w.WriteHeader(status)
}

// says sets what the webhook answers from now on.
func (h *hook) says(answer func(post int) int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

// items is what arrived, once everything that is under way has.
func (h *hook) items() []map[string]any {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got
}

// take is items, and begins anew.
func (h *hook) take() []map[string]any {
	got := h.items()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = nil
	return got
}

// hooked is a story with a webhook, and a tenant that lets managedDevices be
// subscribed to.
func hooked(t *testing.T, tell func(t *testing.T, d *desk, h *hook, lt graphtest.Device)) {
	t.Helper()
	patient(t, func(t *testing.T, d *desk, lt graphtest.Device) {
		h := &hook{}
		d.cloud.DeliverBy(graphtest.InProcess(h))
		d.tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{managed: ""}})
		tell(t, d, h, lt)
	})
}

func wish(resource string, life time.Duration) map[string]any {
	return map[string]any{
		"changeType": "updated", "resource": resource, "clientState": "hush",
		"notificationUrl": "https://curfew.example/hook?t=1", "lifecycleNotificationUrl": "https://curfew.example/hook",
		"expirationDateTime": time.Now().UTC().Add(life),
	}
}

func TestSubscribing(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, _ *hook, _ graphtest.Device) {
		day := 24 * time.Hour
		a := d.ask("POST", "subscriptions", wish("/users", day)).wants(201).is("hush", "clientState").is(clientID, "applicationId")
		id := a.at("id").(string)
		d.ask("POST", "subscriptions", wish("/users", 2*day)).wants(409)
		d.get("subscriptions").is(id, "value", 0, "id")
		later := time.Now().UTC().Add(2 * day).Format(time.RFC3339)
		d.ask("PATCH", "subscriptions/"+id, map[string]string{"expirationDateTime": later}).wants(200).is(later, "expirationDateTime")
		d.ask("POST", "subscriptions/"+id+"/reauthorize", nil).wants(204)
		time.Sleep(3 * day)
		d.get("subscriptions/" + id).wants(404) // it expired
		d.ask("PATCH", "subscriptions/"+id, map[string]string{"expirationDateTime": later}).wants(404)
		id = d.ask("POST", "subscriptions", wish("users", day)).wants(201).at("id").(string)
		d.ask("DELETE", "subscriptions/"+id, nil).wants(204)
		if n := len(d.tenant.Subscriptions()); n != 0 {
			t.Errorf("%d left", n)
		}
		// Both URLs are validated, each time.
		if n := len(d.tenant.Deliveries()); n != 4 {
			t.Errorf("%d handshakes: %+v", n, d.tenant.Deliveries())
		}
	})
}

func TestSubscriptionsThatGraphRefuses(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, _ *hook, _ graphtest.Device) {
		for name, c := range map[string]struct {
			status   int
			resource string
			change   func(map[string]any)
		}{
			"alerts":        {400, "security/alerts_v2", nil},
			"incidents":     {400, "/security/incidents", nil},
			"directory":     {400, "devices", nil},
			"legacy alerts": {400, "/security/alerts?$filter=status eq 'New'", nil},
			"created users": {400, "users", func(w map[string]any) { w["changeType"] = "created,updated" }},
			"http":          {400, "users", func(w map[string]any) { w["notificationUrl"] = "http://curfew.example/hook" }},
			"long state":    {400, "users", func(w map[string]any) { w["clientState"] = strings.Repeat("x", 129) }},
			"no expiry":     {400, "users", func(w map[string]any) { delete(w, "expirationDateTime") }},
			"past":          {400, "users", func(w map[string]any) { w["expirationDateTime"] = time.Now().UTC() }},
			"too long": {400, "users", func(w map[string]any) {
				w["expirationDateTime"] = time.Now().UTC().Add(41_761 * time.Minute)
			}},
			"no permission": {403, "groups", func(map[string]any) { d.app.Revoke("Group.Read.All") }},
		} {
			w := wish(c.resource, time.Hour)
			if c.change != nil {
				c.change(w)
			}
			if a := d.ask("POST", "subscriptions", w); a.status != c.status {
				t.Errorf("%s: status %d, want %d: %s", name, a.status, c.status, a.body)
			}
		}
		d.tenant.SetRules(graphtest.Rules{MaxSubscriptions: 1})
		d.ask("POST", "subscriptions", wish("users", time.Hour)).wants(201)
		d.ask("POST", "subscriptions", wish("users/"+d.tenant.AddUser(graphtest.User{UPN: "bo@contoso.example"}), time.Hour)).wants(403)
	})
}

func TestLifetimesAreFitted(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, _ *hook, _ graphtest.Device) {
		least := time.Now().UTC().Add(45 * time.Minute).Format(time.RFC3339)
		d.ask("POST", "subscriptions", wish("users", time.Minute)).wants(201).is(least, "expirationDateTime")
		d.tenant.SetRules(graphtest.Rules{ClampLifetime: true})
		most := time.Now().UTC().Add(41_760 * time.Minute).Format(time.RFC3339)
		d.ask("POST", "subscriptions", wish("groups", 1e6*time.Minute)).wants(201).is(most, "expirationDateTime")
	})
}

func TestTheHandshake(t *testing.T) {
	for name, c := range map[string]struct {
		shake func(w http.ResponseWriter, r *http.Request)
		want  string
	}{
		"not decoded": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, raw, _ := strings.Cut(r.URL.RawQuery, "validationToken=")
			_, _ = io.WriteString(w, raw)
		}, "must exactly match"},
		"html": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
		}, "must exactly match"},
		"accepted":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, "must respond with 200 OK"},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "'Forbidden'"},
		"too late":  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			hooked(t, func(t *testing.T, d *desk, h *hook, _ graphtest.Device) {
				h.shake = c.shake
				began := time.Now()
				a := d.ask("POST", "subscriptions", wish("users", time.Hour)).wants(400)
				if msg, _ := a.at("error", "message").(string); !strings.Contains(msg, c.want) {
					t.Errorf("%q", msg)
				}
				if name == "too late" && time.Since(began) != 10*time.Second {
					t.Errorf("it waited %s", time.Since(began))
				}
				if len(d.tenant.Subscriptions()) != 0 {
					t.Error("it was created")
				}
			})
		})
	}
}

func TestANotificationNamesTheDevice(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, lt graphtest.Device) {
		id := d.ask("POST", "subscriptions", wish(managed, time.Hour)).wants(201).at("id")
		d.ask("POST", "subscriptions", wish("users", time.Hour)).wants(201)
		d.tenant.AddDevice(graphtest.Device{Name: "LT-043"})
		if n := d.tenant.Notify("LT-042", "LT-043", "ana@contoso.example"); n != 3 {
			t.Errorf("%d sent", n)
		}
		got := h.items()
		if len(got) != 3 || h.posts != 1 {
			t.Fatalf("%d items in %d posts", len(got), h.posts)
		}
		for _, item := range got {
			data := item["resourceData"].(map[string]any)
			if item["subscriptionId"] == id && item["resource"] == managed+"/"+lt.ID {
				if data["id"] != lt.ID || item["clientState"] != "hush" || item["tenantId"] != contosoID || item["changeType"] != "updated" {
					t.Errorf("%v", item)
				}
				return
			}
		}
		t.Errorf("nothing about %s: %v", lt.ID, got)
	})
}

func TestNotificationsAreSentAgain(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, _ graphtest.Device) {
		d.ask("POST", "subscriptions", wish(managed, 100*time.Hour)).wants(201)
		h.says(func(post int) int { return map[bool]int{true: 503, false: 202}[post < 4] })
		d.tenant.Notify("LT-042")
		time.Sleep(70 * time.Second) // 10 + 20 + 40
		if got := h.items(); len(got) != 1 || h.posts != 4 {
			t.Fatalf("%d items in %d posts", len(got), h.posts)
		}
		var tries []time.Duration
		for _, at := range d.tenant.Deliveries() {
			if at.Kind == "change" {
				tries = append(tries, at.At.Sub(d.tenant.Deliveries()[2].At))
			}
		}
		if fmt.Sprint(tries) != "[0s 10s 30s 1m10s]" {
			t.Errorf("tried after %v", tries)
		}
		// A webhook that stays down loses it after four hours.
		h.says(func(int) int { return 503 })
		d.tenant.Notify("LT-042")
		time.Sleep(5 * time.Hour)
		h.says(nil)
		time.Sleep(5 * time.Hour)
		if got := h.items(); len(got) != 1 {
			t.Errorf("%d items", len(got))
		}
	})
}

func TestNotificationsGoWrong(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, lt graphtest.Device) {
		d.tenant.AddDevice(graphtest.Device{Name: "LT-043"})
		d.ask("POST", "subscriptions", wish(managed, 100*time.Hour)).wants(201)
		expect := func(want int) {
			t.Helper()
			if got := len(h.take()); got != want {
				t.Errorf("%d items, want %d", got, want)
			}
		}
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Lost, Times: 1})
		d.tenant.Notify("LT-042")
		expect(0)
		d.tenant.Notify("LT-042")
		expect(1)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Duplicated, Times: 1, Copies: 50})
		d.tenant.Notify("LT-042")
		expect(50)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Delayed, Times: 1, Wait: time.Hour})
		d.tenant.Notify("LT-042")
		expect(0)
		time.Sleep(time.Hour)
		expect(1)
		d.tenant.Inject(graphtest.Fault{Kind: graphtest.Reordered, Times: 1})
		d.tenant.Notify("LT-042")
		expect(0)
		d.tenant.Notify("LT-043")
		got := h.items()
		if len(got) != 2 || got[1]["resource"] != managed+"/"+lt.ID {
			t.Errorf("%v", got)
		}
		expect(2)
		lift := d.tenant.Inject(graphtest.Fault{Kind: graphtest.Reordered})
		d.tenant.Notify("LT-042")
		lift()
		lift()
		expect(1)
	})
}

func TestLifecycleEvents(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, _ graphtest.Device) {
		id := d.ask("POST", "subscriptions", wish(managed, 100*time.Hour)).wants(201).at("id").(string)
		d.tenant.RequireReauthorization()
		got := h.items()
		if len(got) != 1 || got[0]["lifecycleEvent"] != "reauthorizationRequired" || got[0]["subscriptionId"] != id ||
			got[0]["resource"] != nil || got[0]["changeType"] != nil {
			t.Fatalf("%v", got)
		}
		if d.tenant.Notify("LT-042") != 1 {
			t.Error("delivery pauses too soon")
		}
		time.Sleep(time.Hour)
		if d.tenant.Notify("LT-042") != 0 {
			t.Error("delivery does not pause")
		}
		d.ask("POST", "subscriptions/"+id+"/reauthorize", nil).wants(204)
		if d.tenant.Notify("LT-042") != 1 {
			t.Error("delivery does not resume")
		}
		d.tenant.Missed()
		d.tenant.RemoveSubscriptions()
		d.get("subscriptions/" + id).wants(404)
		events := map[any]int{}
		for _, item := range h.items() {
			events[item["lifecycleEvent"]]++
		}
		if events["missed"] != 1 || events["subscriptionRemoved"] != 1 {
			t.Errorf("%v", events)
		}
	})
}

func TestForgottenSubscriptions(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, _ graphtest.Device) {
		d.ask("POST", "subscriptions", wish(managed, time.Hour)).wants(201)
		d.tenant.ForgetSubscriptions()
		if d.tenant.Notify("LT-042") != 0 || len(h.items()) != 0 || len(d.get("subscriptions").rows()) != 0 {
			t.Error("something is left")
		}
	})
}

func TestCloseEndsDeliveries(t *testing.T) {
	hooked(t, func(t *testing.T, d *desk, h *hook, _ graphtest.Device) {
		d.ask("POST", "subscriptions", wish(managed, 100*time.Hour)).wants(201)
		h.says(func(int) int { return 500 })
		d.tenant.Notify("LT-042")
		time.Sleep(time.Minute)
		began := time.Now()
		d.cloud.Close()
		d.tenant.Notify("LT-042") // nobody carries it
		if time.Since(began) != 0 {
			t.Errorf("Close took %s", time.Since(began))
		}
	})
}
