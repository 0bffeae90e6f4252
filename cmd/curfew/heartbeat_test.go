package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeartbeat pings while the worker is ready, says once in the log when it does
// not get through, and never says where it goes.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings, status atomic.Int64
		status.Store(http.StatusOK)
		var ill atomic.Bool
		logs := &lines{}
		h := &heartbeat{
			url: newSecret("https://checks.example/secret-id"), every: time.Minute, log: slog.New(slog.NewTextHandler(logs, nil)),
			client: &http.Client{Transport: answers(func(r *http.Request) *http.Response {
				if r.URL.Path != "/secret-id" || r.Method != http.MethodGet {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				pings.Add(1)
				w := httptest.NewRecorder()
				w.WriteHeader(int(status.Load()))
				return w.Result()
			})},
			ready: func(context.Context) health {
				if ill.Load() {
					return health{Reasons: []unwell{{"queue", "gone"}}}
				}
				return health{OK: true}
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.run(ctx) }()
		wait := func(minutes, want int) {
			t.Helper()
			time.Sleep(time.Duration(minutes) * time.Minute)
			synctest.Wait()
			if got := int(pings.Load()); got != want {
				t.Errorf("%d pings, not %d", got, want)
			}
		}
		wait(2, 3)
		ill.Store(true)
		wait(3, 3) // nobody says that all is well
		ill.Store(false)
		wait(1, 4)
		status.Store(http.StatusNotFound)
		wait(3, 7)
		status.Store(http.StatusOK)
		wait(1, 8)
		cancel()
		check(t, <-ended)
		text := logs.String()
		if strings.Contains(text, "secret-id") || strings.Contains(text, "checks.example") {
			t.Error("the log says where it goes: ", text)
		}
		if strings.Count(text, "does not get through") != 2 || strings.Count(text, "gets through again") != 2 || !strings.Contains(text, "404") || !strings.Contains(text, "queue: gone") {
			t.Error(text)
		}
	})
}

// answers is a transport that has an answer.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// TestHeartbeatConfig: its address is one, and a secret.
func TestHeartbeatConfig(t *testing.T) {
	for text, want := range map[string]string{
		"heartbeat: {every: 1m}":                                 "heartbeat.url: this is missing",
		"heartbeat: {url_env: BEAT, url: https://x.example}":     "heartbeat: the address is there more than once",
		"heartbeat: {url: http://checks.example/x}":              "heartbeat.url: http:// is not safe",
		"heartbeat: {url: https://checks.example/x, every: 1s}":  "heartbeat.every: this is more often",
		"{pprof: true, admin: 0.0.0.0:8081}":                     "pprof: profiles show what is in memory",
		"heartbeat: {url: https://checks.example/x, period: 1m}": "heartbeat.period",
	} {
		_, problems := parseConfig("curfew.yaml", []byte(text+"\n"), testOptions())
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.String(), want)
		}
		if !found {
			t.Errorf("%s: %v does not hold %q", text, problems, want)
		}
	}
}
