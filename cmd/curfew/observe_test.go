package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// A tower is a worker that is looked at from outside, with its tenant, a desk that
// refuses everything and a pager that is out of order.
type tower struct {
	t      *testing.T
	tenant *graphtest.Tenant
	admin  string
	conf   *config
	logs   *lines
	beats  atomic.Int64 // pings that arrived
}

const towerRules = `
relook: 1s
pace: {check_after: 1s, settle: 2s}
limits: {reset: {count: 10, within: 24h, percent: 100}, breaker: {devices: 100}}
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    grace: 1s
    clear_for: 1s
    ladder:
      - do: [mail: {template: threat-found}]
      - do: [scan: {kind: full}, ticket: {destination: desk}]
      - after: 1s
        waits_for_investigation: true
        approval: one
        do: [page: {destination: oncall}, reset]
`

func newTower(t *testing.T) *tower {
	t.Helper()
	cloud := graphtest.NewCloud()
	t.Cleanup(cloud.Close)
	w := &tower{t: t, tenant: cloud.AddTenant("contoso", contoso), logs: &lines{}}
	w.tenant.SetTiming(graphtest.QuickTiming())
	w.tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{"deviceManagement/managedDevices": ""}})
	w.tenant.AddUser(graphtest.User{UPN: "it@" + w.tenant.Domain, Name: "IT"})
	w.tenant.AddApp(siteClient, "watch-secret-0123456789", append(append([]string{}, watchRoles...), actRoles...)...)
	check(t, cloud.Listen("127.0.0.1:0"))
	watch := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.beats.Add(1) }))
	t.Cleanup(watch.Close)
	dir := t.TempDir()
	cert, key, err := cloud.Issue("127.0.0.1")
	check(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	check(t, err)
	vendor := func(status int) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) }))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, text := range map[string]string{
		"cert.pem": string(cert), "key.pem": string(key), "cloud.pem": string(cloud.CA()), "secret": "watch-secret-0123456789",
		"desk": "desk-secret-0123456789", "routing": strings.Repeat("r", 32), "beat": watch.URL + "/very-secret-path",
	} {
		write(t, dir, name, text, 0o600)
	}
	w.admin = freeAddress(t)
	listen := freeAddress(t)
	file := write(t, dir, "curfew.yaml", fmt.Sprintf(`dry_run: false
listen: %[1]s
public_url: https://%[1]s
tls: {cert_file: cert.pem, key_file: key.pem}
admin: %[2]s
queue: 127.0.0.1:0
pprof: true
heartbeat: {url_file: beat, every: 5s}
tenants:
  - name: contoso
    id: %[3]s
    endpoints: {graph: %[4]q, login: %[4]q, ca_file: cloud.pem}
    auth: {client_id: %[5]s, client_secret_file: secret, client_secret_expires: 2031-05-06}
    mail_from: it@contoso.example
    sweep: 1s
    subscribe: [deviceManagement/managedDevices]
destinations:
  desk: {kind: webhook, url: %[6]q, secret_file: desk, ca_file: cloud.pem}
  oncall: {kind: pagerduty, endpoint: %[7]q, routing_key_file: routing, ca_file: cloud.pem}
`, listen, w.admin, contoso, cloud.URL, siteClient, vendor(400), vendor(500))+towerRules, 0o600)
	w.load(file)
	return w
}

func (w *tower) load(file string) {
	w.t.Helper()
	conf, problems := loadConfig(file, loadOptions{Templates: templateNames, Role: roleAll})
	if conf == nil {
		w.t.Fatal(problems)
	}
	conf.Observe = 300 * time.Millisecond
	w.conf = conf
}

// start runs the worker until the returned function is called.
func (w *tower) start() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = runWorker(ctx, w.conf, slog.New(slog.NewTextHandler(w.logs, nil))) })
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		check(w.t, err)
	})
	w.t.Cleanup(func() {
		stop()
		if w.t.Failed() {
			for line := range strings.Lines(w.logs.String()) {
				if !strings.Contains(line, "msg=swept") {
					w.t.Log(strings.TrimSpace(line))
				}
			}
		}
	})
	w.until("it is ready", func() bool { code, _ := w.get("/readyz"); return code == http.StatusOK })
	return stop
}

func (w *tower) get(path string) (int, string) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.admin+path, nil)
	check(w.t, err)
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b) + fmt.Sprint(errors.Join(err))
}

// value scrapes one series; 0 if it is not there.
func (w *tower) value(series string) float64 {
	_, body := w.get("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			check(w.t, err)
			return v
		}
	}
	return 0
}

func (w *tower) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			_, body := w.get("/metrics")
			for line := range strings.Lines(body) {
				if strings.HasPrefix(line, "curfew_") && !strings.Contains(line, "_bucket{") {
					w.t.Log(strings.TrimSpace(line))
				}
			}
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// atLeast waits until a series has at least a value.
func (w *tower) atLeast(series string, least float64) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s is %v", series, least), func() bool { return w.value(series) >= least })
}

// TestSeenFromOutside: what happens to two laptops shows in the worker's metrics:
// one that a notification tells of and one that only the sweep finds, what is held,
// given up and failing, and what runs out.
func TestSeenFromOutside(t *testing.T) {
	w := newTower(t)
	began := time.Now()
	w.start()
	w.atLeast(`curfew_subscription_state{resource="deviceManagement/managedDevices",state="live",tenant="contoso"}`, 1)
	w.until("a first sweep", func() bool {
		return w.value(`curfew_sweep_passes_total{kind="devices",outcome="complete",tenant="contoso"}`) >= 1
	})
	laptop := w.tenant.AddDevice(graphtest.Device{Name: "LT-001", User: "ana@contoso.example", Join: graphtest.EntraJoined})
	w.tenant.Infect(laptop.Name, graphtest.High)
	w.tenant.Investigate(laptop.Name, "failed")
	w.tenant.Notify(laptop.Name)

	w.atLeast(`curfew_webhook_notifications_total{what="accepted"}`, 1)
	w.atLeast(`curfew_task_attempts_total{action="scan",outcome="accepted"}`, 1)
	w.atLeast(`curfew_budget_used{budget="full_scan",tenant="contoso"}`, 1)
	w.atLeast(`curfew_tasks_held{gate="approval",tenant="contoso"}`, 1)
	w.atLeast(`curfew_tasks_held_oldest_age_seconds{gate="approval",tenant="contoso"}`, 0.5)
	w.atLeast(`curfew_dead_letters{family="task",tenant="contoso"}`, 1)
	w.atLeast(`curfew_tasks_given_up{tenant="contoso"}`, 1)
	w.atLeast(`curfew_destination_attempts_total{destination="desk",outcome="given_up"}`, 1)
	w.atLeast(`curfew_destination_attempts_total{destination="oncall",outcome="unsure"}`, 1)
	w.atLeast(`curfew_destination_duration_seconds_count{destination="oncall"}`, 1)
	w.atLeast(`curfew_destination_tasks{destination="oncall",state="failing"}`, 1)
	w.atLeast(`curfew_destination_tasks{destination="desk",state="given_up"}`, 1)
	w.atLeast(`curfew_graph_requests_total{outcome="ok",service="Intune",tenant="contoso"}`, 1)
	w.until("the notification is on record", func() bool {
		return w.value(`curfew_webhook_last_timestamp_seconds{tenant="contoso"}`) >= float64(began.Unix())
	})
	w.until("changes are found", func() bool {
		found := 0.0 // the sweep may be faster than the one that the notification asked for
		for _, by := range []string{"webhook", "nudge", "sweep"} {
			found += w.value(`curfew_changes_total{found_by="` + by + `",tenant="contoso"}`)
		}
		return found >= 1
	})
	for series, want := range map[string]float64{
		`curfew_credential_expiry_timestamp_seconds{identity="auth",tenant="contoso"}`: float64(time.Date(2031, 5, 6, 0, 0, 0, 0, time.UTC).Unix()),
		`curfew_ready{check="journal"}`: 1, `curfew_ready{check="queue"}`: 1, `curfew_dry_run`: 0,
		`curfew_budget_limit{budget="full_scan",tenant="contoso"}`: 50, `curfew_breaker_tripped{tenant="contoso"}`: 0,
		`curfew_queue_messages{queue="facts"}`: 0, `curfew_cases_overdue{tenant="contoso"}`: 0,
	} {
		w.until(fmt.Sprintf("%s is %v", series, want), func() bool { return w.value(series) == want })
	}
	for series, least := range map[string]float64{
		`curfew_tls_certificate_expiry_timestamp_seconds`:                                                           float64(began.Unix()),
		`curfew_subscription_expiry_timestamp_seconds{resource="deviceManagement/managedDevices",tenant="contoso"}`: float64(began.Unix()),
		`curfew_sweep_last_complete_timestamp_seconds{kind="devices",tenant="contoso"}`:                             float64(began.Unix()),
		`curfew_journal_bytes{family="FACTS"}`:                                                                      1, `curfew_journal_disk_free_bytes`: 1, `curfew_journal_disk_size_bytes`: 1,
		`curfew_heartbeats_total{outcome="sent"}`: 1, `curfew_fact_wait_seconds_count`: 1,
		`curfew_observed_timestamp_seconds{group="cases"}`: float64(began.Unix()),
	} {
		w.atLeast(series, least)
	}
	w.tellsNoSecret(laptop)
}

// tellsNoSecret: neither the metrics nor the log name devices, people or secrets.
func (w *tower) tellsNoSecret(laptop graphtest.Device) {
	w.t.Helper()
	_, body := w.get("/metrics")
	for _, never := range []string{laptop.Name, laptop.EntraID, laptop.ID, "ana@", "very-secret-path", "watch-secret"} {
		if strings.Contains(body, never) {
			w.t.Errorf("the metrics hold %q", never)
		}
	}
	if strings.Contains(w.logs.String(), "very-secret-path") {
		w.t.Error("the log holds the address of the heartbeat")
	}
	if w.beats.Load() == 0 {
		w.t.Error("no heartbeat arrived")
	}
}

// TestOnlyTheSweepFindsIt: without a subscription that tells of devices every change
// is found by the sweep, and when that was outlives the worker.
func TestOnlyTheSweepFindsIt(t *testing.T) {
	w := newTower(t)
	w.conf.Tenants[0].Subscribe, w.conf.Heartbeat = nil, nil
	laptop := w.tenant.AddDevice(graphtest.Device{Name: "LT-002", User: "ana@contoso.example", Join: graphtest.EntraJoined})
	stop := w.start()
	w.tenant.Infect(laptop.Name, graphtest.Medium)
	w.atLeast(`curfew_changes_total{found_by="sweep",tenant="contoso"}`, 1)
	swept := `curfew_sweep_last_complete_timestamp_seconds{kind="devices",tenant="contoso"}`
	w.atLeast(swept, 1)
	w.until("it is stored", func() bool { return w.value(`curfew_observed_timestamp_seconds{group="memory"}`) > w.value(swept) })
	was := w.value(swept)
	if n := w.value(`curfew_changes_total{found_by="webhook",tenant="contoso"}`); n != 0 {
		t.Errorf("%v changes were found by notifications that there are not", n)
	}
	stop()
	w.conf.Tenants[0].Sweep.Devices = 1000 * time.Hour // not while this test runs
	w.start()
	w.atLeast(swept, was)
	if now := w.value(swept); now != was {
		t.Errorf("the last sweep was at %v and is now said to have been at %v", was, now)
	}
}
