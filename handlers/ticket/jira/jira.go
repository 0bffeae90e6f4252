// Package jira keeps tickets as issues of Jira Cloud (REST API v3) and of Jira
// Data Center (REST API v2, 8.14 or later). What it says of them is from
// Atlassian's "The Jira Cloud platform REST API" and "Jira Data Center REST API"
// as of 2026-10.
//
// The key is a label: issue properties cannot be searched unless an app declares
// them (Jira Cloud docs: entity properties), and fields of one's own need an
// administrator. The search of Cloud is behind by seconds to minutes (Jira Cloud
// docs: search and reconcile), so an issue that is known is read by its id.
//
// States are told by the category of a status, which is the same for all
// customers; the names and ids of statuses and transitions are theirs. An issue
// whose status is of the category done counts as resolved; whether it can be
// reopened, its workflow says. Comments are for agents only: in projects of Jira
// Service Management they are marked internal.
//
// What may not be assumed: that a transition exists ([ticket.ErrCannot]), or that
// a label stays; people can edit it. Every token of Cloud ends, after a year at
// the latest; a dead one answers 401.
package jira

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// What Jira takes at most, in characters (Jira Cloud docs: issue fields).
const (
	maxSummary = 255
	maxText    = 32_000 // the limit is 32,767; the rest is for what keeps text from being markup
)

// A Desk is a site of Jira. It must not be copied once used.
type Desk struct {
	// URL is the site, such as https://example.atlassian.net or, for Data Center,
	// https://jira.example.com/jira. A scoped token of Cloud, and that of a service
	// account, works only on https://api.atlassian.com/ex/jira/{cloudId}.
	URL    string
	Browse string // where people see the site, if not at URL
	Email  string // of Cloud: whose token it is; empty: this is Data Center
	Token  string // an API token, or a personal access token of Data Center
	Client *http.Client

	Customers  ticket.Customers[Route]
	Labels     []string          // put on every issue besides "curfew" and the key
	Fields     ticket.Fields     // put on every issue
	Priorities map[string]string // names by severity; nil: those Jira ships; empty: none is set

	// The names of the transitions to take; empty: the first that leads to a
	// status of the right category.
	ResolveBy, ReopenBy string
	// Resolution is set where the transition asks for one. Empty: "Done" if there
	// is such a one, else the first.
	Resolution string

	// Behind is how late the search is taken to be. Zero: two minutes for Cloud,
	// ten seconds for Data Center, whose nodes index what others wrote (Jira Data
	// Center docs: index replication). Negative: it is not, which is so only in a
	// Data Center of one node.
	Behind time.Duration

	mu sync.Mutex
	me string // the account's id
}

// A Route is where the issues of a customer go.
type Route struct {
	Project string        `json:"project"`        // its key, such as SEC
	Type    string        `json:"type,omitempty"` // the name of the issue type; empty: Task
	Fields  ticket.Fields `json:"fields,omitempty"`
}

var (
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,254}$`)
	labelText  = regexp.MustCompile(`^[^\s]{1,255}$`)
)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api().Check(), d.Fields.Check()}
	if len(d.Token) < 8 {
		errs = append(errs, errors.New("its token is missing"))
	}
	if d.Browse != "" && handlers.SafeLink(d.Browse) == "" {
		errs = append(errs, errors.New("its browse address must be https"))
	}
	if d.cloud() && d.Behind < 0 {
		errs = append(errs, errors.New("the search of Jira Cloud is late by seconds to minutes: its lag cannot be none"))
	}
	for _, l := range d.Labels {
		if !labelText.MatchString(l) {
			errs = append(errs, fmt.Errorf("the label %q must be without spaces", l))
		}
	}
	for tenant, r := range d.Customers.Routes {
		errs = append(errs, r.check(tenant))
	}
	if d.Customers.Triage != nil {
		errs = append(errs, d.Customers.Triage.check("triage"))
	} else if len(d.Customers.Routes) == 0 {
		errs = append(errs, errors.New("it has no project for any tenant, and none for triage"))
	}
	return errors.Join(errs...)
}

func (r Route) check(tenant string) error {
	err := r.Fields.Check()
	if !projectKey.MatchString(r.Project) {
		err = errors.Join(err, fmt.Errorf("the project %q is no key such as SEC", r.Project))
	}
	if err != nil {
		return fmt.Errorf("customer %s: %w", tenant, err)
	}
	return nil
}

// Lag is how late the search may be.
func (d *Desk) Lag() time.Duration {
	switch {
	case d.Behind != 0:
		return max(0, d.Behind)
	case d.cloud():
		return 2 * time.Minute
	}
	return 10 * time.Second
}

func (d *Desk) cloud() bool { return d.Email != "" }

func (d *Desk) api() ticket.API {
	basic := base64.StdEncoding.EncodeToString([]byte(d.Email + ":" + d.Token))
	authorization := "Bearer " + d.Token
	if d.cloud() {
		authorization = "Basic " + basic
	}
	return ticket.API{
		Base: d.URL, Client: d.Client, Secrets: []string{basic, d.Token},
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", authorization)
			return nil
		},
	}
}

// call makes a request below the API's address.
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	version := "2"
	if d.cloud() {
		version = "3"
	}
	c.Path = "/rest/api/" + version + c.Path
	_, err := d.api().Do(ctx, c)
	return err
}

// account is the id of our own account.
func (d *Desk) account(ctx context.Context) (string, error) {
	d.mu.Lock()
	known := d.me
	d.mu.Unlock()
	if known != "" {
		return known, nil
	}
	var me user
	if err := d.call(ctx, ticket.Call{Path: "/myself", Into: &me}); err != nil {
		return "", fmt.Errorf("ask who we are: %w", err)
	}
	if me.id() == "" {
		return "", errors.New("jira does not say who we are")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.me = me.id()
	return d.me, nil
}

// A user is an account, by its id in Cloud and its key or name in Data Center.
type user struct {
	AccountID   string `json:"accountId"`
	AccountType string `json:"accountType"` // atlassian, app or customer
	Key         string `json:"key"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

func (u user) id() string {
	switch {
	case u.AccountID != "":
		return u.AccountID
	case u.Key != "":
		return u.Key
	}
	return u.Name
}

// link is where people find an issue.
func (d *Desk) link(key string) string {
	site := d.URL
	if d.Browse != "" {
		site = strings.TrimSuffix(d.Browse, "/")
	}
	return site + "/browse/" + key
}

func priorities() map[string]string {
	return map[string]string{"compromised": "Highest", "high": "High", "medium": "Medium", "low": "Low", "informational": "Lowest", "clear": "Lowest"}
}
