// Package opsgenie pages by the Alert API of Opsgenie, and of the operations in
// Jira Service Management, which took it over word for word.
//
// The alias is the case's id, so all pages of a case are one alert while it is
// open. A page that comes again updates the alert's text; that alone wakes nobody
// again, the team's own escalation does.
//
// What may not be assumed (Opsgenie docs: Alert API; Atlassian docs: integration
// events API): 202 says that the request will be processed, so each is asked for
// afterwards until it was. Opsgenie itself is switched off on 2027-04-05, and for
// a customer who has moved to Jira Service Management up to 120 days after that.
package opsgenie

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"curfew/handlers"
	"curfew/handlers/page"
)

// Where alerts are taken (Opsgenie docs: API overview, domain for EU; Atlassian
// docs: integration events REST API). The key of one region is refused by the
// other.
const (
	US  = "https://api.opsgenie.com"
	EU  = "https://api.eu.opsgenie.com"
	JSM = "https://api.atlassian.com/jsm/ops/integration"
)

// Limits in characters (Opsgenie docs: alerts and alert fields).
const (
	maxMessage     = 130
	maxDescription = 15_000
	maxAlias       = 512
)

// An Integration is an API integration of a team.
type Integration struct {
	Key    string       // its API key ("GenieKey"), a secret
	Base   string       // [US], [EU], [JSM] or the address of something that speaks like them; empty: US
	Client *http.Client // this integration's own, from [handlers.NewClient]
}

// Check reports every reason why the integration cannot be used.
func (i Integration) Check() error {
	var errs []error
	if i.Key == "" {
		errs = append(errs, errors.New("its API key is empty"))
	}
	if i.Base != "" && handlers.SafeLink(i.Base) == "" {
		errs = append(errs, errors.New("its address must be https"))
	}
	if i.Client == nil {
		errs = append(errs, errors.New("it has no client"))
	}
	return errors.Join(errs...)
}

// Alias is what a case is called here: aliases stand in paths, where a slash
// would divide them.
func Alias(key string) string { return strings.ReplaceAll(key, "/", ".") }

// Key is the case of an alias.
func Key(alias string) string { return strings.ReplaceAll(alias, ".", "/") }

// Trigger opens the alert of the key, or brings the text of the open one up to
// date.
func (i Integration) Trigger(ctx context.Context, a page.Alert) (string, error) {
	alias := Alias(a.Key)
	if len(alias) > maxAlias {
		return "", handlers.GiveUp(fmt.Errorf("%q is too long for an alias", handlers.Line(alias, 600)))
	}
	message, description := bounded(a.Summary, maxMessage), text(a)
	err := i.do(ctx, http.MethodPost, "", nil, map[string]any{
		"message": message, "alias": alias, "description": description, "priority": priority(a.Severity),
		"source": "Curfew", "user": "Curfew", "entity": cmp.Or(a.Name, a.Device), "tags": []string{"curfew"},
		"details": map[string]string{"case": a.Key, "tenant": a.Tenant, "device": a.Device, "user": a.User, "policy": a.Policy, "template": a.Template},
	}, "")
	if err != nil || a.Ref == "" {
		return a.Key, err
	}
	// A create that is folded into an open alert changes nothing of it (Opsgenie
	// docs: alert de-duplication).
	if err := i.do(ctx, http.MethodPut, alias+"/message", byAlias(), map[string]string{"message": message}, ""); err != nil {
		return "", err
	}
	return a.Key, i.do(ctx, http.MethodPut, alias+"/description", byAlias(), map[string]string{"description": description}, "")
}

// Resolve closes the alert.
func (i Integration) Resolve(ctx context.Context, a page.Alert) error {
	return i.do(ctx, http.MethodPost, Alias(a.Which())+"/close", byAlias(), map[string]string{
		"user": "Curfew", "source": "Curfew", "note": a.Telling.Say("The device is healthy again."),
	}, gone)
}

// gone is what the record says of a request about an alert that is not there
// (Opsgenie docs: get request status). There is nothing left to close then.
const gone = "does not exist"

func byAlias() url.Values { return url.Values{"identifierType": {"alias"}} }

// do makes a request and waits until it was processed. What the record says is an
// error unless it holds the words in fine.
func (i Integration) do(ctx context.Context, method, path string, query url.Values, body any, fine string) error {
	var taken struct {
		RequestID string `json:"requestId"`
	}
	if err := i.call(method, path, query).Do(ctx, body, &taken); err != nil {
		return i.patient(err)
	}
	if taken.RequestID == "" {
		return handlers.GiveUp(fmt.Errorf("%s took a request and named no id, so it is not the Alert API: check the address", i.host()))
	}
	return i.processed(ctx, taken.RequestID, fine)
}

// How often the record is asked at most, and how soon again.
const (
	asks  = 10
	pause = time.Second
)

// processed waits until a request was processed. All that goes before may be
// repeated: the alias is the same.
func (i Integration) processed(ctx context.Context, id, fine string) error {
	for range asks {
		var record struct {
			Data struct {
				Success bool   `json:"isSuccess"`
				Status  string `json:"status"`
			} `json:"data"`
		}
		err := i.call(http.MethodGet, "requests/"+url.PathEscape(id), nil).Do(ctx, nil, &record)
		switch v := handlers.Read(err); {
		case err == nil && (record.Data.Success || fine != "" && strings.Contains(record.Data.Status, fine)):
			return nil
		case err == nil && record.Data.Status != "":
			return handlers.GiveUp(fmt.Errorf("it was not done: %q", handlers.Line(handlers.Redact(errors.New(record.Data.Status), i.Key).Error(), 200)))
		case err != nil && v.Status != http.StatusNotFound: // not there yet is 404
			return handlers.Unsure(i.patient(fmt.Errorf("ask whether it was done: %w", err)))
		}
		select {
		case <-ctx.Done():
			return handlers.Unsure(ctx.Err())
		case <-time.After(pause):
		}
	}
	return handlers.After(handlers.Unsure(errors.New("it was taken and is not processed yet; it is sent again")), 10*time.Second)
}

func (i Integration) call(method, path string, query url.Values) page.Call {
	address := strings.TrimRight(cmp.Or(i.Base, US), "/") + "/v2/alerts"
	if path != "" {
		address += "/" + path
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return page.Call{
		Client: i.Client, Method: method, URL: address, Secrets: []string{i.Key},
		Header: map[string]string{"Authorization": "GenieKey " + i.Key},
	}
}

// patient says what is known to be wrong when a key is refused.
func (i Integration) patient(err error) error {
	switch handlers.Read(err).Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w (the key may be of the other region, or of Jira Service Management)", err)
	}
	return err
}

func (i Integration) host() string {
	u, err := url.Parse(cmp.Or(i.Base, US))
	if err != nil {
		return "the configured address"
	}
	return u.Host
}

// priority is one of P1 to P5 (Opsgenie docs: alert priority).
func priority(s page.Severity) string {
	switch s {
	case page.Critical:
		return "P1"
	case page.Error:
		return "P2"
	}
	return "P3"
}

// bounded cuts a line; some places show messages as HTML.
func bounded(s string, n int) string {
	return handlers.Line(page.Plain(s), n)
}

// text is the description.
func text(a page.Alert) string {
	runes := []rune(page.Plain(a.Text()))
	return string(runes[:min(len(runes), maxDescription)])
}
