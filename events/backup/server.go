package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The parts of JetStream's API that its client library does not have (NATS docs:
// JetStream API; nats-server 2.15, server/jetstream_api.go).
const (
	snapshotAPI = "$JS.API.STREAM.SNAPSHOT."
	restoreAPI  = "$JS.API.STREAM.RESTORE."

	patience  = 30 * time.Second // for one answer
	chunkSize = 16 << 10         // of what is restored
)

// An answer is what is read of the server's replies.
type answer struct {
	Error *struct {
		Description string `json:"description"`
	} `json:"error"`
	Config  json.RawMessage `json:"config"`
	Deliver string          `json:"deliver_subject"`
}

func ask(ctx context.Context, nc *nats.Conn, subject string, what any) (answer, error) {
	data, err := json.Marshal(what)
	if err != nil {
		return answer{}, err
	}
	return reply(request(ctx, nc, subject, data))
}

// request asks once. That nobody listens means that nobody has heard it: one server
// of a cluster may not know yet that another one does.
func request(ctx context.Context, nc *nats.Conn, subject string, data []byte) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for end := time.Now().Add(3 * time.Second); ; {
		m, err := nc.RequestWithContext(ctx, subject, data)
		if !errors.Is(err, nats.ErrNoResponders) || time.Now().After(end) {
			return m, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func reply(m *nats.Msg, err error) (answer, error) {
	var a answer
	if err != nil {
		return a, err
	}
	if len(m.Data) > 0 {
		if err := json.Unmarshal(m.Data, &a); err != nil {
			return a, err
		}
	}
	if a.Error != nil {
		return a, errors.New(a.Error.Description)
	}
	return a, nil
}

// snapshot has the server hand a stream over. It is as it was when this began, but
// for messages deleted meanwhile.
func snapshot(ctx context.Context, nc *nats.Conn, stream string, consumers bool, take func(config json.RawMessage, r io.Reader) error) error {
	sub, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // the server stops by itself if it is not heard
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	a, err := ask(ctx, nc, snapshotAPI+stream, map[string]any{"deliver_subject": sub.Subject, "no_consumers": !consumers})
	if err != nil {
		return err
	}
	r := &chunks{ctx: ctx, sub: sub}
	if err := take(a.Config, r); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// chunks reads what a server sends, and says so, for it waits for that.
type chunks struct {
	ctx  context.Context
	sub  *nats.Subscription
	rest []byte
	err  error
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 && c.err == nil {
		c.rest, c.err = c.next()
	}
	if len(c.rest) == 0 {
		return 0, c.err
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *chunks) next() ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	m, err := c.sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("the server sends nothing any more: %w", err)
	}
	if len(m.Data) == 0 {
		if status := m.Header.Get("Status"); status != "" && status != "204" {
			return nil, fmt.Errorf("the server broke off: %s %s", status, m.Header.Get("Description"))
		}
		return nil, io.EOF
	}
	if m.Reply != "" {
		err = m.Respond(nil)
	}
	return m.Data, err
}

// restore has the server make a stream of an archive.
func restore(ctx context.Context, nc *nats.Conn, c jetstream.StreamConfig, st state, r io.Reader) error {
	a, err := ask(ctx, nc, restoreAPI+c.Name, map[string]any{"config": c, "state": st})
	if err != nil {
		return err
	}
	for buf := make([]byte, chunkSize); ; {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if _, err := reply(request(ctx, nc, a.Deliver, buf[:n])); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return err
		}
	}
	_, err = reply(request(ctx, nc, a.Deliver, nil))
	return err
}
