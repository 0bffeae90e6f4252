package bench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"

	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/graphtest"
)

const (
	appID = "11111111-2222-3333-4444-555555555555"
	// resource is what is subscribed to. Microsoft has no subscription for devices,
	// but what Curfew subscribes to is configuration, and the simulated tenants
	// allow this one.
	resource = "deviceManagement/managedDevices"
)

// newTenant makes a simulated tenant that Curfew may do everything in.
func newTenant(cloud *graphtest.Cloud, name, id, secret string) (*graphtest.Tenant, *graphtest.App) {
	t := cloud.AddTenant(name, id)
	app := t.AddApp(appID, secret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
	t.AddUser(graphtest.User{UPN: "it@" + t.Domain, Name: "IT"})
	t.SetRules(graphtest.Rules{Subscribable: map[string]string{resource: ""}})
	t.SetTiming(graphtest.QuickTiming())
	return t, app
}

// oneTenant makes one in a cloud, and a client that speaks to it without a socket.
func oneTenant(cloud *graphtest.Cloud) (*graphtest.Tenant, *graph.Client, error) {
	secret := rand.Text()
	t, _ := newTenant(cloud, "contoso", tenantID, secret)
	c, err := graph.New(graph.Tenant{ID: tenantID, Auth: graph.Auth{Client: appID, Secret: secret}, Transport: cloud.Transport()})
	return t, c, err
}

// trusting trusts the cloud's certificates.
func trusting(cloud *graphtest.Cloud) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cloud.CA())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// A kept is the journal's state as package graph wants to see it: a key that is
// not there is no error.
type kept struct{ *journal.State }

func (s kept) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	v, rev, err := s.State.Get(ctx, key)
	if errors.Is(err, journal.ErrNoKey) {
		return nil, 0, nil
	}
	return v, rev, err
}
