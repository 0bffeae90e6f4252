package cluster

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// A line carries connections to an address, until it is cut: then those that are
// there break, and no new one comes about.
type line struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	isCut bool
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newLine(ctx context.Context, to string) (*line, error) {
	l, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	n := &line{l: l, to: to, conns: map[net.Conn]bool{}}
	n.wg.Go(n.accept)
	return n, nil
}

func (n *line) address() string { return n.l.Addr().String() }

func (n *line) accept() {
	for {
		in, err := n.l.Accept()
		if err != nil {
			return
		}
		n.wg.Go(func() { n.carry(in) })
	}
}

func (n *line) carry(in net.Conn) {
	defer in.Close()
	if !n.hold(in) {
		return
	}
	defer n.let(in)
	out, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", n.to)
	if err != nil {
		return
	}
	defer out.Close()
	if !n.hold(out) {
		return
	}
	defer n.let(out)
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		n.wg.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // until either side ends
			done <- struct{}{}
		})
	}
	<-done
}

// hold remembers a connection, unless the line is cut.
func (n *line) hold(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCut {
		return false
	}
	n.conns[c] = true
	return true
}

func (n *line) let(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

func (n *line) cut(is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCut = is; is {
		for c := range n.conns {
			c.Close()
		}
	}
}

func (n *line) close() {
	n.l.Close()
	n.cut(true)
	n.wg.Wait()
}
