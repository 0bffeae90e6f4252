package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"curfew/graph/graphtest"
)

// A receiver takes traces in by OTLP over HTTP.
type receiver struct {
	mu    sync.Mutex
	spans []*otlp.Span
	raw   []byte
	names map[string]bool // of services
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var in collector.ExportTraceServiceRequest
	if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &in) != nil {
		http.Error(w, "this is no OTLP", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(r.raw, body...)
	for _, res := range in.ResourceSpans {
		for _, a := range res.Resource.Attributes {
			if a.Key == "service.name" {
				r.names[a.Value.GetStringValue()] = true
			}
		}
		for _, sc := range res.ScopeSpans {
			r.spans = append(r.spans, sc.Spans...)
		}
	}
}

// all are the spans so far of this name, or all for "".
func (r *receiver) all(name string) []*otlp.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.spans), func(s *otlp.Span) bool { return name != "" && s.Name != name })
}

// in are the names of the spans of a trace.
func (r *receiver) in(trace []byte) []string {
	var names []string
	for _, s := range r.all("") {
		if string(s.TraceId) == string(trace) {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestOneTrace: from Graph's notification to the mail that it leads to there is one
// trace, although the worker is stopped and started again in the middle; what an
// alarm leads to later is linked to it.
func TestOneTrace(t *testing.T) {
	r := &receiver{names: map[string]bool{}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	t.Setenv("OTEL_SERVICE_NAME", "curfew-here")
	w := newTower(t)
	w.conf.Heartbeat = nil
	sweeps := &w.conf.Tenants[0].Sweep // none but those that a notification asks for
	sweeps.Devices, sweeps.Alerts, sweeps.Entra = 1000*time.Hour, 1000*time.Hour, 1000*time.Hour
	laptop := w.tenant.AddDevice(graphtest.Device{Name: "LT-003", User: "ana@contoso.example", Join: graphtest.EntraJoined})
	stop := w.start()
	w.atLeast(`curfew_subscription_state{resource="deviceManagement/managedDevices",state="live",tenant="contoso"}`, 1)
	w.tenant.Infect(laptop.Name, graphtest.High)
	w.tenant.Investigate(laptop.Name, "failed")

	look := "/deviceManagement/managedDevices/" + laptop.ID
	lift := w.tenant.Inject(graphtest.Fault{Kind: graphtest.Slow, Path: strings.TrimPrefix(look, "/"), Wait: time.Minute})
	w.tenant.Notify(laptop.Name)
	w.until("a look is under way", func() bool { return len(r.all("sweep")) > 0 && len(r.all("take noticed")) > 0 })
	stop() // in the middle of it
	lift()
	if n := len(w.tenant.Mails()); n != 0 {
		t.Fatalf("%d mails before the restart", n)
	}
	w.start()
	w.until("the mail is traced", func() bool { return len(r.all("do mail")) > 0 && len(r.all("graph: send mail")) > 0 })

	trace := r.all("notifications")[0].TraceId
	got := r.in(trace)
	for _, want := range []string{"notifications", "sweep", "graph: list managed devices", "take noticed", "do look", "graph: read the managed device", "take seen", "do mail", "graph: send mail", "take done"} {
		w.until(want+" is in the trace of the notification", func() bool { got = r.in(trace); return slices.Contains(got, want) })
	}
	w.until("an alarm is linked to it", func() bool {
		return slices.ContainsFunc(r.all("take rang"), func(s *otlp.Span) bool {
			return string(s.TraceId) != string(trace) && slices.ContainsFunc(s.Links, func(l *otlp.Span_Link) bool { return string(l.TraceId) == string(trace) })
		})
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.names["curfew-here"] {
		t.Errorf("the services are %v", r.names)
	}
	for _, never := range []string{laptop.Name, "ana@", "watch-secret", "it@contoso"} {
		if strings.Contains(string(r.raw), never) {
			t.Errorf("the traces hold %q", never)
		}
	}
}

// TestTracesAreOff unless an endpoint is named, and nobody has said otherwise.
func TestTracesAreOff(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "TRUE"}, false},
	} {
		if got := traced(func(key string) string { return c.env[key] }); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
}
