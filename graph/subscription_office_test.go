package graph_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

const publicURL = "https://curfew.contoso.example/in"

// A shelf is a state in memory, with revisions as a journal has them.
type shelf struct {
	mu   sync.Mutex
	rev  uint64
	kept map[string]kept
	fail func(op, key string) error

	secrets map[string]bool // that were ever kept
}

type kept struct {
	value []byte
	rev   uint64
}

func newShelf() *shelf { return &shelf{kept: map[string]kept{}, secrets: map[string]bool{}} }

var secrets = regexp.MustCompile(`"clientState":"([^"]+)"`)

func (s *shelf) do(op, key string, f func(old kept) (kept, error)) (kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(op, key); err != nil {
			return kept{}, err
		}
	}
	k, err := f(s.kept[key])
	if err == nil && op != "get" {
		s.rev++
		k.rev = s.rev
		s.kept[key] = k
		for _, m := range secrets.FindAllSubmatch(k.value, -1) {
			s.secrets[string(m[1])] = true
		}
	}
	return k, err
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, uint64, error) {
	k, err := s.do("get", key, func(old kept) (kept, error) { return old, nil })
	return bytes.Clone(k.value), k.rev, err
}

func (s *shelf) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	k, err := s.do("create", key, func(old kept) (kept, error) {
		if old.rev != 0 {
			return old, errors.New("the key is there")
		}
		return kept{value: bytes.Clone(value)}, ctx.Err()
	})
	return k.rev, err
}

func (s *shelf) Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	k, err := s.do("update", key, func(old kept) (kept, error) {
		if old.rev != rev {
			return old, errors.New("the key was changed")
		}
		return kept{value: bytes.Clone(value)}, ctx.Err()
	})
	return k.rev, err
}

func (s *shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key)
	return nil
}

func (s *shelf) Keys(_ context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for key := range s.kept {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// set changes what fails from now on.
func (s *shelf) set(fail func(op, key string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// killed is what the state sees of a process that dies after n writes.
func killed(n int) func(op, key string) error {
	writes := 0
	return func(op, _ string) error {
		if op == "get" {
			return nil
		}
		if writes++; writes > n {
			return errors.New("killed")
		}
		return nil
	}
}

// A worker is one process of Curfew, as far as notifications go. end lets it go
// down in good order.
type worker struct {
	d      *desk
	subs   *graph.Subscriptions
	hook   *graph.Webhook
	nudges *graph.Nudges
	swept  atomic.Int32 // sweeps out of turn
	end    func()
}

// An office is what workers share.
type office struct {
	*desk
	shelf *shelf
	book  *book
	logs  *logs
	index map[string]string // kind/id to device id
	front front             // who gets what Graph posts
}

// A front passes what Graph posts on to whoever is there.
type front struct {
	mu sync.Mutex
	to http.Handler // nil: nobody
}

func (f *front) put(to http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = to
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	to := f.to
	f.mu.Unlock()
	if to == nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	to.ServeHTTP(w, r)
}

// logs is what everybody said.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// mailroom runs a story with an office. When it is told, no secret may be in a log.
func mailroom(t *testing.T, tell func(t *testing.T, o *office)) {
	t.Helper()
	story(t, func(t *testing.T, d *desk) {
		o := &office{desk: d, shelf: newShelf(), book: newBook(), logs: &logs{}, index: map[string]string{}}
		d.cloud.DeliverBy(graphtest.InProcess(&o.front))
		tell(t, o)
		if len(o.shelf.secrets) == 0 {
			t.Error("no subscription had a secret")
		}
		for state := range o.shelf.secrets {
			if strings.Contains(o.logs.String(), state) {
				t.Error("a log has the secret of a subscription")
			}
		}
	})
}

// hire makes a worker that is to keep these resources, and does not start it.
func (o *office) hire(resources ...graph.Resource) *worker {
	log := slog.New(slog.NewTextHandler(o.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := &worker{d: o.desk, nudges: &graph.Nudges{State: o.shelf, Log: log}}
	w.subs = &graph.Subscriptions{Client: o.client, State: o.shelf, Nudges: w.nudges, URL: publicURL, Resources: resources, Log: log}
	w.hook = &graph.Webhook{Sink: o.book, Subscriptions: []*graph.Subscriptions{w.subs}, Log: log}
	if o.index != nil {
		w.hook.Index = indexed(o.index)
	}
	o.front.put(w.hook)
	return w
}

// start lets it work until its end, or that of the test.
func (w *worker) start() *worker {
	ctx, cancel := context.WithCancel(w.d.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.subs.Run(ctx); err != nil {
			w.d.t.Error(err)
		}
	})
	wg.Go(func() {
		err := w.nudges.Serve(ctx, w.d.tenant.ID, func(context.Context) error { w.swept.Add(1); return nil })
		if err != nil {
			w.d.t.Error(err)
		}
	})
	w.end = func() { cancel(); wg.Wait() }
	synctest.Wait()
	return w
}

// list is how the subscriptions stand, by resource.
func (w *worker) list() map[string]graph.SubscriptionStatus {
	w.d.t.Helper()
	list, err := w.subs.List(w.d.ctx)
	if err != nil {
		w.d.t.Fatal(err)
	}
	m := map[string]graph.SubscriptionStatus{}
	for _, s := range list {
		m[s.Resource] = s
	}
	return m
}

// only is the tenant's one subscription.
func (o *office) only() graphtest.Subscription {
	o.t.Helper()
	all := o.tenant.Subscriptions()
	if len(all) != 1 {
		o.t.Fatalf("the tenant has %d subscriptions, want one: %+v", len(all), all)
	}
	return all[0]
}

// asked counts the requests so far, as METHOD of subscriptions.
func (o *office) asked(method string) int {
	n := 0
	for _, r := range o.tenant.Requests() {
		if r.Method == method && strings.HasPrefix(strings.TrimPrefix(r.Path, "/v1.0/"), "subscriptions") {
			n++
		}
	}
	return n
}

func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }

// later lets time pass, and everybody come to rest.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var users = graph.Resource{Path: "users"}

// fails lets storing facts fail from now on, as fail says.
func (b *book) fails(fail func(entry) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}
