package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Remote says how to reach a NATS server or cluster that runs elsewhere. All
// secrets are in files, which are read again at each connection: a password or
// credentials may be exchanged while there is one. An nkey may not.
type Remote struct {
	URL string // nats://host:port or tls://host:port, several with commas; never with a password

	// One of these, or none.
	Creds        string // a file with a user's JWT and seed, as nsc makes it
	NKey         string // a file with a user's seed
	User         string // a name, whose password is in PasswordFile
	PasswordFile string

	CA   string // certificates that the server's is signed by; empty: those of the system
	Cert string // the client's certificate, if the server wants one
	Key  string // and its key
}

// Dial connects to a NATS server that runs elsewhere. One that does not answer
// is waited for until ctx ends; one that refuses is an error at once.
func Dial(ctx context.Context, r Remote, log *slog.Logger) (*Broker, error) {
	opts, err := r.options()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	for round := 0; ; round++ {
		nc, gone, err := connect(r.URL, log, opts...)
		if err == nil {
			b := &Broker{nc: nc, url: r.URL, gone: gone}
			life := context.WithoutCancel(ctx) // it ends with the connection
			b.wg.Go(func() { roam(life, nc, gone, roamEvery, log) })
			return b, nil
		}
		if !unreachable(err) {
			return nil, fmt.Errorf("broker: %s: %w", r.URL, err)
		}
		if round == 0 {
			log.Warn("NATS does not answer yet, waiting for it", "url", r.URL, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("broker: %s: %w (%w)", r.URL, err, context.Cause(ctx))
		case <-time.After(4 * reconnectDelay(round)):
		}
	}
}

// unreachable reports whether the server may be there later.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.As(err, &op)
}

func (r Remote) options() ([]nats.Option, error) {
	var opts []nats.Option
	var errs []error
	for u := range strings.SplitSeq(r.URL, ",") {
		if p, err := url.Parse(strings.TrimSpace(u)); err != nil || p.Host == "" {
			errs = append(errs, errors.New("the URL must be like nats://host:4222"))
		} else if p.User != nil {
			errs = append(errs, errors.New("the URL must not hold credentials: put them into a file and name that"))
		}
	}
	ways := 0
	if r.Creds != "" {
		ways++
		opts = append(opts, nats.UserCredentials(r.Creds))
		errs = append(errs, readable(r.Creds))
	}
	if r.NKey != "" {
		ways++
		o, err := nats.NkeyOptionFromSeed(r.NKey)
		if err != nil {
			err = fmt.Errorf("%s: %w", r.NKey, err)
		}
		opts, errs = append(opts, o), append(errs, err)
	}
	if (r.User == "") != (r.PasswordFile == "") {
		errs = append(errs, errors.New("a user needs a file with the password, and a password its user"))
	} else if r.User != "" {
		ways++
		opts, errs = append(opts, nats.UserInfoHandler(r.password)), append(errs, readable(r.PasswordFile))
	}
	if ways > 1 {
		errs = append(errs, errors.New("name one of a credentials file, an nkey file and a user, not several"))
	}
	if r.CA != "" {
		opts, errs = append(opts, nats.RootCAs(r.CA)), append(errs, readable(r.CA))
	}
	if (r.Cert == "") != (r.Key == "") {
		errs = append(errs, errors.New("a client's certificate and its key are two files; name both"))
	} else if r.Cert != "" {
		opts, errs = append(opts, nats.ClientCert(r.Cert, r.Key)), append(errs, readable(r.Cert), readable(r.Key))
	}
	return opts, errors.Join(errs...)
}

// password is the user and the password as they are now: it is asked at each
// connection. One that cannot be read is refused by the server, and read again.
func (r Remote) password() (user, password string) {
	b, err := os.ReadFile(r.PasswordFile)
	if err != nil {
		return r.User, ""
	}
	return r.User, strings.TrimSpace(string(b))
}

func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
