package handlers

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// MaxBody is how much of a reply is read, in bytes.
const MaxBody = 1 << 20

// MaxRetryAfter is the longest wait another side may ask for: a header must not
// be able to put a page off until next year.
const MaxRetryAfter = time.Hour

// Reach says how to reach a destination. The zero value is right for one on the
// public internet.
type Reach struct {
	Timeout time.Duration  // of a whole call, reply included; zero: 30 seconds
	Roots   *x509.CertPool // who may vouch for it; nil: whom the system trusts

	// Dial connects; nil: the network, through the proxy of the environment.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewClient returns a client for one destination. It speaks TLS 1.2 or better,
// ends every call in time, reads at most [MaxBody] of a reply and follows no
// redirect: a followed POST becomes a GET, and the log-in page it ends on
// answers 200. Each destination needs a client of its own, so that a slow one
// takes no connections from another.
func NewClient(r Reach) *http.Client {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.Roots},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a small reply stays small
	}
	if r.Dial != nil {
		t.Proxy, t.DialContext = nil, r.Dial
	}
	return &http.Client{
		Transport:     bounded{t},
		Timeout:       cmp.Or(r.Timeout, 30*time.Second),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts the bodies of replies.
type bounded struct{ *http.Transport }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.Transport.RoundTrip(req)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, MaxBody)
	}
	return res, err
}

// Do sends a request that has an effect. It returns the reply only if its status
// is 2xx; the caller closes its body. Otherwise the error is marked (see
// [CheckStatus]), quotes a little of what the other side said, and holds neither
// the request's path nor any of the secrets.
//
// When no reply came although a connection was had, the error is [Unsure].
func Do(client *http.Client, req *http.Request, secrets ...string) (*http.Response, error) {
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	res, err := client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		err = Redact(err, secrets...)
		if connected.Load() {
			err = Unsure(err)
		}
		return nil, err
	}
	if err := CheckStatus(res); err != nil {
		defer res.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // what cannot be read is not quoted
		// Redact before cutting: half a secret is not found any more.
		text := Line(Redact(errors.New(string(said)), secrets...).Error(), 200)
		if text != "" {
			err = fmt.Errorf("%w: it says %q", err, text)
		}
		return nil, Redact(err, secrets...)
	}
	return res, nil
}

// CheckStatus turns the status of a reply into an error: nil for 2xx; one that
// comes back for 408, 429 and 5xx, not before the reply's Retry-After has passed
// (at most [MaxRetryAfter]); one that gives up for the rest.
//
// After 500, 502 and 504 the error is [Unsure] too: a server that broke down,
// and a gateway that heard nothing from the one behind it, may have done the
// work. A handler whose request carries an idempotency key just repeats it.
func CheckStatus(res *http.Response) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	var err error = status(res.StatusCode)
	if req := res.Request; req != nil && req.URL != nil {
		err = fmt.Errorf("%s %s: %w", req.Method, req.URL.Host, err)
	}
	switch code := res.StatusCode; {
	case code/100 == 3:
		return GiveUp(fmt.Errorf("%w: redirects are not followed; configure the final address", err))
	case code == http.StatusInternalServerError, code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		err = Unsure(err)
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code/100 == 5:
	default:
		return GiveUp(err)
	}
	if d := retryAfter(res.Header.Get("Retry-After"), time.Now()); d > 0 {
		err = After(err, d)
	}
	return err
}

// A status is that of a reply, without the words its sender chose for it.
type status int

func (s status) Error() string { return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))) }

// retryAfter reads the header's two forms, seconds and an HTTP date (RFC 9110,
// 10.2.3). Anything else is no wait.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(n, uint64(MaxRetryAfter/time.Second))) * time.Second
	} else if errors.Is(err, strconv.ErrRange) {
		return MaxRetryAfter
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(at.Sub(now), MaxRetryAfter))
	}
	return 0
}

// Redact returns err with a text that is safe to keep: addresses are cut down to
// their host, because what follows it often is a token, and the secrets are
// blotted out. The marks of err stay.
func Redact(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if u := (*url.Error)(nil); errors.As(err, &u) {
		text = strings.ReplaceAll(text, u.Error(), fmt.Sprintf("%s %s: %v", u.Op, host(u.URL), u.Err))
		text = strings.ReplaceAll(text, u.URL, host(u.URL))
	}
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, "<secret>")
			}
		}
	}
	return redacted{text, err}
}

type redacted struct {
	text string
	err  error
}

func (e redacted) Error() string { return e.text }
func (e redacted) Unwrap() error { return e.err }

// host is all of an address that an error may show.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "the configured address"
}

// Tokens are what must not be quoted of a webhook: its secret and all of its
// address and headers that may be a token, whole and in parts, since the other
// side may echo any of it. The longest come first, so that no part is left of one
// that holds another.
func Tokens(secret, address string, header map[string]string) []string {
	out := []string{secret}
	parts := func(s, separators string) {
		out = append(out, s)
		for _, p := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if len(p) >= 8 {
				out = append(out, p)
			}
		}
	}
	if u, err := url.Parse(address); err == nil {
		parts(u.RawQuery, "&=")
		parts(strings.Trim(u.Path, "/"), "/")
	}
	for _, value := range header {
		parts(value, " :,;=")
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}
