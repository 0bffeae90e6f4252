// Package grafana pages by a formatted webhook of Grafana IRM, and of Grafana
// OnCall, which it has come from.
//
// The alert's uid is the case's id: while an alert group with it is open, a page
// joins it. The integration must be of the type "Formatted webhook": the plain one
// groups by the whole request, so that each page would be another alert group.
//
// What may not be assumed (grafana/oncall, January 2026; Grafana Cloud docs: IRM
// rate limits): what is answered "Ok." is processed later; what is refused for its
// number, 300 in five minutes, is not queued there.
package grafana

import (
	"context"
	"errors"
	"net/http"

	"curfew/handlers"
	"curfew/handlers/page"
)

// An Integration is one formatted webhook.
type Integration struct {
	URL    string       // as its page shows it; whoever has it can page, so it is a secret
	Client *http.Client // this integration's own, from [handlers.NewClient]
}

// Check reports every reason why the integration cannot be used.
func (i Integration) Check() error {
	errs := []error{handlers.CheckAddress(i.URL)}
	if i.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// payload is a request (grafana/oncall, engine/config_integrations/formatted_webhook.py).
type payload struct {
	UID     string `json:"alert_uid"`
	Title   string `json:"title"`
	State   string `json:"state"`
	Message string `json:"message,omitempty"`
	Link    string `json:"link_to_upstream_details,omitempty"`

	Device   string `json:"device,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// Trigger opens the alert group of the key, or joins it.
func (i Integration) Trigger(ctx context.Context, a page.Alert) (string, error) {
	p := payload{UID: a.Key, Title: a.Summary, State: "alerting", Message: page.Plain(a.Text()), Device: a.Device, Tenant: a.Tenant, Severity: string(a.Severity)}
	if len(a.Links) > 0 {
		p.Link = a.Links[0].URL
	}
	return a.Key, i.send(ctx, p)
}

// Resolve ends the alert group.
func (i Integration) Resolve(ctx context.Context, a page.Alert) error {
	return i.send(ctx, payload{UID: a.Which(), Title: a.Summary, State: "ok", Message: a.Telling.Say("The device is healthy again.")})
}

func (i Integration) send(ctx context.Context, p payload) error {
	return page.Call{Client: i.Client, Method: http.MethodPost, URL: i.URL, Secrets: handlers.Tokens("", i.URL, nil)}.Do(ctx, p, nil)
}
