package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	jsonserialization "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
)

// Everything the SDK is known to do wrong, and what keeps it from doing so here.
// Each was reproduced with msgraph-sdk-go v1.89.0, kiota-http-go v1.5.4; each
// has a test that fails without its guard.
//
//	retried POSTs labelled gzip but plain   no compression handler: pipeline
//	429, 503, 504 sent again by itself,     no retry handler: pipeline. (Options of
//	actions too, with waits of minutes      its own cannot turn it off: MaxRetries 0
//	                                        means 3, and a nil ShouldRetry panics.)
//	redirects followed                      no redirect handler, and the client's
//	                                        own stops at the first answer: pipeline
//	order of handlers random                a list of our own: pipeline
//	foreign hosts called anonymously        door
//	ODataError.Error panics; three kinds    receiver: the SDK never sees the answer
//	of error; no status for HTML
//	nil results for empty bodies            receiver: an error where a body is due
//	unknown members of enumerations lost    receiver, and small structs with strings
//	Prefer header lost from page 2 on       headers are set where all requests pass
//	panic on a claims challenge whose       wire
//	value is not quoted
//	bodies of any size read to the end      wire

// newAdapter puts the guarded parts together.
func newAdapter(e Endpoint, cred azcore.TokenCredential, transport http.RoundTripper) (abstractions.RequestAdapter, error) {
	d, err := newDoor(e, cred)
	if err != nil {
		return nil, err
	}
	a, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		d, core.GraphClientOptions{}, jsonserialization.NewJsonParseNodeFactory(),
		jsonserialization.NewJsonSerializationWriterFactory(), pipeline(transport))
	if err != nil {
		return nil, err
	}
	a.SetBaseUrl(e.Graph + "/v1.0")
	return a, nil
}

// pipeline is the HTTP client under the SDK: the handlers it needs, in an order
// that never changes, and none of those that repeat or alter a request.
func pipeline(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: khttp.NewCustomTransportWithParentTransport(wire{transport},
			core.NewGraphTelemetryHandler(&core.GraphClientOptions{}), // client-request-id
			khttp.NewParametersNameDecodingHandler(),                  // %24filter becomes $filter
			khttp.NewUserAgentHandler(),
		),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxBody bounds an answer. A page of 1,000 managed devices has about 1 MB.
const maxBody = 32 << 20

// wire is the last stop before the network.
type wire struct{ next http.RoundTripper }

// A lost error says that a request was handed to the network and no answer came.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, lost{err}
	}
	if h := "WWW-Authenticate"; !understood(res.Header.Get(h)) {
		res.Header.Del(h)
	}
	res.Body = &bounded{ReadCloser: res.Body, left: maxBody}
	return res, nil
}

var quotedValue = regexp.MustCompile(`^\s*claims\s*=\s*"[^"]*"`)

// understood reports whether the SDK's reading of a claims challenge survives
// this one: it takes the first parameter that begins with "claims" to have a
// value in quotes, and panics where there is none.
func understood(challenge string) bool {
	_, params, _ := strings.Cut(challenge, " ")
	for p := range strings.SplitSeq(params, ",") {
		if strings.HasPrefix(strings.TrimSpace(p), "claims") {
			return quotedValue.MatchString(p)
		}
	}
	return true
}

// bounded is a body that breaks off with an error rather than fill the memory.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d MB", maxBody>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// door lets requests out to the tenant's own Graph, with a token, and to no
// other host: the SDK would send them there without one and call it success.
// It also remembers for a moment that signing in fails, lest every waiting task
// knock at Entra at once.
type door struct {
	graph string // https://host
	inner authentication.AuthenticationProvider

	mu    sync.Mutex
	shut  time.Time
	cause Error
}

func newDoor(e Endpoint, cred azcore.TokenCredential) (*door, error) {
	u, err := url.Parse(e.Graph)
	if err != nil {
		return nil, errors.New("graph endpoint: not a URL")
	}
	inner, err := azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(cred, []string{e.Scope}, []string{u.Hostname()})
	return &door{graph: e.Graph, inner: inner}, err
}

// leadsTo reports whether a link leads to the Graph at this origin.
func leadsTo(graph string, u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	return u.User == nil && u.Scheme == "https" && "https://"+host == strings.TrimSuffix(graph, ":443")
}

const signInPause = 30 * time.Second

func (d *door) AuthenticateRequest(ctx context.Context, req *abstractions.RequestInformation, extra map[string]any) error {
	u, err := req.GetUri()
	if err != nil {
		return final("", "not a usable URL")
	}
	if !leadsTo(d.graph, u) {
		return final("", "refusing to call %q: the Graph of this tenant is %s", oneLine(u.Host, 100), d.graph)
	}
	if err := d.barred(time.Now()); err != nil {
		return err
	}
	if err := d.inner.AuthenticateRequest(ctx, req, extra); err != nil {
		return d.refused(ctx, err)
	}
	if len(req.Headers.Get("Authorization")) == 0 {
		return final("", "refusing to call Graph without a token")
	}
	return nil
}

func (d *door) barred(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := d.shut.Sub(now)
	if wait <= 0 {
		return nil
	}
	again := d.cause
	again.After = wait
	return &again
}

var entraCode = regexp.MustCompile(`AADSTS\d+`)

// refused says in a few words why there is no token. Nothing here is given up: a
// secret that has expired is replaced, consent that was revoked is given again.
func (d *door) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &Error{Message: "called off while signing in", Err: ctx.Err()}
	}
	e := &Error{Message: "no token from the sign-in service", After: signInPause, Err: err, signIn: true}
	if said, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		e.Code = entraCode.FindString(said.Error())
		if r := said.RawResponse; r != nil && r.StatusCode >= http.StatusInternalServerError {
			e.Message = "the sign-in service is out of order; nothing is wrong with the app, and it is asked again"
		} else if e.Code != "" {
			e.Message = notLetIn(e.Code)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut, d.cause = time.Now().Add(signInPause), *e
	return e
}

// notLetIn says what a code of Entra means for whoever must mend it.
func notLetIn(code string) string {
	switch code {
	case "AADSTS7000222":
		return "sign-in: the client secret has expired; make a new one"
	case "AADSTS7000215":
		return "sign-in: the client secret is wrong; give the secret's value, not its id"
	case "AADSTS700016":
		return "sign-in: this tenant does not know the app; its administrator must consent to it"
	case "AADSTS700027":
		return "sign-in: the certificate is not registered with the app, or has expired"
	}
	return "sign-in was refused; look the code up at https://login.microsoftonline.com/error"
}

// receiver is the request option that hands over the answer before the SDK can
// look at it. take must close the body.
func receiver(take func(*http.Response) error) abstractions.RequestOption {
	o := abstractions.NewRequestHandlerOption()
	o.SetResponseHandler(func(answer any, _ abstractions.ErrorMappings) (any, error) {
		res, ok := answer.(*http.Response)
		if !ok || res == nil {
			return nil, errors.New("no answer")
		}
		return nil, take(res)
	})
	return o
}
