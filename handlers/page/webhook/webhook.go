// Package webhook pages by signed JSON, for whatever has no package of its own.
//
// A receiver opens one alert for each case, adds to it when the same case comes
// again, and ends it at the event resolved. A request may come more than once,
// with the same Idempotency-Key: the receiver does it once. Curfew-Signature is
// that of package handlers/sign.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/sign"
)

// A Hook is one receiver.
type Hook struct {
	URL    string            // https, or http to this machine; may hold a token, so it is never shown
	Secret string            // signs every request; at least 16 bytes
	Header map[string]string // sent along, such as Authorization; never shown
	Client *http.Client      // this receiver's own, from [handlers.NewClient]
}

// Check reports every reason why the hook cannot be used.
func (h Hook) Check() error {
	errs := []error{handlers.CheckAddress(h.URL)}
	if len(h.Secret) < sign.MinSecret {
		errs = append(errs, fmt.Errorf("its secret must have %d bytes or more", sign.MinSecret))
	}
	if h.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// An Event is the body of a request. Texts about the device come from outside:
// they are one line each, but a receiver that shows them as HTML or Markdown must
// escape them.
type Event struct {
	Version   int             `json:"version"` // 1; fields are added without a new one
	Kind      string          `json:"event"`   // page or resolved
	Case      string          `json:"case"`    // fold by it
	Asked     time.Time       `json:"asked"`
	Summary   string          `json:"summary"`
	Severity  string          `json:"severity"` // critical, error or warning
	Tenant    string          `json:"tenant"`
	Device    string          `json:"device"` // its Entra device id
	Name      string          `json:"name,omitempty"`
	User      string          `json:"user,omitempty"`
	Policy    string          `json:"policy,omitempty"`
	Template  string          `json:"template,omitempty"`
	Person    string          `json:"person,omitempty"` // who is to be woken, if a rota says
	Findings  []string        `json:"findings,omitempty"`
	Attention []string        `json:"attention,omitempty"`
	Links     []handlers.Link `json:"links,omitempty"`
}

// Of is the event that tells of an alert.
func Of(a page.Alert, kind string) Event {
	return Event{
		Version: 1, Kind: kind, Case: a.Key, Asked: a.Asked, Summary: a.Summary, Severity: string(a.Severity),
		Tenant: a.Tenant, Device: a.Device, Name: a.Name, User: a.User, Policy: a.Policy, Template: a.Template,
		Findings: a.Findings, Attention: a.Attention, Links: a.Links,
	}
}

// Trigger tells that somebody is to be woken.
func (h Hook) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, h.Send(ctx, a.Task, Of(a, "page"))
}

// Resolve tells that it is over.
func (h Hook) Resolve(ctx context.Context, a page.Alert) error {
	e := Of(a, "resolved")
	e.Case = a.Which()
	return h.Send(ctx, a.Task, e)
}

// Send posts an event. Repeating it is safe: the receiver knows the key.
func (h Hook) Send(ctx context.Context, key string, e Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return handlers.GiveUp(err)
	}
	header := map[string]string{}
	maps.Copy(header, h.Header)
	header["Idempotency-Key"] = key
	header[sign.Header] = sign.Sign(h.Secret, body, time.Now())
	c := page.Call{Client: h.Client, Method: http.MethodPost, URL: h.URL, Header: header, Secrets: handlers.Tokens(h.Secret, h.URL, h.Header)}
	return c.Send(ctx, body, nil)
}
