package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/cmd/curfew/metrics"
)

func ask(h http.Handler, method, path, accept string) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func probes(errs ...error) []probe {
	var out []probe
	for i, err := range errs {
		out = append(out, probe{"part" + string(rune('A'+i)), func(context.Context) error { return err }})
	}
	return out
}

// TestReadiness is a line for each reason, or JSON for who wants only that.
func TestReadiness(t *testing.T) {
	s := &admin{Live: probes(nil), Ready: probes(nil, errors.New("the disk is full\ncurfew: all is well"), errors.New("no\x1b[2J")), Log: quiet}
	for _, c := range []struct {
		path, accept string
		code         int
		body         string
	}{
		{"/livez", "", 200, "alive\n"},
		{"/readyz", "", 503, "not ready\npartB: the disk is full; curfew: all is well\npartC: no [2J\n"},
		{"/readyz", "text/html,application/json", 503, "not ready\npartB: the disk is full; curfew: all is well\npartC: no [2J\n"},
		{"/livez", "application/json", 200, `{"ok":true}` + "\n"},
		{"/readyz", "application/json", 503, `{"ok":false,"reasons":[{"check":"partB","reason":"the disk is full; curfew: all is well"},{"check":"partC","reason":"no [2J"}]}` + "\n"},
	} {
		if code, body := ask(s.handler(), "GET", c.path, c.accept); code != c.code || body != c.body {
			t.Errorf("%s for %q: %d %q", c.path, c.accept, code, body)
		}
	}
	if code, _ := ask(s.handler(), "POST", "/readyz", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", code)
	}
	if code, _ := ask(s.handler(), "GET", "/", ""); code != http.StatusNotFound {
		t.Errorf("/: %d", code)
	}
}

// TestProbeThatHangs is not waited for, and says nothing about the others.
func TestProbeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		s := &admin{Ready: append(probes(nil), probe{"stuck", func(context.Context) error { <-free; return nil }}), Log: quiet}
		start := time.Now()
		code, body := ask(s.handler(), "GET", "/readyz", "")
		if took := time.Since(start); code != 503 || body != "not ready\nstuck: it does not say how it is\n" || took != 3*time.Second {
			t.Errorf("%d %q after %v", code, body, took)
		}
		close(free)
	})
}

// TestHealthAsksTheWorker and ends with what it says.
func TestHealthAsksTheWorker(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := listenAdmin(ctx, "127.0.0.1:0")
	check(t, err)
	ill := make(chan error, 10)
	s := &admin{Live: probes(nil), Ready: []probe{{"queue", func(context.Context) error { return <-ill }}}, Log: quiet}
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, l) }()
	address := l.Addr().String()

	ill <- nil
	if stdout, stderr, code := call(ctx, nothingSet, "health", "--admin", address); code != exitFine || stdout != "ready\n" || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	_, port, _ := net.SplitHostPort(address)
	ill <- errors.New("the disk refuses writes")
	if _, stderr, code := call(ctx, nothingSet, "health", "--admin", ":"+port); code != exitFailed || stderr != "curfew: not ready; queue: the disk refuses writes\n" {
		t.Errorf("%d %q", code, stderr)
	}
	if stdout, _, code := call(ctx, nothingSet, "health", "--admin", "0.0.0.0:"+port, "--live"); code != exitFine || stdout != "alive\n" {
		t.Errorf("%d %q", code, stdout)
	}
	if _, stderr, code := call(ctx, nothingSet, "health", "--admin", "nowhere"); code != exitWrong {
		t.Errorf("%d %q", code, stderr)
	}
	if _, err := listenAdmin(ctx, address); err == nil || !strings.Contains(err.Error(), "set another one in the configuration") {
		t.Errorf("an address that is taken: %v", err)
	}
	cancel()
	check(t, <-served)
	if _, _, code := call(t.Context(), nothingSet, "health", "--admin", address); code != exitNoWorker {
		t.Errorf("a worker that has ended: %d", code)
	}
}

// TestAdminLetsRequestsEnd when it stops, but not for ever.
func TestAdminLetsRequestsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l, err := listenAdmin(ctx, "127.0.0.1:0")
	check(t, err)
	asked := make(chan struct{})
	s := &admin{Ready: []probe{{"slow", func(ctx context.Context) error {
		close(asked)
		<-ctx.Done()
		return ctx.Err()
	}}}, Timeout: 200 * time.Millisecond, Log: quiet}
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, l) }()
	answered := make(chan string, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/readyz", nil)
		req.Header.Set("Accept", "application/json")
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answered <- string(body)
	}()
	<-asked
	cancel()
	var h health
	check(t, json.Unmarshal([]byte(<-answered), &h))
	if h.OK || len(h.Reasons) != 1 || h.Reasons[0].Check != "slow" {
		t.Errorf("%+v", h)
	}
	check(t, <-served)
}

// TestAdminShowsWhatItIsAllowedTo: metrics and profiles are there if they are
// wanted, and else not.
func TestAdminShowsWhatItIsAllowedTo(t *testing.T) {
	none := (&admin{Log: quiet}).handler()
	all := (&admin{Metrics: metrics.New("v1.2.3").Handler(), Pprof: true, Log: quiet}).handler()
	for path, want := range map[string]string{
		"/metrics":                       `curfew_build_info{version="v1.2.3"} 1`,
		"/debug/pprof/goroutine?debug=1": "goroutine profile: total",
		"/debug/pprof/":                  "heap",
	} {
		if code, _ := ask(none, "GET", path, ""); code != http.StatusNotFound {
			t.Errorf("%s without being asked for: %d", path, code)
		}
		if code, body := ask(all, "GET", path, ""); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %.300q", path, code, body)
		}
	}
	_, body := ask(all, "GET", "/metrics", "")
	for _, want := range []string{"go_goroutines ", "process_open_fds ", "process_resident_memory_bytes "} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}
