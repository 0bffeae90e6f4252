package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// A DefenderEndpoint says where Defender for Endpoint (and for Business) answers.
// It is not part of Graph: it has a host, tokens and permissions of its own, those
// of the enterprise app WindowsDefenderATP (Defender docs:
// exposed-apis-create-app-webapp, 2025-03). The tenant's credential serves both.
type DefenderEndpoint struct {
	// API is "https://host". Empty: https://api.security.microsoft.com, which finds
	// the tenant's region by itself; https://eu.api.security.microsoft.com and its
	// siblings are quicker. In a national cloud, or where [Tenant].Endpoint is set, it
	// must be given.
	API string
	// Scope is that of its tokens. Empty:
	// https://api.securitycenter.microsoft.com/.default, whatever the host. In a
	// national cloud it must be given.
	Scope string
}

const (
	defenderAPI   = "https://api.security.microsoft.com"
	defenderScope = "https://api.securitycenter.microsoft.com/.default"
)

// where is the API's origin and the scope of its tokens, checked.
func (d DefenderEndpoint) where(t Tenant) (api, scope string, err error) {
	api, scope = d.API, d.Scope
	national := t.Cloud != "" && t.Cloud != Global
	switch {
	case national && (api == "" || scope == ""):
		return "", "", fmt.Errorf("defender for endpoint: in the cloud %s, give its API's host and its scope", t.Cloud)
	case t.Endpoint != nil && api == "":
		return "", "", errors.New("defender for endpoint: Graph has an endpoint of its own, so give Defender's too")
	case api == "":
		api = defenderAPI
	}
	if scope == "" {
		scope = defenderScope
	}
	api, err = origin("defender", api)
	return api, scope, err
}

// A defender is the way to one tenant's Defender for Endpoint.
type defender struct {
	api   string // https://host
	scope string // of its tokens
	line  runtime.Pipeline
}

// newDefender lays azcore's pipeline: a token, the request, once. No retries, no
// redirects, no body read for us.
func newDefender(t Tenant, e Endpoint, cred azcore.TokenCredential, transport http.RoundTripper) (*defender, error) {
	api, scope, err := t.Defender.where(t)
	if err != nil {
		return nil, err
	}
	bearer := runtime.NewBearerTokenPolicy(keeper{cred, &door{graph: e.Graph}}, []string{scope}, nil)
	line := runtime.NewPipeline("curfew", "", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer, witness{}}}, &policy.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: -1}, // none: the queue brings the work back
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Transport: &http.Client{
			Transport:     wire{transport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	return &defender{api: api, scope: scope, line: line}, nil
}

// A keeper gets tokens, and remembers for a moment that there are none.
type keeper struct {
	cred azcore.TokenCredential
	door *door
}

func (k keeper) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err := k.door.barred(time.Now()); err != nil {
		return azcore.AccessToken{}, err
	}
	token, err := k.cred.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, k.door.refused(ctx, err)
	}
	return token, nil
}

// A witness notes how a request ended on the network. azcore's retry policy puts
// the end of the context in place of the error, and with it the knowledge that
// the request had left.
type witness struct{}

type ending struct{ err error }

func (witness) Do(req *policy.Request) (*http.Response, error) {
	res, err := req.Next()
	var end *ending
	if req.OperationValue(&end) {
		end.err = err
	}
	return res, err
}

// ask makes a call to Defender's API, once, and decodes the answer into into. Its
// errors are all [*Error].
func (c *Client) ask(ctx context.Context, k call, method, path string, query url.Values, body, into any) error {
	if c.defender == nil {
		return c.told(k, final("", "the configuration does not use Defender for Endpoint in this tenant"))
	}
	link := c.defender.api + "/api/" + path
	if len(query) > 0 {
		link += "?" + strings.NewReplacer("+", "%20", "%24", "$").Replace(query.Encode())
	}
	return c.askLink(ctx, k, method, link, body, into)
}

// askLink is ask for a link that the API gave out.
func (c *Client) askLink(ctx context.Context, k call, method, link string, body, into any) error {
	return c.around(ctx, k, func(ctx context.Context) error { return c.askOnce(ctx, k, method, link, body, into) })
}

func (c *Client) askOnce(ctx context.Context, k call, method, link string, body, into any) error {
	if u, err := url.Parse(link); err != nil || !leadsTo(c.defender.api, u) {
		return c.told(k, final("", "refusing to follow a link that does not lead to %s", c.defender.api))
	}
	k.write = true // see budget: the limit for an hour
	leave, refusal := c.gates[k.service].enter(ctx, k)
	if refusal != nil {
		return c.told(k, refusal)
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := runtime.NewRequest(ctx, method, link)
	if err == nil && body != nil {
		err = runtime.MarshalAsJSON(req, body)
	}
	if err != nil {
		return c.told(k, final("", "the request cannot be made: %s", harmless(err.Error(), c.secrets.list())))
	}
	end := &ending{}
	req.SetOperationValue(end)
	req.Raw().Header.Set("Accept", "application/json")
	runtime.SkipBodyDownload(req)
	res, err := c.defender.line.Do(req)
	switch {
	case err == nil:
		defer res.Body.Close()
		err = c.receive(k, res, into)
	case end.err != nil:
		err = end.err
	}
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = c.broken(ctx, k, err)
	}
	e.Message = strings.Replace(e.Message, "Graph sends elsewhere", "Defender sends elsewhere", 1)
	e.Message = strings.Replace(e.Message, "; Graph says: ", "; Defender says: ", 1)
	return c.told(k, e)
}

// askPages reads a list of Defender's page by page, as read does Graph's.
func askPages[T any](ctx context.Context, c *Client, k call, path string, query url.Values, each func(page[T]) error) error {
	var link string
	get := func(ctx context.Context, k call, into any) error {
		if link == "" {
			return c.ask(ctx, k, http.MethodGet, path, query, nil, into)
		}
		return c.askLink(ctx, k, http.MethodGet, link, nil, into)
	}
	next := func(to string) call { link = to; return k }
	return c.about(k, read(ctx, get, k, next, each))
}
