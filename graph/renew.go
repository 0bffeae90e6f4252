package graph

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// An exchangeable credential is a tenant's, which another may take the place of.
type exchangeable struct {
	now atomic.Pointer[azcore.TokenCredential]
}

func exchange(cred azcore.TokenCredential) *exchangeable {
	x := &exchangeable{}
	x.now.Store(&cred)
	return x
}

// GetToken implements [azcore.TokenCredential].
func (x *exchangeable) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return (*x.now.Load()).GetToken(ctx, o)
}

// Hidden are the secrets that no text may show: all that were ever used.
type hidden struct {
	mu  sync.Mutex
	all []string
}

func (h *hidden) add(a Auth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range []string{a.Secret, string(a.CertificatePassword)} {
		if s != "" && !slices.Contains(h.all, s) {
			h.all = append(slices.Clip(h.all), s, url.QueryEscape(s))
		}
	}
}

func (h *hidden) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all
}

// Renew has the client prove itself in another way from now on. That is tried
// first, because Entra takes a while to know a new secret (Entra docs: application,
// addPassword): an error says that it is not good, or not yet, and that all is as
// it was. Tokens that were issued before stay in use until they run out.
func (c *Client) Renew(ctx context.Context, a Auth) error {
	k := call{op: "sign in by what is new"}
	c.secrets.add(a)
	t := c.tenant
	t.Auth = a
	if err := a.check(); err != nil {
		return c.told(k, final("", "%v", err))
	}
	e, err := t.endpoint()
	if err != nil {
		return c.told(k, final("", "%v", err))
	}
	next, err := t.credential(e, c.signIn)
	if err != nil {
		return c.told(k, final("", "%s", harmless(err.Error(), c.secrets.list())))
	}
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	if _, err := next.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}}); err != nil {
		e, _ := errors.AsType[*Error]((&door{}).refused(ctx, err)) // a door of its own: others still have a way in
		return c.told(k, e)
	}
	c.cred.now.Store(&next)
	return nil
}
