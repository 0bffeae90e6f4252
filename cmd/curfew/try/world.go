package try

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"curfew/graph/graphtest"
	"curfew/handlers/page/pagetest"
	"curfew/handlers/ticket/jira/jiratest"
	"curfew/handlers/ticket/tickettest"
)

// A world is everything around Curfew.
type world struct {
	dir   string
	cloud *graphtest.Cloud

	desk      *tickettest.Desk
	deskURL   string
	jira      *jiratest.Site
	jiraURL   string
	jiraHook  string // what its webhooks are signed by
	pager     *pagetest.PagerDuty
	pagerURL  string
	routing   string // the pager's integration key
	hook      string // what its webhooks are signed by
	servers   []*http.Server
	appID     string
	appSecret string
	setSecret string // of the app that sets tenants up
	sweep     string // how often tenants are swept

	tenants map[string]*graphtest.Tenant
	workers []*worker
}

// The pretended subscription: Microsoft has none for devices, but what Curfew
// subscribes to is configuration, and the simulated tenants allow this one.
const resource = "deviceManagement/managedDevices"

func newWorld(ctx context.Context, dir, sweep string, crews [][]string) (*world, error) {
	w := &world{
		dir: dir, sweep: sweep, cloud: graphtest.NewCloud(), tenants: map[string]*graphtest.Tenant{},
		jiraHook: secret(),
		appID:    "11111111-2222-3333-4444-555555555555", appSecret: secret(), setSecret: secret(), routing: secret(), hook: secret(),
	}
	w.desk = &tickettest.Desk{Secret: secret()}
	w.jira = &jiratest.Site{Token: secret()}
	w.pager = &pagetest.PagerDuty{Keys: []string{w.routing}}
	err := w.cloud.Listen("127.0.0.1:0")
	if err == nil {
		w.deskURL, err = w.serve(ctx, w.desk)
	}
	if err == nil {
		w.jiraURL, err = w.serve(ctx, w.jira)
	}
	if err == nil {
		w.pagerURL, err = w.serve(ctx, w.pager)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	for i, crew := range crews {
		for j, name := range crew {
			w.tenants[name] = w.newTenant(name, fmt.Sprintf("0000000%d-0000-4000-8000-00000000000%d", i+1, j+1))
		}
		wk, err := w.newWorker(ctx, fmt.Sprintf("worker-%d", i+1), crew)
		if err != nil {
			w.close()
			return nil, err
		}
		w.workers = append(w.workers, wk)
	}
	return w, nil
}

func (w *world) newTenant(name, id string) *graphtest.Tenant {
	t := w.cloud.AddTenant(name, id)
	t.AddApp(w.appID, w.appSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
	t.AddUser(graphtest.User{UPN: "it@" + t.Domain, Name: "IT"})
	t.SetRules(graphtest.Rules{Subscribable: map[string]string{resource: ""}})
	t.SetTiming(graphtest.QuickTiming())
	if name == baselined {
		prepare(t, w.setSecret)
	}
	return t
}

// secret is one that nobody has had before.
func secret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func (w *world) startWorkers(ctx context.Context, program string) error {
	for _, wk := range w.workers {
		wk.program = program
		if err := wk.start(ctx); err != nil {
			return err
		}
	}
	for _, wk := range w.workers {
		if err := wk.ready(ctx, 30*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) close() {
	for _, wk := range w.workers {
		wk.stop()
	}
	for _, s := range w.servers {
		_ = s.Close() // nobody waits for an answer any more
	}
	w.cloud.Close()
}

// serve puts a vendor's fake on loopback, with a certificate of the cloud's
// authority, and returns its address.
func (w *world) serve(ctx context.Context, h http.Handler) (string, error) {
	certPEM, keyPEM, err := w.cloud.Issue("127.0.0.1")
	if err != nil {
		return "", err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return "", err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // killed workers break connections off
	}
	w.servers = append(w.servers, s)
	go func() { _ = s.ServeTLS(l, "", "") }() // ends with close
	return "https://" + l.Addr().String(), nil
}

// file writes a file only this user can read, and returns its path.
func (w *world) file(name string, data []byte) (string, error) {
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, data, 0o600)
}

// freePorts are ports of this machine that nobody listens on just now, no two the
// same.
func freePorts(ctx context.Context, n int) (ports []string, err error) {
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().String())
	}
	return ports, nil
}
