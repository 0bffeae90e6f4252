package graph

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
)

// A Client is what one tenant is spoken to through. It is safe for concurrent
// use, and meant to live as long as the process: its token and its budget are
// worth keeping.
type Client struct {
	tenant  Tenant
	adapter abstractions.RequestAdapter
	gates   *budget
	graph   string // https://host
	secrets hidden // never to be seen in a text
	cred    *exchangeable
	signIn  *http.Client
	idle    func()
	keys    keeper // of tokens that are only looked into
	scope   string // of Graph's

	defender *defender // nil: not used
}

// New makes a tenant's client. It reports every mistake in the configuration at
// once, and talks to nobody yet.
func New(t Tenant) (*Client, error) {
	t.ID = strings.ToLower(t.ID)
	if t.Name == "" {
		t.Name = t.ID
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("graph: tenant %s: %w", oneLine(t.Name, 100), err)
	}
	e, err := t.endpoint()
	if err != nil {
		return nil, fmt.Errorf("graph: tenant %s: %w", t.Name, err)
	}
	transport, idle := t.Transport, func() {}
	if transport == nil {
		own := network(e)
		transport, idle = own, own.CloseIdleConnections
	}
	signIn := &http.Client{
		Transport: transport, Timeout: signInTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	first, err := t.credential(e, signIn)
	if err != nil {
		return nil, fmt.Errorf("graph: tenant %s: credential: %w", t.Name, err)
	}
	cred := exchange(first)
	adapter, err := newAdapter(e, cred, transport)
	if err != nil {
		return nil, fmt.Errorf("graph: tenant %s: %w", t.Name, err)
	}
	c := &Client{tenant: t, adapter: adapter, gates: newBudget(t.Workers), graph: e.Graph, idle: idle, cred: cred, signIn: signIn,
		keys: keeper{cred, &door{graph: e.Graph}}, scope: e.Scope}
	if t.Defender != nil {
		if c.defender, err = newDefender(t, e, cred, transport); err != nil {
			return nil, fmt.Errorf("graph: tenant %s: %w", t.Name, err)
		}
	}
	c.secrets.add(t.Auth)
	return c, nil
}

// Tenant is the tenant's id.
func (c *Client) Tenant() string { return c.tenant.ID }

// Close lets go of connections that nobody uses.
func (c *Client) Close() { c.idle() }

func network(e Endpoint) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: e.CA, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// A call is one request to Graph.
type call struct {
	op      string // what is being done, for people
	needs   string // the application permission it needs
	service service
	write   bool // counts against the limit of writes
	effect  bool // does something outside: an unclear end is [Error.Unsure]
	sweep   bool // gives way to everything else
	bare    bool // an answer without a body is one too

	req *abstractions.RequestInformation
	bad error
}

// of is the call with the request that one of the SDK's builders made:
// call{…}.of(builder.ToGetRequestInformation(ctx, config)).
func (k call) of(req *abstractions.RequestInformation, err error) call {
	k.req, k.bad = req, err
	return k
}

// callTimeout bounds one request and its answer.
const callTimeout = time.Minute

func (c *Client) sendOnce(ctx context.Context, k call, into any) error {
	if k.bad != nil {
		return c.told(k, final("", "the request cannot be made: %s", harmless(k.bad.Error(), c.secrets.list())))
	}
	leave, refusal := c.gates[k.service].enter(ctx, k)
	if refusal != nil {
		return c.told(k, refusal)
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	k.req.Headers.Remove("Authorization") // of an earlier try; it may have expired
	// Without it Graph writes unknownFutureValue for every newer member (Graph
	// docs: best practices, evolvable enumerations).
	k.req.Headers.Add("Prefer", "include-unknown-enum-members")
	k.req.AddRequestOptions([]abstractions.RequestOption{receiver(func(res *http.Response) error {
		defer res.Body.Close()
		return c.receive(k, res, into)
	})})
	err := c.adapter.SendNoContent(ctx, k.req, nil)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return c.told(k, e)
	}
	return c.told(k, c.broken(ctx, k, err))
}

// told completes an error with what it is about.
func (c *Client) told(k call, e *Error) error {
	e.Tenant, e.Op = c.tenant.Name, k.op
	return e
}

// broken is the error of a call that got no answer, or only half of one. Unless
// the connection was never made, the request may have arrived.
func (c *Client) broken(ctx context.Context, k call, err error) *Error {
	e := &Error{Err: err}
	dial, dialled := errors.AsType[*net.OpError](err)
	_, sent := errors.AsType[lost](err)
	e.unsure = k.effect && sent && !(dialled && dial.Op == "dial")
	switch u, ok := errors.AsType[*url.Error](err); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Message = "no answer in time"
	case ctx.Err() != nil:
		e.Message = "called off"
	case ok:
		e.Message = "no answer: " + harmless(u.Err.Error(), c.secrets.list()) // without the URL
	default:
		e.Message = harmless(err.Error(), c.secrets.list())
	}
	return e
}

// receive takes the answer in.
func (c *Client) receive(k call, res *http.Response, into any) error {
	after := c.gates[k.service].heard(res.StatusCode, parseRetryAfter(res.Header.Get("Retry-After"), time.Now()))
	if res.StatusCode >= 300 {
		return c.failure(k, res, after)
	}
	if into == nil {
		return nil
	}
	e := &Error{
		Status: res.StatusCode, RequestID: oneLine(res.Header.Get("request-id"), 64),
		unsure: k.effect, // it was done, and what came of it is not known
	}
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		e.Message, e.Err = "the answer broke off: "+harmless(err.Error(), c.secrets.list()), err
		return e
	case len(body) == 0 && k.bare:
		return nil
	case len(body) == 0:
		e.Message = "an answer without a body"
		return e
	}
	if err := json.Unmarshal(body, into); err != nil {
		e.Message, e.Err = "an answer that cannot be read: "+harmless(err.Error(), c.secrets.list()), err
		return e
	}
	return nil
}

// failure reads as much of an answer that is not a success as there is.
func (c *Client) failure(k call, res *http.Response, after time.Duration) *Error {
	e := &Error{
		Status: res.StatusCode, After: after,
		RequestID:       oneLine(res.Header.Get("request-id"), 64),
		ClientRequestID: oneLine(res.Header.Get("client-request-id"), 64),
		unsure:          k.effect && res.StatusCode >= 500,
	}
	if e.ClientRequestID == "" && res.Request != nil {
		e.ClientRequestID = res.Request.Header.Get("client-request-id")
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // half an explanation is one too
	var said struct {
		Error struct {
			Code    text
			Message long
		}
	}
	if json.Unmarshal(body, &said) == nil {
		e.Code = string(said.Error.Code)
		e.Message = harmless(plain(string(said.Error.Message)), c.secrets.list())
	}
	e.readApproval(res.Header)
	switch {
	case res.StatusCode < 400:
		e.Message = "Graph sends elsewhere, which is not followed"
	case e.ApprovalRequired():
		e.Message = e.approvalAdvice()
	case res.StatusCode == http.StatusForbidden && k.needs != "":
		e.Message = strings.TrimSuffix("the app needs the application permission "+k.needs+", with an administrator's consent; Graph says: "+e.Message, "; Graph says: ")
	}
	return e
}

// plain gets the sentence out of Intune's messages, which are JSON themselves.
func plain(message string) string {
	var inner struct{ Message long }
	if strings.HasPrefix(strings.TrimSpace(message), "{") && json.Unmarshal([]byte(message), &inner) == nil && inner.Message != "" {
		message = string(inner.Message)
	}
	sentence, _, _ := strings.Cut(message, " - Operation ID")
	return sentence
}
