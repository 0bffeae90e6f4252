// Package goalert pages by the generic API of GoAlert, which people run
// themselves.
//
// The dedup key is the case's id: while an alert of the service with it is open,
// a page adds to it.
//
// What may not be assumed (target/goalert v0.34.1, genericapi): a close that
// matches no alert is answered like any other, and texts that are too long are
// cut without a word.
package goalert

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"curfew/handlers"
	"curfew/handlers/page"
)

// Limits: a summary has 1024 characters, details have 6 KiB and dedup has 512
// (target/goalert v0.34.1, alert/alert.go, alert/dedup.go).
const (
	maxDetails = 6 << 10
	maxDedup   = 512
)

// MetaKey is under which an alert carries its case. It comes back in webhooks.
const MetaKey = "curfew/case"

// A Service is a service with a generic API integration key.
type Service struct {
	Base   string       // where GoAlert is, such as https://goalert.example.com
	Key    string       // the integration key, a secret
	Client *http.Client // this service's own, from [handlers.NewClient]
}

// Check reports every reason why the service cannot be used.
func (s Service) Check() error {
	errs := []error{handlers.CheckAddress(s.Base)}
	if s.Key == "" {
		errs = append(errs, errors.New("its integration key is empty"))
	}
	if s.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// incoming is a request (target/goalert v0.34.1, genericapi/handler.go).
type incoming struct {
	Summary string            `json:"summary"`
	Details string            `json:"details,omitempty"`
	Action  string            `json:"action,omitempty"`
	Dedup   string            `json:"dedup"`
	Meta    map[string]string `json:"meta,omitempty"`
}

// Trigger opens the alert of the key, or adds to it.
func (s Service) Trigger(ctx context.Context, a page.Alert) (string, error) {
	return a.Key, s.send(ctx, incoming{
		Summary: a.Summary, Details: details(a.Text()), Dedup: a.Key,
		Meta: map[string]string{MetaKey: a.Key, "curfew/device": a.Device, "curfew/tenant": a.Tenant},
	})
}

// Resolve closes the alert.
func (s Service) Resolve(ctx context.Context, a page.Alert) error {
	return s.send(ctx, incoming{Summary: a.Summary, Action: "close", Dedup: a.Which()})
}

func (s Service) send(ctx context.Context, in incoming) error {
	if len(in.Dedup) > maxDedup {
		return handlers.GiveUp(fmt.Errorf("%q is too long for a dedup key", handlers.Line(in.Dedup, 600)))
	}
	call := page.Call{
		Client: s.Client, Method: http.MethodPost, URL: strings.TrimRight(s.Base, "/") + "/api/v2/generic/incoming", Secrets: []string{s.Key},
		// Of a JSON body the token is not read, and in a query it would end up in logs
		// (auth/gettoken.go).
		Header: map[string]string{"Authorization": "Bearer " + s.Key, "Accept": "application/json"},
	}
	var reply struct {
		ServiceID *string `json:"ServiceID"`
	}
	err := call.Do(ctx, in, &reply)
	if handlers.Read(err).Status == http.StatusConflict && strings.Contains(err.Error(), "too many") {
		return later{err} // such as of alerts that nobody has acknowledged (util/errutil/limiterror.go)
	}
	if err == nil && reply.ServiceID == nil {
		return handlers.GiveUp(errors.New("what answers there is not GoAlert's generic API: check the url"))
	}
	return err
}

// later takes back that an error gives up: limits pass.
type later struct{ error }

func (l later) Unwrap() error { return l.error }
func (l later) GiveUp() bool  { return false }

// details are Markdown there: what a device is called must not become a link or
// a picture.
func details(text string) string {
	text = strings.ReplaceAll(page.Plain(text), "\n", "\n\n") // a line of Markdown is no line yet
	if len(text) > maxDetails {
		text = strings.ToValidUTF8(text[:maxDetails], "")
	}
	return text
}
