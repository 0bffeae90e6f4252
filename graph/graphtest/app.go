package graphtest

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An App is an app registration that the tenant's administrator consented to.
type App struct {
	ID string // the client id

	t       *Tenant
	object  string // of its service principal
	secret  string
	expired bool
	roles   []string
	certs   []*x509.Certificate
	proof   string      // an assertion that is believed as it is
	since   int64       // tokens with a smaller number were revoked
	asked   []time.Time // calls of /security
	audited []time.Time // calls of /auditLogs
	access  []time.Time // calls of /identity/conditionalAccess

	intune, directory []time.Time // calls of each, with [Rules].Limits
}

// AddApp registers an app with a client secret and the application permissions
// it was granted, such as DeviceManagementManagedDevices.Read.All.
func (t *Tenant) AddApp(clientID, secret string, roles ...string) *App {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &App{ID: strings.ToLower(clientID), t: t, object: newGUID(), secret: secret, roles: roles}
	if t.apps[a.ID] != nil {
		panic(fmt.Sprintf("graphtest: %s has an app %s already", t.Name, clientID))
	}
	t.apps[a.ID] = a
	return a
}

// ActingRoles are the permissions that an app needs beside AllRoles to see a
// destructive action through: those of Multi Admin Approval, the reads before a
// reset, the primary user, and Defender for Endpoint.
func ActingRoles() []string {
	return []string{
		"DeviceManagementManagedDevices.ReadWrite.All", "DeviceManagementRBAC.Read.All",
		"DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All", "BitlockerKey.ReadBasic.All",
		"Machine.Read.All", "Machine.Scan", "Machine.Isolate", "Alert.ReadWrite.All",
	}
}

// BaselineRoles are the permissions of reading and writing a tenant's baseline.
func BaselineRoles() []string {
	return []string{
		"DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementApps.ReadWrite.All",
		"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All", "LicenseAssignment.Read.All",
		"GroupMember.Read.All", "User.Read.All", "DeviceManagementRBAC.Read.All",
	}
}

// RolloutRoles are the permissions that the app of a baseline needs beside
// BaselineRoles to judge whether a tenant may go on, and to look for drift.
func RolloutRoles() []string {
	return []string{"DeviceManagementManagedDevices.Read.All", "Device.Read.All", "AuditLog.Read.All"}
}

// DefenderToken is an access token for Defender for Endpoint.
func (a *App) DefenderToken() string {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	return a.t.cloud.mint(a, defenderAudience, time.Now(), a.t.tokenLife())
}

// AllRoles are the permissions of everything this cloud serves that is no part of
// ActingRoles or BaselineRoles.
func AllRoles() []string {
	return []string{
		"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.PrivilegedOperations.All",
		"Device.Read.All", "SecurityAlert.ReadWrite.All", "SecurityIncident.Read.All",
		"User.Read.All", "Group.Read.All", "Mail.Send", "Mail.Read",
		"AuditLog.Read.All", "DeviceManagementApps.Read.All",
		"TeamsActivity.Send", "MailboxSettings.Read",
	}
}

// Grant adds permissions; new tokens have them, old ones do not.
func (a *App) Grant(roles ...string) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.roles = append(slices.Clone(a.roles), roles...)
}

// Revoke takes permissions away, at once. (The real service honours a token's
// roles until it expires, within about an hour.)
func (a *App) Revoke(roles ...string) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.roles = slices.DeleteFunc(slices.Clone(a.roles), func(r string) bool { return slices.Contains(roles, r) })
}

// ExpireSecret lets the client secret run out: AADSTS7000222 from now on.
func (a *App) ExpireSecret() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.expired = true
}

// ExchangeSecret puts a new client secret in the place of the one there is.
func (a *App) ExchangeSecret(secret string) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.secret, a.expired = secret, false
}

// TrustCertificate lets the app prove itself by the certificate's RSA key.
func (a *App) TrustCertificate(cert *x509.Certificate) {
	if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok {
		panic("graphtest: Entra takes RSA certificates only")
	}
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.certs = append(a.certs, cert)
}

// TrustAssertion lets the app prove itself by exactly this assertion, as a
// federated identity credential (a workload's token, say) would.
func (a *App) TrustAssertion(assertion string) {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.proof = assertion
}

// EndSessions revokes every token issued so far. Graph answers 401 with a claims
// challenge, which a client of continuous access evaluation takes to the token
// endpoint (Entra docs: claims-challenge).
func (a *App) EndSessions() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.since = a.t.cloud.nextToken()
}

// Token is an access token for Graph, as the token endpoint would issue now.
func (a *App) Token() string {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	return a.t.cloud.mint(a, "https://graph.microsoft.com", time.Now(), a.t.tokenLife())
}

// holds tells whether the app may do what needs one of roles: its token and its
// present grants must both have it. The tenant's lock is held.
func (a *App) holds(token, roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool {
		return slices.Contains(token, r) && slices.Contains(a.roles, r)
	})
}
