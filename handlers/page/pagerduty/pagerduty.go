// Package pagerduty pages by PagerDuty's Events API v2.
//
// The dedup key is the case's id, so all pages of a case to one service are one
// alert; a trigger to an alert that somebody has acknowledged wakes nobody again.
//
// What may not be assumed (PagerDuty docs: Events API v2, 2026-08): 202 says
// queued, not paged. A resolve is answered 202 even if there is no such alert, or
// if the alert was opened through another integration key: after a change of
// the key, open alerts must be resolved by hand.
package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/PagerDuty/go-pagerduty"

	"curfew/handlers"
	"curfew/handlers/page"
)

// Where PagerDuty takes events. An account lives in one of the two, and a key of
// the other is refused there (PagerDuty docs: service regions).
const (
	US = "https://events.pagerduty.com"
	EU = "https://events.eu.pagerduty.com"
)

// KeyLength is the number of characters of an integration key, and maxDedup that
// of a dedup key (PagerDuty docs: Events API v2, trigger events). All else in an
// event is bounded so that it stays far below the 512 KB of a request.
const (
	KeyLength = 32
	maxDedup  = 255
)

// A Service is one service of an account.
type Service struct {
	Key    string       // its integration key ("routing key"), a secret
	Region string       // [US], [EU] or the address of something that speaks like them; empty: US
	Client *http.Client // this service's own, from [handlers.NewClient]
}

// Check reports every reason why the service cannot be used.
func (s Service) Check() error {
	var errs []error
	if len(s.Key) != KeyLength {
		errs = append(errs, fmt.Errorf("its integration key must have %d characters", KeyLength))
	}
	if s.Region != "" && handlers.SafeLink(s.Region) == "" {
		errs = append(errs, errors.New("its region must be an https address"))
	}
	if s.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Trigger opens the alert of the key, or adds to it.
func (s Service) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, s.send(ctx, s.trigger(a))
}

// Resolve ends the alert.
func (s Service) Resolve(ctx context.Context, a page.Alert) error {
	return s.send(ctx, &pagerduty.V2Event{Action: "resolve", DedupKey: a.Which()})
}

func (s Service) trigger(a page.Alert) *pagerduty.V2Event {
	e := &pagerduty.V2Event{
		Action:   "trigger",
		DedupKey: a.Key,
		Client:   "Curfew",
		Payload: &pagerduty.V2Payload{
			Summary: a.Summary, Source: cmp.Or(a.Name, a.Device), Severity: string(a.Severity),
			Timestamp: a.Asked.Format(time.RFC3339), Component: a.OS, Group: a.Tenant, Class: a.Policy,
			Details: map[string]any{
				"case": a.Key, "device": a.Device, "user": a.User, "serial": a.Serial,
				"findings": a.Findings, "attention": a.Attention, "state": a.State, "template": a.Template,
			},
		},
	}
	for _, l := range a.Links {
		e.Links = append(e.Links, map[string]string{"href": l.URL, "text": l.Text})
	}
	return e
}

// send hands an event to PagerDuty. Repeating it is safe: the key is the same.
func (s Service) send(ctx context.Context, e *pagerduty.V2Event) error {
	if len(e.DedupKey) > maxDedup {
		return handlers.GiveUp(fmt.Errorf("%q is too long for PagerDuty's dedup_key", handlers.Line(e.DedupKey, 300)))
	}
	e.RoutingKey = s.Key
	call := &call{client: s.Client, key: s.Key}
	client := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint(cmp.Or(s.Region, US)))
	client.HTTPClient = call
	res, err := client.ManageEventWithContext(ctx, e)
	switch {
	case call.err != nil:
		return call.err
	case err != nil:
		return handlers.Unsure(handlers.Redact(fmt.Errorf("read PagerDuty's answer: %w", err), s.Key))
	case res.Status != "success":
		return handlers.Redact(fmt.Errorf("PagerDuty answered %q: %q", handlers.Line(res.Status, 50), handlers.Line(res.Message, 200)), s.Key)
	}
	return nil
}

// A call makes the one request of an event. It keeps the error that the library
// would flatten to a text, marks and all; status, Retry-After and PagerDuty's own
// words are in it.
type call struct {
	client *http.Client
	key    string
	err    error
}

func (c *call) Do(req *http.Request) (*http.Response, error) {
	res, err := handlers.Do(c.client, req, c.key)
	c.err = err
	return res, err
}
