// Package freshservice keeps tickets of Freshservice and of Freshservice for MSPs,
// by the API v2. What it says of it is from api.freshservice.com as of 2026-10.
//
// The key is a tag: tickets have no external id, and of custom fields the filter
// knows numbers, choices, dates and check boxes, but no texts (docs: filter
// tickets). The filter knows of changes only after some minutes (docs: filter
// assets and requesters say so; taken to hold for tickets), so a ticket that is
// known is read by its id. It does not show tags, so what it found is not believed
// before the ticket itself has shown the key.
//
// What is guaranteed beyond that:
//
//   - Every remark is a private note; a reply would be mailed to the requester
//     (docs: create a note, create a reply).
//   - Tickets are resolved (4), never closed (5).
//   - With a workspace in any place, all workspaces are searched: without saying so
//     one sees those of the primary one only (docs: list all tickets).
//
// What the account needs: an agent's API key, and the right to see and change
// tickets in all workspaces that are configured; 403 says that it lacks one. Only
// the freshservice.com address works, not a portal's own (docs: introduction).
//
// What may not be assumed: that a ticket can be resolved, since fields may be
// required then: set them by Resolution, else it stays open and is told
// ([ticket.ErrCannot]). Limits are those of the whole account and start at 100 a
// minute; looking at a ticket takes four of them (docs: rate limit, include).
package freshservice

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is an account of Freshservice. It must not be copied once used.
type Desk struct {
	URL    string // https://example.freshservice.com
	Key    string // the API key of an agent
	Client *http.Client

	Customers  ticket.Customers[Place]
	Fields     ticket.Fields  // put on every ticket; those of one's own are in "custom_fields"
	Resolution ticket.Fields  // put on a ticket that is resolved
	Priorities map[string]int // 1 (low) to 4 (urgent), by severity; nil: 4 for compromised, 3, 2 and 1 for less
	Tags       []string       // put on every ticket besides "curfew" and the key
	Ended      []int          // states of one's own, 6 and up, that end a ticket

	// Behind is how late the filter is taken to be. Zero: five minutes.
	Behind time.Duration

	me ticket.Known[int64] // the agent's id
}

// A Place is where the tickets of a customer go, each by its id.
type Place struct {
	Workspace  int64         `json:"workspace,omitempty"`  // of Freshservice for MSPs: the client; zero: the primary one
	Group      int64         `json:"group"`                // of agents
	Department int64         `json:"department,omitempty"` // zero: none
	Requester  int64         `json:"requester,omitempty"`  // who reports it; zero: Curfew's agent
	Fields     ticket.Fields `json:"fields,omitempty"`
}

// maxText bounds a text, in characters; the vendor names no limit.
const maxText = 10_000

var tagText = regexp.MustCompile(`^[^\s,"']{1,32}$`)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api().Check(), d.Fields.Check(), d.Resolution.Check(), d.Customers.Check("group", Place.check)}
	if len(d.Key) < 8 {
		errs = append(errs, errors.New("its key, an agent's API key, is missing"))
	}
	for _, t := range d.Tags {
		if !tagText.MatchString(t) {
			errs = append(errs, fmt.Errorf("the tag %q must be without spaces, commas and quotes, and of 32 characters at most", t))
		}
	}
	for _, severity := range slices.Sorted(maps.Keys(d.Priorities)) {
		if p := d.Priorities[severity]; p < 1 || p > 4 {
			errs = append(errs, fmt.Errorf("the priority of %s must be 1 to 4", severity))
		}
	}
	for _, s := range d.Ended {
		if s < 6 {
			errs = append(errs, fmt.Errorf("the state %d is not one of your own, which are 6 and up", s))
		}
	}
	return errors.Join(errs...)
}

func (p Place) check() error {
	err := p.Fields.Check()
	if p.Group <= 0 || p.Workspace < 0 || p.Department < 0 || p.Requester < 0 {
		err = errors.Join(err, errors.New("the group must be given by its id, a number, and so must workspace, department and requester if there are any"))
	}
	return err
}

// Lag is how late the filter may be.
func (d *Desk) Lag() time.Duration {
	if d.Behind > 0 {
		return d.Behind
	}
	return 5 * time.Minute
}

// workspaces reports whether tickets go to more than the primary workspace.
func (d *Desk) workspaces() bool {
	for _, p := range d.Customers.Routes {
		if p.Workspace != 0 {
			return true
		}
	}
	return d.Customers.Triage != nil && d.Customers.Triage.Workspace != 0
}

func (d *Desk) api() ticket.API {
	basic := base64.StdEncoding.EncodeToString([]byte(d.Key + ":X")) // docs: authentication; what is behind the colon does not matter
	return ticket.API{
		Base: d.URL, Client: d.Client, Secrets: []string{basic, d.Key},
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Basic "+basic)
			return nil
		},
	}
}

// call makes a request below the API's address.
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	c.Path = "/api/v2" + c.Path
	_, err := d.api().Do(ctx, c)
	return err
}

// account is the id of the agent whose key we have. The API's page does not list
// the call, but it is the usual one to try a key with (public clients, 2024-2026).
func (d *Desk) account(ctx context.Context) (int64, error) {
	return d.me.Get(func() (int64, error) {
		var answer struct {
			Agent struct {
				ID int64 `json:"id"`
			} `json:"agent"`
		}
		if err := d.call(ctx, ticket.Call{Path: "/agents/me", Into: &answer}); err != nil {
			return 0, fmt.Errorf("ask who we are: %w", err)
		}
		if answer.Agent.ID == 0 {
			return 0, handlers.GiveUp(errors.New("freshservice does not say which agent the key is of"))
		}
		return answer.Agent.ID, nil
	})
}

// priority is that of a severity.
func (d *Desk) priority(severity string) int {
	of := d.Priorities
	if of == nil {
		of = map[string]int{"compromised": 4, "high": 3, "medium": 2}
	}
	return max(of[severity], 1)
}
