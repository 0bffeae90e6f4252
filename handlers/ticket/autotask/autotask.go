// Package autotask keeps tickets of Autotask PSA, by its REST API 1.0. What it says
// of it is from Autotask's developer help (autotask.net/help/DeveloperHelp: "Tickets
// entity", "TicketNotes entity", "TicketHistory entity", "API thread limiting",
// "REST API supportability, query thresholds, and latency", as of 2026) and, where
// that is silent, from clients that are in use: go-autotask v1.4.4 (2026-03) and
// n8n-nodes-autotask v2.24 (2026-07).
//
// The key is the field externalID, which queries can ask for. They ask the database,
// so that a search shows at once what was made; nothing keeps two tickets from
// having one externalID.
//
// What is guaranteed beyond that:
//
//   - Every ticket names its company. The company 0 is the provider itself, and is
//     taken only if the place says so.
//   - Notes are internal, and texts are plain: the API takes no rich text.
//   - The zone that the account lives in is asked for, kept for a day, and believed
//     only if it is of the same domain, because it is sent the secret.
//   - No more than three requests are made at once, which is what an integration may
//     do at one kind of object (docs: API thread limiting).
//   - Refusals are read from the text: what is wrong with a request is answered with
//     500, or even 200, and a list of errors.
//
// What is needed: an API user (security level "API User (system)") of its own, its
// secret, and the tracking identifier of the integration. Its changes count as
// Curfew's.
//
// What may not be assumed: that a ticket can be completed, since its category may
// ask for more ([ticket.ErrCannot]). All integrations together may make 10,000
// requests an hour; then all are refused until the hour is less full.
package autotask

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is an Autotask PSA. It must not be copied once used.
type Desk struct {
	URL string // where the zone is asked for; empty: https://webservices2.autotask.net

	User, Secret string // of the API user
	Integration  string // its tracking identifier (ApiIntegrationCode)
	Resource     int64  // the API user's resource id; zero: that of who made the ticket, which is it

	Client *http.Client

	Customers  ticket.Customers[Place]
	Fields     ticket.Fields  // put on every ticket; the customer's own are in userDefinedFields, a list of {name, value}
	Priorities map[string]int // ids by severity, all of which must be there; nil: 1 (high) to 3 (low), as shipped

	// Statuses, by their ids. Zero: 1 (new) for new and reopened tickets, 5
	// (complete) to resolve with, as shipped.
	New, Reopened, Complete int
	Ended                   []int // those in which a ticket is over, besides Complete

	// NoteType and Publish are ids of what notes are and who sees them. Zero: 1, and
	// 2, which is internal, as shipped.
	NoteType, Publish int

	// Automation are the resources whose changes are no person's. Nil: 4, the
	// administrator that workflow rules act as.
	Automation []int64

	mu      sync.Mutex
	zone    zone
	threads chan struct{}
}

// A Place is where the tickets of a customer go, each by its id. It names a queue,
// or a resource and the role that it has.
type Place struct {
	Company  int64         `json:"company"`
	Own      bool          `json:"own,omitempty"` // the company is the provider itself, whose id is 0
	Queue    int64         `json:"queue,omitempty"`
	Resource int64         `json:"resource,omitempty"`
	Role     int64         `json:"role,omitempty"`
	Category int64         `json:"category,omitempty"` // zero: the API user's default
	Fields   ticket.Fields `json:"fields,omitempty"`
}

// What Autotask takes at most, in characters (docs: Tickets and TicketNotes
// entities of the SOAP API, which has the same fields).
const (
	maxTitle = 255
	maxText  = 8000
	maxNote  = 32_000
)

// maxThreads is how many requests may be under way (docs: API thread limiting).
const maxThreads = 3

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{(ticket.API{Base: d.url(), Client: d.Client}).Check(), d.Fields.Check()}
	if d.User == "" || d.Secret == "" || d.Integration == "" {
		errs = append(errs, errors.New("it needs the user name and secret of an API user, and the tracking identifier of the integration"))
	}
	for tenant, p := range d.Customers.Routes {
		errs = append(errs, p.check(tenant))
	}
	if d.Customers.Triage != nil {
		errs = append(errs, d.Customers.Triage.check("triage"))
	} else if len(d.Customers.Routes) == 0 {
		errs = append(errs, errors.New("it has no company for any tenant, and none for triage"))
	}
	return errors.Join(errs...)
}

func (p Place) check(tenant string) error {
	err := p.Fields.Check()
	if p.Company < 0 || p.Own != (p.Company == 0) {
		err = errors.Join(err, errors.New("the company must be given by its id, a number; for the provider itself it is 0, and own must be true"))
	}
	if (p.Resource == 0) != (p.Role == 0) || p.Queue == 0 && p.Resource == 0 || min(p.Queue, p.Resource, p.Role, p.Category) < 0 {
		err = errors.Join(err, errors.New("it needs a queue, or a resource and its role, by their ids")) // docs: Tickets entity
	}
	if err != nil {
		return fmt.Errorf("customer %s: %w", tenant, err)
	}
	return nil
}

func (d *Desk) url() string { return cmp.Or(d.URL, "https://webservices2.autotask.net") }

// A zone is the data centre that an account lives in.
type zone struct {
	site  string // https://webservices5.autotask.net
	path  string // /atservicesrest/v1.0
	web   string // where people see it, with a slash at its end
	until time.Time
}

// in is the zone, and whether it was asked for just now. Asking needs no secret,
// and is counted by no limit (n8n-nodes-autotask).
func (d *Desk) in(ctx context.Context) (z zone, fresh bool, err error) {
	d.mu.Lock()
	z = d.zone
	d.mu.Unlock()
	if time.Now().Before(z.until) {
		return z, false, nil
	}
	var answer struct {
		URL string `json:"url"`
		Web string `json:"webUrl"`
	}
	a := ticket.API{Base: d.url(), Client: d.Client, Secrets: []string{d.Secret, d.Integration}}
	if _, err := a.Do(ctx, ticket.Call{Path: "/atservicesrest/v1.0/zoneInformation", Query: url.Values{"user": {d.User}}, Into: &answer}); err != nil {
		return z, false, fmt.Errorf("ask for the zone of the API user: %w", limited(err))
	}
	u, err := url.Parse(answer.URL)
	if err != nil || u.Scheme != "https" || u.User != nil || !related(u.Hostname(), d.url()) {
		return z, false, handlers.GiveUp(fmt.Errorf("autotask says that the zone of the API user is at %q, which is not of its own domain: the secret is not sent there", handlers.Line(answer.URL, 100)))
	}
	z = zone{site: "https://" + u.Host, path: strings.TrimSuffix(u.Path, "/") + "/v1.0", until: time.Now().Add(24 * time.Hour)}
	if web := handlers.SafeLink(answer.Web); web != "" {
		z.web = strings.TrimSuffix(web, "/") + "/"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.zone = z
	return z, true, nil
}

// related reports whether a host is that of an address, or differs from it in no
// more than the first part of its name.
func related(host, address string) bool {
	u, err := url.Parse(address)
	if err != nil || host == "" {
		return false
	}
	_, site, _ := strings.Cut(host, ".")
	_, ours, _ := strings.Cut(u.Hostname(), ".")
	return strings.EqualFold(host, u.Hostname()) || strings.Contains(ours, ".") && strings.EqualFold(site, ours)
}

// call makes a request below the zone's address, or at an address in the zone that
// an answer named. If the secret is not known there, the account may have moved.
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	z, fresh, err := d.in(ctx)
	if err != nil {
		return err
	}
	err = d.at(ctx, z, c)
	if fresh || handlers.Read(err).Status != http.StatusUnauthorized {
		return err
	}
	d.mu.Lock()
	d.zone.until = time.Time{}
	d.mu.Unlock()
	moved, _, again := d.in(ctx)
	if again != nil || moved.site == z.site {
		return err
	}
	return d.at(ctx, moved, c)
}

func (d *Desk) at(ctx context.Context, z zone, c ticket.Call) error {
	leave, err := d.thread(ctx)
	if err != nil {
		return err
	}
	defer leave()
	a := ticket.API{
		Base: z.site, Client: d.Client, Secrets: []string{d.Secret, d.Integration},
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("UserName", d.User)
			r.Header.Set("Secret", d.Secret)
			r.Header.Set("ApiIntegrationCode", d.Integration)
			return nil
		},
	}
	if next, err := url.Parse(c.Path); err == nil && next.IsAbs() {
		if !strings.EqualFold(next.Host, strings.TrimPrefix(z.site, "https://")) {
			return handlers.GiveUp(fmt.Errorf("autotask says that a list goes on at %s, which is not in the zone", handlers.Line(next.Host, 100)))
		}
		c.Path = next.RequestURI()
	} else {
		c.Path = z.path + c.Path
	}
	var answer json.RawMessage
	into := c.Into
	c.Into = &answer
	if _, err := a.Do(ctx, c); err != nil {
		return limited(verdict(err))
	}
	return read(answer, into)
}

// thread waits for one of the requests that may be under way at once.
func (d *Desk) thread(ctx context.Context) (leave func(), err error) {
	d.mu.Lock()
	if d.threads == nil {
		d.threads = make(chan struct{}, maxThreads)
	}
	threads := d.threads
	d.mu.Unlock()
	select {
	case threads <- struct{}{}:
		return func() { <-threads }, nil
	case <-ctx.Done():
		return nil, handlers.Sure(fmt.Errorf("all requests that may be made at once are under way: %w", ctx.Err()))
	}
}
