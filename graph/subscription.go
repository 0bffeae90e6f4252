package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Where a [Webhook] is reached, below the public URL. The paths are no secret:
// what proves a notification is the secret of its subscription.
const (
	NotificationsPath = "/graph/notifications"
	LifecyclePath     = "/graph/lifecycle"
)

// Subscriptions keep one tenant's subscriptions to change notifications alive:
// one for each configured resource, made once, renewed at half of its life, made
// anew when it is gone.
//
// Which resources there are is configuration. Graph takes subscriptions to users,
// groups and others, but to none of those that Curfew is about (Graph docs:
// change-notifications-supported-resources); what a tenant refuses is a status,
// see [Subscriptions.List], and tried again once a day and at every start.
//
// What is known of a subscription, its secret included, is in State and nowhere
// else, written before and after each call to Graph by compare and set. So a
// restart finds what it left, and of many workers one at a time does the work; a
// worker that dies in the middle holds the others up for five minutes.
//
// What may not be assumed: that notifications come. Graph promises neither order
// nor delivery, and tells of a gap only for few resources; after one that is seen
// here, the sweep is asked to run.
type Subscriptions struct {
	Client    *Client
	State     State
	Nudges    *Nudges // nil: nobody is asked to sweep
	URL       string  // the public URL in front of the [Webhook], https
	Resources []Resource
	Log       *slog.Logger // nil: silent

	heard atomic.Int64 // when the last notification was taken, in Unix nanoseconds

	mu    sync.Mutex
	me    string
	known map[string]subscription // by id, as far as this process has seen
	bell  chan struct{}
}

// A Resource is something to be notified about.
type Resource struct {
	Path    string        // as Graph writes it: "users", "groups", "/devices"
	Changes string        // of created, updated, deleted, with commas; empty: all that the resource has
	Life    time.Duration // of a subscription; 0: the longest that Microsoft documents for the resource
}

// State keeps what must outlive the process. Keys are letters, digits, dots and
// hyphens. A key that is not there has a nil value and the revision 0. Create
// fails on a key that is there, Update on one that is not at the revision
// (or was deleted). Writes are on the disk when they return.
type State interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Create(ctx context.Context, key string, value []byte) (revision uint64, err error)
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

const (
	checkEvery = 24 * time.Hour // between two looks at whether Graph still has them all
	readEvery  = time.Hour      // between two looks at what other workers did
)

// Run keeps the subscriptions until ctx ends. What Graph or the tenant does not
// allow is logged and kept as the subscription's status; only a mistake in the
// configuration ends Run early. The webhook must be reachable from outside by
// then: Graph knocks there before it makes a subscription.
func (s *Subscriptions) Run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("graph: subscriptions: %w", err)
	}
	bell := s.ringer()
	var checked time.Time
	for fresh := true; ctx.Err() == nil; fresh = false {
		now := time.Now().UTC()
		if now.Sub(checked) >= checkEvery {
			checked = now.Add(rand.N(checkEvery / 10))
			s.verify(ctx)
		}
		next := now.Add(readEvery)
		for _, r := range s.Resources {
			if again := s.tend(ctx, r, fresh); again.Before(next) {
				next = again
			}
		}
		timer := time.NewTimer(max(time.Until(next), time.Second))
		select {
		case <-timer.C:
		case <-bell:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// check names everything that is wrong with the configuration.
func (s *Subscriptions) check() error {
	if s.Client == nil || s.State == nil {
		return errors.New("they need a client and a state")
	}
	var wrong []error
	u, err := url.Parse(s.URL)
	switch {
	case err != nil:
		wrong = append(wrong, errors.New("public URL: not a URL")) // the error would quote it, password and all
	case u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		wrong = append(wrong, errors.New("public URL: want https://host or https://host/path; Graph takes nothing else"))
	}
	seen := map[string]bool{}
	for _, r := range s.Resources {
		switch path := canonical(r.Path); {
		case path == "" || strings.Contains(path, "://") || path != oneLine(path, maxText):
			wrong = append(wrong, fmt.Errorf("resource %q: want a path as Graph writes it, such as users", oneLine(r.Path, 64)))
		case seen[path]:
			wrong = append(wrong, fmt.Errorf("resource %q is there twice", path))
		default:
			seen[path] = true
		}
		for change := range strings.SplitSeq(r.changes(), ",") {
			if !slices.Contains([]string{"created", "updated", "deleted"}, change) {
				wrong = append(wrong, fmt.Errorf("resource %q: there is no change %q: use created, updated and deleted", oneLine(r.Path, 64), oneLine(change, 32)))
			}
		}
		if r.Life < 0 {
			wrong = append(wrong, fmt.Errorf("resource %q: a life of %v", oneLine(r.Path, 64), r.Life))
		}
	}
	return errors.Join(wrong...)
}

// A SubscriptionStatus is how a subscription stands.
type SubscriptionStatus struct {
	Tenant   string    `json:"tenant"` // its id
	Resource string    `json:"resource"`
	State    string    `json:"state"`        // live, pending, failing, refused or expired
	ID       string    `json:"id,omitempty"` // Graph's; empty: there is none yet
	Expires  time.Time `json:"expires,omitzero"`
	Next     time.Time `json:"next,omitzero"`    // when it is renewed, or tried again
	Reason   string    `json:"reason,omitempty"` // why it is failing or refused
}

// List says how each configured subscription stands, and each that is left from
// an earlier configuration. It asks State, not Graph.
func (s *Subscriptions) List(ctx context.Context) ([]SubscriptionStatus, error) {
	keys, err := s.State.Keys(ctx, s.prefix())
	if err != nil {
		return nil, s.failed("list", err)
	}
	all, have := []SubscriptionStatus{}, map[string]bool{}
	for _, key := range keys {
		r, err := s.read(ctx, key)
		if err != nil {
			return nil, s.failed("list", err)
		}
		if r.Resource != "" {
			have[key] = true
			all = append(all, r.status(s.Client.Tenant(), time.Now()))
		}
	}
	for _, r := range s.Resources {
		if !have[s.key(r)] {
			all = append(all, SubscriptionStatus{Tenant: s.Client.Tenant(), Resource: r.Path, State: "pending"})
		}
	}
	slices.SortFunc(all, func(a, b SubscriptionStatus) int { return strings.Compare(a.Resource, b.Resource) })
	return all, nil
}

// Remove removes the subscriptions of this installation: those that State knows,
// and those that send to URL. It removes as many as it can. Workers that run
// make them again; so end them first.
func (s *Subscriptions) Remove(ctx context.Context) error { return s.remove(ctx, false) }

// RemoveAll removes every subscription that the app has in the tenant, those of
// other installations included.
func (s *Subscriptions) RemoveAll(ctx context.Context) error { return s.remove(ctx, true) }

func (s *Subscriptions) remove(ctx context.Context, all bool) error {
	keys, err := s.State.Keys(ctx, s.prefix())
	if err != nil {
		return s.failed("remove", err)
	}
	var wrong []error
	for _, key := range keys {
		wrong = append(wrong, s.retire(ctx, key))
	}
	rows, err := s.Client.subscriptions(ctx)
	for _, row := range rows {
		if all || s.ours(row) {
			wrong = append(wrong, s.Client.unsubscribe(ctx, string(row.ID)))
		}
	}
	return errors.Join(append(wrong, err)...)
}

// retire removes one subscription, and then what is known of it.
func (s *Subscriptions) retire(ctx context.Context, key string) error {
	r, err := s.read(ctx, key)
	if err != nil {
		return s.failed("remove", err)
	}
	for _, id := range []string{r.ID, r.Old} {
		if id == "" {
			continue
		}
		if err := s.Client.unsubscribe(ctx, id); err != nil {
			return err
		}
	}
	if err := s.State.Delete(ctx, key); err != nil {
		return s.failed("remove", err)
	}
	s.log().Info("subscription removed", "resource", r.Resource, "id", r.ID)
	return nil
}

// ours reports whether a subscription sends to this installation.
func (s *Subscriptions) ours(row subscriptionRow) bool {
	return string(row.URL) == s.url(NotificationsPath)
}

func (s *Subscriptions) url(path string) string { return strings.TrimRight(s.URL, "/") + path }

func (s *Subscriptions) failed(op string, err error) error {
	return fmt.Errorf("graph: %s: %s subscriptions: %w", s.Client.tenant.Name, op, err)
}

func (s *Subscriptions) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log.With("tenant", s.Client.tenant.Name)
}

// ringer is what [Subscriptions.wake] rings.
func (s *Subscriptions) ringer() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bell == nil {
		s.bell = make(chan struct{}, 1)
	}
	return s.bell
}

// wake lets Run look at once.
func (s *Subscriptions) wake() {
	select {
	case s.ringer() <- struct{}{}:
	default: // it has been rung and not heard yet
	}
}
