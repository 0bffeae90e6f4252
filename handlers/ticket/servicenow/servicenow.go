// Package servicenow keeps tickets as incidents of ServiceNow, by the Table API
// v2. What it says of it is from ServiceNow's product documentation, release
// Australia (2026-03).
//
// The key is the field correlation_id. The Table API reads the database, so that a
// search shows at once what was made (Table API docs). Nothing keeps two incidents
// from having one key; package ticket sees to that. Texts go into the work notes,
// which customers do not see.
//
// What is guaranteed beyond that:
//
//   - Incidents are resolved (6), never closed: only the state Resolved can be
//     taken back (docs: reopen an incident), and closing wants a greater role.
//   - Values are read as they are stored. What the answer to a POST shows is not
//     believed, but for the id and the number: it may show what a person would see,
//     in the account's language and time zone.
//   - A row is believed to be the case's only if its correlation_id says so: the
//     Table API drops terms of a query that it does not know, and answers with
//     everything (docs: GlideRecord).
//
// What the account needs: the role itil or sn_incident_write, to read its own user
// name in sys_created_by, and to read sys_journal_field. A field that it may not
// write is ignored without a word, one that it may not read is left out.
//
// What may not be assumed: that a change by the desk's automation shows who was
// there before. If an incident is assigned to somebody and automation changed it
// last, that counts as the change of a person.
package servicenow

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is an instance of ServiceNow. It must not be copied once used.
type Desk struct {
	URL  string // https://example.service-now.com
	User string // the user name of the account: that of the password, or the OAuth application's user

	Password               string // basic authentication; empty: OAuth
	ClientID, ClientSecret string // OAuth client credentials

	Client *http.Client

	Customers ticket.Customers[Route]
	Fields    ticket.Fields     // put on every incident
	Weights   map[string]Weight // by severity; nil: 1/1 for compromised, 2/1, 2/2, 3/2 and 3/3 for less

	// What an incident is resolved as: choices of close_code, which differ by
	// release and customer. Empty: "Solution provided" and "Duplicate".
	CloseCode, TwinCode string

	// Automation are the user names of jobs and rules, whose changes are no
	// person's. Nil: system, guest.
	Automation []string

	mu      sync.Mutex
	token   string
	expires time.Time
}

// A Route is where the incidents of a customer go, each by its sys_id.
type Route struct {
	Group   string        `json:"group"`             // assignment group
	Company string        `json:"company,omitempty"` // empty: none
	Caller  string        `json:"caller,omitempty"`  // who reports it; empty: nobody
	Fields  ticket.Fields `json:"fields,omitempty"`
}

// A Weight is impact and urgency, 1 (high) to 3 (low). The instance makes the
// priority of them (docs: incident priority); setting it is ignored.
type Weight struct {
	Impact  int `json:"impact"`
	Urgency int `json:"urgency"`
}

// What the fields take at most, in characters (base system; more is cut off).
const (
	maxShort = 160
	maxLong  = 4000
	maxNote  = 16_000
)

var sysID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api("").Check(), d.Fields.Check()}
	if d.User == "" {
		errs = append(errs, errors.New("its user is missing: the account's user name, also for OAuth, tells its own changes from people's"))
	}
	if (d.Password == "") == (d.ClientID == "" || d.ClientSecret == "") {
		errs = append(errs, errors.New("it needs either a password or a client id and secret"))
	}
	for severity, w := range d.Weights {
		if w.Impact < 1 || w.Impact > 3 || w.Urgency < 1 || w.Urgency > 3 {
			errs = append(errs, fmt.Errorf("the weight of %s must be 1 to 3 for impact and urgency", severity))
		}
	}
	routes := maps.Clone(d.Customers.Routes)
	if d.Customers.Triage != nil {
		if routes == nil {
			routes = map[string]Route{}
		}
		routes["triage"] = *d.Customers.Triage
	}
	if len(routes) == 0 {
		errs = append(errs, errors.New("it has no assignment group for any tenant, and none for triage"))
	}
	for _, tenant := range slices.Sorted(maps.Keys(routes)) {
		if err := routes[tenant].check(); err != nil {
			errs = append(errs, fmt.Errorf("customer %s: %w", tenant, err))
		}
	}
	return errors.Join(errs...)
}

func (r Route) check() error {
	errs := []error{r.Fields.Check()}
	if !sysID.MatchString(r.Group) {
		errs = append(errs, errors.New("the assignment group must be a sys_id of 32 hex digits: a name that does not match is dropped without a word"))
	}
	for what, id := range map[string]string{"company": r.Company, "caller": r.Caller} {
		if id != "" && !sysID.MatchString(id) {
			errs = append(errs, fmt.Errorf("the %s must be a sys_id of 32 hex digits", what))
		}
	}
	return errors.Join(errs...)
}

// api speaks with the instance. The token is one of OAuth, if that is used.
func (d *Desk) api(token string) ticket.API {
	basic := base64.StdEncoding.EncodeToString([]byte(d.User + ":" + d.Password))
	authorization := "Basic " + basic
	if d.Password == "" {
		authorization = "Bearer " + token
	}
	a := ticket.API{Base: d.URL, Client: d.Client, Secrets: []string{d.ClientSecret, token}}
	if d.Password != "" {
		a.Secrets = append(a.Secrets, d.Password, basic)
	}
	a.Authorize = func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", authorization)
		return nil
	}
	return a
}

// call makes a request below the Table API's address, once more if the token had
// been withdrawn before its time: 401 says that nothing was done.
func (d *Desk) call(ctx context.Context, c ticket.Call) (http.Header, error) {
	c.Path = "/api/now/v2/table/" + c.Path // a version of its own, so that an upgrade changes nothing
	c.Header = map[string]string{"Content-Type": "application/json"}
	token, fresh, err := d.bearer(ctx)
	if err != nil {
		return nil, err
	}
	head, err := d.api(token).Do(ctx, c)
	if token == "" || fresh || handlers.Read(err).Status != http.StatusUnauthorized {
		return head, err
	}
	d.keep("", 0)
	if token, _, err = d.bearer(ctx); err != nil {
		return nil, err
	}
	return d.api(token).Do(ctx, c)
}

// bearer is the access token, and whether it was made just now.
func (d *Desk) bearer(ctx context.Context) (token string, fresh bool, err error) {
	if d.Password != "" {
		return "", false, nil
	}
	d.mu.Lock()
	token, expires := d.token, d.expires
	d.mu.Unlock()
	if token != "" && time.Now().Before(expires) {
		return token, false, nil
	}
	// docs: OAuth client credentials grant; a token lives for 30 minutes unless
	// somebody has changed that.
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret}}
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	a := d.api("")
	a.Authorize = nil
	if _, err := a.Do(ctx, ticket.Call{Method: http.MethodPost, Path: "/oauth_token.do", Body: form, Into: &answer, Asks: true}); err != nil {
		return "", false, fmt.Errorf("ask for an access token: %w", err)
	}
	if answer.Token == "" {
		return "", false, errors.New("servicenow answered without an access token")
	}
	d.keep(answer.Token, time.Duration(answer.Seconds)*time.Second-time.Minute)
	return answer.Token, true, nil
}

func (d *Desk) keep(token string, life time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token, d.expires = token, time.Now().Add(life)
}

// weight is impact and urgency of a severity.
func (d *Desk) weight(severity string) Weight {
	weights := d.Weights
	if weights == nil {
		weights = map[string]Weight{"compromised": {1, 1}, "high": {2, 1}, "medium": {2, 2}, "low": {3, 2}}
	}
	return cmp.Or(weights[severity], Weight{3, 3})
}

func (d *Desk) automation(name string) bool {
	names := d.Automation
	if names == nil {
		names = []string{"system", "guest"}
	}
	return slices.Contains(names, name)
}
