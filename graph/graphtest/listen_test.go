package graphtest_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"curfew/graph/graphtest"
)

// Over real sockets: Graph, the webhook's handshake and a delivery, all by TLS.
func TestOnLoopback(t *testing.T) {
	d, opts := listening(t)
	lt := d.tenant.AddDevice(graphtest.Device{Name: "LT-042"})
	d.tenant.SetRules(graphtest.Rules{Subscribable: map[string]string{managed: ""}})
	arrived := make(chan struct{}, 1)
	h := &hook{answer: func(int) int { arrived <- struct{}{}; return 202 }}
	srv := httptest.NewUnstartedServer(h)
	certPEM, keyPEM, err := d.cloud.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.StartTLS()
	defer srv.Close()

	want := wish(managed, time.Hour)
	want["notificationUrl"], want["lifecycleNotificationUrl"] = srv.URL+"/hook", nil
	d.ask("POST", "subscriptions", want).wants(201)
	d.tenant.Notify("LT-042")
	select {
	case <-arrived:
	case <-time.After(10 * time.Second):
		t.Fatalf("no notification: %+v", d.tenant.Deliveries())
	}

	req, _ := http.NewRequest("GET", d.cloud.URL+"/v1.0/"+managed+"/"+lt.ID, nil)
	req.Header.Set("Authorization", "Bearer "+d.token)
	d.tenant.Inject(graphtest.Fault{Kind: graphtest.CutOff, Times: 1})
	if res, err := opts.Transport.Do(req); err == nil {
		res.Body.Close()
		t.Error("the connection was not cut")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(d.cloud.CA()) {
		t.Fatal("the CA is no certificate")
	}
	stranger := &http.Client{Transport: &http.Transport{}}
	defer stranger.CloseIdleConnections()
	var unknown *tls.CertificateVerificationError
	if _, err := stranger.Get(d.cloud.URL); !errors.As(err, &unknown) {
		t.Errorf("a client without the CA got %v", err)
	}
	if err := d.cloud.Listen("127.0.0.1:0"); err == nil {
		t.Error("it listens twice")
	}
}
