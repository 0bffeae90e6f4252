package fake

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A pipe is a listener whose connections are in memory.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipe() *pipe {
	return &pipe{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	up, down := newStream(), newStream()
	select {
	case p.conns <- conn{in: up, out: down}:
		return conn{in: down, out: up}, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "pipe" }
func (address) String() string  { return "fake.example:443" }

// A conn is one side of a connection. Unlike net.Pipe it has buffers, as a
// network has, so that writing never waits for the other side to read: what waits
// while it holds a lock stops the clock of a bubble.
type conn struct{ in, out *stream }

func (c conn) Read(b []byte) (int, error)        { return c.in.read(b) }
func (c conn) Write(b []byte) (int, error)       { return c.out.write(b) }
func (c conn) LocalAddr() net.Addr               { return address{} }
func (c conn) RemoteAddr() net.Addr              { return address{} }
func (c conn) SetReadDeadline(t time.Time) error { return c.in.until(t) }
func (c conn) SetWriteDeadline(time.Time) error  { return nil } // writing never waits
func (c conn) SetDeadline(t time.Time) error     { return c.in.until(t) }

func (c conn) Close() error {
	c.out.close()
	c.in.close()
	return nil
}

// A stream is one direction of a connection.
type stream struct {
	mu       sync.Mutex
	buf      bytes.Buffer
	closed   bool
	deadline time.Time
	changed  chan struct{} // closed, and made anew, at each change
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change does something to the stream and wakes its reader.
func (s *stream) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) close() { s.change(func() { s.closed = true }) }

func (s *stream) until(t time.Time) error {
	s.change(func() { s.deadline = t })
	return nil
}

func (s *stream) write(b []byte) (n int, err error) {
	s.change(func() {
		if s.closed {
			err = io.ErrClosedPipe
			return
		}
		n, err = s.buf.Write(b)
	})
	return n, err
}

func (s *stream) read(b []byte) (int, error) {
	for {
		s.mu.Lock()
		if s.buf.Len() > 0 {
			defer s.mu.Unlock()
			return s.buf.Read(b)
		}
		closed, deadline, changed := s.closed, s.deadline, s.changed
		s.mu.Unlock()
		if closed {
			return 0, io.EOF
		}
		if err := wait(changed, deadline); err != nil {
			return 0, err
		}
	}
}

// wait returns when the stream has changed, or with an error at the deadline.
func wait(changed <-chan struct{}, deadline time.Time) error {
	if deadline.IsZero() {
		<-changed
		return nil
	}
	left := time.Until(deadline)
	if left <= 0 { // no timer for what is over: net/http sets deadlines in the past to wake a reader
		select {
		case <-changed:
			return nil
		default:
			return os.ErrDeadlineExceeded
		}
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}
