package link

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"curfew/events"
)

// Cases reads a case. The journal is one.
type Cases interface {
	Case(ctx context.Context, k events.Key) (events.Case, uint64, error)
}

// A Sink stores a fact. The journal is one.
type Sink interface {
	Append(ctx context.Context, k events.Key, f events.Fact, id string) error
}

// A Handler answers links. It is an http.Handler for every path that ends with
// [Path] and a token; time-outs are its server's, and must be longer than
// Patience. It is safe for concurrent use once it is in use.
type Handler struct {
	Signer *Signer
	Cases  Cases
	Sink   Sink

	May      func(tenant, who string) bool                   // whether somebody may (still) approve; nil: whoever was asked
	Tenant   func(id string) string                          // what people call a tenant; nil: its id
	Findings func(events.Device) []string                    // what is wrong with a device, in words; nil: its risk as it is compared
	Key      func(ctx context.Context, c events.Case) string // what is known of the BitLocker recovery key, or ""; nil: nothing
	Valid    time.Duration                                   // how long an approval counts; 0: a day
	Zone     *time.Location                                  // in which moments are written; nil: UTC
	Patience time.Duration                                   // how long an answer may take to show in the case; 0: 5 s
	Log      *slog.Logger                                    // nil: silent

	// Who has a link is limited by it, and everybody else by their address: so those
	// who guess keep nobody with a link out, even if all come by one proxy.
	links, strangers limits
}

const (
	maxBody   = 4 << 10 // bytes of a form
	maxReason = 500     // characters
	patience  = 5 * time.Second
	readsIn   = 3 * time.Second // a case, or what is known of a key
	pollEvery = 100 * time.Millisecond
)

// Is reports whether a path is one of a link's.
func Is(path string) bool { return strings.Contains(path, Path) }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	_, token, _ := strings.Cut(r.URL.Path, Path)
	inv, err := h.Signer.Read(token, time.Now())
	if err == nil && !h.links.allow(inv.ID) || err != nil && !h.strangers.allow(network(r.RemoteAddr)) {
		w.Header().Set("Retry-After", "30")
		h.say(w, http.StatusTooManyRequests, "Too many requests", "Wait a minute, then open the link again.")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		h.say(w, http.StatusMethodNotAllowed, "This is not possible", "A link is opened, and its form is sent.")
		return
	}
	switch {
	case errors.Is(err, ErrExpired):
		h.say(w, http.StatusGone, "This link has expired", "It could be used until "+h.when(inv.Expires)+". Whoever may still approve is asked again by mail. Nothing was recorded.")
		return
	case err != nil:
		h.say(w, http.StatusNotFound, "This is not one of our links", "Perhaps a part of it is missing: open it from the mail itself. Nothing was recorded.")
		return
	}
	a := answering{h, inv, keyOf(inv.Task)}
	if r.Method == http.MethodPost {
		a.post(w, r)
		return
	}
	c, err := a.read(r.Context())
	if err != nil {
		a.unavailable(w, err)
		return
	}
	a.show(w, r, a.judge(c), "")
}

// guard sets what keeps a page from being kept, framed, guessed at or told of.
func guard(h http.Header) {
	sum := sha256.Sum256([]byte(style))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Content-Type", "text/html; charset=utf-8")
}

// An answer is what somebody has chosen in the form.
type answer struct {
	allow  bool
	seal   string // see sealOf
	reason string
}

// form reads the form. A status other than 0 says why it is none, in words.
func form(w http.ResponseWriter, r *http.Request) (a answer, status int, why string) {
	var cross http.CrossOriginProtection // goes by Sec-Fetch-Site, and by Origin where there is none
	if err := cross.Check(r); err != nil {
		return a, http.StatusForbidden, "The form was sent from another site."
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return a, http.StatusUnsupportedMediaType, "This is not the form of this page."
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return a, http.StatusRequestEntityTooLarge, "Write less: the form may have " + strconv.Itoa(maxBody) + " bytes."
	} else if err != nil {
		return a, http.StatusBadRequest, "The form did not arrive whole."
	}
	v, err := url.ParseQuery(string(b))
	chosen := v.Get("answer")
	if err != nil || len(v["answer"]) != 1 || len(v["seal"]) != 1 || len(v["reason"]) > 1 || chosen != "allow" && chosen != "forbid" {
		return a, http.StatusBadRequest, "This is not the form of this page."
	}
	return answer{chosen == "allow", v.Get("seal"), line(v.Get("reason"), maxReason)}, 0, ""
}

// sealOf stands for a risk in the form, where the risk itself might be too long.
func sealOf(risk string) string {
	sum := sha256.Sum256([]byte(risk))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// keyOf is the case that a task is of.
func keyOf(task string) events.Key {
	tenant, rest, _ := strings.Cut(task, "/")
	device, _, _ := strings.Cut(rest, "/")
	return events.Key{Tenant: tenant, Device: device}
}

func (h *Handler) when(t time.Time) string {
	zone := h.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("Monday, 2 January 2006 at 15:04 MST")
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}
