package graph

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// A refusal is why something was not taken.
type refusal int

const (
	malformed refusal = iota
	tooLarge
	otherTenant
	unknownSubscription
	wrongSecret
	otherResource
	busy
	unstored
	refusals // how many
)

func (r refusal) String() string {
	return [...]string{"malformed", "too large", "other tenant", "unknown subscription", "wrong secret",
		"other resource", "busy", "not stored"}[r]
}

// WebhookStats count since the start.
type WebhookStats struct {
	Handshakes uint64
	Accepted   uint64 // change notifications
	Lifecycle  uint64 // lifecycle notifications
	Repeated   uint64 // of the accepted: the same again in one request
	Noticed    uint64 // of the accepted: those that became a fact about a device
	Nudges     uint64 // sweeps asked for
	// Refused by reason: notifications that are "malformed", of an "other tenant"
	// or an "unknown subscription", with the "wrong secret" or about an "other
	// resource"; and bodies that are "malformed" or "too large".
	Refused map[string]uint64
	// Unavailable by reason: requests that were answered with 503, because too much
	// goes on ("busy") or because what they brought was "not stored" in time.
	Unavailable map[string]uint64
}

// Stats counts what came so far.
func (h *Webhook) Stats() WebhookStats {
	t := &h.tally
	st := WebhookStats{
		Handshakes: t.handshakes.Load(), Accepted: t.accepted.Load(), Lifecycle: t.lifecycle.Load(),
		Repeated: t.repeated.Load(), Noticed: t.noticed.Load(), Nudges: t.nudges.Load(),
		Refused: map[string]uint64{}, Unavailable: map[string]uint64{},
	}
	for r := range refusals {
		to := st.Refused
		if r == busy || r == unstored {
			to = st.Unavailable
		}
		to[r.String()] = t.refused[r].Load()
	}
	return st
}

// Heard is when this process last took a notification of the tenant; zero: never.
func (s *Subscriptions) Heard() time.Time {
	if at := s.heard.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// A tally counts, and lets each kind of refusal into the log once a minute:
// anybody may send anything here.
type tally struct {
	handshakes, accepted, lifecycle, repeated, noticed, nudges atomic.Uint64

	refused [refusals]atomic.Uint64
	spoke   [refusals]atomic.Int64 // unix nanoseconds
}

const speakEvery = time.Minute

func (t *tally) count(why refusal) (n uint64, speak bool) {
	n = t.refused[why].Add(1)
	now, last := time.Now().UnixNano(), t.spoke[why].Load()
	speak = now-last >= int64(speakEvery) && t.spoke[why].CompareAndSwap(last, now)
	return n, speak
}

func (t *tally) refuse(log *slog.Logger, why refusal, from, tenant, subscription string) {
	if n, speak := t.count(why); speak {
		log.Warn("notifications refused", "reason", why.String(), "count", n, "from", from, "tenant", tenant, "subscription", subscription)
	}
}

func (t *tally) took(j *judge) {
	for s := range j.heard {
		s.heard.Store(time.Now().UnixNano())
	}
	t.accepted.Add(j.accepted)
	t.lifecycle.Add(j.lifecycle)
	t.repeated.Add(j.repeated)
	t.noticed.Add(uint64(len(j.found)))
	t.nudges.Add(uint64(len(j.nudged)))
}
