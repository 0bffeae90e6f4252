package graphtest

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// What is remembered is bounded, so that a bench may run for hours.
const (
	keptRequests   = 10_000
	keptMails      = 10_000
	keptDeliveries = 10_000
	keptActions    = 100 // per device
	keptBody       = 64 << 10
)

// A ring keeps the newest of what was put into it.
type ring[T any] struct {
	max  int
	buf  []T
	next int
}

func (r *ring[T]) add(v T) {
	if len(r.buf) < r.max {
		r.buf = append(r.buf, v)
		return
	}
	r.buf[r.next] = v
	r.next = (r.next + 1) % r.max
}

// all returns what is kept, oldest first.
func (r *ring[T]) all() []T {
	return append(append(make([]T, 0, len(r.buf)), r.buf[r.next:]...), r.buf[:r.next]...)
}

// A Request is one that reached the cloud, whatever became of it.
type Request struct {
	At     time.Time
	App    string // client id; "" when no valid token came with it
	Method string
	Path   string     // "/v1.0/devices/…", as asked, decoded
	Query  url.Values // decoded
	Header Headers
	Body   []byte // at most 64 KiB, after undoing Content-Encoding
	Status int    // what was answered; 0 when the connection was cut or the asker left
	Fault  Kind   // the fault that spoiled it, if one did
}

// Headers are those request headers in which Graph's rules show.
type Headers struct {
	Prefer, ContentEncoding, ClientRequestID, ConsistencyLevel string
	ApprovalCode, ApprovalJustification                        string
}

// Decode unmarshals the request's body into v.
func (r Request) Decode(v any) error { return json.Unmarshal(r.Body, v) }

// Requests returns the newest 10,000 requests made to the tenant, its token
// endpoint included, oldest first.
func (t *Tenant) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests.all()
}

// Asked counts the requests kept whose method and path begin as given: "GET",
// "/v1.0/deviceManagement". An empty method is any.
func (t *Tenant) Asked(method, path string) int {
	n := 0
	for _, r := range t.Requests() {
		if (method == "" || r.Method == method) && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

// Forget drops the requests, mails and deliveries recorded so far.
func (t *Tenant) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = ring[Request]{max: keptRequests}
	t.mails = ring[Mail]{max: keptMails}
	t.deliveries = ring[Delivery]{max: keptDeliveries}
}

// Strangers returns the newest requests that belong to no tenant: those without
// a valid token, or for a tenant that does not exist.
func (c *Cloud) Strangers() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.strangers.all()
}

func (c *Cloud) record(t *Tenant, r Request) {
	if len(r.Body) > keptBody {
		r.Body = r.Body[:keptBody]
	}
	if t == nil {
		c.mu.Lock()
		c.strangers.add(r)
		c.mu.Unlock()
		return
	}
	t.mu.Lock()
	t.requests.add(r)
	t.mu.Unlock()
}
