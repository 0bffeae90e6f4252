package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A target is where POSTs go, over connections that are kept. They are written by
// hand: on a small machine an HTTP client takes as much of it as the server does.
type target struct {
	addr, path string
	trust      *tls.Config
	want       int // the status of a success
}

// A wire is one connection.
type wire struct {
	*tls.Conn
	to   target
	read *bufio.Reader
	out  []byte
}

func (t target) dial(ctx context.Context) (*wire, error) {
	c, err := (&tls.Dialer{Config: t.trust}).DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c.(*tls.Conn), to: t, read: bufio.NewReader(c)}, nil
}

// post sends one body and waits for the answer, which must be a success.
func (w *wire) post(body []byte) error {
	w.out = fmt.Appendf(w.out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", w.to.path, w.to.addr, len(body))
	w.out = append(w.out, body...)
	if _, err := w.Write(w.out); err != nil {
		return err
	}
	res, err := http.ReadResponse(w.read, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != w.to.want {
		err = fmt.Errorf("answered with %s: %s", res.Status, strings.TrimSpace(string(said)))
	}
	return err
}

// flat posts as fast as the answers come, on so many connections for so long, and
// returns how many answers came in a second. body makes the n-th body.
func (t target) flat(ctx context.Context, conns int, took time.Duration, body func(n int) []byte) (float64, error) {
	var next counter
	var start time.Time
	err := t.each(ctx, conns, func() { start = time.Now() }, func(w *wire) error {
		for time.Since(start) < took && ctx.Err() == nil {
			if err := w.post(body(next.take())); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return float64(next.n) / time.Since(start).Seconds(), err
}

// offered posts at a steady rate, whether the answers come or not, and returns how
// long each took from when it was due: one that had to wait because the one before
// was slow has waited, too.
func (t target) offered(ctx context.Context, conns, perSecond int, took time.Duration, body func(n int) []byte) ([]time.Duration, error) {
	n := int(took.Seconds() * float64(perSecond))
	gap := time.Second / time.Duration(perSecond)
	var start time.Time
	var next counter
	all := make([]time.Duration, n)
	err := t.each(ctx, conns, func() { start = time.Now() }, func(w *wire) error {
		for i := next.take(); i < n && ctx.Err() == nil; i = next.take() {
			due := start.Add(time.Duration(i) * gap)
			time.Sleep(time.Until(due))
			if err := w.post(body(i)); err != nil {
				return err
			}
			all[i] = time.Since(due)
		}
		return ctx.Err()
	})
	return all, err
}

// each uses so many connections at one time, once all of them are made.
func (t target) each(ctx context.Context, conns int, ready func(), use func(*wire) error) error {
	wires := make([]*wire, 0, conns)
	defer func() {
		for _, w := range wires {
			_ = w.Close() // nothing is on its way any more
		}
	}()
	for range conns {
		w, err := t.dial(ctx)
		if err != nil {
			return err
		}
		wires = append(wires, w)
	}
	ready()
	g := errgroup.Group{}
	for _, w := range wires {
		g.Go(func() error { return use(w) })
	}
	return g.Wait()
}

// A counter counts from 0, for many.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) take() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n - 1
}

// reach is an error until it has counted so far.
func (c *counter) reach(n int) func() error {
	return func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.n < n {
			return fmt.Errorf("%d of %d", c.n, n)
		}
		return nil
	}
}
