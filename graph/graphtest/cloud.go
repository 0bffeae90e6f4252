package graphtest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Cloud is one sign-in service and one Graph with many tenants. It is an
// http.Handler; Transport calls it without a socket, Listen puts it on one.
// It is safe for concurrent use.
type Cloud struct {
	// URL is where the cloud listens, such as https://127.0.0.1:40123: the
	// authority host for azidentity and, with /v1.0, the root of Graph. Empty
	// until Listen.
	URL string

	mu        sync.Mutex
	tenants   map[string]*Tenant // by id and by every name
	strangers ring[Request]
	server    *http.Server
	post      http.RoundTripper // carries notifications
	outward   *http.Transport   // post, unless a test brought its own

	ca     *authority
	secret []byte // signs access tokens
	tokens atomic.Int64
	afoot  atomic.Int64 // parcels under way
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewCloud makes a cloud without tenants and without sockets.
func NewCloud() *Cloud {
	ca, err := newAuthority()
	if err != nil {
		panic(fmt.Sprintf("graphtest: make a certificate authority: %v", err))
	}
	outward := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12},
		IdleConnTimeout: 30 * time.Second,
		// What is sent again after an outage comes by connections that are there.
		MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64,
	}
	c := &Cloud{
		tenants: map[string]*Tenant{}, strangers: ring[Request]{max: keptRequests},
		ca: ca, secret: make([]byte, 32), outward: outward, post: outward,
	}
	_, _ = rand.Read(c.secret) // never fails
	// The cloud's life is not that of any one call.
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// AddTenant adds a tenant. Its users are name@<name>.example; tokens may be
// asked for by its id or that domain.
func (c *Cloud) AddTenant(name, id string) *Tenant {
	t := &Tenant{
		Name: name, ID: strings.ToLower(id), Domain: name + ".example",
		cloud: c, created: time.Now().UTC(),
		apps: map[string]*App{}, made: map[int]*device{}, byName: map[string]int{}, byID: map[string][]int{},
		users: map[string]*user{}, busy: map[int]*device{}, subs: map[string]*subscription{},
		requests:   ring[Request]{max: keptRequests},
		mails:      ring[Mail]{max: keptMails},
		deliveries: ring[Delivery]{max: keptDeliveries},
		timing:     DefaultTiming(),
	}
	t.makeIDs()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tenants[t.ID] != nil || c.tenants[t.Domain] != nil {
		panic(fmt.Sprintf("graphtest: there is a tenant %s (%s) already", name, id))
	}
	c.tenants[t.ID], c.tenants[t.Domain] = t, t
	return t
}

// DeliverBy sets what carries validation requests and notifications to webhooks.
// The default is HTTPS, trusting the cloud's own CA (see Issue);
// InProcess(webhook) needs no socket.
func (c *Cloud) DeliverBy(rt http.RoundTripper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.post = rt
}

func (c *Cloud) tenant(idOrDomain string) *Tenant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tenants[strings.ToLower(idOrDomain)]
}

// pause waits, in virtual time when in a bubble, and tells whether the time
// passed rather than the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
