package shoutrrr_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/page"
	"curfew/handlers/page/chat/chattest"
	"curfew/handlers/page/shoutrrr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(tidy{m}) }

// tidy lets go of the connections that the library's clients keep.
type tidy struct{ *testing.M }

func (m tidy) Run() int {
	defer http.DefaultClient.CloseIdleConnections() //nolint:forbidigo // it is the library that uses it
	return m.M.Run()
}

const canary = "canaryCanaryCanary"

// A board is what a service posts to, on this machine.
type board struct {
	mu     sync.Mutex
	posts  []string
	status int           // of answers; 0: 200
	hold   chan struct{} // if set, nothing is answered before it is closed
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	hold, status := b.hold, b.status
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	if status != 0 {
		http.Error(w, "quoting "+r.URL.String()+" "+canary, status)
		return
	}
	text := string(body)
	var in struct{ Message string }
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && json.Unmarshal(body, &in) == nil {
		text = in.Message
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posts = append(b.posts, text)
	fmt.Fprint(w, `{"id": 1}`)
}

func (b *board) read() [][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out [][]string
	for _, p := range b.posts {
		out = append(out, strings.Split(p, "\n"))
	}
	return out
}

// open serves a board, and gives the address that the service is written with.
func open(t *testing.T, b *board, service string) *shoutrrr.Channel {
	t.Helper()
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	c := &shoutrrr.Channel{URL: map[string]string{
		"generic":    "generic://" + host + "/hook?disabletls=yes&template=json&@x-token=" + canary,
		"ntfy":       "ntfy://user:" + canary + "@" + host + "/topic?scheme=http",
		"gotify":     "gotify://" + host + "/Aaaaaaaaaaaaaaa?disabletls=yes",
		"mattermost": "mattermost://" + host + "/" + canary + "?disabletls=yes",
	}[service]}
	if err := c.Check(); err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	return c
}

func do(ctx context.Context, c *shoutrrr.Channel, k events.Case, a events.Action, ref string) error {
	task := handlerstest.Task(k, events.Order{Action: a, Destination: "techs"})
	task.Ref = ref
	_, err := (&page.Handler{Pagers: map[string]page.Pager{"techs": c}}).Do(ctx, k, task)
	return err
}

// A night in the channel, by several services of the library.
func TestWhatTheChannelReads(t *testing.T) {
	for _, service := range []string{"generic", "ntfy", "gotify"} {
		b := &board{}
		c := open(t, b, service)
		laptop := handlerstest.Laptop()
		for _, ref := range []string{"", laptop.ID()} {
			if err := do(t.Context(), c, laptop, events.Page, ref); err != nil {
				t.Fatalf("%s: %v", service, err)
			}
		}
		if err := do(t.Context(), c, laptop, events.Resolve, laptop.ID()); err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		alerts := chattest.Fold(b.read())
		if len(alerts) != 1 || alerts[0].Key != laptop.ID() || alerts[0].Open || alerts[0].Pages != 2 {
			t.Fatalf("%s: %v", service, alerts)
		}
		for _, want := range []string{"At risk: LT-042", "Still at risk: LT-042", "Over: LT-042", "alert: Suspicious behaviour: https://security.microsoft.com/alerts/alert-1"} {
			if !slices.Contains(alerts[0].Texts, want) {
				t.Errorf("%s: no %q in %q", service, want, alerts[0].Texts)
			}
		}
	}
}

// Names from outside mention nobody, lead nowhere and begin no line of their own.
func TestHostileNames(t *testing.T) {
	b := &board{}
	c := open(t, b, "generic")
	k := handlerstest.Laptop()
	k.Device.Name = "Ünï @everyone [x](http://evil.example) <script>\n\u202e**bold**"
	if err := do(t.Context(), c, k, events.Page, ""); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(b.read()[0], "\n")
	for _, bad := range []string{"@everyone", "](", "http://", "<script", "\u202e", "**"} {
		if strings.Contains(all, bad) {
			t.Errorf("%q arrived: %s", bad, all)
		}
	}
	if !strings.Contains(all, "Ünï") {
		t.Errorf("the name did not arrive: %s", all)
	}
}

// Whatever goes wrong is tried again, and no word of it holds the address.
func TestFailures(t *testing.T) {
	for _, service := range []string{"generic", "ntfy", "gotify", "mattermost"} {
		for _, status := range []int{400, 401, 404, 429, 500, 503} {
			b := &board{status: status}
			c := open(t, b, service)
			err := do(t.Context(), c, handlerstest.Laptop(), events.Page, "")
			if v := handlers.Read(err); err == nil || v.GiveUp || !v.Unsure || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%s, %d: %+v, %v", service, status, v, err)
			}
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	c := &shoutrrr.Channel{URL: "generic://" + strings.TrimPrefix(gone.URL, "http://") + "/" + canary + "?disabletls=yes"}
	err := do(t.Context(), c, handlerstest.Laptop(), events.Page, "")
	if v := handlers.Read(err); err == nil || v.GiveUp || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody is there: %+v, %v", v, err)
	}
}

// A service that hangs costs a few calls and no more, and nobody waits for it.
func TestAServiceThatHangs(t *testing.T) {
	b := &board{hold: make(chan struct{})}
	c := open(t, b, "generic")
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := c.Resolve(ctx, page.Alert{Key: "k"})
		cancel()
		if v := handlers.Read(err); err == nil || !v.Unsure || v.GiveUp {
			t.Errorf("%+v, %v", v, err)
		}
	}
	err := c.Resolve(t.Context(), page.Alert{Key: "k"}) // which would hang for long
	if v := handlers.Read(err); err == nil || v.GiveUp || v.After != time.Minute || !strings.Contains(err.Error(), "4 calls to it are still waiting") {
		t.Errorf("%+v, %v", v, err)
	}
	close(b.hold)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := c.Resolve(t.Context(), page.Alert{Key: "k"}); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// What cannot be used is told, without the secrets in it.
func TestAddresses(t *testing.T) {
	for _, good := range []string{
		"discord://" + canary + "@123456789012345678", "telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0@telegram?chats=@techs",
		"matrix://curfew:" + canary + "@matrix.example.com", "ntfy://ntfy.example.com/topic", "generic+https://hooks.example.com/x",
	} {
		if err := (&shoutrrr.Channel{URL: good}).Check(); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"": "cannot be used", canary: "cannot be used", "nosuch://" + canary: "cannot be used", "discord://" + canary: "cannot be used",
		"slack://hook:" + canary + "@webhook": "kind: slack", "teams://" + canary + "@x/y/z?host=a": "kind: teams", "pagerduty://" + canary: "kind: pagerduty",
		"logger://": "a log", "generic://hooks.example.com/" + canary + "?disabletls=yes": "TLS off", "generic+http://hooks.example.com/" + canary: "TLS off",
		"ntfy://ntfy.example.com/" + canary + "?scheme=http": "TLS off", "smtp://u:" + canary + "@mail.example.com/?from=a@b.example&to=c@d.example&encryption=None": "TLS off",
	} {
		err := (&shoutrrr.Channel{URL: bad}).Check()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
