// Package connectwise keeps service tickets of ConnectWise PSA (Manage), by its
// REST API 3.0 in the version of 2025.1. What it says of it is from
// developer.connectwise.com ("PSA API Requests", 2023-03; "PSA Pagination",
// 2023-03; "ClientIds", 2025-04) and, where that is silent, from
// ConnectWiseManageAPI for PowerShell (2025-08), which carries the fields and their
// lengths of the vendor's own description.
//
// The key is the field externalXRef, which conditions can ask for. They ask the
// database, so that a search shows at once what was made; nothing keeps two tickets
// from having one externalXRef. Where another integration writes that field, too, a
// custom field can carry the key ([Desk.KeyField]).
//
// What is guaranteed beyond that:
//
//   - Every ticket names its company and board: without a board it would go to the
//     system's own. The company Catchall, which stands for nobody, is refused.
//   - Texts are internal analysis: the discussion is shown to customers.
//   - States are told by closedFlag. Names of statuses are each board's own, so the
//     one to enter is looked up on the ticket's board.
//
// What is needed: an API member with a role that may inquire, add and edit service
// tickets and inquire setup tables; its keys; and the clientId of the integration.
// That member's changes count as Curfew's.
//
// What may not be assumed: that a ticket can be closed, since a board may ask for
// more ([ticket.ErrCannot]); or that a change by a workflow rule shows who was there
// before. If a ticket has an owner and a rule changed it last, that counts as the
// change of a person.
package connectwise

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// A Desk is a ConnectWise PSA of one company, which is its provider. It must not be
// copied once used.
type Desk struct {
	URL    string // https://api-eu.myconnectwise.net, or that of the company's own server
	Browse string // where people see it; empty: at URL, without api- before its name

	Company               string // who logs in: the provider's company id
	PublicKey, PrivateKey string // of the API member
	ClientID              string // of the integration, a GUID
	Member                string // the API member's id, such as CurfewAPI: tells its own changes from people's

	Client *http.Client

	// KeyField is a custom field of tickets, a text, that carries the key instead of
	// externalXRef. The zero value: none does.
	KeyField KeyField

	Customers  ticket.Customers[Place]
	Fields     ticket.Fields     // put on every ticket, such as {"source": {"name": "Security"}}
	Priorities map[string]string // names by severity; nil or empty: the board makes one of severity and impact

	// The names of the statuses to enter. Empty: the first closed one of the
	// ticket's board to resolve, its default one to reopen.
	Resolved, Reopened string

	// Automation are the members and rules whose changes are no person's, by what
	// ConnectWise calls them (updatedBy).
	Automation []string
}

// A KeyField is a custom field: queries name it by its caption, tickets by its id
// (docs: PSA API Requests, customFieldConditions).
type KeyField struct {
	ID      int64  `json:"id"`
	Caption string `json:"caption"`
}

// A Place is where the tickets of a customer go, by names as the setup tables have
// them.
type Place struct {
	Company string        `json:"company"`          // its id in ConnectWise (identifier), such as ContosoLtd
	Board   string        `json:"board"`            // of services
	Status  string        `json:"status,omitempty"` // of a new ticket; empty: the board's default
	Team    string        `json:"team,omitempty"`   // empty: the board's default
	Type    string        `json:"type,omitempty"`
	Fields  ticket.Fields `json:"fields,omitempty"`
}

const (
	maxSummary = 100    // more is refused (ConnectWiseManageAPI: New-CWMTicket)
	maxText    = 16_000 // no page says how much a note takes
)

// accept pins the version of the fields (docs: PSA API Requests, versioning).
const accept = "application/vnd.connectwise.com+json; version=2025.1"

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Check reports every reason why the desk cannot be used.
func (d *Desk) Check() error {
	errs := []error{d.api().Check(), d.Fields.Check()}
	if d.Browse != "" && handlers.SafeLink(d.Browse) == "" {
		errs = append(errs, errors.New("its browse address must be https"))
	}
	if d.Company == "" || d.PublicKey == "" || d.PrivateKey == "" {
		errs = append(errs, errors.New("it needs the provider's company id, and the public and private key of an API member"))
	}
	if strings.ContainsAny(d.Company, "+:") || strings.Contains(d.PublicKey, ":") {
		errs = append(errs, errors.New("neither the company id nor the public key may hold a colon, and the company id no plus sign"))
	}
	if !guid.MatchString(d.ClientID) {
		errs = append(errs, errors.New("its client id must be the GUID of the integration, from developer.connectwise.com: nothing is answered without one"))
	}
	if k := d.KeyField; (k.ID > 0) != (k.Caption != "") || k.ID < 0 || strings.ContainsAny(k.Caption, "\"\\") {
		errs = append(errs, errors.New("its key field must have both the id and the caption of a custom field, and no quotes in the caption"))
	}
	if d.Member == "" {
		errs = append(errs, errors.New("its member is missing: the API member's id tells its own changes from people's"))
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
	if p.Company == "" || p.Board == "" {
		err = errors.Join(err, errors.New("it needs a company and a board"))
	}
	if strings.EqualFold(p.Company, "Catchall") {
		err = errors.Join(err, errors.New("the company Catchall is nobody's: name the customer's, or your own"))
	}
	if err != nil {
		return fmt.Errorf("customer %s: %w", tenant, err)
	}
	return nil
}

// api speaks with the PSA. Both the keys and the clientId go with every request,
// and the clientId is treated as a password too (docs: ClientIds).
func (d *Desk) api() ticket.API {
	basic := base64.StdEncoding.EncodeToString([]byte(d.Company + "+" + d.PublicKey + ":" + d.PrivateKey))
	return ticket.API{
		Base: d.URL, Client: d.Client, Secrets: []string{basic, d.PrivateKey, d.PublicKey, d.ClientID},
		Authorize: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Basic "+basic)
			r.Header.Set("clientId", d.ClientID)
			return nil
		},
	}
}

// call makes a request below the API's address. The code base v4_6_release stands
// for the release that the site runs (docs: PSA API Requests).
func (d *Desk) call(ctx context.Context, c ticket.Call) error {
	c.Path = "/v4_6_release/apis/3.0" + c.Path
	c.Header = map[string]string{"Accept": accept}
	_, err := d.api().Do(ctx, c)
	return err
}

// link is where people find a ticket.
func (d *Desk) link(id string) string {
	site := strings.TrimSuffix(d.Browse, "/")
	if site == "" {
		site = strings.Replace(d.URL, "https://api-", "https://", 1)
	}
	return site + "/v4_6_release/ConnectWise.aspx?routeTo=ServiceFV&recid=" + id
}

func (d *Desk) ours(name string) bool { return strings.EqualFold(name, d.Member) }

func (d *Desk) automation(name string) bool {
	return slices.ContainsFunc(d.Automation, func(a string) bool { return strings.EqualFold(a, name) })
}

// weight is what a board makes a priority of: severity and impact.
func weight(severity string) (string, string) {
	switch severity {
	case "compromised":
		return "High", "High"
	case "high":
		return "High", "Medium"
	case "medium":
		return "Medium", "Medium"
	}
	return "Low", "Low"
}

// unlink parts what would be a link or a picture: notes are shown as Markdown, and
// there is no plain form.
func unlink(text string) string { return strings.ReplaceAll(text, "](", "] (") }
