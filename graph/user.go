package graph

import (
	"context"

	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// MaySignIn reports whether a user, by object id, is in Entra, and whether the
// account is not blocked (Graph docs: user, accountEnabled, which comes only where
// it is asked for).
func (c *Client) MaySignIn(ctx context.Context, userID string) (exists, enabled bool, err error) {
	k := call{op: "read whether the user may sign in", needs: needsUser, service: identity}
	if !isGUID(userID) {
		return false, false, c.told(k, final("", "%q is not the object id of a user", oneLine(userID, 64)))
	}
	var u struct {
		Enabled yes `json:"accountEnabled"`
	}
	err = c.send(ctx, k.of(c.user(userID).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"accountEnabled"}},
	})), &u)
	switch {
	case status(err) == 404:
		return false, false, nil
	case err != nil:
		return false, false, err
	case !u.Enabled.said:
		return false, false, c.told(k, &Error{Message: "Entra does not say whether the account is enabled"})
	}
	return true, u.Enabled.is, nil
}

// MaySignIn is [Client.MaySignIn] in a tenant.
func (ts Tenants) MaySignIn(ctx context.Context, tenant, userID string) (exists, enabled bool, err error) {
	c, err := ts.of("read whether the user may sign in", tenant)
	if err != nil {
		return false, false, err
	}
	return c.MaySignIn(ctx, userID)
}

// LanguageOf is the language that a user prefers, by object id or principal name, as
// Entra has it (Graph docs: user, preferredLanguage); "" if it has none, or not the user.
func (c *Client) LanguageOf(ctx context.Context, user string) (string, error) {
	k := call{op: "read a user's language", needs: needsUser, service: identity}
	if !isGUID(user) && !isPrincipal(user) {
		return "", c.told(k, final("", "%q is neither the object id nor the principal name of a user", oneLine(user, 64)))
	}
	var u userRow
	err := c.send(ctx, k.of(c.user(user).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"preferredLanguage"}},
	})), &u)
	if status(err) == 404 {
		return "", nil
	}
	return string(u.Language), err
}

// LanguageOf is [Client.LanguageOf] in a tenant.
func (ts Tenants) LanguageOf(ctx context.Context, tenant, user string) (string, error) {
	c, err := ts.of("read a user's language", tenant)
	if err != nil {
		return "", err
	}
	return c.LanguageOf(ctx, user)
}
