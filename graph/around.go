package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// A Request is one request to Microsoft, for who counts or traces them.
type Request struct {
	Tenant  string // its name
	Op      string // what is being done: "list managed devices"
	Service string // whose limits it counts against
}

// An Around is told of a request before it is made. The context it returns is that
// of the request, and the function is told how it ended.
type Around func(context.Context, Request) (context.Context, func(error))

// send makes the call, once, and decodes the answer into into; nil if none is of
// interest. Its errors are all [*Error].
func (c *Client) send(ctx context.Context, k call, into any) error {
	return c.around(ctx, k, func(ctx context.Context) error { return c.sendOnce(ctx, k, into) })
}

// around makes a call and tells of it.
func (c *Client) around(ctx context.Context, k call, do func(context.Context) error) error {
	if c.tenant.Around == nil {
		return do(ctx)
	}
	ctx, done := c.tenant.Around(ctx, Request{Tenant: c.tenant.Name, Op: k.op, Service: k.service.String()})
	err := do(ctx)
	done(err)
	return err
}

// Outcome says in a word how a request ended: ok, refused, unauthorized (the app
// could not sign in, or its token was not taken), throttled, failed, unanswered, or
// budget (nothing was sent).
func Outcome(err error) string {
	if err == nil {
		return "ok"
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return "unanswered"
	case e.local:
		return "budget"
	case e.Status == http.StatusUnauthorized || strings.HasPrefix(e.Code, "AADSTS"):
		return "unauthorized"
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusServiceUnavailable && e.After > 0:
		return "throttled"
	case e.Status >= 500:
		return "failed"
	case e.Status >= 400:
		return "refused"
	}
	return "unanswered"
}

// A Budget is how a limit of Microsoft's stands in a tenant.
type Budget struct {
	Service string
	Used    float64       // the part that is used up now, 0 to 1
	Closed  time.Duration // for how long Microsoft still wants to be left alone
}

// Budgets says how the limits stand that this client keeps.
func (c *Client) Budgets() []Budget {
	now := time.Now()
	out := make([]Budget, 0, services)
	for s := range services {
		g := c.gates[s]
		g.mu.Lock()
		b := Budget{Service: s.String(), Closed: max(0, g.closed.Sub(now))}
		b.Used = min(1, max(0, 1-g.all.TokensAt(now)/float64(g.all.Burst())))
		g.mu.Unlock()
		out = append(out, b)
	}
	return out
}
