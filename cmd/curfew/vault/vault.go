// Package vault reads secrets from Azure Key Vault, as the identity of the machine
// that it runs on.
//
// It talks only to the hosts of Key Vault, over TLS; every call ends in time, what
// it reads is bounded, and no error holds a secret, an address or anything that
// the other side has said. It keeps no secret: every Read asks the vault.
package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// Limits of a Read. A secret has at most 25 KB (Key Vault docs: About secrets); a
// reply repeats it in JSON, with its attributes.
const (
	MaxSecret = 25 << 10
	maxReply  = 256 << 10
	within    = 20 * time.Second // signing in, all tries and the reply
	eachTry   = 8 * time.Second
)

// names are those of a vault, a secret and its version (Key Vault docs: About
// keys, secrets and certificates, object identifiers).
var (
	hosts = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net)$`)
	paths = regexp.MustCompile(`^/secrets/([0-9A-Za-z-]{1,127})(?:/([0-9a-fA-F]{32}))?$`)
)

// A Reader reads secrets. The zero value is ready to use, by several goroutines.
type Reader struct {
	// Credential is who asks. Nil: the environment (AZURE_CLIENT_ID and its like),
	// workload identity or managed identity, the first of them that there is.
	Credential azcore.TokenCredential

	// Client is who speaks to the vault and to where identities come from. Nil: one
	// that follows no redirects.
	Client *http.Client

	mu      sync.Mutex
	asking  map[string]azcore.TokenCredential // by cloud
	clients map[string]*azsecrets.Client      // by host
}

// A place is where a secret is.
type place struct{ host, name, version string }

func parse(address string) (place, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !hosts.MatchString(u.Host) {
		return place{}, errors.New("this is not the address of a secret in Azure Key Vault, such as https://NAME.vault.azure.net/secrets/SECRET")
	}
	found := paths.FindStringSubmatch(u.EscapedPath())
	if found == nil {
		return place{}, errors.New("the address must end in /secrets/ and the secret's name, and may name a version of 32 digits after it")
	}
	return place{strings.ToLower(u.Host), found[1], found[2]}, nil
}

// Check reports whether an address can be that of a secret. It asks nobody.
func Check(address string) error {
	_, err := parse(address)
	return err
}

// Read returns a secret: the version that the address names, or the newest. It
// takes 20 seconds at most.
func (r *Reader) Read(ctx context.Context, address string) (string, error) {
	p, err := parse(address)
	if err != nil {
		return "", err
	}
	c, err := r.client(p.host)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	got, err := c.GetSecret(ctx, p.name, p.version, nil)
	switch {
	case err != nil:
		return "", explain(err)
	case got.Value == nil || *got.Value == "":
		return "", errors.New("the secret is empty")
	case len(*got.Value) > MaxSecret:
		return "", fmt.Errorf("the secret has more than %d bytes", MaxSecret)
	}
	return *got.Value, nil
}

// explain says what to do. What the other side said is left out: it may repeat
// what it was sent.
func explain(err error) error {
	var refused *azcore.ResponseError
	var login *azidentity.AuthenticationFailedError
	var dns *net.DNSError
	switch {
	case errors.As(err, &login):
		return errors.New("the identity of this machine is refused: check the variables AZURE_TENANT_ID and AZURE_CLIENT_ID, the federated credential or the managed identity")
	case errors.As(err, &refused):
		return status(refused.StatusCode)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("neither an identity of this machine nor the vault has answered in time")
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &dns):
		return errors.New("the vault's host is not known here: is its name right?")
	case errors.Is(err, errTooLong):
		return errTooLong
	case strings.HasPrefix(err.Error(), "ChainedTokenCredential"):
		return errNobody
	}
	return errors.New("the vault cannot be reached or did not answer as a vault does")
}

var errNobody = errors.New("this machine has no identity to ask the vault as: give it a managed identity or workload identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH")

// status explains an answer (Key Vault docs: REST API error codes). A disabled
// secret, a missing role and a firewall are all 403.
func status(code int) error {
	switch code {
	case http.StatusUnauthorized:
		return errors.New("the vault does not accept the identity (401): is it of the vault's tenant?")
	case http.StatusForbidden:
		return errors.New("the vault refuses (403): the identity needs the role Key Vault Secrets User, the secret must be enabled, and the vault's firewall must let this machine in")
	case http.StatusNotFound:
		return errors.New("the vault has no such secret, or not this version of it (404)")
	case http.StatusTooManyRequests:
		return errors.New("the vault is asked too often (429)")
	}
	return fmt.Errorf("the vault has answered with %d", code)
}

func (r *Reader) client(host string) (*azsecrets.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.clients[host]; c != nil {
		return c, nil
	}
	if r.clients == nil {
		r.clients, r.asking = map[string]*azsecrets.Client{}, map[string]azcore.TokenCredential{}
	}
	if r.Client == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		r.Client = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	_, in, _ := strings.Cut(host, ".")
	cred, err := r.credential(in)
	if err != nil {
		return nil, err
	}
	c, err := azsecrets.NewClient("https://"+host, cred, &azsecrets.ClientOptions{ClientOptions: r.options(in)})
	if err != nil {
		return nil, errors.New("the vault cannot be asked")
	}
	r.clients[host] = c
	return c, nil
}

// options are those of all calls on behalf of the vaults of one cloud. In the
// global cloud AZURE_AUTHORITY_HOST counts, which platforms set.
func (r *Reader) options(in string) policy.ClientOptions {
	o := policy.ClientOptions{
		Transport: bounded{r.Client},
		Retry:     policy.RetryOptions{MaxRetries: 2, TryTimeout: eachTry, RetryDelay: time.Second, MaxRetryDelay: 4 * time.Second},
		Telemetry: policy.TelemetryOptions{ApplicationID: "curfew"},
	}
	switch in {
	case "vault.azure.cn":
		o.Cloud = cloud.AzureChina
	case "vault.usgovcloudapi.net":
		o.Cloud = cloud.AzureGovernment
	}
	return o
}

// bounded reads replies up to a limit.
type bounded struct{ client *http.Client }

var errTooLong = errors.New("the reply of the vault is too long")

// Do implements [policy.Transporter].
func (b bounded) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{&limited{resp.Body, maxReply}, resp.Body}
	return resp, nil
}

// A limited reader fails where an [io.LimitedReader] would end.
type limited struct {
	r    io.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
