package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// An Audience is whose permissions they are: an app is granted those of each API
// apart, and gets a token for each.
type Audience string

// The audiences that Curfew has tokens for.
const (
	GraphAPI    Audience = "Microsoft Graph"
	DefenderAPI Audience = "WindowsDefenderATP" // Defender for Endpoint, by the name its permissions are listed under
)

// A Grant is what the access token for one API says that the app may do.
type Grant struct {
	Audience Audience
	App      string   // the app's client id
	Tenant   string   // the tenant's id
	Roles    []string // the application permissions, sorted
	// Issued and Expires are the token's. A permission that was granted or taken
	// away since shows, and counts, when the next token comes.
	Issued, Expires time.Time
}

// Grants are those of one app in one tenant.
type Grants []Grant

// Holds reports whether the app holds a role of an API.
func (g Grants) Holds(api Audience, role string) bool {
	return slices.ContainsFunc(g, func(one Grant) bool { return one.Audience == api && slices.Contains(one.Roles, role) })
}

// Grants reads from the access tokens what the app may do in this tenant: in
// Microsoft Graph, and in Defender for Endpoint where [Tenant].Defender is set.
// What it cannot tell comes as an error, beside what it can.
//
// The tokens come from the sign-in service and are the ones that calls are made
// with. Their signature is not verified: that is for the API, and what is read here
// is only shown and decides nothing. They are not meant to be read by clients
// (Entra docs: access-tokens), so a form that is not understood is an error and no
// sign of trouble. Permissions that Exchange grants for one mailbox are in no
// token.
func (c *Client) Grants(ctx context.Context) (Grants, error) {
	var all Grants
	g, err := c.grant(ctx, GraphAPI, c.scope)
	if err != nil {
		return nil, err
	}
	all = append(all, g)
	if c.defender == nil {
		return all, nil
	}
	if g, err = c.grant(ctx, DefenderAPI, c.defender.scope); err != nil {
		return all, err
	}
	return append(all, g), nil
}

func (c *Client) grant(ctx context.Context, api Audience, scope string) (Grant, error) {
	k := call{op: "read the grants of " + string(api)}
	token, err := c.token(ctx, k, scope)
	if err != nil {
		return Grant{}, err
	}
	g, ok := readToken(token)
	if !ok {
		return Grant{}, c.told(k, &Error{Message: "the access token is of a form that cannot be read: see in Entra, under enterprise applications, permissions"})
	}
	g.Audience = api
	return g, nil
}

// token is the one that calls are made with: EnableCAE is part of what it is kept
// by, and theirs have it.
func (c *Client) token(ctx context.Context, k call, scope string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	token, err := c.keys.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}, EnableCAE: true})
	if e, ok := errors.AsType[*Error](err); ok {
		return "", c.told(k, e)
	} else if err != nil {
		return "", c.told(k, &Error{Message: "no token from the sign-in service", Err: err})
	}
	return token.Token, nil
}

const maxRoles = 500 // of one API; Graph has about that many

// readToken takes what a JWT says about the app, and nothing else.
func readToken(token string) (Grant, bool) {
	piece := strings.Split(token, ".")
	if len(piece) != 3 || len(token) > 1<<20 {
		return Grant{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(piece[1])
	var has struct {
		App     text        `json:"appid"` // of version 1.0
		AZP     text        `json:"azp"`   // of version 2.0 (Entra docs: access-token-claims-reference)
		Tenant  text        `json:"tid"`
		Roles   parts[text] `json:"roles"`
		Issued  json.Number `json:"iat"`
		Expires json.Number `json:"exp"`
	}
	if err != nil || json.Unmarshal(body, &has) != nil {
		return Grant{}, false
	}
	expires, err := has.Expires.Int64()
	if err != nil {
		return Grant{}, false
	}
	issued, _ := has.Issued.Int64() // 0: not said
	g := Grant{App: firstOf(has.App, has.AZP), Tenant: string(has.Tenant), Expires: time.Unix(expires, 0).UTC()}
	if issued > 0 {
		g.Issued = time.Unix(issued, 0).UTC()
	}
	for _, role := range has.Roles.list[:min(len(has.Roles.list), maxRoles)] {
		g.Roles = append(g.Roles, string(role))
	}
	slices.Sort(g.Roles)
	g.Roles = slices.Compact(g.Roles)
	return g, true
}

// Grants is [Client.Grants].
func (ts Tenants) Grants(ctx context.Context, tenant string) (Grants, error) {
	c, err := ts.of("read the grants", tenant)
	if err != nil {
		return nil, err
	}
	return c.Grants(ctx)
}
