package graph

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A Tenant says how one Microsoft 365 tenant is reached.
type Tenant struct {
	ID   string // the tenant's id, a GUID
	Name string // what people call it; in logs and errors

	Cloud    Cloud     // which of Microsoft's clouds it lives in; empty: [Global]
	Endpoint *Endpoint // instead of a cloud's own: a proxy, or a simulator
	Auth     Auth

	// MailFrom is the mailbox that mail to users is sent from, by user principal
	// name or object id. Empty: no mail can be sent.
	MailFrom string

	// TeamsApp is the app of Teams that notifies users there: its id in the app
	// catalogue. Its manifest names our app's client id, and users have it installed.
	// Empty: nobody is notified there.
	TeamsApp string
	Look     LookOptions

	// Defender says how Defender for Endpoint is reached, which has an API and
	// permissions of its own. Nil: it is not used.
	Defender *DefenderEndpoint

	// SeenWithin is how recent a check-in [Client.Preflight] asks for. 0: 24 hours.
	SeenWithin time.Duration

	// Workers says how many processes share the limits that Microsoft sets per
	// app and tenant; each takes its share. 0: this is the only one.
	Workers int

	// Around, if set, is told of every request; see there.
	Around Around

	// Transport carries everything, sign-in included, in place of the network.
	Transport http.RoundTripper
}

// LookOptions say which parts of a look are left out. What is left out is not
// missing: it is not asked for and nobody is told that it was not read.
type LookOptions struct {
	SkipSettings   bool // the compliance settings that are not met
	SkipProtection bool // what Defender Antivirus found
	SkipAlerts     bool // Defender's alerts are not read again
	SkipEntra      bool // how the device is joined
	SkipUser       bool // name, mail address and language of the user
	TimeZone       bool // read the time zone of the user's mailbox
	Groups         bool // read the groups of the user; only where a rule needs them
	Tags           bool // read Defender's machine tags, where [Tenant].Defender is set; only where a rule needs them
}

// A Cloud is one of Microsoft's national clouds. Tokens do not cross them.
type Cloud string

// The clouds (Graph docs: deployments).
const (
	Global  Cloud = "global"
	USGovL4 Cloud = "usgov-l4" // GCC High
	USGovL5 Cloud = "usgov-l5" // DoD
	China   Cloud = "china"    // operated by 21Vianet
)

// An Endpoint is where Graph and its sign-in service answer, each as
// "https://host" or "https://host:port".
type Endpoint struct {
	Graph string
	Login string
	Scope string         // of tokens; empty: Graph + "/.default"
	CA    *x509.CertPool // whom to trust instead of the system's authorities
}

func (c Cloud) endpoint() (Endpoint, error) {
	switch c {
	case "", Global:
		return Endpoint{Graph: "https://graph.microsoft.com", Login: "https://login.microsoftonline.com"}, nil
	case USGovL4:
		return Endpoint{Graph: "https://graph.microsoft.us", Login: "https://login.microsoftonline.us"}, nil
	case USGovL5:
		return Endpoint{Graph: "https://dod-graph.microsoft.us", Login: "https://login.microsoftonline.us"}, nil
	case China:
		return Endpoint{Graph: "https://microsoftgraph.chinacloudapi.cn", Login: "https://login.chinacloudapi.cn"}, nil
	}
	return Endpoint{}, fmt.Errorf("no cloud is called %q: use %s, %s, %s or %s", string(c), Global, USGovL4, USGovL5, China)
}

// endpoint is where the tenant is reached, complete and checked.
func (t Tenant) endpoint() (Endpoint, error) {
	e, err := t.Cloud.endpoint()
	if err != nil {
		return Endpoint{}, err
	}
	if t.Endpoint != nil {
		e = *t.Endpoint
	}
	if e.Graph, err = origin("graph", e.Graph); err != nil {
		return Endpoint{}, err
	}
	if e.Login, err = origin("login", e.Login); err != nil {
		return Endpoint{}, err
	}
	if e.Scope == "" {
		e.Scope = e.Graph + "/.default"
	}
	return e, nil
}

// origin takes a URL apart and gives back its scheme and host. Tokens travel
// there, so nothing but HTTPS will do.
func origin(what, raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s endpoint: not a URL", what) // the error would quote it, password and all
	case u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return "", fmt.Errorf("%s endpoint: want https://host or https://host:port and nothing after it", what)
	}
	return "https://" + strings.ToLower(u.Host), nil
}

// check names everything that is wrong with the tenant's configuration.
func (t Tenant) check() error {
	var wrong []error
	if !isGUID(t.ID) {
		wrong = append(wrong, fmt.Errorf("tenant id %q is not a GUID", t.ID))
	}
	if t.Workers < 0 {
		wrong = append(wrong, fmt.Errorf("%d workers cannot share a budget", t.Workers))
	}
	if strings.ContainsAny(t.MailFrom, "/?# \t\r\n") {
		wrong = append(wrong, fmt.Errorf("mail sender %q is not a user principal name or an object id", t.MailFrom))
	}
	if t.TeamsApp != "" && !isGUID(t.TeamsApp) {
		wrong = append(wrong, fmt.Errorf("app of Teams %q is not a GUID", t.TeamsApp))
	}
	if _, err := t.endpoint(); err != nil {
		wrong = append(wrong, err)
	}
	if err := t.Auth.check(); err != nil {
		wrong = append(wrong, err)
	}
	if t.SeenWithin < 0 {
		wrong = append(wrong, fmt.Errorf("nothing was seen within the last %v", t.SeenWithin))
	}
	if t.Defender != nil {
		if _, _, err := t.Defender.where(t); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

const noGUID = "00000000-0000-0000-0000-000000000000"

// isGUID reports whether an id from outside may go into a path or a filter.
// Intune writes all zeros where a device has no Entra id; that names nothing.
func isGUID(id string) bool {
	return guidForm.MatchString(id) && id != noGUID
}

// isMachine reports whether id is a machine id of Defender for Endpoint.
func isMachine(id string) bool {
	return len(id) == 40 && strings.Trim(id, "0123456789abcdefABCDEF") == ""
}

var guidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
