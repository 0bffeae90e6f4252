package desktest

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"sync"

	"curfew/handlers/handlerstest/fake"
)

// A front is the vendor's front door, which fails to order: all requests, those
// that only ask, or those that change something.
type front struct {
	all, reads, writes *fake.Server

	chaos []*fake.Server // each fails in its own way, always
	asks  func(*http.Request) bool
	mu    sync.Mutex
	wild  *rand.Rand // decides who fails; nil: nobody
	calls int        // requests so far
}

func newFront(vendor http.Handler, asks func(*http.Request) bool) (*front, error) {
	f := &front{asks: asks}
	for to, h := range map[**fake.Server]http.Handler{&f.all: f, &f.reads: vendor, &f.writes: vendor} {
		s, err := fake.Pipe(h)
		if err != nil {
			return nil, err
		}
		*to = s
	}
	for _, fault := range []fake.Fault{
		{Hang: true}, {Hang: true, Done: true}, {Drop: true, Done: true}, {Status: 409}, {Status: 409, Done: true},
		{Status: 429, RetryAfter: "3"}, {Status: 503}, {Status: 504, Done: true},
	} {
		s, err := fake.Pipe(vendor)
		if err != nil {
			return nil, err
		}
		s.Fail(-1, fault)
		f.chaos = append(f.chaos, s)
	}
	return f, nil
}

func (f *front) close() {
	for _, s := range append(f.chaos, f.all, f.reads, f.writes) {
		s.Close()
	}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.next(r).ServeHTTP(w, r) }

func (f *front) next(r *http.Request) http.Handler {
	asks := r.Method == http.MethodGet || f.asks != nil && f.asks(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	switch {
	case f.wild != nil && f.wild.IntN(10) == 0:
		n := f.wild.IntN(len(f.chaos))
		for asks && (n == 3 || n == 4) { // nobody conflicts with a question
			n = f.wild.IntN(len(f.chaos))
		}
		return f.chaos[n]
	case asks:
		return f.reads
	}
	return f.writes
}

// storm makes one request in ten fail, each in a way of its own.
func (f *front) storm(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wild = nil
	if on {
		f.wild = rand.New(rand.NewPCG(1, 2))
	}
}

func (f *front) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// logged is what the workers logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
