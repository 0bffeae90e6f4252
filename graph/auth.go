package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Auth says how Curfew proves itself to a tenant: exactly one of Secret,
// Certificate, TokenFile, Managed and Credential is set. It is the app's own
// identity that acts (client credentials); no user is ever signed in.
//
// Secrets are kept in memory only, and are cut out of every error text.
type Auth struct {
	Client string // the application (client) id, a GUID; unused with Credential

	Secret string // a client secret

	Certificate         []byte // PEM or PKCS#12, with its private key
	CertificatePassword []byte // of the PKCS#12 file, if it has one

	TokenFile string // workload identity: where the platform keeps the federated token

	// Managed is the machine's own identity. It issues tokens for its own tenant
	// only: with Client set, its token is the assertion with which that app proves
	// itself in this tenant (a federated identity credential of the app, which so
	// far is offered for the global cloud only).
	Managed *ManagedIdentity

	Credential azcore.TokenCredential // any other, made by the caller
}

// A ManagedIdentity is an identity that the platform gives to the machine.
type ManagedIdentity struct {
	Client string // of a user-assigned one; empty: the system-assigned one
}

func (a Auth) check() error {
	ways := 0
	for _, set := range []bool{a.Secret != "", len(a.Certificate) > 0, a.TokenFile != "", a.Managed != nil, a.Credential != nil} {
		if set {
			ways++
		}
	}
	switch {
	case ways == 0:
		return errors.New("no credential: set a client secret, a certificate, a workload identity or a managed identity")
	case ways > 1:
		return errors.New("more than one credential: which of them counts?")
	case a.Credential != nil, a.Managed != nil && a.Client == "":
		return nil
	case !isGUID(a.Client):
		return fmt.Errorf("client id %q is not a GUID", a.Client)
	}
	return nil
}

// credential makes the tenant's one credential; its cache of tokens is its own.
// Instance discovery asks the global cloud whether a sign-in host is genuine: a
// host that the configuration names is not to be looked up there.
func (t Tenant) credential(e Endpoint, client *http.Client) (azcore.TokenCredential, error) {
	opts := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: e.Login + "/"},
		Transport: client,
		Retry:     policy.RetryOptions{MaxRetries: -1}, // none: the queue brings the work back
	}
	own := t.Endpoint != nil
	a := t.Auth
	switch {
	case a.Credential != nil:
		return a.Credential, nil
	case a.Secret != "":
		return azidentity.NewClientSecretCredential(t.ID, a.Client, a.Secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: own})
	case len(a.Certificate) > 0:
		certs, key, err := azidentity.ParseCertificates(a.Certificate, a.CertificatePassword)
		if err != nil {
			return nil, errors.New("certificate: want PEM or PKCS#12 with its private key, and the right password")
		}
		return azidentity.NewClientCertificateCredential(t.ID, a.Client, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: own})
	case a.TokenFile != "":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: opts, DisableInstanceDiscovery: own,
			ClientID: a.Client, TenantID: t.ID, TokenFilePath: a.TokenFile,
		})
	}
	return t.managed(opts, own)
}

func (t Tenant) managed(opts azcore.ClientOptions, own bool) (azcore.TokenCredential, error) {
	m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: opts}
	if t.Auth.Managed.Client != "" {
		m.ID = azidentity.ClientID(t.Auth.Managed.Client)
	}
	machine, err := azidentity.NewManagedIdentityCredential(m)
	if err != nil || t.Auth.Client == "" {
		return machine, err
	}
	if t.Cloud != "" && t.Cloud != Global {
		return nil, errors.New("a managed identity stands for an app in the global cloud only; use a certificate")
	}
	// Entra docs: federatedIdentityCredential, audience api://AzureADTokenExchange.
	scopes := []string{"api://AzureADTokenExchange/.default"}
	assertion := func(ctx context.Context) (string, error) {
		token, err := machine.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes})
		return token.Token, err
	}
	return azidentity.NewClientAssertionCredential(t.ID, t.Auth.Client, assertion,
		&azidentity.ClientAssertionCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: own})
}

// signInTimeout bounds one request to the sign-in service.
const signInTimeout = 30 * time.Second
