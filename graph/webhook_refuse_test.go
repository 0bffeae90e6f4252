package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// item is a notification as Graph writes it.
type item map[string]any

func itemOf(s graphtest.Subscription, tenant, id string) item {
	return item{
		"id": "n-1", "subscriptionId": s.ID, "subscriptionExpirationDateTime": s.Expires, "clientState": s.ClientState,
		"changeType": "updated", "resource": "deviceManagement/managedDevices/" + id, "tenantId": tenant,
		"resourceData": map[string]any{"@odata.type": "#Microsoft.Graph.managedDevice", "id": id, "@odata.etag": `W/"1"`},
	}
}

func (o *office) item(about graphtest.Device) item { return itemOf(o.only(), o.tenant.ID, about.ID) }

func (i item) with(name string, value any) item {
	i = maps.Clone(i)
	if i[name] = value; value == nil {
		delete(i, name)
	}
	return i
}

func bodyOf(items ...any) string {
	b, err := json.Marshal(map[string]any{"value": items})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// send posts to a webhook.
func send(h http.Handler, to string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://curfew.example"+to, body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func post(h http.Handler, body string) int {
	return send(h, "/in"+graph.NotificationsPath, strings.NewReader(body)).Code
}

const otherGUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

func TestEachNotificationIsJudgedByItself(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		good := o.item(laptop)
		secret := good["clientState"].(string)
		for name, c := range map[string]struct {
			bad any
			why string
		}{
			"a subscription that nobody made": {good.with("subscriptionId", otherGUID), "unknown subscription"},
			"no subscription":                 {good.with("subscriptionId", nil), "malformed"},
			"a subscription that is no id":    {good.with("subscriptionId", "../../x"), "malformed"},
			"another tenant":                  {good.with("tenantId", otherGUID), "other tenant"},
			"no tenant":                       {good.with("tenantId", nil), "malformed"},
			"a wrong secret":                  {good.with("clientState", secret[1:]+"x"), "wrong secret"},
			"half of the secret":              {good.with("clientState", secret[:20]), "wrong secret"},
			"the secret and more":             {good.with("clientState", secret+"x"), "wrong secret"},
			"no secret":                       {good.with("clientState", nil), "wrong secret"},
			"an empty secret":                 {good.with("clientState", ""), "wrong secret"},
			"a secret that is a number":       {good.with("clientState", 42), "wrong secret"},
			"an unknown one, without secret":  {item{"subscriptionId": otherGUID, "tenantId": o.tenant.ID}, "unknown subscription"},
			"a lifecycle with a wrong secret": {good.with("clientState", "x").with("lifecycleEvent", "subscriptionRemoved"), "wrong secret"},
			"another resource":                {good.with("resource", "Users/"+otherGUID), "other resource"},
			"another part of Intune":          {good.with("resource", "deviceManagement/deviceConfigurations/"+otherGUID), "other resource"},
			"null":                            {nil, "malformed"},
			"a string":                        {"x", "malformed"},
			"a list":                          {[]any{good}, "malformed"},
		} {
			before := w.hook.Stats()
			if got := post(w.hook, bodyOf(c.bad, good, c.bad)); got != http.StatusAccepted {
				t.Errorf("%s: answered %d", name, got)
			}
			after := w.hook.Stats()
			for why, n := range after.Refused {
				want := before.Refused[why]
				if why == c.why {
					want += 2
				}
				if n != want {
					t.Errorf("%s: %q is %d, want %d", name, why, n, want)
				}
			}
			if n := o.noticed(laptop); n != 1 || after.Accepted != before.Accepted+1 {
				t.Errorf("%s: of the good one there are %d facts", name, n)
			}
		}
		if n := strings.Count(o.logs.String(), "notifications refused"); n > 5 {
			t.Errorf("%d lines in the log at one moment, want one for each reason", n)
		}
		later(time.Minute)
		before := strings.Count(o.logs.String(), `reason="wrong secret"`)
		post(w.hook, bodyOf(good.with("clientState", "x"), good.with("clientState", "y")))
		if n := strings.Count(o.logs.String(), `reason="wrong secret"`); n != before+1 {
			t.Errorf("a minute later there are %d lines more, want one", n-before)
		}
	})
}

func TestParsingIsPermissiveWhereItMayBe(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		good := o.item(laptop)
		for name, i := range map[string]item{
			"no id":                      good.with("id", nil),
			"no id, no data":             good.with("id", nil).with("resourceData", nil),
			"data that is a string":      good.with("resourceData", "x"),
			"data without an id":         good.with("resourceData", map[string]any{"a": 1}),
			"no change type, no expiry":  good.with("changeType", nil).with("subscriptionExpirationDateTime", nil),
			"no resource":                good.with("resource", nil),
			"a resource in another form": good.with("resource", "/DeviceManagement/ManagedDevices('"+strings.ToUpper(laptop.ID)+"')"),
			"ids in capitals":            good.with("subscriptionId", strings.ToUpper(good["subscriptionId"].(string))).with("tenantId", strings.ToUpper(o.tenant.ID)),
			"things that are not asked for": good.with("encryptedContent", map[string]any{"data": "AA=="}).with("organizationId", otherGUID).
				with("lifecycleEvent", ""),
		} {
			body := `{"validationTokens":["eyJ0.e30.x"],` + bodyOf(i)[1:]
			if got, n := post(w.hook, body), o.noticed(laptop); got != http.StatusAccepted || n != 1 {
				t.Errorf("%s: answered %d, noticed %d times", name, got, n)
			}
		}
		// An event of the lifecycle that is not known yet may be a gap.
		before := w.hook.Stats()
		got := post(w.hook, bodyOf(good.with("lifecycleEvent", "somethingNew").with("resource", nil).with("changeType", nil)))
		if st := w.hook.Stats(); got != http.StatusAccepted || st.Lifecycle != before.Lifecycle+1 || st.Nudges != before.Nudges+1 {
			t.Errorf("answered %d, counted %+v", got, st)
		}
	})
}

func TestChangesWithoutAnIDAreToldApart(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		anonymous := o.item(laptop).with("id", nil)
		data := func(etag any) map[string]any {
			d := map[string]any{"id": laptop.ID}
			if etag != nil {
				d["@odata.etag"] = etag
			}
			return d
		}
		facts := func(items ...any) int {
			for range 2 { // each is sent twice
				post(w.hook, bodyOf(items...))
			}
			return o.noticed(laptop)
		}
		if n := facts(anonymous); n != 1 {
			t.Errorf("one change sent twice is %d facts", n)
		}
		if n := facts(anonymous.with("resourceData", data("2")), anonymous.with("resourceData", data("3"))); n != 2 {
			t.Errorf("two changes sent twice are %d facts", n)
		}
		// Nothing tells two changes from one sent twice: a look too many is no harm.
		if n := facts(anonymous.with("resourceData", data(nil))); n != 2 {
			t.Errorf("what cannot be told apart is %d facts", n)
		}
	})
}

func TestBodiesThatAreNone(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		good := bodyOf(o.item(laptop))
		pad := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
		for name, c := range map[string]struct {
			body io.Reader
			want int
			why  string
		}{
			"nothing":                  {strings.NewReader(""), 400, "malformed"},
			"half":                     {strings.NewReader(good[:len(good)/2]), 400, "malformed"},
			"with a tail":              {strings.NewReader(good + "x"), 400, "malformed"},
			"a list":                   {strings.NewReader("[]"), 400, "malformed"},
			"null":                     {strings.NewReader("null"), 400, "malformed"},
			"an object of other kind":  {strings.NewReader(`{"error":{}}`), 400, "malformed"},
			"value is null":            {strings.NewReader(`{"value":null}`), 400, "malformed"},
			"value is an object":       {strings.NewReader(`{"value":{}}`), 400, "malformed"},
			"nested beyond reason":     {strings.NewReader(`{"value":` + strings.Repeat("[", 1<<19)), 400, "malformed"},
			"not UTF-8":                {strings.NewReader("\xff\xfe{}"), 400, "malformed"},
			"breaks off":               {io.MultiReader(strings.NewReader(good), iotest.ErrReader(io.ErrUnexpectedEOF)), 400, "malformed"},
			"longer than it may be":    {strings.NewReader(pad(1<<20 + 1)), 413, "too large"},
			"as long as it may be":     {strings.NewReader(pad(1 << 20)), 202, ""},
			"an empty list is a list":  {strings.NewReader(`{"value":[]}`), 202, ""},
			"endless, but for its end": {io.LimitReader(zeros{}, 1<<30), 413, "too large"},
		} {
			before := w.hook.Stats().Refused[c.why]
			if got := send(w.hook, graph.NotificationsPath, c.body).Code; got != c.want {
				t.Errorf("%s: answered %d, want %d", name, got, c.want)
			}
			if n := w.hook.Stats().Refused[c.why]; c.why != "" && n != before+1 {
				t.Errorf("%s: %q is counted %d times", name, c.why, n-before)
			}
		}
		if n := o.noticed(laptop); n != 1 {
			t.Errorf("%d facts, want the one of the long body", n)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestTheHandshake(t *testing.T) {
	hook := &graph.Webhook{}
	for name, c := range map[string]struct {
		method, path, token string
		want                int
	}{
		"by POST":               {"POST", graph.NotificationsPath, "Validation: Testing client application reachability for subscription Request-Id: a+b/c=&", 200},
		"by GET":                {"GET", graph.NotificationsPath, "x", 200},
		"of the lifecycle":      {"POST", "/behind/a/proxy" + graph.LifecyclePath, "x", 200},
		"with a script":         {"POST", graph.NotificationsPath, "<script>alert(1)</script>\r\nSet-Cookie: a=b", 200},
		"with a long token":     {"POST", graph.NotificationsPath, strings.Repeat("x", 4<<10), 200},
		"with one too long":     {"POST", graph.NotificationsPath, strings.Repeat("x", 4<<10+1), 400},
		"with none":             {"POST", graph.NotificationsPath, "", 400},
		"elsewhere":             {"POST", "/", "x", 404},
		"by a method of no use": {"PUT", graph.NotificationsPath, "x", 405},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "https://curfew.example"+c.path+"?a=b&validationToken="+url.QueryEscape(c.token), nil)
			w := httptest.NewRecorder()
			hook.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Fatalf("answered %d, want %d", w.Code, c.want)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may take it for something else")
			}
			if c.want != 200 {
				if w.Body.Len() != 0 {
					t.Errorf("refused, and said %q", w.Body)
				}
				return
			}
			if w.Body.String() != c.token || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || len(w.Header()["Set-Cookie"]) != 0 {
				t.Errorf("answered %q, %v", w.Body, w.Header())
			}
		})
	}
	if n := hook.Stats().Handshakes; n != 5 {
		t.Errorf("counted %d handshakes, want 5", n)
	}
	if got := send(hook, graph.NotificationsPath+"?validationToken=%zz", strings.NewReader("")).Code; got != 400 {
		t.Errorf("a token that cannot be decoded is answered with %d", got)
	}
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, httptest.NewRequest("GET", graph.NotificationsPath, nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("a visitor is answered with %d, %v", w.Code, w.Header())
	}
}

func TestTooMuchAtOnceWaitsOutside(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices)
		w.hook.AtOnce, w.hook.Sink = 2, sink(stuck)
		w.start()
		defer w.end()
		body := bodyOf(o.item(laptop))
		answers := make(chan int, 10)
		for range 3 {
			go func() { answers <- post(w.hook, body) }()
		}
		later(time.Second)
		if got := <-answers; got != 503 || w.hook.Stats().Unavailable["busy"] != 1 {
			t.Errorf("the third is answered with %d, counted %+v", got, w.hook.Stats().Unavailable)
		}
		began := time.Now()
		if got := send(w.hook, graph.LifecyclePath+"?validationToken=x", http.NoBody); got.Code != 200 || time.Since(began) != 0 {
			t.Errorf("the handshake had to wait %v for its %d", time.Since(began), got.Code)
		}
		later(2 * time.Second)
		w.hook.Sink = o.book
		if got := post(w.hook, body); got != 202 {
			t.Errorf("with all gone it is answered with %d", got)
		}
		// Who leaves while waiting is not waited for.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.hook.Sink = sink(func(context.Context, string) error { return errors.New("nobody asked") })
		rec := httptest.NewRecorder()
		w.hook.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "POST", graph.NotificationsPath, strings.NewReader(body)))
		if rec.Code != 503 {
			t.Errorf("answered %d", rec.Code)
		}
	})
}

func TestAFloodOfStrangersIsLookedUpOnce(t *testing.T) {
	floor(t, func(t *testing.T, o *office, laptop graphtest.Device) {
		o.indexes(laptop)
		w := o.hire(devices).start()
		defer w.end()
		stranger := item{"subscriptionId": otherGUID, "tenantId": o.tenant.ID}
		flood := slices.Repeat([]any{stranger}, 5000)
		reads := 0
		o.shelf.set(func(string, string) error { reads++; return nil })
		if got := post(w.hook, bodyOf(append(flood, o.item(laptop))...)); got != http.StatusAccepted || o.noticed(laptop) != 1 {
			t.Errorf("answered %d, or the good one was lost among them", got)
		}
		if reads > 2 {
			t.Errorf("the state was read %d times", reads)
		}
	})
}
