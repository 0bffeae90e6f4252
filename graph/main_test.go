package graph_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/graph"
	"curfew/graph/graphtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	contosoID = "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"
	fabrikID  = "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22"
	clientID  = "b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33"
	secret    = "s3cret~of+the/app&"
	machineID = "4899036531e374137f63289c3267bad772c13fef"
)

// A desk is where a test sits: a cloud, a tenant in it and Curfew's client.
type desk struct {
	t      *testing.T
	cloud  *graphtest.Cloud
	tenant *graphtest.Tenant
	app    *graphtest.App
	client *graph.Client
	ctx    context.Context
}

// story runs a test in a bubble: minutes cost nothing.
func story(t *testing.T, tell func(t *testing.T, d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tell(t, newDesk(t, cloud, "contoso", contosoID))
	})
}

func newDesk(t *testing.T, cloud *graphtest.Cloud, name, id string) *desk {
	t.Helper()
	tenant := cloud.AddTenant(name, id)
	tenant.AddUser(graphtest.User{UPN: "curfew@" + tenant.Domain})
	d := &desk{t: t, cloud: cloud, tenant: tenant, app: tenant.AddApp(clientID, secret, graphtest.AllRoles()...), ctx: t.Context()}
	d.client = d.reach(func(*graph.Tenant) {})
	return d
}

// reach makes a client for the desk's tenant, configured as the test likes.
func (d *desk) reach(how func(*graph.Tenant)) *graph.Client {
	d.t.Helper()
	c := graph.Tenant{
		ID: d.tenant.ID, Name: d.tenant.Name, MailFrom: "curfew@" + d.tenant.Domain,
		Auth: graph.Auth{Client: clientID, Secret: secret}, Transport: d.cloud.Transport(),
	}
	how(&c)
	client, err := graph.New(c)
	if err != nil {
		d.t.Fatal(err)
	}
	return client
}

func (d *desk) kase(of graphtest.Device) events.Case {
	return events.Case{Key: events.Key{Tenant: d.tenant.ID, Device: of.EntraID}}
}

// look looks at a device that must be there.
func (d *desk) look(of graphtest.Device) events.Device {
	d.t.Helper()
	dev, err := d.client.Look(d.ctx, d.kase(of))
	if err != nil {
		d.t.Fatal(err)
	}
	return dev
}

// want is what an error must be.
type want struct {
	giveUp, unsure bool
	status         int
	after          time.Duration
	says           string
}

func (w want) check(t *testing.T, err error) *graph.Error {
	t.Helper()
	var e *graph.Error
	if !errors.As(err, &e) {
		t.Fatalf("want a *graph.Error, got %T: %v", err, err)
	}
	if e.GiveUp() != w.giveUp || e.Unsure() != w.unsure || e.Status != w.status || e.RetryAfter() != w.after {
		t.Errorf("give up %v, unsure %v, status %d, after %v; want %+v: %v", e.GiveUp(), e.Unsure(), e.Status, e.RetryAfter(), w, e)
	}
	if !strings.Contains(e.Error(), w.says) {
		t.Errorf("%q does not say %q", e, w.says)
	}
	return e
}

// A wireTap is a transport in front of the cloud, or in place of it.
type wireTap func(*http.Request) (*http.Response, error)

func (w wireTap) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// instead answers requests to Graph by do; nil passes the request on. Sign-in
// goes to the cloud always.
func (d *desk) instead(do func(*http.Request) *http.Response) *graph.Client {
	d.t.Helper()
	return d.reach(func(c *graph.Tenant) {
		next := c.Transport
		c.Transport = wireTap(func(r *http.Request) (*http.Response, error) {
			if !strings.HasPrefix(r.URL.Host, "login.") {
				if res := do(r); res != nil {
					res.Request = r
					return res, nil
				}
			}
			return next.RoundTrip(r)
		})
	})
}

func answer(status int, kind, body string, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	if kind != "" {
		res.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

func jsonAnswer(body string) *http.Response { return answer(200, "application/json", body) }

// A book keeps what sweeps need, in memory.
type book struct {
	mu    sync.Mutex
	facts []entry
	ids   map[string]bool
	cases map[string]events.Case
	marks map[string][]byte
	fail  func(entry) error
}

type entry struct {
	key  events.Key
	fact events.Fact
	id   string
}

func newBook() *book {
	return &book{ids: map[string]bool{}, cases: map[string]events.Case{}, marks: map[string][]byte{}}
}

func (b *book) Append(ctx context.Context, k events.Key, f events.Fact, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	e := entry{k, f, id}
	if b.fail != nil {
		if err := b.fail(e); err != nil {
			return err
		}
	}
	if !k.Valid() || id == "" {
		return errors.New("a key or an id that no journal takes")
	}
	b.facts = append(b.facts, e)
	b.ids[id] = true
	return nil
}

func (b *book) Case(_ context.Context, k events.Key) (events.Case, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cases[k.Device], 1, nil
}

func (b *book) Known(context.Context, string) (map[string]struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := map[string]struct{}{}
	for id := range b.cases {
		known[id] = struct{}{}
	}
	return known, nil
}

func (b *book) Get(_ context.Context, key string) ([]byte, uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.marks[key]), 0, nil
}

func (b *book) Put(_ context.Context, key string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marks[key] = bytes.Clone(value)
	return nil
}

// saw puts a device into its case, as a look does.
func (b *book) saw(dev events.Device, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cases[dev.Key.Device] = events.Case{Key: dev.Key, Device: dev, Open: open}
}

// told takes out the facts so far.
func (b *book) told() []entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.facts
	b.facts = nil
	return all
}

func (d *desk) sweep(b *book) *graph.Sweep {
	return &graph.Sweep{Client: d.client, Sink: b, Cases: b, Marks: b}
}
