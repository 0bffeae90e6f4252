// Package zendesk keeps tickets of Zendesk Support, by the Ticketing API v2. What
// it says of it is from developer.zendesk.com ("Tickets", "Ticket Audits",
// "Ticketing introduction: idempotency", "Rate limits") and support.zendesk.com
// ("About system ticket rules"), as of 2026-10.
//
// The key is the field external_id, by which tickets are listed; the search index
// is late by minutes and not asked. Nothing keeps two tickets from having one
// external_id (docs: list tickets), and nobody promises that the list shows a new
// one at once. So a ticket is made under an idempotency key, too: for two hours
// Zendesk answers a repetition with the ticket that it made first, and refuses one
// that says something else (docs: idempotency).
//
// What is guaranteed beyond that:
//
//   - Every comment is an internal note: public is the default (docs: ticket
//     comments).
//   - Tickets are solved, never closed: what is closed stays so. One that was
//     closed, or merged into another, which closes it, is gone on from by a
//     follow-up ticket (docs: create a follow-up ticket).
//   - Texts are HTML without tags: the form for plain text takes Markdown. What
//     agents write is searched for placeholders, subjects too, so their braces are
//     parted (docs: tickets, placeholders).
//
// What the account needs: the role of an agent in the groups that its tickets go
// to, or it cannot solve them; and OAuth scopes read and write, because
// tickets:read does not show audits (docs: ticket audits, required scope). API
// tokens can no longer be made and end on 2027-04-30 (docs: OAuth migration).
//
// What may not be assumed: that a ticket can be solved, since fields may be
// required then ([ticket.ErrCannot]); that one of long ago is found, because those
// archived are not listed. One ticket takes 30 updates by the account in ten
// minutes (docs: rate limits).
package zendesk

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is an account of Zendesk. It must not be copied once used.
type Desk struct {
	URL string // https://example.zendesk.com

	ClientID, ClientSecret string // of a confidential OAuth client, for client credentials
	Email, Token           string // else whose API token it is, and the token

	Client *http.Client

	Customers  ticket.Customers[Place]
	Fields     ticket.Fields     // put on every ticket; a name that is a number is that of a custom field
	Priorities map[string]string // urgent, high, normal or low, by severity; nil: in that order, from compromised on
	Tags       []string          // put on every ticket besides "curfew"

	// Behind is how late the list of tickets is taken to be. Zero: a minute.
	Behind time.Duration

	grant ticket.Grant
	me    ticket.Known[int64] // the account's id
}

// A Place is where the tickets of a customer go, each by its id.
type Place struct {
	Group        int64         `json:"group"`
	Organization int64         `json:"organization,omitempty"` // the requester must belong to it; zero: the requester's own
	Requester    int64         `json:"requester,omitempty"`    // who reports it; zero: Curfew's account
	Brand        int64         `json:"brand,omitempty"`        // zero: the account's default
	Fields       ticket.Fields `json:"fields,omitempty"`
}

// maxText bounds a text, in characters. Comments are said to take 65,535 bytes
// (support.zendesk.com, 2025; no page of the API says so), and escaping makes up
// to six of one.
const maxText = 10_000

var tagText = regexp.MustCompile(`^[^\s,"]{1,80}$`)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api("").Check(), d.Fields.Check(), d.Customers.Check("group", Place.check)}
	oauth, basic := d.ClientID != "" && d.ClientSecret != "", d.Email != "" && d.Token != ""
	if oauth == basic {
		errs = append(errs, errors.New("it needs either an OAuth client id and secret, or an email and API token"))
	}
	for _, t := range d.Tags {
		if !tagText.MatchString(t) {
			errs = append(errs, fmt.Errorf("the tag %q must be without spaces, commas and quotes", t))
		}
	}
	for severity, p := range d.Priorities {
		if p != "" && p != "urgent" && p != "high" && p != "normal" && p != "low" {
			errs = append(errs, fmt.Errorf("the priority %q of %s is none of urgent, high, normal and low", p, severity))
		}
	}
	return errors.Join(errs...)
}

func (p Place) check() error {
	err := p.Fields.Check()
	if p.Group <= 0 || p.Organization < 0 || p.Requester < 0 || p.Brand < 0 {
		err = errors.Join(err, errors.New("the group must be given by its id, a number, and so must organization, requester and brand if there are any"))
	}
	return err
}

// Lag is how late the list of tickets may be.
func (d *Desk) Lag() time.Duration {
	if d.Behind > 0 {
		return d.Behind
	}
	return time.Minute
}

// api speaks with the account. The token is one of OAuth, if that is used.
func (d *Desk) api(token string) ticket.API {
	basic := base64.StdEncoding.EncodeToString([]byte(d.Email + "/token:" + d.Token))
	authorization := "Bearer " + token
	a := ticket.API{Base: d.URL, Client: d.Client, Secrets: []string{d.ClientSecret, token}}
	if d.Token != "" {
		authorization = "Basic " + basic
		a.Secrets = append(a.Secrets, d.Token, basic)
	}
	a.Authorize = func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", authorization)
		return nil
	}
	return a
}

// call makes a request below the API's address.
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	c.Path = "/api/v2" + c.Path
	do := func(token string) error {
		_, err := d.api(token).Do(ctx, c)
		return err
	}
	if d.Token != "" {
		return do("")
	}
	return d.grant.Do(ctx, d.ask, do)
}

// ask gets an access token (docs: OAuth tokens for grant types, client
// credentials).
func (d *Desk) ask(ctx context.Context) (token string, life time.Duration, err error) {
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	a := d.api("")
	a.Authorize = nil
	form := map[string]string{"grant_type": "client_credentials", "client_id": d.ClientID, "client_secret": d.ClientSecret, "scope": "read write"}
	if _, err := a.Do(ctx, ticket.Call{Method: http.MethodPost, Path: "/oauth/tokens", Body: form, Into: &answer, Asks: true}); err != nil {
		return "", 0, fmt.Errorf("ask for an access token: %w", err)
	}
	if answer.Token == "" {
		return "", 0, errors.New("zendesk answered without an access token")
	}
	if answer.Seconds <= 0 {
		answer.Seconds = 3600 // its client was made before tokens had an end; a shorter life than it has does no harm
	}
	return answer.Token, time.Duration(answer.Seconds) * time.Second, nil
}

// account is the id of our own account. Who is nobody is shown one without an id,
// and no error.
func (d *Desk) account(ctx context.Context) (int64, error) {
	return d.me.Get(func() (int64, error) {
		var answer struct {
			User user `json:"user"`
		}
		if err := d.call(ctx, ticket.Call{Path: "/users/me", Into: &answer}); err != nil {
			return 0, fmt.Errorf("ask who we are: %w", err)
		}
		if answer.User.ID == 0 {
			return 0, handlers.GiveUp(errors.New("zendesk does not know the account: check the credentials"))
		}
		return answer.User.ID, nil
	})
}

func priorities() map[string]string {
	return map[string]string{"compromised": "urgent", "high": "high", "medium": "normal", "low": "low", "informational": "low", "clear": "low"}
}
