// Package halopsa keeps tickets of HaloPSA and HaloITSM, by their REST API.
// Halo documents it only inside the product (https://{host}/apidoc); what is said
// of it here is from clients that are in use: HaloAPI for PowerShell (2026-02),
// CIPP's extension for Halo (2026-08), and D3's guide to HaloPSA (2025-09).
//
// Halo has no field for somebody else's id that can be searched. So the key stands
// at the end of the summary, in brackets, and search_summary finds it; to
// customers, who may see it there, it says nothing. That a search shows at once
// what was made nobody promises, and changes were seen to come late; see
// [Desk.Lag].
//
// What is guaranteed beyond that:
//
//   - Every ticket names its client: Halo puts one that names none under a client
//     of its own choice. If it answers with another client, that is a warning.
//   - Notes are hidden from users, and texts are HTML without tags.
//   - A row is believed to be the case's only if the key is in its summary.
//
// What is needed: an API application with client credentials, the permission all
// or read:tickets and edit:tickets, that acts as an agent of its own: what that
// agent does counts as Curfew's. That agent must be allowed the outcome of notes
// ([Desk.Outcome]) for the ticket types in use.
//
// What may not be assumed: that a ticket can be closed, since its type may ask for
// more ([ticket.ErrCannot]); that the key stays, since agents can edit a summary.
// Five minutes take 500 requests (D3's guide); Halo does not say how long to wait.
package halopsa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is an instance of Halo. It must not be copied once used.
type Desk struct {
	URL    string // https://example.halopsa.com, the resource server without /api
	Auth   string // the authorisation server; empty: /auth below URL
	Tenant string // its tenant, where several are hosted together; empty: none is named

	ClientID, ClientSecret string // of the API application

	Client *http.Client

	Customers  ticket.Customers[Place]
	Fields     ticket.Fields  // put on every ticket; custom ones are in customfields, a list of {name, value}
	Priorities map[string]int // ids by severity; nil: 1 (critical) to 4 (low), as shipped; empty: none is set

	// Outcome is the id of the outcome that notes have. An action must have one.
	// Zero: 7, the private note that is shipped.
	Outcome int

	// Statuses, by their ids. Zero: 9 (closed) to resolve with, 2 (in progress) to
	// reopen with, as shipped.
	Resolved, Reopened int
	// Ended are the statuses in which a ticket is over, besides Resolved. Nil: 8
	// and 9, those of a closure that is pending or done.
	Ended []int

	// Automation are the applications whose actions are no person's, by what Halo
	// calls them (actionby_application_id).
	Automation []string

	// Behind is how late the search is taken to be. Zero: two minutes.
	Behind time.Duration

	grant ticket.Grant
	mu    sync.Mutex
	me    int // the agent's id
}

// A Place is where the tickets of a customer go, each by its id.
type Place struct {
	Client int           `json:"client"`
	Site   int           `json:"site,omitempty"` // zero: the client's own
	User   int           `json:"user,omitempty"` // who reports it, of that site; zero: the client's general user
	Type   int           `json:"type"`           // the ticket type
	Team   string        `json:"team,omitempty"` // its name; empty: as the ticket type says
	Fields ticket.Fields `json:"fields,omitempty"`
}

const (
	maxSummary = 200    // without the key; no page says how much Halo takes
	maxText    = 16_000 // likewise
)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api("").Check(), d.Fields.Check()}
	if d.Auth != "" {
		if err := (ticket.API{Base: d.Auth, Client: d.Client}).Check(); err != nil {
			errs = append(errs, fmt.Errorf("the authorisation server: %w", err))
		}
	}
	if d.ClientID == "" || d.ClientSecret == "" {
		errs = append(errs, errors.New("it needs the client id and secret of an API application"))
	}
	for tenant, p := range d.Customers.Routes {
		errs = append(errs, p.check(tenant))
	}
	if d.Customers.Triage != nil {
		errs = append(errs, d.Customers.Triage.check("triage"))
	} else if len(d.Customers.Routes) == 0 {
		errs = append(errs, errors.New("it has no client for any tenant, and none for triage"))
	}
	return errors.Join(errs...)
}

func (p Place) check(tenant string) error {
	err := p.Fields.Check()
	if p.Client <= 0 || p.Type <= 0 || p.Site < 0 || p.User < 0 {
		err = errors.Join(err, errors.New("the client and the ticket type must be given by their ids, numbers, and so must site and user if there are any"))
	}
	if p.User > 0 && p.Site == 0 {
		err = errors.Join(err, errors.New("a user needs the site too: without it Halo takes another client's")) // CIPP: a user is sent with its site
	}
	if err != nil {
		return fmt.Errorf("customer %s: %w", tenant, err)
	}
	return nil
}

// Lag is how late the search may be.
func (d *Desk) Lag() time.Duration { return cmp.Or(d.Behind, 2*time.Minute) }

// api speaks with the resource server.
func (d *Desk) api(token string) ticket.API {
	return ticket.API{
		Base: d.URL, Client: d.Client, Secrets: []string{d.ClientSecret, token},
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		},
	}
}

// call makes a request below the API's address.
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	c.Path = "/api" + c.Path
	err := d.grant.Do(ctx, d.ask, func(token string) error {
		_, err := d.api(token).Do(ctx, c)
		return err
	})
	// A limit is answered without Retry-After; it looks at five minutes.
	if v := handlers.Read(err); v.Status == http.StatusTooManyRequests && v.After == 0 {
		return handlers.After(err, time.Minute)
	}
	return err
}

// ask is for an access token. The tenant is named in the address, not in the form
// (HaloAPI: Connect-HaloAPI).
func (d *Desk) ask(ctx context.Context) (string, time.Duration, error) {
	q := url.Values{}
	if d.Tenant != "" {
		q.Set("tenant", d.Tenant)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret}, "scope": {"all"}}
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	a := ticket.API{Base: cmp.Or(d.Auth, d.URL+"/auth"), Client: d.Client, Secrets: []string{d.ClientSecret}}
	if _, err := a.Do(ctx, ticket.Call{Method: http.MethodPost, Path: "/token", Query: q, Body: form, Into: &answer, Asks: true}); err != nil {
		return "", 0, fmt.Errorf("ask for an access token: %w", err)
	}
	if answer.Token == "" {
		return "", 0, errors.New("halo answered without an access token")
	}
	return answer.Token, time.Duration(answer.Seconds) * time.Second, nil
}

// agent is the id of the agent that the application acts as (HaloAPI: Get-HaloAgent
// with Me).
func (d *Desk) agent(ctx context.Context) (int, error) {
	d.mu.Lock()
	known := d.me
	d.mu.Unlock()
	if known != 0 {
		return known, nil
	}
	var me struct {
		ID int `json:"id"`
	}
	if err := d.call(ctx, ticket.Call{Path: "/Agent/me", Into: &me}); err != nil {
		return 0, fmt.Errorf("ask which agent we are: %w", err)
	}
	if me.ID <= unassigned {
		return 0, handlers.GiveUp(errors.New("halo does not say which agent we are: the API application must log in as an agent of its own"))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.me = me.ID
	return d.me, nil
}

func (d *Desk) ended(status int) bool {
	ended := d.Ended
	if ended == nil {
		ended = []int{8, closed}
	}
	return status == cmp.Or(d.Resolved, closed) || slices.Contains(ended, status)
}

// What is shipped with every instance.
const (
	closed     = 9 // status
	inProgress = 2 // status
	private    = 7 // outcome of a note
	unassigned = 1 // the agent who stands for nobody
)

// summary is a title with the key at its end.
func summary(title, key string) string {
	return ticket.Literal(handlers.Line(title, maxSummary)) + " [" + key + "]"
}

// keyed reports whether a summary has the key.
func keyed(summary, key string) bool { return strings.Contains(summary, "["+key+"]") }
