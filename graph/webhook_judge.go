package graph

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"curfew/events"
)

// notification is one element of what Graph posts (Graph docs:
// changenotification, 2024-12; change-notifications-lifecycle-events, 2024-12:
// those of the lifecycle have neither changeType nor resource).
type notification struct {
	ID           text  `json:"id"`
	Subscription text  `json:"subscriptionId"`
	Tenant       text  `json:"tenantId"`
	State        long  `json:"clientState"`
	Change       text  `json:"changeType"`
	Resource     long  `json:"resource"`
	Lifecycle    text  `json:"lifecycleEvent"`
	Data         maybe `json:"resourceData"`
}

// maybe is the part of a notification that is another thing for each resource.
type maybe struct {
	ID   text `json:"id"`
	ETag text `json:"@odata.etag"`
}

func (m *maybe) UnmarshalJSON(b []byte) error {
	type plain maybe
	if json.Unmarshal(b, (*plain)(m)) != nil {
		*m = maybe{}
	}
	return nil
}

// A judge goes through the notifications of one request.
type judge struct {
	*Webhook
	from string

	looked    map[*Subscriptions][]subscription // what had to be looked up
	ids       map[string]bool                   // of what was found
	found     []finding
	asks      []asking
	nudged    map[*Subscriptions]bool
	heard     map[*Subscriptions]bool // whose notifications were good
	accepted  uint64
	lifecycle uint64
	repeated  uint64
}

type asking struct {
	of    *Subscriptions
	about subscription
	what  ask
}

// take judges one notification, and notes what follows. The error is ours: what
// is ours to know could not be read.
func (j *judge) take(ctx context.Context, n notification) error {
	if !isGUID(string(n.Subscription)) || !isGUID(string(n.Tenant)) {
		j.drop(malformed, n)
		return nil
	}
	s := j.tenants[strings.ToLower(string(n.Tenant))]
	if s == nil {
		j.drop(otherTenant, n)
		return nil
	}
	about, ok, err := j.find(ctx, s, n)
	switch {
	case err != nil:
		return s.failed("look up", err)
	case !ok:
		j.drop(unknownSubscription, n)
	case !equal(about.State, clientState(n.State)):
		j.drop(wrongSecret, n)
	case n.Lifecycle != "":
		j.heard[s] = true
		j.hear(s, about, n)
	case n.Resource != "" && !covers(about.Resource, string(n.Resource)):
		j.drop(otherResource, n)
	default:
		j.heard[s] = true
		j.notice(ctx, s, about, n)
	}
	return nil
}

// find finds the subscription that a notification names. Another worker may have
// made it a moment ago, or Graph may be faster with the notification than we are
// with the id: so what is not known is looked up, once in a request, and a
// subscription that is being made is known by its secret.
func (j *judge) find(ctx context.Context, s *Subscriptions, n notification) (subscription, bool, error) {
	if r, ok := s.knows(string(n.Subscription)); ok {
		return r, true, nil
	}
	if _, done := j.looked[s]; !done {
		all, err := s.readAll(ctx)
		if err != nil {
			return subscription{}, false, err
		}
		j.looked[s] = all
	}
	for _, r := range j.looked[s] {
		if strings.EqualFold(r.ID, string(n.Subscription)) || r.ID == "" && equal(r.State, clientState(n.State)) {
			return r, true, nil
		}
	}
	return subscription{}, false, nil
}

// drop counts what is not taken. Its text is a stranger's: only ids are logged.
func (j *judge) drop(why refusal, n notification) {
	id := func(t text) string {
		if isGUID(string(t)) {
			return string(t)
		}
		return ""
	}
	j.tally.refuse(j.log(), why, j.from, id(n.Tenant), id(n.Subscription))
}

// hear takes a lifecycle notification. One that this version does not know may
// mean that something was lost.
func (j *judge) hear(s *Subscriptions, about subscription, n notification) {
	j.lifecycle++
	current := strings.EqualFold(about.ID, string(n.Subscription))
	switch {
	case n.Lifecycle == "reauthorizationRequired" && current:
		j.asks = append(j.asks, asking{s, about, askRenew})
	case n.Lifecycle == "subscriptionRemoved" && current:
		j.asks = append(j.asks, asking{s, about, askRemake}) // after which a sweep is asked for
	default:
		j.nudged[s] = true
	}
	j.log().Info("lifecycle notification", "tenant", s.Client.tenant.Name, "event", string(n.Lifecycle), "resource", about.Resource, "subscription", about.ID)
}

// notice takes a change notification: it is about a device, or else the tenant's
// sweep must find out.
func (j *judge) notice(ctx context.Context, s *Subscriptions, about subscription, n notification) {
	j.accepted++
	key, ok := j.device(ctx, s, about, n)
	if !ok {
		j.nudged[s] = true
		return
	}
	f := finding{key: key, fact: events.Noticed{Source: "webhook"}, id: n.fact()}
	if j.ids[f.id] {
		j.repeated++
		return
	}
	j.ids[f.id] = true
	j.found = append(j.found, f)
}

// device tells which device a notification is about, if it can be told at once.
func (j *judge) device(ctx context.Context, s *Subscriptions, about subscription, n notification) (events.Key, bool) {
	kind := kindOf(about.Resource)
	if kind == "" || j.Index == nil {
		return events.Key{}, false
	}
	id := string(n.Data.ID)
	if id == "" {
		if _, rest := family(string(n.Resource)); len(rest) > 0 {
			id = rest[0]
		}
	}
	if !isGUID(id) {
		return events.Key{}, false
	}
	key, ok := j.Index.Device(ctx, s.Client.tenant.ID, kind, strings.ToLower(id))
	return key, ok && key.Valid() && key.Tenant == s.Client.tenant.ID
}

// fact is the id of the fact that a notification becomes: that of the
// notification, or what tells one change from the next. Graph's retries bring the
// same; so do two changes of something that has no etag, which would then be taken
// for one: these get an id of their own each time, and a retry is one look more.
func (n notification) fact() string {
	var of []string
	switch {
	case n.ID != "":
		of = []string{string(n.Subscription), string(n.ID)}
	case n.Data.ETag != "":
		of = []string{string(n.Subscription), string(n.Data.ID), string(n.Change), string(n.Data.ETag)}
	default:
		return "webhook-" + rand.Text()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", of))
	return "webhook-" + hex.EncodeToString(sum[:16])
}
