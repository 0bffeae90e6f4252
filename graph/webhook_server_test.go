package graph_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"curfew/graph"
	"curfew/graph/graphtest"
)

// A door is a webhook on a real socket with a real certificate.
type frontDoor struct {
	t         *testing.T
	cloud     *graphtest.Cloud
	cert, key string
	addr      string
	logs      *logs
}

func openDoor(t *testing.T, hook http.Handler) *frontDoor {
	t.Helper()
	dir := t.TempDir()
	d := &frontDoor{t: t, cloud: graphtest.NewCloud(), cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key"), logs: &logs{}}
	t.Cleanup(d.cloud.Close)
	d.issue(time.Now())
	srv, err := graph.WebhookServer{CertFile: d.cert, KeyFile: d.key, Handler: hook, Log: slog.New(slog.NewTextHandler(d.logs, nil))}.Server()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- srv.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil { // the test's own context has ended
			t.Error(err)
		}
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return d
}

// issue puts a new certificate into the files, which look as if written then.
func (d *frontDoor) issue(at time.Time) {
	d.t.Helper()
	cert, key, err := d.cloud.Issue("127.0.0.1")
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(d.cert, cert, at)
	d.write(d.key, key, at)
}

func (d *frontDoor) write(name string, content []byte, at time.Time) {
	d.t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chtimes(name, at, at); err != nil {
		d.t.Fatal(err)
	}
}

// dial shakes hands, and says which certificate it was shown.
func (d *frontDoor) dial(versions ...uint16) (*tls.Conn, string, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(d.cloud.CA())
	c := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10}
	if len(versions) > 0 {
		c.MaxVersion = versions[0]
	}
	conn, err := tls.Dial("tcp", d.addr, c)
	if err != nil {
		return nil, "", err
	}
	return conn, conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

func (d *frontDoor) shown() string {
	d.t.Helper()
	conn, serial, err := d.dial()
	if err != nil {
		d.t.Fatal(err)
	}
	_ = conn.Close()
	return serial
}

// until polls.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestACertificateIsReadAgainWhenItChanges(t *testing.T) {
	d := openDoor(t, &graph.Webhook{})
	first := d.shown()
	if d.shown() != first {
		t.Error("it changes by itself")
	}
	d.issue(time.Now().Add(time.Hour))
	until(t, "the new certificate is shown", func() bool { return d.shown() != first })
	second := d.shown()

	// Half written: the old one is used, and the log says so once.
	cert, key, err := d.cloud.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.cert, cert, time.Now().Add(2*time.Hour))
	until(t, "the log names the file", func() bool {
		if d.shown() != second {
			t.Fatal("the old certificate is not used any more")
		}
		return strings.Contains(d.logs.String(), "cannot be used")
	})
	d.write(d.key, key, time.Now().Add(2*time.Hour))
	until(t, "the third certificate is shown", func() bool { return d.shown() != second })
	if n := strings.Count(d.logs.String(), "cannot be used"); n != 1 {
		t.Errorf("the log complains %d times", n)
	}

	// Gone: the one in memory goes on.
	third := d.shown()
	if err := os.Remove(d.key); err != nil {
		t.Fatal(err)
	}
	until(t, "the log complains again", func() bool {
		if d.shown() != third {
			t.Fatal("the certificate is gone")
		}
		return strings.Count(d.logs.String(), "cannot be used") == 2
	})
}

func TestTheServerIsCareful(t *testing.T) {
	d := openDoor(t, &graph.Webhook{})
	if _, _, err := d.dial(tls.VersionTLS11); err == nil {
		t.Error("it speaks TLS 1.1")
	}
	srv, err := graph.WebhookServer{Addr: "127.0.0.1:0", Handler: &graph.Webhook{}}.Server()
	if err != nil {
		t.Fatal(err)
	}
	if srv.TLSConfig != nil || srv.ReadHeaderTimeout == 0 || srv.ReadTimeout == 0 || srv.WriteTimeout == 0 || srv.IdleTimeout == 0 || srv.MaxHeaderBytes == 0 {
		t.Errorf("a server with %+v", srv)
	}
	// A header beyond the limit is refused.
	conn, _, err := d.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		_, _ = io.WriteString(conn, "POST "+graph.NotificationsPath+" HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB is answered with %d", res.StatusCode)
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	d := openDoor(t, &graph.Webhook{})
	conn, _, err := d.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST "+graph.NotificationsPath+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := conn.SetReadDeadline(began.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if took := time.Since(began); res.StatusCode != http.StatusBadRequest || took > 9*time.Second {
		t.Errorf("a body that does not come is answered with %d after %v", res.StatusCode, took)
	}
}

func TestGraphReachesTheServer(t *testing.T) {
	hook := &graph.Webhook{}
	d := openDoor(t, hook)
	tenant := d.cloud.AddTenant("contoso", contosoID)
	tenant.AddApp(clientID, secret, graphtest.AllRoles()...)
	client, err := graph.New(graph.Tenant{ID: contosoID, Auth: graph.Auth{Client: clientID, Secret: secret}, Transport: d.cloud.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	book, shelf := newBook(), newShelf()
	subs := &graph.Subscriptions{Client: client, State: shelf, Nudges: &graph.Nudges{State: shelf}, URL: "https://" + d.addr, Resources: []graph.Resource{users}}
	hook.Subscriptions, hook.Sink = []*graph.Subscriptions{subs}, book
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- subs.Run(ctx) }()
	until(t, "the subscription is live", func() bool { return len(tenant.Subscriptions()) == 1 })
	tenant.AddUser(graphtest.User{UPN: "ana@contoso.example"})
	tenant.Notify("ana@contoso.example")
	until(t, "the notification is taken", func() bool { return hook.Stats().Nudges == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMistakesInTheServersFilesShowAtOnce(t *testing.T) {
	dir := t.TempDir()
	rubbish := filepath.Join(dir, "rubbish.pem")
	if err := os.WriteFile(rubbish, bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]graph.WebhookServer{
		"no key":         {CertFile: rubbish, Handler: &graph.Webhook{}},
		"no certificate": {KeyFile: rubbish, Handler: &graph.Webhook{}},
		"no such file":   {CertFile: filepath.Join(dir, "none"), KeyFile: rubbish, Handler: &graph.Webhook{}},
		"rubbish":        {CertFile: rubbish, KeyFile: rubbish, Handler: &graph.Webhook{}},
		"no handler":     {},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Server(); err == nil || !strings.HasPrefix(err.Error(), "graph: webhook server: ") {
				t.Errorf("said %v", err)
			}
		})
	}
}
