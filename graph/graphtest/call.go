package graphtest

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is above what Graph takes: it refuses bodies over 4 MB (Graph docs:
// best practices / errors, "413 Request Entity Too Large").
const maxBody = 4 << 20

// A call is one request on its way through the cloud.
type call struct {
	cloud  *Cloud
	tenant *Tenant // nil until the token, or the login path, named one
	app    *App
	// tokenRoles are those of the access token: what was granted when it was issued.
	tokenRoles []string
	audience   string // of the token
	r          *http.Request
	root       string // https://host
	base       string // https://host/v1.0
	beta       bool
	segs       []string           // the path below the version, keys unfolded: devices/delta
	args       []string           // what the route's * stood for
	only       string             // the type that a path casts to
	having     func(*device) bool // of a list of devices: those wanted; nil: all
	query      url.Values
	body       []byte
	broken     error // the body is not what it is said to be
	now        time.Time
	id         string // request-id
	echo       string // client-request-id
}

// A reply is what will be answered. Handlers return it rather than write it, so
// that "504 but executed" can throw it away.
type reply struct {
	status int
	header map[string]string
	body   []byte
	kind   string // content type; JSON when empty
	cut    bool   // no answer: the connection breaks
	fault  Kind
}

func ok(o object) reply { return reply{status: http.StatusOK, body: o.bytes()} }

func empty(status int) reply { return reply{status: status} }

// ServeHTTP answers for the sign-in service (paths /{tenant}/…) and for Graph
// (/v1.0/… and /beta/…), and for Defender for Endpoint (/api/…).
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k, bad := c.newCall(r)
	out := bad
	if bad.status == 0 {
		if version := k.segs[0]; strings.EqualFold(version, "v1.0") || strings.EqualFold(version, "beta") {
			k.beta = strings.EqualFold(version, "beta")
			k.base, k.segs = k.root+"/"+strings.ToLower(version), k.segs[1:]
			out = k.graph()
		} else if strings.EqualFold(version, "api") {
			k.segs = k.segs[1:]
			out = k.askDefender()
		} else {
			out = k.login()
		}
	}
	if r.Context().Err() != nil {
		out.cut = true // nobody listens any more
	}
	k.remember(out)
	if out.cut {
		panic(http.ErrAbortHandler)
	}
	k.write(w, out)
}

func (c *Cloud) newCall(r *http.Request) (*call, reply) {
	scheme := r.URL.Scheme // set by InProcess; a server's request has none
	switch {
	case scheme != "":
	case r.TLS != nil:
		scheme = "https"
	default:
		scheme = "http"
	}
	k := &call{
		cloud: c, r: r, root: scheme + "://" + r.Host, query: r.URL.Query(), now: time.Now().UTC(),
		id: newGUID(), echo: r.Header.Get("client-request-id"),
	}
	if k.echo == "" {
		k.echo = k.id
	}
	k.segs = unfold(r.URL.EscapedPath())
	if len(k.segs) == 0 {
		return k, k.fail(http.StatusNotFound, "ResourceNotFound", "Invalid version: ")
	}
	k.body, k.broken = readBody(r)
	return k, reply{}
}

// readBody undoes Content-Encoding. A plain body that is labelled gzip, as kiota
// sends on some retries, is an error (msgraph-sdk-go#183: Graph answers 400).
func readBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxBody {
		return nil, fmt.Errorf("the request body is larger than %d bytes", maxBody)
	}
	if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return raw, fmt.Errorf("the body is not what Content-Encoding says: %w", err)
	}
	return io.ReadAll(io.LimitReader(z, maxBody))
}

// unfold splits a path, writes keys in brackets as segments (users('a') is
// users/a) and drops type prefixes (microsoft.graph.delta() is delta): Graph
// takes both forms, and its SDKs send both.
func unfold(path string) []string {
	var segs []string
	for part := range strings.SplitSeq(path, "/") {
		part, err := url.PathUnescape(part)
		if err != nil || part == "" {
			continue
		}
		name, key, folded := strings.Cut(part, "(")
		if !folded || !strings.HasSuffix(key, ")") {
			name, key = part, ""
		}
		for _, prefix := range []string{"microsoft.graph.security.", "microsoft.graph."} {
			name = strings.TrimPrefix(name, prefix)
		}
		segs = append(segs, name)
		key = strings.TrimSuffix(key, ")")
		if alternate, value, named := strings.Cut(key, "='"); named {
			segs = append(segs, alternate+"="+strings.TrimSuffix(value, "'"))
		} else if key != "" {
			segs = append(segs, strings.Trim(key, "'"))
		}
	}
	return segs
}

func (k *call) remember(out reply) {
	h := k.r.Header
	rec := Request{
		At: k.now, Method: k.r.Method, Path: k.r.URL.Path, Query: k.query, Body: k.body, Status: out.status,
		Fault: out.fault,
		Header: Headers{
			Prefer: strings.Join(h.Values("Prefer"), ", "), ContentEncoding: h.Get("Content-Encoding"),
			ClientRequestID: h.Get("client-request-id"), ConsistencyLevel: h.Get("ConsistencyLevel"),
			ApprovalCode: h.Get("x-msft-approval-code"), ApprovalJustification: h.Get("x-msft-approval-justification"),
		},
	}
	if out.cut {
		rec.Status = 0
	}
	if k.app != nil {
		rec.App = k.app.ID
	}
	k.cloud.record(k.tenant, rec)
}

func (k *call) write(w http.ResponseWriter, out reply) {
	h := w.Header()
	// Graph docs: best practices, "request-id and client-request-id".
	h.Set("request-id", k.id)
	h.Set("client-request-id", k.echo)
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if out.kind == "" {
		out.kind = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	}
	if out.status != http.StatusNoContent && (len(out.body) > 0 || out.kind[:4] == "text") {
		h.Set("Content-Type", out.kind)
	}
	for name, value := range out.header {
		h.Set(name, value)
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body) // the asker may be gone
}

// fail is Graph's error body (Graph docs: errors, "Error resource type"; the
// spelling of innerError and its members as in the responses quoted in
// docs-contrib issues of 2022-2025).
func (k *call) fail(status int, code, message string) reply {
	return reply{status: status, body: object{{"error", object{
		{"code", code},
		{"message", message},
		{"innerError", object{
			{"date", k.now.Format("2006-01-02T15:04:05")},
			{"request-id", k.id},
			{"client-request-id", k.echo},
		}},
	}}}.bytes()}
}

// failIntune is an error of Intune behind Graph, whose message is itself a JSON
// document (IntuneAssistant#6, docs-contrib#4603).
func (k *call) failIntune(status int, code, message string) reply {
	inner := object{
		{"_version", 3},
		{"Message", message + " - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000" +
			" - Activity ID: " + k.id + " - Url: https://fef.msua01.manage.microsoft.com/DeviceFE/StatelessDeviceFEService/" +
			strings.Join(k.segs, "/")},
		{"CustomApiErrorPhrase", ""}, {"RetryAfter", nil}, {"ErrorSourceService", ""}, {"HttpHeaders", "{}"},
	}
	return k.fail(status, code, string(inner.bytes()))
}

func (k *call) badRequest(format string, args ...any) reply {
	return k.fail(http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...))
}

// prefers tells whether the request carries a preference (RFC 7240).
func (k *call) prefers(name string) bool {
	for _, line := range k.r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(p), name) {
				return true
			}
		}
	}
	return false
}

// next is the link to the following page: this request with its options changed.
func (k *call) next(changes ...string) string {
	q := maps.Clone(k.query)
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	// Graph writes option names as they are and spaces as %20.
	enc := strings.ReplaceAll(strings.ReplaceAll(q.Encode(), "%24", "$"), "+", "%20")
	return k.root + k.r.URL.Path + "?" + enc
}

func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
