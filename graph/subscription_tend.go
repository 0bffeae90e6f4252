package graph

import (
	"context"
	"crypto/rand"
	"errors"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A step is what is to be done about a subscription.
type step string

const (
	leaveIt  step = ""       // until then
	makeIt   step = "make"   // there is none, or not any more
	extendIt step = "extend" // half of its life is over, or Graph wants it reauthorized
)

const (
	holding    = 5 * time.Minute // a worker that died is waited for so long
	peek       = 30 * time.Second
	lastWords  = 5 * time.Second
	firstRetry = 15 * time.Second
	lastRetry  = time.Hour
	refusedFor = 24 * time.Hour
	// gap is how long a request to reauthorize may wait before notifications are
	// taken to be lost. Graph states no time.
	gap = 5 * time.Minute
)

// next decides what is to be done, and otherwise when to look again. fresh is for
// the first look of a process: a person may have changed what was refused.
func (r subscription) next(want subscription, me string, fresh bool, now time.Time) (step, time.Time) {
	same := r.Resource == want.Resource && r.Changes == want.Changes && r.URL == want.URL && r.Lifecycle == want.Lifecycle
	switch {
	case r.Holder != "" && r.Holder != me && now.Before(r.Held):
		return leaveIt, now.Add(min(peek, r.Held.Sub(now)))
	case now.Before(r.Again) && same && !(fresh && r.Refused):
		return leaveIt, r.Again
	case r.ID == "", !same, r.Ask == askRemake, !now.Before(r.Expires):
		return makeIt, now
	case r.Ask == askRenew, !now.Before(r.Renew):
		return extendIt, now
	}
	return leaveIt, r.Renew
}

// tend does what is to be done about one resource, and says when to come again.
func (s *Subscriptions) tend(ctx context.Context, res Resource, fresh bool) time.Time {
	want := subscription{Resource: strings.TrimSpace(res.Path), Changes: res.changes(), URL: s.url(NotificationsPath), Lifecycle: s.url(LifecyclePath)}
	me, now, todo, again := s.name(), time.Now().UTC(), leaveIt, time.Time{}
	// The work is taken, and the new secret stored, before anything is done.
	r, err := s.change(ctx, s.key(res), func(r *subscription) bool {
		if todo, again = r.next(want, me, fresh, now); todo == leaveIt {
			return false
		}
		r.Holder, r.Held = me, now.Add(holding)
		if todo == makeIt && (r.ID != "" || r.State == "") {
			r.Old, r.ID, r.State = r.ID, "", newClientState()
		}
		r.Resource, r.Changes, r.URL, r.Lifecycle = want.Resource, want.Changes, want.URL, want.Lifecycle
		return true
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return now
	case err != nil:
		s.log().Error("the state of a subscription cannot be read or written", "resource", want.Resource, "err", err)
		return now.Add(peek)
	case todo == leaveIt:
		return again
	}
	before := r
	err = s.work(ctx, todo, &r, res.life())
	s.settle(ctx, before, &r, err)
	// What was done is written down even when there is no more time for anything
	// else; what is not will be found at Graph by its secret.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	r, err = s.change(ctx, s.key(res), func(now *subscription) bool {
		if now.Holder != me {
			return false // it took too long, and somebody else is at it
		}
		if now.Ask != before.Ask || !now.Asked.Equal(before.Asked) {
			r.Ask, r.Asked = now.Ask, now.Asked
		}
		*now = r
		return true
	})
	if err != nil {
		s.log().Error("the state of a subscription cannot be written", "resource", want.Resource, "err", err)
		return now.Add(peek)
	}
	_, again = r.next(want, me, false, time.Now().UTC())
	return again
}

// work does a step, and is done before somebody else may take it over.
func (s *Subscriptions) work(ctx context.Context, todo step, r *subscription, life time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, holding-time.Minute)
	defer cancel()
	if todo == makeIt {
		return s.make(ctx, r, life)
	}
	return s.extend(ctx, r, life)
}

// make makes a subscription, after removing the one it takes the place of.
func (s *Subscriptions) make(ctx context.Context, r *subscription, life time.Duration) error {
	if r.Old != "" {
		if err := s.Client.unsubscribe(ctx, r.Old); err != nil {
			return err
		}
		r.Old = ""
	}
	expires := time.Now().UTC().Add(life).Truncate(time.Second)
	row, err := s.Client.subscribe(ctx, *r, expires)
	if status(err) == http.StatusConflict {
		row, err = s.adopt(ctx, *r, expires, err)
	}
	if err != nil {
		return err
	}
	r.Made = time.Now().UTC()
	r.live(row, r.Made)
	return nil
}

// adopt deals with a subscription that is there already. If it has our secret, it
// is the one that we made and did not live to write down. If it sends to us, its
// secret is lost, and cannot be changed: it gives way to a new one. One that sends
// elsewhere is another installation's, and a matter for a person: two that take
// it from each other in turn would both be deaf.
func (s *Subscriptions) adopt(ctx context.Context, r subscription, expires time.Time, conflict error) (subscriptionRow, error) {
	rows, err := s.Client.subscriptions(ctx)
	if err != nil {
		return subscriptionRow{}, err
	}
	i := slices.IndexFunc(rows, func(row subscriptionRow) bool {
		return canonical(string(row.Resource)) == canonical(r.Resource) && sameChanges(string(row.Changes), r.Changes)
	})
	if i < 0 {
		return subscriptionRow{}, conflict // it has gone meanwhile, or is written otherwise
	}
	row := rows[i]
	switch {
	case !s.ours(row):
		return row, s.Client.told(call{op: "subscribe to " + oneLine(r.Resource, 64)}, final("",
			"the same app has a subscription to this already, %s, which sends to another host: give each installation an app registration of its own, or remove it (subscriptions remove --all)", row.ID))
	case equal(r.State, clientState(row.State)) && string(row.Life) == r.Lifecycle:
		s.log().Info("subscription found again", "resource", r.Resource, "id", string(row.ID))
		return row, nil
	}
	if err := s.Client.unsubscribe(ctx, string(row.ID)); err != nil {
		return row, err
	}
	return s.Client.subscribe(ctx, r, expires)
}

// extend renews a subscription. One that is gone is to be made anew.
func (s *Subscriptions) extend(ctx context.Context, r *subscription, life time.Duration) error {
	row, err := s.Client.renew(ctx, r.ID, time.Now().UTC().Add(life).Truncate(time.Second))
	if status(err) == http.StatusNotFound {
		s.log().Warn("subscription is gone, and will be made anew", "resource", r.Resource, "id", r.ID)
		r.ID, r.State, r.Ask, r.Asked = "", newClientState(), "", time.Time{}
		return nil
	}
	if err != nil {
		return err
	}
	r.live(row, time.Now().UTC())
	return nil
}

// live takes over what Graph says, which may be less than was asked for, and sets
// the time of renewal: half of the life, give or take a twentieth.
func (r *subscription) live(row subscriptionRow, now time.Time) {
	r.ID, r.Expires = string(row.ID), row.Expires.time()
	life := max(r.Expires.Sub(now), 0)
	r.Renew = now.Add(life/2 - life/20 + mrand.N(life/10+1))
	r.Ask, r.Asked = "", time.Time{}
}

// settle writes down how it went, and asks for a sweep when notifications may
// have been lost meanwhile.
func (s *Subscriptions) settle(ctx context.Context, before subscription, r *subscription, err error) {
	r.Holder, r.Held = "", time.Time{}
	log := s.log().With("resource", r.Resource, "id", r.ID)
	if err != nil && ctx.Err() != nil {
		return // it was called off
	}
	if err != nil {
		r.fail(err, time.Now().UTC())
		switch {
		case r.Refused && r.Why == before.Why:
			log.Debug("subscription is still refused", "err", err)
		case r.Refused:
			log.Warn("subscription is refused; sweeps find what it would tell", "err", err, "again", r.Again)
		default:
			log.Warn("subscription fails, and will be tried again", "err", err, "again", r.Again)
		}
		return
	}
	r.Refused, r.Why, r.Tries, r.Again = false, "", 0, time.Time{}
	made, renewed := r.ID != "" && r.ID != before.ID, r.ID != "" && r.ID == before.ID
	if made || renewed {
		log.Info("subscription is live", "made", made, "expires", r.Expires, "renew", r.Renew)
	}
	if late := !before.Asked.IsZero() && time.Since(before.Asked) > gap; made && !before.Made.IsZero() || renewed && late {
		if err := s.nudge(ctx); err != nil {
			log.Error("no sweep could be asked for after a gap in the notifications", "err", err)
		}
	}
}

// fail notes why it failed and when to try again. What Graph refuses will be
// refused again for a while; but a handshake that failed may only have come before
// the listener, or while the way to it was broken.
func (r *subscription) fail(err error, now time.Time) {
	r.Tries++
	r.Why, r.Refused = oneLine(err.Error(), maxText), false
	wait := min(firstRetry<<min(r.Tries-1, 10), lastRetry)
	if e, ok := errors.AsType[*Error](err); ok {
		r.Refused = e.GiveUp() && !deaf(e)
		wait = max(wait, e.RetryAfter())
	}
	if r.Refused {
		wait = refusedFor
	}
	if left := r.Expires.Sub(now); r.ID != "" && left > 0 {
		wait = min(wait, max(left/4, time.Minute)) // it still lives
	}
	r.Again = now.Add(wait + mrand.N(wait/10+1))
}

// deaf reports whether Graph refused because the webhook did not answer it
// (azure-functions-splunk#26, nodejs-webhooks-sample#350,
// Microsoft365-Analytics-Insights#273).
func deaf(e *Error) bool {
	return e.Code == "ValidationError" || strings.Contains(strings.ToLower(e.Message), "subscription validation request")
}

// name is what this process calls itself when it takes work.
func (s *Subscriptions) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.me == "" {
		s.me = rand.Text()
	}
	return s.me
}
