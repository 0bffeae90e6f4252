// Package hook hears what people do with pages where they get them: who takes an
// alert on at a pager takes the case on.
//
// Each destination has a door of its own, at [Path] and its name, for what its
// vendor posts. What is authentic and tells of a person becomes a fact about the
// case; it is appended before the answer is given, under the vendor's own id of
// the event, so what is delivered again is one fact.
//
// What may not be assumed: that everything arrives, or in order. Some vendors
// post once and never again. A door changes nothing but who is on the case: that a
// device is well is never believed, only looked at.
package hook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"curfew/events"
	"curfew/handlers"
)

// Path is what the paths of doors begin with. The name of the destination follows
// and, where the vendor can send no header, a slash and the token.
const Path = "/hooks/"

// A Request is what a vendor posted.
type Request struct {
	Header http.Header
	Rest   string // of the path, behind the destination; a token, perhaps
	Body   []byte
	At     time.Time // when it came
}

// Said is what a person did, as a vendor tells it.
type Said struct {
	ID   string // the vendor's own of the event; empty: there is none
	Case string // the case's id, as it was given to the vendor
	Did  events.Answer
	By   string
	At   time.Time // zero: just now
}

// A Reader knows what a vendor posts. It is safe for concurrent use.
type Reader interface {
	// Read returns what people did; nothing if the request is about something else.
	// The error is [ErrStranger] if the vendor did not send it.
	Read(r Request) ([]Said, error)
}

// ErrStranger says that a request has no signature or token that counts.
var ErrStranger = errors.New("its signature or token is missing or wrong")

// Cases reads a case. The journal is one.
type Cases interface {
	Case(ctx context.Context, k events.Key) (events.Case, uint64, error)
}

// A Sink stores a fact. The journal is one.
type Sink interface {
	Append(ctx context.Context, k events.Key, f events.Fact, id string) error
}

// A Handler is all doors. It must not be copied once used.
type Handler struct {
	Doors map[string]Reader // by the name of the destination
	Cases Cases
	Sink  Sink
	Log   *slog.Logger

	mu        sync.Mutex
	limits    map[string]*rate.Limiter // of what is authentic, by destination
	strangers *rate.Limiter            // of what is logged of the rest
}

const (
	// maxBody is more than any vendor sends (PagerDuty docs: webhooks v3 behaviour:
	// beyond 256 KB nothing is delivered).
	maxBody = 256 << 10
	// within is less than the least that a vendor waits (Grafana OnCall: 4 s).
	within = 3 * time.Second
	// perSecond and burst are far above what people can do at one pager.
	perSecond = 20
	burst     = 200
	maxBy     = 100
)

// Is reports whether a path is one of a door's.
func Is(path string) bool { return strings.HasPrefix(path, Path) }

// ServeHTTP takes what a vendor posts: 202 when it is kept or nothing to keep,
// 400 for what cannot be read, 403 for what somebody else has sent, 404 for a
// door that is none, 429 and 503 for what should come again.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path), "/")
	door, ok := h.Doors[name]
	switch {
	case !ok:
		http.Error(w, "there is no such door", http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST is taken here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		http.Error(w, "this is too long", http.StatusRequestEntityTooLarge)
		return
	} else if err != nil {
		http.Error(w, "this did not arrive whole", http.StatusBadRequest)
		return
	}
	said, err := door.Read(Request{Header: r.Header, Rest: rest, Body: body, At: time.Now().UTC()})
	switch {
	case errors.Is(err, ErrStranger):
		if h.allow("") {
			h.Log.Warn("a stranger at a hook", "destination", name, "from", r.RemoteAddr)
		}
		http.Error(w, ErrStranger.Error(), http.StatusForbidden)
		return
	case !h.allow(name):
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return
	case err != nil:
		h.Log.Warn("a hook could not be read", "destination", name, "error", err)
		http.Error(w, "this cannot be read", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	for _, s := range said {
		if err := h.take(ctx, name, s, body); err != nil {
			h.Log.Error("an answer to a page could not be kept; its sender should repeat it", "destination", name, "case", s.Case, "error", err)
			w.Header().Set("Retry-After", "10")
			http.Error(w, "it cannot be kept now", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

// take keeps what a person did. Nil with nothing kept means that it is about no
// page that the case knows.
func (h *Handler) take(ctx context.Context, destination string, s Said, body []byte) error {
	key := keyOf(s.Case)
	if !key.Valid() {
		h.Log.Info("an answer about no case of ours is ignored", "destination", destination, "case", handlers.Line(s.Case, 200))
		return nil
	}
	c, _, err := h.Cases.Case(ctx, key)
	if err != nil {
		return err
	}
	for _, e := range c.Effects {
		// The receipt of a page is the case's id; more may follow it.
		if id, _, _ := strings.Cut(e.Ref, " "); e.Action != events.Page || e.Destination != destination || id != s.Case {
			continue
		}
		now := time.Now().UTC()
		if s.At.IsZero() || s.At.After(now) {
			s.At = now
		}
		if s.By = handlers.Line(s.By, maxBy); s.By == "" {
			s.By = "somebody at " + destination
		}
		if s.ID == "" {
			s.ID = string(body)
		}
		sum := sha256.Sum256([]byte(s.ID)) // whatever they send, an id is short
		return h.Sink.Append(ctx, key, events.Answered{
			Action: events.Page, Destination: destination, Ref: e.Ref, By: s.By, Did: s.Did, At: s.At.UTC(),
		}, "hook-"+destination+"-"+hex.EncodeToString(sum[:16]))
	}
	for _, t := range c.Pending {
		if t.Action == events.Page && t.Destination == destination && t.Case == s.Case {
			return errors.New("the page itself is not in the case yet")
		}
	}
	h.Log.Info("an answer to a page that is not open is ignored", "destination", destination, "case", s.Case)
	return nil
}

// allow reports whether a door may take one more now, or a stranger be logged.
func (h *Handler) allow(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.limits == nil {
		h.limits, h.strangers = map[string]*rate.Limiter{}, rate.NewLimiter(rate.Every(time.Minute), 10)
	}
	if name == "" {
		return h.strangers.Allow()
	}
	if h.limits[name] == nil { // only destinations have doors, so this is bounded
		h.limits[name] = rate.NewLimiter(perSecond, burst)
	}
	return h.limits[name].Allow()
}

// keyOf is the device of a case's id.
func keyOf(id string) events.Key {
	parts := strings.Split(id, "/")
	if len(parts) != 3 {
		return events.Key{}
	}
	return events.Key{Tenant: parts[0], Device: parts[1]}
}

// Token reports whether a request carries a token, as a bearer or behind its path.
// It takes the same time whatever is wrong.
func Token(r Request, token string) bool {
	want := sha256.Sum256([]byte(token))
	ok := 0
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	for _, got := range []string{bearer, r.Rest} {
		sum := sha256.Sum256([]byte(got))
		ok |= subtle.ConstantTimeCompare(sum[:], want[:])
	}
	return ok == 1 && token != ""
}
