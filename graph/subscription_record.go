package graph

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A subscription is what State has of one. ID is empty while it is being made:
// whoever knows the secret by then is Graph all the same.
type subscription struct {
	Resource  string      `json:"resource"`
	Changes   string      `json:"changes"`
	URL       string      `json:"url"`
	Lifecycle string      `json:"lifecycle"`
	State     clientState `json:"clientState"`

	ID      string    `json:"id,omitempty"`
	Old     string    `json:"old,omitempty"` // to be removed before it is made anew
	Made    time.Time `json:"made,omitzero"` // when Graph last made it; zero: it never did
	Expires time.Time `json:"expires,omitzero"`
	Renew   time.Time `json:"renew,omitzero"`

	Ask   ask       `json:"ask,omitempty"` // what a lifecycle notification asked for
	Asked time.Time `json:"asked,omitzero"`

	Refused bool      `json:"refused,omitempty"`
	Why     string    `json:"why,omitempty"`   // it is refused, or fails
	Tries   int       `json:"tries,omitempty"` // that failed, in a row
	Again   time.Time `json:"again,omitzero"`  // not before then

	Holder string    `json:"holder,omitempty"` // the worker that is at it
	Held   time.Time `json:"held,omitzero"`    // until then
}

// An ask is what is to be done out of turn.
type ask string

const (
	askRenew  ask = "renew"
	askRemake ask = "remake"
)

// A clientState is the secret that proves a notification. It prints as nothing
// that would help anybody.
type clientState string

func (clientState) String() string   { return "[secret]" }
func (clientState) GoString() string { return "[secret]" }

// newClientState makes 256 random bits. Graph takes 128 characters (Graph docs:
// subscription, v1.0).
func newClientState() clientState {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return clientState(base64.RawURLEncoding.EncodeToString(b))
}

func (r subscription) status(tenant string, now time.Time) SubscriptionStatus {
	st := SubscriptionStatus{Tenant: tenant, Resource: r.Resource, ID: r.ID, Expires: r.Expires, Next: r.Renew, Reason: r.Why}
	if r.Why != "" {
		st.Next = r.Again
	}
	switch {
	case r.Refused:
		st.State = "refused"
	case r.Why != "":
		st.State = "failing"
	case r.ID == "":
		st.State = "pending"
	case !now.Before(r.Expires):
		st.State = "expired"
	default:
		st.State = "live"
	}
	return st
}

func (s *Subscriptions) prefix() string { return "subscription." + s.Client.tenant.ID + "." }

func (s *Subscriptions) key(r Resource) string {
	sum := sha256.Sum256([]byte(canonical(r.Path)))
	return s.prefix() + hex.EncodeToString(sum[:8])
}

// read reads what State has; nothing reads as the zero value, and so does what
// cannot be read, for Run will make it anew.
func (s *Subscriptions) read(ctx context.Context, key string) (subscription, error) {
	r, _, err := readState[subscription](ctx, s.State, key)
	if errors.Is(err, errUnreadable) {
		s.log().Error("what is known of a subscription cannot be read; it will be made anew", "err", err)
		return subscription{}, nil
	}
	if err == nil {
		s.learn(r)
	}
	return r, err
}

// change does f to what State has, see [changeState].
func (s *Subscriptions) change(ctx context.Context, key string, f func(*subscription) bool) (subscription, error) {
	r, err := changeState(ctx, s.State, key, f)
	if err == nil {
		s.learn(r)
	}
	return r, err
}

// learn remembers a subscription, so that its notifications need no reading. It
// forgets those that are long over.
func (s *Subscriptions) learn(r subscription) {
	if r.ID == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]subscription{}
	}
	for id, k := range s.known {
		if time.Since(k.Expires) > 24*time.Hour {
			delete(s.known, id)
		}
	}
	s.known[strings.ToLower(r.ID)] = r
}

// readAll reads what State has of the configured resources.
func (s *Subscriptions) readAll(ctx context.Context) ([]subscription, error) {
	all := make([]subscription, 0, len(s.Resources))
	for _, res := range s.Resources {
		r, err := s.read(ctx, s.key(res))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// knows is what was learnt of a subscription.
func (s *Subscriptions) knows(id string) (subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.known[strings.ToLower(id)]
	return r, ok
}

// readState reads a JSON value; a key that is not there reads as the zero value
// of revision 0.
func readState[T any](ctx context.Context, s State, key string) (v T, rev uint64, err error) {
	raw, rev, err := s.Get(ctx, key)
	if err != nil || len(raw) == 0 {
		return v, rev, err
	}
	if json.Unmarshal(raw, &v) != nil { // the error would quote the value
		var zero T
		return zero, rev, fmt.Errorf("%s: %w", key, errUnreadable)
	}
	return v, rev, nil
}

var errUnreadable = errors.New("not written by this version of Curfew, or damaged")

// changeState does f to a JSON value and writes it back. When somebody else was
// faster, f is done again to what they wrote. f reports whether there is anything
// to write; the value is returned as it is then. A value that cannot be read is
// replaced: each of those that are kept this way can be made anew.
func changeState[T any](ctx context.Context, s State, key string, f func(*T) bool) (T, error) {
	for {
		v, rev, err := readState[T](ctx, s, key)
		if err != nil && !errors.Is(err, errUnreadable) {
			return v, err
		}
		if !f(&v) {
			return v, nil
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return v, err
		}
		if rev == 0 {
			_, err = s.Create(ctx, key, raw)
		} else {
			_, err = s.Update(ctx, key, raw, rev)
		}
		if err == nil {
			return v, nil
		}
		// Whoever keeps the state has errors of their own: it was a lost race if the
		// revision is another one by now.
		if _, now, readErr := s.Get(ctx, key); readErr != nil || now == rev {
			return v, err
		}
	}
}
