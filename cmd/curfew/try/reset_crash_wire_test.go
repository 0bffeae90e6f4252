package try

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"curfew/events"
)

// A wire stands between a worker and the NATS server, and understands enough of
// the protocol (NATS docs: client protocol, 2025) to tell every write apart from
// its acknowledgement. It belongs to one life of the worker: when that ends,
// nothing of it passes any more.
type wire struct {
	listener net.Listener
	server   string       // host:port
	doom     func() *doom // of the life that connects now
	conns    sync.WaitGroup
}

func newWire(ctx context.Context, server string, doom func() *doom) (*wire, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: l, server: server, doom: doom}
	w.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			w.conns.Go(func() { w.connect(ctx, c) })
		}
	})
	return w, nil
}

func (w *wire) url() string { return "nats://" + w.listener.Addr().String() }

// close waits for the connections, whose workers have ended.
func (w *wire) close() {
	_ = w.listener.Close()
	w.conns.Wait()
}

// connect carries one connection until either side ends it.
func (w *wire) connect(ctx context.Context, client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	d := w.doom()
	var down sync.WaitGroup
	down.Go(func() {
		defer client.Close()
		pump(server, client, d.hears)
	})
	pump(client, server, d.says)
	_ = server.Close()
	down.Wait()
}

// A frame is one message of the protocol, as it came and taken apart.
type frame struct {
	raw     []byte
	verb    string // upper case
	subject string
	reply   string
	header  string
	body    []byte
}

// pump carries the frames that may pass, until a side has ended.
func pump(from io.Reader, to io.Writer, may func(*frame) bool) {
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return
		}
		if !may(f) {
			continue
		}
		if _, err := to.Write(f.raw); err != nil {
			return
		}
	}
}

func readFrame(r *bufio.Reader) (*frame, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	f := &frame{raw: line}
	args := strings.Fields(string(line))
	if len(args) == 0 {
		return f, nil
	}
	f.verb = strings.ToUpper(args[0])
	sizes := 1
	switch f.verb {
	case "HPUB", "HMSG":
		sizes = 2
	case "PUB", "MSG":
	default:
		return f, nil
	}
	rest := args[1 : len(args)-sizes]
	f.subject, rest = rest[0], rest[1:]
	if strings.HasSuffix(f.verb, "MSG") {
		rest = rest[1:] // the subscription
	}
	if len(rest) > 0 {
		f.reply = rest[0]
	}
	total, err := strconv.Atoi(args[len(args)-1])
	if err != nil {
		return nil, err
	}
	payload := make([]byte, total+2)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, err
	}
	f.raw, f.body = append(f.raw, payload...), payload[:total]
	if sizes == 2 {
		n, err := strconv.Atoi(args[len(args)-2])
		if err != nil || n > total {
			return nil, fmt.Errorf("%.100q", line)
		}
		f.header, f.body = string(f.body[:n]), f.body[n:]
	}
	return f, nil
}

// get is a value of the frame's header.
func (f *frame) get(name string) string {
	for line := range strings.SplitSeq(f.header, "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// kind is what a message in a stream of the journal is: "fact begun", "case: reset
// accepted", "task reset", "alarm"; empty: no such message.
func (f *frame) kind() string {
	part := strings.Split(f.subject, ".")
	switch part[0] {
	case "fact":
		return "fact " + f.get("Fact")
	case "alarm":
		return "alarm"
	case "task":
		return "task " + part[1]
	case "case":
		return "case: " + resetIn(f.body)
	case "dead":
		return "dead letter"
	}
	return ""
}

// A delivery is a message that the server gave to the worker.
type delivery struct{ what, subject string }

// write names what a frame of the worker changes in the server about a device, or
// about what all of them have in common; empty: nothing. Given are the deliveries
// by their reply subjects.
func (f *frame) write(device string, given map[string]delivery) string {
	const budget, ack = "$KV.STATE.gate.budget.reset", "$JS.ACK."
	if !strings.HasSuffix(f.verb, "PUB") {
		return ""
	}
	what, about := f.kind(), f.subject
	switch {
	case strings.HasPrefix(f.subject, ack) && string(f.body) != "+WPI":
		what, about = "acknowledge "+given[f.subject].what, given[f.subject].subject
		if strings.HasPrefix(string(f.body), "-NAK") {
			what = "put back " + given[f.subject].what
		}
	case strings.HasPrefix(f.subject, "$JS.API.STREAM.PURGE."):
		what, about = "cancel alarm", string(f.body)
	case strings.HasPrefix(f.subject, budget):
		return "slot of the budget"
	}
	if !strings.Contains(about, device) {
		return ""
	}
	return what
}

// resetIn says in a word how far the reset of a stored case is.
func resetIn(body []byte) string {
	var c events.Case
	if json.Unmarshal(body, &c) != nil {
		return "unreadable"
	}
	for _, t := range c.Pending {
		switch {
		case t.Action != events.Reset:
		case t.Accepted != nil:
			return "reset accepted"
		case t.Unsure:
			return "reset unsure"
		case t.Begun != nil:
			return "reset begun"
		default:
			return "reset asked for"
		}
	}
	for _, t := range c.Given {
		if t.Action == events.Reset {
			return "reset given up"
		}
	}
	for _, e := range c.Effects {
		if e.Action == events.Reset {
			return "reset done"
		}
	}
	return "no reset"
}
