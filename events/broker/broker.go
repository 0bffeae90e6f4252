// Package broker gives Curfew its connection to NATS JetStream: to a server
// embedded in this process, which is the default, or to one that runs elsewhere.
//
// What holds for an embedded server:
//
//   - What it acknowledged is on the disk: every write is synced.
//   - Only this machine can reach it, and only with the key it keeps beside its
//     data, readable by its user alone.
//   - One process at a time has a data directory.
//   - A disk that refuses writes is waited for. When it takes them again the
//     server is started anew, and every connection finds it again by itself.
//
// What may not be assumed: that a request sent while the connection was lost is
// sent later. It fails at once, and whoever sent it decides.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A Broker is a connection to a NATS server, and that server if it is embedded.
type Broker struct {
	nc   *nats.Conn
	url  string
	emb  *embedded // nil: the server is another process
	gone chan struct{}
	wg   sync.WaitGroup // what looks after it
}

// Conn is the connection. It reconnects for ever; only Stop closes it.
func (b *Broker) Conn() *nats.Conn { return b.nc }

// URL is where others reach the server, without any credentials; empty if they
// cannot.
func (b *Broker) URL() string { return b.url }

// Healthy says what keeps the broker from storing anything, or nil.
func (b *Broker) Healthy() error {
	if b.emb != nil {
		if err := b.emb.healthy(); err != nil {
			return err
		}
	}
	if s := b.nc.Status(); s != nats.CONNECTED {
		return fmt.Errorf("broker: the connection to NATS is %s", s)
	}
	return nil
}

// Stop sends what was not sent yet, closes the connection and then the server.
// When ctx ends it stops waiting for the first and goes on with the rest, which
// takes no more than moments. Whoever uses the connection must have stopped. A
// second Stop does nothing.
func (b *Broker) Stop(ctx context.Context) error {
	var errs []error
	if b.nc.IsConnected() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := b.nc.FlushWithContext(ctx); err != nil && b.nc.IsConnected() {
			errs = append(errs, fmt.Errorf("broker: flush: %w", err))
		}
	}
	b.nc.Close()
	<-b.gone
	b.wg.Wait()
	if b.emb != nil {
		errs = append(errs, b.emb.stop())
	}
	return errors.Join(errs...)
}

// connect dials with what all connections have in common. The channel is closed
// when the connection is closed for good.
func connect(url string, log *slog.Logger, opts ...nats.Option) (*nats.Conn, chan struct{}, error) {
	gone := make(chan struct{})
	nc, err := nats.Connect(url, append([]nats.Option{
		nats.Name("curfew"),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // credentials that are exchanged may be known here first
		nats.ReconnectBufSize(-1),   // nothing is sent late behind its sender's back
		nats.CustomReconnectDelay(reconnectDelay),
		nats.Timeout(5 * time.Second),
		nats.ClosedHandler(func(*nats.Conn) { close(gone) }),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				log.Warn("the connection to NATS is lost, trying to get it back", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("connected to NATS again", "server", nc.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Warn("NATS", "err", err, "subject", subject)
		}),
	}, opts...)...)
	return nc, gone, err
}

// reconnectDelay is how long to wait after so many rounds in which no server
// answered: 50 ms at first and at most a second.
func reconnectDelay(rounds int) time.Duration {
	return min(time.Second, 50*time.Millisecond<<min(rounds, 5))
}
