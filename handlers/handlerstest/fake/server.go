// Package fake is what the fakes of vendors' clouds share: serving them over
// TLS, on loopback or in memory, and making them fail to order.
//
// A fake is a server that keeps the vendor's rules; see pagetest and tickettest.
// This package knows no vendor.
package fake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// A Server serves a fake, with faults. It is safe for concurrent use.
type Server struct {
	Faults

	URL   string         // https://host:port
	Roots *x509.CertPool // vouches for it, and for nothing else

	// Dial reaches the server whatever address is asked for. Nil on loopback.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	fake   http.Handler
	http   *http.Server
	served chan struct{}
}

// Listen serves a fake on a port of this machine.
func Listen(fake http.Handler) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fake: %w", err)
	}
	return serve(fake, l, "https://"+l.Addr().String())
}

// Pipe serves a fake in memory, as https://fake.example, without the network: for
// synctest bubbles, where waiting for a network stops the clock.
func Pipe(fake http.Handler) (*Server, error) {
	p := newPipe()
	s, err := serve(fake, p, "https://fake.example")
	if err != nil {
		return nil, err
	}
	s.Dial = p.dial
	return s, nil
}

func serve(fake http.Handler, l net.Listener, url string) (*Server, error) {
	cert, roots, err := certificate("127.0.0.1", "fake.example")
	if err != nil {
		l.Close()
		return nil, err
	}
	s := &Server{URL: url, Roots: roots, fake: fake, served: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are the point
	}
	go func() {
		defer close(s.served)
		if err := s.http.ServeTLS(l, "", ""); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a fake that cannot serve has no story to tell
		}
	}()
	return s, nil
}

// Close ends the server and every connection to it.
func (s *Server) Close() {
	s.http.Close()
	<-s.served
}

// ServeHTTP lets the fake answer, or fails.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.Next()
	if f == nil {
		s.fake.ServeHTTP(w, r)
		return
	}
	var said []byte
	if f.Echo {
		said, _ = httputil.DumpRequest(r, true) // leaves the body readable
	}
	if f.Done {
		s.fake.ServeHTTP(&nobody{header: http.Header{}}, r)
	}
	if f.Hang {
		io.Copy(io.Discard, r.Body) // until then the caller's leaving goes unnoticed
		<-r.Context().Done()
	}
	if f.Hang || f.Drop {
		panic(http.ErrAbortHandler)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.WriteHeader(f.Status)
	w.Write(said)
}

// nobody hears the answer to a request whose reply is lost.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n *nobody) WriteHeader(int)             {}
