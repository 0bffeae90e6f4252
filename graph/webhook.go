package graph

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"curfew/events"

	"golang.org/x/sync/errgroup"
)

// A Webhook receives what Graph tells by itself: change notifications and
// lifecycle notifications, at paths that end with [NotificationsPath] and
// [LifecyclePath]. It is an http.Handler; [WebhookServer] puts it on a socket.
//
// A notification is never data. It says that something may have changed, and what
// follows is to look: at the device, if Index can say which one it is, or else, by
// a sweep out of turn, at all of the tenant's. Users and groups are no device
// either way. A nudge costs a sweep and no more, however many come; so the index
// may be as lazy as it likes, and there need not be one.
//
// What it guarantees:
//
//   - 202 means that all of it is on the disk: each device's [events.Noticed], the
//     nudges, and what lifecycle notifications ask for. If any of that cannot be
//     stored in time the answer is 503, and Graph sends all of it again (for up to
//     4 hours: Graph docs, change-notifications-delivery-webhooks, 2025-01).
//   - Each notification is judged by itself: it must name a subscription that this
//     installation made, bring its secret, and be about its tenant and resource.
//     What fails is dropped and counted, and its neighbours are not.
//   - The handshake is answered at once, whatever else goes on.
//   - It answers within 3 seconds of the end of the body, in which an endpoint
//     counts as fast in every version of Microsoft's rules.
//
// What may not be assumed: that a notification comes, or comes once. Tokens and
// contents that Graph encrypts for some resources (validationTokens,
// encryptedContent) are not asked for and not looked at.
type Webhook struct {
	Sink          Sink
	Subscriptions []*Subscriptions // one for each tenant
	Index         Index            // nil: every notification is a nudge
	Log           *slog.Logger     // nil: silent

	// Patience is how long storing may take; 0: 2 s.
	Patience time.Duration
	// AtOnce is how many notifications' bodies are dealt with at one time, each of
	// at most 1 MiB; 0: 64. What comes on top waits a little, and then gets 503.
	AtOnce int

	tally   tally
	once    sync.Once
	slots   chan struct{}
	tenants map[string]*Subscriptions
}

// An Index knows devices by other ids: kind is [KindManagedDevice] or
// [KindDevice]. It must answer at once, from what it has; a device that it does
// not know yet is no mistake. [Directory] is one.
type Index interface {
	Device(ctx context.Context, tenant, kind, id string) (events.Key, bool)
}

const (
	maxNotification = 1 << 20 // bytes of a body
	maxToken        = 4 << 10 // bytes of a validation token; Microsoft states no limit
	slowBody        = 5 * time.Second
	patienceFor     = 2 * time.Second
	waitForSlot     = 500 * time.Millisecond
	atOnce          = 64
)

func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if !strings.HasSuffix(r.URL.Path, NotificationsPath) && !strings.HasSuffix(r.URL.Path, LifecyclePath) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what is well formed of it
	if query.Has("validationToken") && (r.Method == http.MethodPost || r.Method == http.MethodGet) {
		h.handshake(w, query.Get("validationToken"))
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	leave, ok := h.enter(r.Context())
	if !ok {
		h.unavailable(w, r, busy, nil)
		return
	}
	defer leave()
	list, status, why := h.read(w, r)
	if status != 0 {
		h.tally.refuse(h.log(), why, r.RemoteAddr, "", "")
		w.WriteHeader(status)
		return
	}
	h.receive(w, r, list)
}

// handshake proves that the address is ours, by sending back a token (Graph docs:
// change-notifications-delivery-notificationurl-validation). Anybody may ask, so
// the token must do no harm: it is never more than plain text.
func (h *Webhook) handshake(w http.ResponseWriter, token string) {
	if token == "" || len(token) > maxToken {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.tally.handshakes.Add(1)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(token)))
	_, _ = io.WriteString(w, token) // the asker may be gone
}

func (h *Webhook) prepare() {
	n := h.AtOnce
	if n <= 0 {
		n = atOnce
	}
	h.slots = make(chan struct{}, n)
	h.tenants = make(map[string]*Subscriptions, len(h.Subscriptions))
	for _, s := range h.Subscriptions {
		h.tenants[s.Client.tenant.ID] = s
	}
}

// enter takes a place among those that are dealt with at one time.
func (h *Webhook) enter(ctx context.Context) (leave func(), ok bool) {
	h.once.Do(h.prepare)
	leave = func() { <-h.slots }
	select {
	case h.slots <- struct{}{}:
		return leave, true
	default:
	}
	timer := time.NewTimer(waitForSlot)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return leave, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, false
}

// read reads a body. One that is not a list of notifications gets a status.
func (h *Webhook) read(w http.ResponseWriter, r *http.Request) (list *rows[notification], status int, why refusal) {
	// Servers have a limit of their own; where one can be set, this is shorter.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(slowBody))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotification))
	if err == nil {
		_ = conn.SetReadDeadline(time.Time{}) // or it would call off the storing
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, http.StatusRequestEntityTooLarge, tooLarge
	}
	var said struct {
		Value *rows[notification] `json:"value"`
	}
	if err != nil || json.Unmarshal(body, &said) != nil || said.Value == nil {
		return nil, http.StatusBadRequest, malformed
	}
	return said.Value, 0, 0
}

// receive judges what came, stores what is accepted, and answers.
func (h *Webhook) receive(w http.ResponseWriter, r *http.Request, list *rows[notification]) {
	patience := h.Patience
	if patience <= 0 {
		patience = patienceFor
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	for range list.bad {
		h.tally.refuse(h.log(), malformed, r.RemoteAddr, "", "")
	}
	j := judge{
		Webhook: h, from: r.RemoteAddr,
		looked: map[*Subscriptions][]subscription{}, ids: map[string]bool{}, nudged: map[*Subscriptions]bool{}, heard: map[*Subscriptions]bool{},
	}
	for _, n := range list.list {
		if err := j.take(ctx, n); err != nil {
			h.unavailable(w, r, unstored, err)
			return
		}
	}
	if err := j.store(ctx); err != nil {
		h.unavailable(w, r, unstored, err)
		return
	}
	h.tally.took(&j)
	w.WriteHeader(http.StatusAccepted)
}

// store writes everything down, all of it under way at once, and returns nil only
// when every write was acknowledged.
func (j *judge) store(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(appends)
	for _, f := range j.found {
		g.Go(func() error { return j.Sink.Append(ctx, f.key, f.fact, f.id) })
	}
	for _, a := range j.asks {
		g.Go(func() error { return a.of.ask(ctx, a.of.key(Resource{Path: a.about.Resource}), a.about.ID, a.what) })
	}
	for s := range j.nudged {
		g.Go(func() error { return s.nudge(ctx) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, a := range j.asks {
		a.of.wake()
	}
	return nil
}

// unavailable lets Graph come again with all of it.
func (h *Webhook) unavailable(w http.ResponseWriter, r *http.Request, why refusal, err error) {
	if n, speak := h.tally.count(why); speak {
		h.log().Error("notifications cannot be taken, and will be sent again", "reason", why.String(), "count", n, "from", r.RemoteAddr, "err", err)
	}
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
}

func (h *Webhook) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}
