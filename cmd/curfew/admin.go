package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync"
	"time"
)

// A probe is something that must be well for the worker to be. Check says what
// is wrong, in words that hold no secret, or nil; it should return when ctx ends.
type probe struct {
	Name  string
	Check func(ctx context.Context) error
}

// defaultAdmin is where the admin server listens if the configuration does not
// say: on this machine only.
const defaultAdmin = "127.0.0.1:8081"

// An admin answers whether the worker is well:
//
//	GET /livez   200 while the process works; 503 means that only a restart helps
//	GET /readyz  200 while it can take notifications in; 503 with every reason why not
//	GET /metrics for Prometheus, and /debug/pprof/ for go tool pprof, if there are any
//
// The answer is a line for each reason, or JSON for who accepts only that:
// {"ok":false,"reasons":[{"check":"queue","reason":"..."}]}. Warnings, in the same
// form, say what somebody should mend although the worker is well.
type admin struct {
	Live    []probe
	Ready   []probe
	Warn    func() []unwell // what somebody should mend although the worker is well; may be nil
	Timeout time.Duration   // of one check; zero: 3 s
	Metrics http.Handler    // nil: none
	Pprof   bool
	Log     *slog.Logger
}

// An unwell is a check that is not well, and why.
type unwell struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

type health struct {
	OK       bool     `json:"ok"`
	Reasons  []unwell `json:"reasons,omitempty"`
	Warnings []unwell `json:"warnings,omitempty"`
}

func (s *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", s.answer("alive", s.Live))
	mux.Handle("GET /readyz", s.answer("ready", s.Ready))
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
	if s.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func (s *admin) answer(good string, checks []probe) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := s.examine(r.Context(), checks)
		if s.Warn != nil {
			h.Warnings = s.Warn()
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		code := http.StatusOK
		if !h.OK {
			code = http.StatusServiceUnavailable
		}
		// Errors of writing the answer are the client's.
		if accept := r.Header.Get("Accept"); strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(h)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		if !h.OK {
			good = "not " + good
		}
		fmt.Fprintln(w, good)
		for _, why := range h.Reasons {
			fmt.Fprintf(w, "%s: %s\n", why.Check, why.Reason)
		}
		for _, why := range h.Warnings {
			fmt.Fprintf(w, "warning: %s: %s\n", why.Check, why.Reason)
		}
	}
}

// examine runs the checks side by side. One that does not answer in time is not
// well, and is not waited for.
func (s *admin) examine(ctx context.Context, checks []probe) health {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, 3*time.Second))
	defer cancel()
	errs := make([]error, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			got := make(chan error, 1)
			go func() { got <- c.Check(ctx) }()
			select {
			case errs[i] = <-got:
			case <-ctx.Done():
				errs[i] = errors.New("it does not say how it is")
			}
		})
	}
	wg.Wait()
	h := health{OK: true}
	for i, err := range errs {
		if err != nil {
			h.OK = false
			h.Reasons = append(h.Reasons, unwell{checks[i].Name, oneLine(err)})
		}
	}
	return h
}

// listen opens the address of the admin server. An empty one is [defaultAdmin].
func listenAdmin(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmp.Or(address, defaultAdmin))
	if err != nil {
		return nil, fmt.Errorf("admin: %w; free that address or set another one in the configuration", err)
	}
	return l, nil
}

// serve answers on l until ctx ends, and then gives requests that are under way
// two seconds.
func (s *admin) serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(l)
	if stop() {
		_ = srv.Close() // it ended by itself
	} else {
		<-stopped
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// run listens on an address and answers until ctx ends.
func (s *admin) run(ctx context.Context, address string) error {
	l, err := listenAdmin(ctx, address)
	if err != nil {
		return err
	}
	return s.serve(ctx, l)
}
