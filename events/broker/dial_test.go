package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"curfew/events/broker"
)

// elsewhere runs a NATS server as an operator would run one for Curfew: with
// JetStream, a password, and TLS by a private CA that also checks clients.
func elsewhere(t *testing.T, port int, files map[string]string) *server.Server {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(files["cert"], files["key"])
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(files["ca"])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, NoSystemAccount: true,
		JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		Username: "curfew", Password: "open sesame",
		TLS: true, TLSTimeout: 5, TLSVerify: true,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("not ready")
	}
	return srv
}

// credentials writes a CA, a certificate by it for the loopback address, and
// passwords.
func credentials(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	write := func(name, content string) {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for name, c := range map[string]*x509.Certificate{"ca": ca, "cert": leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write("key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	write("password", "open sesame\n")
	write("wrong", "open barley\n")
	return files
}

func TestDialWithTLSAndPassword(t *testing.T) {
	files := credentials(t)
	srv := elsewhere(t, -1, files)
	r := broker.Remote{
		URL: srv.ClientURL(), User: "curfew", PasswordFile: files["password"],
		CA: files["ca"], Cert: files["cert"], Key: files["key"],
	}
	b, err := broker.Dial(t.Context(), r, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	stream(t, b)
	if err := b.Healthy(); err != nil {
		t.Error(err)
	}
	stop(t, b)
	if b.Healthy() == nil {
		t.Error("healthy after the end")
	}

	r.PasswordFile = files["wrong"]
	if _, err := broker.Dial(t.Context(), r, logTo(t)); !errors.Is(err, nats.ErrAuthorization) || strings.Contains(err.Error(), "barley") {
		t.Errorf("got %v", err)
	}
	r.PasswordFile, r.CA = files["password"], ""
	if _, err := broker.Dial(t.Context(), r, logTo(t)); err == nil {
		t.Error("a server by an unknown CA was trusted")
	}
	r.CA, r.Cert, r.Key = files["ca"], "", ""
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := broker.Dial(ctx, r, logTo(t)); err == nil {
		t.Error("let in without a certificate")
	}
}

func TestDialWithTheKeyOfAnEmbeddedServer(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, broker.Embedded{Dir: dir})
	other, err := broker.Dial(t.Context(), broker.Remote{URL: b.URL(), NKey: filepath.Join(dir, "nats.nk")}, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	stream(t, other)
	stop(t, other)
}

// A worker and its cluster are started at the same time; the worker waits.
func TestDialBeforeTheServerIsThere(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	files := credentials(t)
	started := make(chan struct{})
	timer := time.AfterFunc(300*time.Millisecond, func() { defer close(started); elsewhere(t, port, files) })
	defer timer.Stop()
	b, err := broker.Dial(t.Context(), broker.Remote{
		URL: "tls://" + free.Addr().String(), User: "curfew", PasswordFile: files["password"],
		CA: files["ca"], Cert: files["cert"], Key: files["key"],
	}, logTo(t))
	<-started
	if err != nil {
		t.Fatal(err)
	}
	stop(t, b)
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := broker.Dial(ctx, broker.Remote{URL: "nats://127.0.0.1:1"}, logTo(t))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestRemoteThatCannotBe(t *testing.T) {
	files := credentials(t)
	for name, c := range map[string]struct {
		r    broker.Remote
		want string
	}{
		"no URL":           {broker.Remote{}, "must be like nats://host:4222"},
		"password in URL":  {broker.Remote{URL: "nats://me:hunter2@127.0.0.1:4222"}, "must not hold credentials"},
		"one URL with":     {broker.Remote{URL: "nats://127.0.0.1:4222,nats://hunter2@127.0.0.1:4223"}, "must not hold credentials"},
		"broken URL":       {broker.Remote{URL: "nats://me:hunter2@127.0.0.1:x y"}, "must be like"},
		"no seed":          {broker.Remote{URL: "nats://127.0.0.1:1", NKey: files["password"]}, "password"},
		"no such creds":    {broker.Remote{URL: "nats://127.0.0.1:1", Creds: files["ca"] + "x"}, "no such file"},
		"no password":      {broker.Remote{URL: "nats://127.0.0.1:1", User: "curfew"}, "needs a file with the password"},
		"no password file": {broker.Remote{URL: "nats://127.0.0.1:1", User: "curfew", PasswordFile: files["ca"] + "x"}, "no such file"},
		"no such CA":       {broker.Remote{URL: "nats://127.0.0.1:1", CA: "nowhere.pem"}, "nowhere.pem"},
		"half a pair":      {broker.Remote{URL: "nats://127.0.0.1:1", Cert: files["cert"]}, "name both"},
		"two ways in":      {broker.Remote{URL: "nats://127.0.0.1:1", User: "curfew", PasswordFile: files["password"], Creds: files["ca"]}, "not several"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := broker.Dial(t.Context(), c.r, logTo(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in the error: %v", err)
			}
		})
	}
}

// A password is exchanged on both sides: the connection comes back, though the
// server had the new one first.
func TestAPasswordIsExchanged(t *testing.T) {
	files := credentials(t)
	options := &server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, NoSystemAccount: true, Username: "curfew", Password: "open sesame"}
	srv, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("not ready")
	}
	b, err := broker.Dial(t.Context(), broker.Remote{URL: srv.ClientURL(), User: "curfew", PasswordFile: files["password"]}, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, b)
	next := options.Clone()
	next.Password = "open barley"
	if err := srv.ReloadOptions(next); err != nil { // which ends the connections by the old one
		t.Fatal(err)
	}
	healthy := func(want bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); (b.Healthy() == nil) != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("healthy: %v, want %v: %v", !want, want, b.Healthy())
			}
		}
	}
	healthy(false)
	time.Sleep(time.Second) // it is refused more than once
	healthy(false)
	if err := os.WriteFile(files["password"], []byte("open barley\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	healthy(true)
}
