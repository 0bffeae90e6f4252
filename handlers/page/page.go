// Package page wakes people by PagerDuty's Events API v2, and lets them sleep
// again. It serves the actions page and resolve.
//
// The dedup key is the case's id, so all pages of a case to one service are one
// alert, however often they are sent; a trigger to an alert that somebody has
// acknowledged wakes nobody again. The key of the alert is the receipt of the
// page, and comes back in the task that resolves it.
//
// What may not be assumed (PagerDuty docs: Events API v2, 2026-08): 202 says
// queued, not paged. A resolve is answered 202 even if there is no such alert, or
// if the alert was opened through another integration key: after a change of
// the key, open alerts must be resolved by hand.
package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/PagerDuty/go-pagerduty"

	"curfew/events"
	"curfew/handlers"
)

// Where PagerDuty takes events. An account lives in one of the two, and a key of
// the other is refused there (PagerDuty docs: service regions).
const (
	US = "https://events.pagerduty.com"
	EU = "https://events.eu.pagerduty.com"
)

// PagerDuty cuts summaries at 1024 characters and refuses longer keys (PagerDuty
// docs: Events API v2, trigger events). All else in an event is bounded so that
// it stays far below the 512 KB of a request.
const (
	maxSummary = 1024
	maxKey     = 255
)

// A Service is one destination of pages.
type Service struct {
	Key    string       // the service's integration key ("routing key"), a secret
	Region string       // [US], [EU] or the address of something that speaks like them; empty: US
	Client *http.Client // this service's own, from [handlers.NewClient]
}

// Check reports every reason why the service cannot be used.
func (s Service) Check() error {
	var errs []error
	if len(s.Key) != 32 {
		errs = append(errs, errors.New("its integration key must have 32 characters"))
	}
	if s.Region != "" && handlers.SafeLink(s.Region) == "" {
		errs = append(errs, errors.New("its region must be an https address"))
	}
	if s.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Handler pages services.
type Handler struct {
	Services map[string]Service // by the name that rules use
}

// Do opens the case's alert at the service, or resolves it.
func (h Handler) Do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	s, err := handlers.Destination(h.Services, t.Destination)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	e := event(c, t)
	e.RoutingKey = s.Key
	if len(e.DedupKey) > maxKey {
		return nil, handlers.GiveUp(fmt.Errorf("page: %q is too long for PagerDuty's dedup_key", e.DedupKey))
	}
	if err := s.send(ctx, e); err != nil {
		if v := handlers.Read(err); v.Status == http.StatusTooManyRequests {
			err = handlers.After(err, max(v.After, backoff(t.Tries)))
		}
		return nil, fmt.Errorf("page: service %q: %w", t.Destination, err)
	}
	return events.Done{Task: t.ID, Receipt: e.DedupKey}, nil
}

// send hands an event to PagerDuty. Repeating it is safe: the key is the same.
func (s Service) send(ctx context.Context, e *pagerduty.V2Event) error {
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

// backoff is the wait after 429: PagerDuty takes about 120 events a minute for a
// key, sends no Retry-After, and asks for half a minute first and minutes later
// (PagerDuty docs: Events API v2, rate limits).
func backoff(tries int) time.Duration { return 30 * time.Second << min(tries, 5) }

func event(c events.Case, t events.Task) *pagerduty.V2Event {
	if t.Action == events.Resolve {
		return &pagerduty.V2Event{Action: "resolve", DedupKey: cmp.Or(t.Ref, t.Case, c.ID())}
	}
	d := c.Inhabited()
	findings, attention := handlers.Sentences(c)
	e := &pagerduty.V2Event{
		Action:   "trigger",
		DedupKey: cmp.Or(t.Case, c.ID()),
		Client:   "Curfew",
		Payload: &pagerduty.V2Payload{
			Summary:   handlers.Line(handlers.Summary(c), maxSummary),
			Source:    cmp.Or(handlers.Line(d.Name, 100), c.Key.Device),
			Severity:  severity(c),
			Timestamp: t.Asked.UTC().Format(time.RFC3339),
			Component: handlers.Line(d.OS, 50),
			Group:     c.Tenant,
			Class:     handlers.Line(c.Policy, 200),
			Details: map[string]any{
				"case": cmp.Or(t.Case, c.ID()), "device": c.Key.Device, "user": handlers.Line(d.User, 200), "serial": handlers.Line(d.Serial, 100),
				"findings": findings, "attention": attention, "state": c.State(), "template": handlers.Line(t.Template, 200),
			},
		},
	}
	for _, l := range handlers.Links(c) {
		e.Links = append(e.Links, map[string]string{"href": l.URL, "text": l.Text})
	}
	return e
}

// severity is one of PagerDuty's four.
func severity(c events.Case) string {
	switch worst := handlers.Worst(c.Device); {
	case worst >= events.High:
		return "critical"
	case worst >= events.Medium, len(c.Attention) > 0:
		return "error"
	}
	return "warning"
}
