package fake_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is a fake that counts what it did.
type counter struct{ n atomic.Int64 }

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.n.Add(1)
	io.Copy(w, r.Body)
}

func ask(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b) + res.Header.Get("Retry-After")
}

// Both ways of serving are TLS that only the server's own roots vouch for.
func TestServes(t *testing.T) {
	for name, serve := range map[string]func(http.Handler) (*fake.Server, error){"loopback": fake.Listen, "memory": fake.Pipe} {
		t.Run(name, func(t *testing.T) {
			s, err := serve(&counter{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
			defer client.CloseIdleConnections()
			if code, body := ask(t, client, s.URL); code != 200 || body != "hello" {
				t.Errorf("got %d %q", code, body)
			}
			stranger := handlers.NewClient(handlers.Reach{Dial: s.Dial})
			defer stranger.CloseIdleConnections()
			if code, why := ask(t, stranger, s.URL); code != 0 || !strings.Contains(why, "certificate") {
				t.Errorf("a stranger got %d %q", code, why)
			}
		})
	}
}

func TestFailsToOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		s, err := fake.Pipe(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
		defer client.CloseIdleConnections()
		expect := func(code int, text string, done int64) {
			t.Helper()
			if got, body := ask(t, client, s.URL); got != code || !strings.Contains(body, text) || c.n.Load() != done {
				t.Errorf("got %d %q, %d done; want %d %q, %d done", got, body, c.n.Load(), code, text, done)
			}
		}
		s.Fail(2, fake.Fault{Status: 503, RetryAfter: "7"})
		expect(503, "7", 0)
		expect(503, "7", 0)
		expect(200, "hello", 1)
		s.Fail(1, fake.Fault{Status: 504, Done: true})
		expect(504, "", 2)
		s.Fail(1, fake.Fault{Drop: true, Done: true})
		expect(0, "EOF", 3)
		s.Fail(1, fake.Fault{Status: 400, Echo: true, Done: true})
		expect(400, "hello", 4)
		s.Fail(-1, fake.Fault{Hang: true})
		start := time.Now()
		expect(0, "", 4)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("it hung for %v", took)
		}
		s.Heal()
		expect(200, "hello", 5)
		s.Fail(-1, fake.Fault{Status: 429, For: time.Minute})
		expect(429, "", 5)
		time.Sleep(time.Minute)
		expect(200, "hello", 6)
	})
}
