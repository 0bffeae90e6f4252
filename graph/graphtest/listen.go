package graphtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"
)

// Listen serves the cloud over HTTPS on addr ("127.0.0.1:0" for any free port),
// with a certificate of its own CA for 127.0.0.1, ::1 and localhost, and sets
// URL.
func (c *Cloud) Listen(addr string) error {
	cert, err := c.ca.issue("127.0.0.1", "::1", "localhost")
	if err != nil {
		return fmt.Errorf("graphtest: make a certificate: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("graphtest: listen on %s: %w", addr, err)
	}
	srv := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil || c.server != nil {
		return errors.Join(errors.New("graphtest: this cloud was closed or listens already"), l.Close())
	}
	c.server, c.URL = srv, "https://"+l.Addr().String()
	c.wg.Go(func() { _ = srv.ServeTLS(l, "", "") }) // ends by Close
	return nil
}

// Close ends the listener and every delivery under way, and waits for them.
func (c *Cloud) Close() {
	c.mu.Lock()
	c.cancel()
	srv := c.server
	c.mu.Unlock()
	if srv != nil {
		_ = srv.Close() // in-flight requests are a test's own business
	}
	c.wg.Wait()
	c.outward.CloseIdleConnections()
}

// CA returns the certificate, PEM, that a client must trust to talk to a
// listening cloud.
func (c *Cloud) CA() []byte { return c.ca.pem }

// Client is an HTTP client that trusts the cloud's CA.
func (c *Cloud) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: c.ca.pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}}
}

// Issue makes a certificate and key, PEM, for a webhook on the given names or
// addresses. The cloud trusts it when it delivers notifications.
func (c *Cloud) Issue(names ...string) (cert, key []byte, err error) {
	leaf, err := c.ca.issue(names...)
	if err != nil {
		return nil, nil, fmt.Errorf("graphtest: make a certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("graphtest: encode a key: %w", err)
	}
	return pemOf("CERTIFICATE", leaf.Certificate[0]), pemOf("PRIVATE KEY", der), nil
}

// Transport hands every request to the cloud in-process, whatever its host: no
// socket is opened, so it works in a testing/synctest bubble.
func (c *Cloud) Transport() http.RoundTripper { return InProcess(c) }

// InProcess is a transport that calls h for every request, whatever its host. A
// handler that pays no attention to its request's context delays the caller.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "192.0.2.1:443"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	rec := &recorder{header: http.Header{}}
	cut := rec.serve(p.h, in)
	switch err := req.Context().Err(); {
	case err != nil:
		return nil, err
	case cut:
		return nil, io.ErrUnexpectedEOF
	}
	rec.WriteHeader(http.StatusOK) // if nothing else was said
	return &http.Response{
		Status: fmt.Sprintf("%d %s", rec.status, http.StatusText(rec.status)), StatusCode: rec.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.sent, Body: io.NopCloser(&rec.body), ContentLength: int64(rec.body.Len()), Request: req,
	}, nil
}

// A recorder is the ResponseWriter of an in-process request.
type recorder struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// serve runs the handler and tells whether it cut the connection.
func (r *recorder) serve(h http.Handler, req *http.Request) (cut bool) {
	defer func() {
		if e := recover(); e == http.ErrAbortHandler {
			cut = true
		} else if e != nil {
			panic(e)
		}
	}()
	h.ServeHTTP(r, req)
	return false
}

// An authority is a certificate authority of one cloud's life.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
	pool *x509.CertPool
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := certificate("graphtest")
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &authority{cert: cert, key: key, pem: pemOf("CERTIFICATE", der), pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a, nil
}

func (a *authority) issue(names ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl := certificate("graphtest server")
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func certificate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
