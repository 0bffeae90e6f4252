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
	"sync"
	"time"
)

// A Fault is a way in which a server fails.
type Fault struct {
	Status     int           // the answer; zero: none, see Drop and Hang
	RetryAfter string        // sent along as it is
	Done       bool          // the server did what it was asked to all the same
	Drop       bool          // it breaks the connection off instead of answering
	Hang       bool          // it answers nothing until the caller leaves
	Echo       bool          // its answer quotes the whole request, secrets and all
	For        time.Duration // how long the fault lasts; zero: until Heal, or until n requests failed
}

// A Server serves a fake, with faults. It is safe for concurrent use.
type Server struct {
	URL   string         // https://host:port
	Roots *x509.CertPool // vouches for it, and for nothing else

	// Dial reaches the server whatever address is asked for. Nil on loopback.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	fake   http.Handler
	http   *http.Server
	served chan struct{}

	mu    sync.Mutex
	fault *Fault
	left  int // requests still to fail; negative: all
	until time.Time
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

// Fail makes the next n requests fail, or all of them from now on if n is
// negative. It replaces what failed before.
func (s *Server) Fail(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.left, s.until = &f, n, time.Time{}
	if f.For > 0 {
		s.until = time.Now().Add(f.For)
	}
}

// Heal ends all failing.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = nil
}

// next is the fault of the next request, or nil.
func (s *Server) next() *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil || s.left == 0 || !s.until.IsZero() && !time.Now().Before(s.until) {
		return nil
	}
	if s.left > 0 {
		s.left--
	}
	return s.fault
}

// ServeHTTP lets the fake answer, or fails.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.next()
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
