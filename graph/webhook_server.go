package graph

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
)

// A WebhookServer says how a [Webhook] is served: with TLS from files, or without
// it behind a proxy that has it. Graph delivers to https addresses with a
// certificate of a public authority only.
type WebhookServer struct {
	Addr string // host:port
	// CertFile and KeyFile are PEM, the certificate's chain included. They are read
	// again when they have changed. Both empty: no TLS.
	CertFile, KeyFile string
	Handler           http.Handler
	Log               *slog.Logger // nil: silent
}

// Limits of a server that anybody may reach. A body has at most 1 MiB and an
// answer takes at most 3 s.
const (
	headerWithin = 5 * time.Second
	bodyWithin   = 10 * time.Second
	answerWithin = 15 * time.Second
	idleFor      = 2 * time.Minute
	maxHeader    = 16 << 10
	maxStreams   = 64 // of one HTTP/2 connection
)

// Server makes the server. It reports what is wrong with the files now, not at
// the first handshake. Start it with ListenAndServeTLS("", "") if it has a
// TLSConfig, or else with ListenAndServe.
func (s WebhookServer) Server() (*http.Server, error) {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	srv := &http.Server{
		Addr: s.Addr, Handler: s.Handler,
		ReadHeaderTimeout: headerWithin, ReadTimeout: bodyWithin, WriteTimeout: answerWithin, IdleTimeout: idleFor,
		MaxHeaderBytes: maxHeader,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' failed handshakes
	}
	switch {
	case s.Handler == nil:
		return nil, errors.New("graph: webhook server: no handler")
	case s.CertFile == "" && s.KeyFile == "":
		return srv, nil
	case s.CertFile == "" || s.KeyFile == "":
		return nil, errors.New("graph: webhook server: TLS needs a certificate and a key, behind a proxy neither")
	}
	p := &pair{cert: s.CertFile, key: s.KeyFile, log: log}
	if err := p.load(); err != nil {
		return nil, fmt.Errorf("graph: webhook server: %w", err)
	}
	srv.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current(time.Now()), nil },
	}
	return srv, nil
}

// A pair is a certificate and its key in files that somebody renews.
type pair struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	have   *tls.Certificate
	stamp  [2]stamp
	looked time.Time
	failed [2]stamp // what could not be used, so as to say it once
}

// A stamp tells one state of a file from the next.
type stamp struct {
	at   time.Time
	size int64
}

const lookEvery = time.Second

// current is the certificate as it is now. New files that do not fit together are
// taken to be half written: the old pair is used until they do.
func (p *pair) current(now time.Time) *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := now.Sub(p.looked); since >= 0 && since < lookEvery {
		return p.have
	}
	p.looked = now
	stamp, err := p.stamps()
	if err == nil && stamp == p.stamp {
		return p.have
	}
	if err == nil {
		err = p.take(stamp)
	}
	switch {
	case err == nil:
		p.log.Info("the webhook's certificate was read again", "file", p.cert, "expires", p.have.Leaf.NotAfter)
	case stamp != p.failed:
		p.failed = stamp
		p.log.Error("the webhook's new certificate cannot be used, so the old one is", "err", err)
	}
	return p.have
}

func (p *pair) load() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	stamp, err := p.stamps()
	if err != nil {
		return err
	}
	return p.take(stamp)
}

func (p *pair) take(s [2]stamp) error {
	cert, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", p.cert, p.key, err)
	}
	p.have, p.stamp = &cert, s
	return nil
}

func (p *pair) stamps() (s [2]stamp, err error) {
	for i, name := range []string{p.cert, p.key} {
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}
