package link_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/events/gate/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kim = "kim@contoso.example"
	jo  = "jo@contoso.example"
	ann = "anna@contoso.example" // whose device it is
)

// A journal keeps one case in memory, by the real rules.
type journal struct {
	mu             sync.Mutex
	c              events.Case
	rules          events.Policies
	facts          []events.Fact
	asleep, broken bool // no worker takes facts; nothing can be stored or read
}

var errBroken = errors.New("the disk is full")

func (j *journal) Case(_ context.Context, k events.Key) (events.Case, uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken {
		return events.Case{}, 0, errBroken
	}
	if k != j.c.Key {
		return events.Case{Key: k}, 0, nil
	}
	return j.c, 1, nil
}

func (j *journal) Append(_ context.Context, _ events.Key, f events.Fact, _ string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken {
		return errBroken
	}
	j.facts = append(j.facts, f)
	if !j.asleep {
		j.c, _ = events.Step(j.c, f, j.rules, time.Now())
	}
	return nil
}

// tell takes facts into the case as a worker does.
func (j *journal) tell(facts ...events.Fact) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range facts {
		j.c, _ = events.Step(j.c, f, j.rules, time.Now())
	}
}

func (j *journal) look(change func(*events.Device)) {
	j.mu.Lock()
	d := j.c.Device
	j.mu.Unlock()
	if change != nil {
		change(&d)
	}
	d.SeenAt, d.LastSync = time.Now(), time.Now()
	j.tell(events.Seen{Device: d})
}

// task is the one that needs approval, as it is now.
func (j *journal) task() (events.Task, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, t := range j.c.Pending {
		if t.Needs > 0 {
			return t, true
		}
	}
	return events.Task{}, false
}

// said counts the answers that were stored.
func (j *journal) said() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.facts)
}

type atRisk struct{}

func (atRisk) Holds(d events.Device) (bool, error) { return d.Threat.Level() >= events.Medium, nil }

// A world is a case whose reset waits for people, and the door for their links.
type world struct {
	t       *testing.T
	j       *journal
	signer  *link.Signer
	handler *link.Handler
	id      string // of the task
	logged  *strings.Builder
}

func newWorld(t *testing.T, needs int) *world {
	t.Helper()
	key := events.Key{Tenant: "8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69", Device: "0c1f5e7a-93b6-4a88-9f0d-5b3c2a1e4d60"}
	j := &journal{c: events.Case{Key: key}, rules: events.Policies{
		Approval: time.Hour,
		List: []events.Policy{{Name: "threat", When: atRisk{}, ClearFor: time.Minute, Ladder: []events.Rung{
			{Do: []events.Order{{Action: events.Mail}}},
			{Approvals: needs, Do: []events.Order{{Action: events.Reset}}},
		}}},
	}}
	now := time.Now()
	j.tell(events.Seen{Device: events.Device{
		Key: key, IntuneID: "i1", Name: "LT-042", OS: "Windows", User: ann, UserName: "Anna Bauer", UserMail: ann,
		Compliance: "compliant", Threat: "highSeverity", LastSync: now, SeenAt: now,
	}})
	for _, task := range j.c.Pending {
		if task.Action == events.Mail {
			j.tell(events.Begun{Task: task.ID, Attempt: "1"}, events.Done{Task: task.ID})
		}
	}
	j.look(nil)
	task, ok := j.task()
	if !ok {
		t.Fatalf("no reset is asked for: %+v", j.c.Pending)
	}
	signer, err := link.NewSigner([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, j: j, signer: signer, id: task.ID, logged: &strings.Builder{}}
	w.handler = &link.Handler{
		Signer: signer, Cases: j, Sink: j, Valid: time.Hour, Patience: 300 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(w.logged, nil)),
	}
	return w
}

// invite is the path of a link.
func (w *world) invite(who, id string) string {
	return link.Path + w.signer.Mint(w.id, who, w.id[:strings.LastIndex(w.id, "/")]+"/"+id, time.Now().Add(time.Hour))
}

// A reply is what a browser gets.
type reply struct {
	status int
	body   string
	header http.Header
}

func (w *world) ask(method, path, form string, header map[string]string) reply {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://curfew.contoso.example"+path, strings.NewReader(form))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Body.String(), rec.Header()}
}

func (w *world) get(path string) reply { w.t.Helper(); return w.ask(http.MethodGet, path, "", nil) }

var sealField = regexp.MustCompile(`name="seal" value="([^"]+)"`)

// fill is the form of a page, with an answer.
func (r reply) fill(answer, reason string) string {
	m := sealField.FindStringSubmatch(r.body)
	if m == nil {
		return ""
	}
	return url.Values{"seal": {m[1]}, "answer": {answer}, "reason": {reason}}.Encode()
}

// answer opens a link and sends the form, as a person does.
func (w *world) answer(path, answer, reason string) reply {
	w.t.Helper()
	return w.ask(http.MethodPost, path, w.get(path).fill(answer, reason), nil)
}

func (w *world) expect(what string, r reply, status int, says ...string) {
	w.t.Helper()
	if r.status != status {
		w.t.Errorf("%s: %d, want %d:\n%s", what, r.status, status, r.body)
	}
	for _, s := range says {
		if !strings.Contains(r.body, s) {
			w.t.Errorf("%s: the page does not say %q:\n%s", what, s, r.body)
		}
	}
}

// approvals are those the case counts.
func (w *world) approvals(want ...string) {
	w.t.Helper()
	task, _ := w.j.task()
	var got []string
	for _, a := range task.Approvals {
		got = append(got, a.By)
		if !w.signer.Verify(task, a) {
			w.t.Errorf("the approval of %s is not signed: %+v", a.By, a)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		w.t.Errorf("approved by %q, want %q", got, want)
	}
}

// listen puts the handler on a socket with TLS.
func (w *world) listen() (base string, client *http.Client) {
	server := httptest.NewUnstartedServer(w.handler)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	w.t.Cleanup(func() { server.Client().CloseIdleConnections(); server.Close() })
	return server.URL, server.Client()
}

func bodyOf(t *testing.T, r *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
