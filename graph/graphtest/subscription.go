package graphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A subscription to change notifications (Graph v1.0 metadata, 2026-08).
type subscription struct {
	id, app, creator string
	resource         string // as asked
	changes          string
	url, lifecycle   string
	state            string // clientState
	tls              string
	expires          time.Time
	challenged       time.Time // reauthorizationRequired was sent and not answered
}

// A Subscription is one as it stands, for tests to look at.
type Subscription struct {
	ID, App, Resource, ChangeType, NotificationURL, LifecycleURL, ClientState string
	Expires                                                                   time.Time
}

// Subscriptions returns the tenant's live subscriptions, the first to expire
// first.
func (t *Tenant) Subscriptions() []Subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Subscription
	for _, s := range t.live(time.Now()) {
		all = append(all, Subscription{s.id, s.app, s.resource, s.changes, s.url, s.lifecycle, s.state, s.expires})
	}
	return all
}

// live drops the expired and returns the others.
func (t *Tenant) live(now time.Time) []*subscription {
	var all []*subscription
	for id, s := range t.subs {
		if now.Before(s.expires) {
			all = append(all, s)
		} else {
			delete(t.subs, id)
		}
	}
	slices.SortFunc(all, func(a, b *subscription) int {
		return a.expires.Compare(b.expires)*2 + strings.Compare(a.id, b.id)
	})
	return all
}

type subscriptionBody struct {
	ChangeType, NotificationURL, LifecycleNotificationURL, Resource, ClientState, LatestSupportedTLSVersion string
	ExpirationDateTime                                                                                      *time.Time
	IncludeResourceData                                                                                     bool
}

// subscribe creates a subscription (Graph docs: subscription-post-subscriptions;
// change-notifications-delivery-webhooks, 2025-01).
func (k *call) subscribe() reply {
	s, out := k.newSubscription()
	if out.status != 0 {
		return out
	}
	// Both URLs are validated, a URL used twice is asked twice. This happens
	// without the lock: the webhook may well call back.
	for _, u := range []string{s.url, s.lifecycle} {
		if u == "" {
			continue
		}
		if bad := k.cloud.handshake(k.tenant, u, k.id); bad != "" {
			return k.fail(http.StatusBadRequest, "ValidationError", bad)
		}
	}
	k.tenant.mu.Lock()
	defer k.tenant.mu.Unlock()
	k.now = time.Now().UTC()
	if out := k.roomFor(s); out.status != 0 {
		return out
	}
	k.tenant.subs[s.id] = s
	return reply{status: http.StatusCreated, body: k.entity("subscriptions", s.row().bytes())}
}

// newSubscription reads and checks a request.
func (k *call) newSubscription() (*subscription, reply) {
	t := k.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	var b subscriptionBody
	if err := json.Unmarshal(k.body, &b); err != nil {
		return nil, k.fail(http.StatusBadRequest, "InvalidRequest",
			"Could not process subscription creation payload. Are all property names spelled and camelCased properly?")
	}
	bad := func(format string, args ...any) (*subscription, reply) {
		return nil, k.fail(http.StatusBadRequest, "InvalidRequest", fmt.Sprintf(format, args...))
	}
	for _, p := range []struct{ name, value string }{
		{"changeType", b.ChangeType}, {"notificationUrl", b.NotificationURL}, {"resource", b.Resource},
	} {
		if p.value == "" {
			return bad("%s is a required property for subscription creation", p.name)
		}
	}
	if b.ExpirationDateTime == nil { // docs-contrib#7399
		return bad("expirationDateTime is a required property for subscription creation")
	}
	if len(b.ClientState) > 128 { // Graph docs: subscription
		return bad("clientState must not be longer than 128 characters")
	}
	for _, u := range []string{b.NotificationURL, b.LifecycleNotificationURL} {
		if p, err := url.Parse(u); u != "" && (err != nil || p.Host == "" || p.Scheme != "https" && (p.Scheme != "http" || !t.rules.PlainHTTP)) {
			return bad("Notification URL '%s' is not a valid absolute https URL", u)
		}
	}
	kind, ok := t.kind(b.Resource)
	if !ok {
		// What Graph says to a resource it does not support is not documented; a 400
		// is what reporters of alerts_v2 got.
		return bad("Invalid resource '%s': it does not support change notifications", b.Resource)
	}
	for change := range strings.SplitSeq(b.ChangeType, ",") {
		if !slices.Contains(strings.Split(kind.changes, ","), strings.ToLower(strings.TrimSpace(change))) {
			return bad("Invalid 'changeType' attribute: '%s'", b.ChangeType)
		}
	}
	if kind.role != "" && !k.app.holds(k.tokenRoles, []string{kind.role}) {
		return nil, k.fail(http.StatusForbidden, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden; Reason: "+
			"The application lacks the permission "+kind.role+".]")
	}
	s := &subscription{
		id: newGUID(), app: k.app.ID, creator: k.app.object, resource: b.Resource, changes: b.ChangeType,
		url: b.NotificationURL, lifecycle: b.LifecycleNotificationURL, state: b.ClientState, tls: b.LatestSupportedTLSVersion,
	}
	if s.tls == "" {
		s.tls = "v1_2"
	}
	expires, refused := t.lifetime(kind, *b.ExpirationDateTime, k.now)
	if s.expires = expires; refused != "" {
		return nil, k.fail(http.StatusBadRequest, "ExtensionError", refused)
	}
	return s, k.roomFor(s)
}

// roomFor refuses duplicates and what is over the quota. The lock is held.
func (k *call) roomFor(s *subscription) reply {
	most := k.tenant.rules.MaxSubscriptions
	if most == 0 {
		most = 100
	}
	mine := 0
	for _, other := range k.tenant.live(k.now) {
		if other.app != s.app {
			continue
		}
		mine++
		if strings.EqualFold(other.resource, s.resource) && strings.EqualFold(other.changes, s.changes) {
			// Graph docs, change-notifications-delivery-webhooks, 2025-01.
			return k.fail(http.StatusConflict, "Conflict", "Subscription Id "+other.id+" already exists for the requested combination")
		}
	}
	if mine >= most { // Graph docs: change-notifications-supported-resources, "403 Forbidden"
		return k.fail(http.StatusForbidden, "Forbidden", fmt.Sprintf(
			"The application has reached its limit of %d subscriptions in this tenant.", most))
	}
	return reply{}
}

func (s *subscription) row() object {
	return object{
		{"id", s.id}, {"resource", s.resource}, {"applicationId", s.app}, {"changeType", s.changes}, {"clientState", orNull(s.state)},
		{"notificationUrl", s.url}, {"notificationQueryOptions", nil}, {"lifecycleNotificationUrl", orNull(s.lifecycle)},
		{"expirationDateTime", s.expires}, {"creatorId", s.creator}, {"includeResourceData", nil},
		{"latestSupportedTlsVersion", s.tls}, {"encryptionCertificate", nil}, {"encryptionCertificateId", nil},
		{"notificationUrlAppId", nil},
	}
}

// listSubscriptions shows an app its own (Graph docs: subscription-list).
func (k *call) listSubscriptions() reply {
	rows := []object{}
	for _, s := range k.tenant.live(k.now) {
		if s.app == k.app.ID {
			rows = append(rows, s.row())
		}
	}
	return k.list("subscriptions", rows)
}

func (k *call) ownSubscription() (*subscription, reply) {
	for _, s := range k.tenant.live(k.now) {
		if strings.EqualFold(s.id, k.args[0]) && s.app == k.app.ID {
			return s, reply{}
		}
	}
	return nil, k.fail(http.StatusNotFound, "ResourceNotFound", "The object was not found.")
}

func (k *call) getSubscription() reply {
	s, out := k.ownSubscription()
	if out.status != 0 {
		return out
	}
	return reply{status: http.StatusOK, body: k.entity("subscriptions", s.row().bytes())}
}

// renewSubscription changes the expiry, which also reauthorises (Graph docs:
// subscription-update; change-notifications-lifecycle-events, 2024-12).
func (k *call) renewSubscription() reply {
	s, out := k.ownSubscription()
	if out.status != 0 {
		return out
	}
	var b subscriptionBody
	if err := json.Unmarshal(k.body, &b); err != nil || b.ExpirationDateTime == nil {
		return k.fail(http.StatusBadRequest, "InvalidRequest", "expirationDateTime is a required property for subscription update")
	}
	kind, supported := k.tenant.kind(s.resource)
	if !supported || kind.role != "" && !k.app.holds(k.tokenRoles, []string{kind.role}) {
		return k.fail(http.StatusForbidden, "ExtensionError", "Operation: Update; Exception: [Status Code: Forbidden; Reason: "+
			"The application lacks the permission "+kind.role+".]")
	}
	expires, refused := k.tenant.lifetime(kind, *b.ExpirationDateTime, k.now)
	if refused != "" {
		return k.fail(http.StatusBadRequest, "ExtensionError", refused)
	}
	s.expires, s.challenged = expires, time.Time{}
	return reply{status: http.StatusOK, body: k.entity("subscriptions", s.row().bytes())}
}

func (k *call) deleteSubscription() reply {
	s, out := k.ownSubscription()
	if out.status != 0 {
		return out
	}
	delete(k.tenant.subs, s.id)
	return empty(http.StatusNoContent)
}

// reauthorizeSubscription answers a challenge without extending the life (Graph
// docs: change-notifications-lifecycle-events, 2024-12).
func (k *call) reauthorizeSubscription() reply {
	s, out := k.ownSubscription()
	if out.status != 0 {
		return out
	}
	s.challenged = time.Time{}
	return empty(http.StatusNoContent)
}
