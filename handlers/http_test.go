package handlers_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func reply(status int, retryAfter string) *http.Response {
	req := httptest.NewRequest(http.MethodPost, "https://desk.example/hook/token?key=k", nil)
	return &http.Response{StatusCode: status, Status: "200 trust me", Header: http.Header{"Retry-After": {retryAfter}}, Request: req}
}

func TestCheckStatus(t *testing.T) {
	for _, tt := range []struct {
		status     int
		retryAfter string
		want       handlers.Verdict
	}{
		{200, "", handlers.Verdict{}},
		{204, "30", handlers.Verdict{}},
		{302, "", handlers.Verdict{GiveUp: true}},
		{400, "", handlers.Verdict{GiveUp: true}},
		{404, "30", handlers.Verdict{GiveUp: true}},
		{408, "", handlers.Verdict{}},
		{429, "7", handlers.Verdict{After: 7 * time.Second}},
		{429, " 7 ", handlers.Verdict{After: 7 * time.Second}},
		{429, "-7", handlers.Verdict{}},
		{429, "0", handlers.Verdict{}},
		{429, "1.5", handlers.Verdict{}},
		{429, "86400", handlers.Verdict{After: time.Hour}},
		{429, "99999999999999999999999", handlers.Verdict{After: time.Hour}},
		{503, "Sat, 01 Jan 2000 00:02:00 GMT", handlers.Verdict{After: 2 * time.Minute}},
		{503, "Fri, 31 Dec 1999 00:00:00 GMT", handlers.Verdict{}},
		{503, "Sat, 01 Jan 2050 00:00:00 GMT", handlers.Verdict{After: time.Hour}},
		{500, "", handlers.Verdict{Unsure: true}},
		{501, "", handlers.Verdict{}},
		{502, "60", handlers.Verdict{Unsure: true, After: time.Minute}},
		{504, "", handlers.Verdict{Unsure: true}},
	} {
		synctest.Test(t, func(t *testing.T) { // midnight, 1 January 2000
			err := handlers.CheckStatus(reply(tt.status, tt.retryAfter))
			if err != nil {
				tt.want.Status = tt.status
			}
			if got := handlers.Read(err); got != tt.want || (err == nil) != (tt.status/100 == 2) {
				t.Errorf("%d, Retry-After %q: %v, %+v, want %+v", tt.status, tt.retryAfter, err, got, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "trust") || !strings.Contains(err.Error(), "desk.example")) {
				t.Errorf("the text is %q", err)
			}
		})
	}
	if err := handlers.CheckStatus(&http.Response{StatusCode: 400}); err == nil || err.Error() != "400 Bad Request" {
		t.Errorf("a reply without its request: %v", err)
	}
}

func TestRedact(t *testing.T) {
	bad := &url.Error{Op: "Post", URL: "https://desk.example/hook/tok%20en?sig=s3cr3t", Err: io.EOF}
	for _, err := range []error{bad, fmt.Errorf("ticket: %w", bad), errors.Join(io.EOF, bad)} {
		got := handlers.Redact(err)
		if s := got.Error(); strings.Contains(s, "s3cr3t") || strings.Contains(s, "hook") || !strings.Contains(s, "desk.example") || !strings.Contains(s, "EOF") {
			t.Errorf("got %q", s)
		}
		if !errors.Is(got, io.EOF) {
			t.Error("the cause is lost")
		}
	}
	_, err := url.Parse("https://desk.example/s3cr3t\x7f")
	if s := handlers.Redact(err).Error(); strings.Contains(s, "s3cr3t") {
		t.Errorf("an address that cannot be read: %q", s)
	}
	err = errors.New("the key a b+c is wrong; a+b%2Bc, a%20b+c")
	if s := handlers.Redact(err, "a b+c", "").Error(); s != "the key <secret> is wrong; <secret>, <secret>" {
		t.Errorf("got %q", s)
	}
	if handlers.Redact(nil, "x") != nil {
		t.Error("no error became one")
	}
}

// A redirect is not followed: the POST would become a GET, and the body or the
// credentials could go elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	s, err := fake.Listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			http.Redirect(w, r, "https://elsewhere.example/?stolen", http.StatusTemporaryRedirect)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := handlers.NewClient(handlers.Reach{Roots: s.Roots})
	defer client.CloseIdleConnections()
	_, err = post(t, client, s.URL)
	if err == nil || !handlers.Read(err).GiveUp || asked != 1 || !strings.Contains(err.Error(), "redirects are not followed") {
		t.Errorf("asked %d times, got %v", asked, err)
	}
}

func post(t *testing.T, client *http.Client, address string, secrets ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/hook/token", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return handlers.Do(client, req, secrets...)
}

// Who was never reached did nothing; who was, may have.
func TestOnlyARequestThatMayHaveArrivedIsUnsure(t *testing.T) {
	s, err := fake.Listen(http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	trusting := handlers.NewClient(handlers.Reach{Roots: s.Roots})
	defer trusting.CloseIdleConnections()
	s.Fail(1, fake.Fault{Drop: true})
	if _, err := post(t, trusting, s.URL); !handlers.Read(err).Unsure || strings.Contains(err.Error(), "token") {
		t.Errorf("a connection that broke: %v", err)
	}
	strange := handlers.NewClient(handlers.Reach{})
	defer strange.CloseIdleConnections()
	if _, err := post(t, strange, s.URL); err == nil || handlers.Read(err).Unsure || handlers.Read(err).GiveUp {
		t.Errorf("a certificate of nobody known: %v", err)
	}
	s.Close()
	if _, err := post(t, trusting, s.URL); err == nil || handlers.Read(err).Unsure || handlers.Read(err).GiveUp {
		t.Errorf("nobody listens: %v", err)
	}
}

// What the other side says is quoted, but short, on one line and without secrets.
func TestWhatTheOtherSideSaysIsQuotedWithCare(t *testing.T) {
	s, err := fake.Listen(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, "field\r\n\x1b[31mx is wrong for s3cr3t \xff"+strings.Repeat("long ", 1000))
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := handlers.NewClient(handlers.Reach{Roots: s.Roots})
	defer client.CloseIdleConnections()
	_, err = post(t, client, s.URL, "s3cr3t")
	if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), `says "field [31mx is wrong for <secret> long`) || len(err.Error()) > 400 {
		t.Errorf("got %v", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	client := handlers.NewClient(handlers.Reach{})
	_, err := post(t, client, s.URL)
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestACallEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := fake.Pipe(http.NotFoundHandler())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Fail(-1, fake.Fault{Hang: true})
		for want, limit := range map[time.Duration]time.Duration{30 * time.Second: 0, 3 * time.Second: 3 * time.Second} {
			client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial, Timeout: limit})
			start := time.Now()
			_, err = post(t, client, s.URL)
			if took := time.Since(start); took != want || !handlers.Read(err).Unsure || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v: %v", took, err)
			}
			client.CloseIdleConnections()
		}
	})
}
