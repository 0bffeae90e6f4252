package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// DefaultListen is where an embedded server listens if nothing else is said.
const DefaultListen = "127.0.0.1:4222"

// Embedded says how to run a NATS server inside this process.
type Embedded struct {
	Dir    string // where its data is kept; made if it is not there
	Listen string // a loopback address and a port, 0 for any free one; empty: [DefaultListen]

	DontListen bool  // nobody but this process can reach it
	MaxStore   int64 // bytes it may keep; 0: as many as the disk holds
}

// Embed starts a NATS server inside this process and connects to it without a
// socket. It returns when everything the server kept is readable again; ctx
// bounds only that.
func Embed(ctx context.Context, o Embedded, log *slog.Logger) (*Broker, error) {
	host, port, err := o.address()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	held, err := lock(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	e := &embedded{o: o, host: host, port: port, log: log, held: held, alarm: make(chan struct{}, 1)}
	b, err := e.open(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), e.stop())
	}
	return b, nil
}

// address checks where to listen. Port is -1 for any free one.
func (o Embedded) address() (host string, port int, err error) {
	if o.Dir == "" {
		return "", 0, errors.New("no data directory is given")
	}
	listen := o.Listen
	if listen == "" {
		listen = DefaultListen
	}
	host, p, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen on %q: it must be like %s", listen, DefaultListen)
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < -1 || port > 65535 {
		return "", 0, fmt.Errorf("listen on %q: %q is no port", listen, p)
	}
	if port == 0 {
		port = -1
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("listen on %q: the embedded server is for this machine only; to share a queue, run nats-server and dial it", listen)
	}
	return host, port, nil
}

// An embedded is a server in this process, and what keeps it going.
type embedded struct {
	o     Embedded
	host  string
	port  int
	log   *slog.Logger
	key   nkeys.KeyPair
	pub   string
	held  *os.File
	alarm chan struct{}
	once  sync.Once
	quit  context.CancelFunc // ends watch
	wg    sync.WaitGroup

	mu     sync.Mutex
	srv    *server.Server // nil while there is none
	refuse error          // why the disk takes nothing; nil: it does
}

// open starts the server for the first time, and connects.
func (e *embedded) open(ctx context.Context) (*Broker, error) {
	var err error
	if e.key, err = key(e.o.Dir); err != nil {
		return nil, err
	}
	if e.pub, err = e.key.PublicKey(); err != nil {
		return nil, err
	}
	if err := e.start(ctx); err != nil {
		return nil, err
	}
	url := ""
	if !e.o.DontListen {
		// The port stays the same when the server is started anew.
		e.port = e.srv.Addr().(*net.TCPAddr).Port
		url = "nats://" + net.JoinHostPort(e.host, strconv.Itoa(e.port))
		if err := announce(e.o.Dir, url); err != nil {
			return nil, err
		}
	}
	nc, gone, err := connect("", e.log, nats.InProcessServer(e), nats.Nkey(e.pub, e.key.Sign))
	if err != nil {
		return nil, err
	}
	life, quit := context.WithCancel(context.WithoutCancel(ctx))
	e.quit = quit
	e.wg.Go(func() { e.watch(life) })
	return &Broker{nc: nc, url: url, emb: e, gone: gone}, nil
}

// InProcessConn connects to whichever server runs now.
func (e *embedded) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.srv == nil {
		return nil, errors.New("the embedded server is not running")
	}
	return e.srv.InProcessConn()
}

func (e *embedded) options() *server.Options {
	most := e.o.MaxStore
	if most <= 0 {
		most = 1 << 60 // the disk's own end is dealt with; see watch
	}
	return &server.Options{
		ServerName: "curfew",
		Host:       e.host,
		Port:       e.port,
		DontListen: e.o.DontListen,
		Nkeys:      []*server.NkeyUser{{Nkey: e.pub}},

		JetStream:  true,
		StoreDir:   e.o.Dir,
		SyncAlways: true, // an acknowledged write is on the disk

		JetStreamMaxStore:      most,
		JetStreamMaxMemory:     64 << 20, // no stream of ours is in memory
		DisableJetStreamBanner: true,

		NoSigs:          true, // signals are the worker's
		NoLog:           true,
		NoSystemAccount: true, // nobody asks this server how it is but we
	}
}

// start runs a new server on the data directory until it is ready.
func (e *embedded) start(ctx context.Context) error {
	srv, err := server.NewServer(e.options())
	if err != nil {
		return err
	}
	lines := &serverLog{log: e.log, alarm: e.alarm}
	srv.SetLoggerV2(lines, false, false, false)
	srv.Start()
	for !srv.ReadyForConnections(100 * time.Millisecond) {
		why := lines.fatal.Load()
		if why == nil && ctx.Err() == nil {
			continue
		}
		srv.Shutdown()
		srv.WaitForShutdown()
		if why != nil {
			return fmt.Errorf("the embedded server does not start: %s; if its address is taken, choose another", *why)
		}
		return fmt.Errorf("the embedded server was not ready in time: %w", context.Cause(ctx))
	}
	if why := lines.fatal.Load(); why != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return fmt.Errorf("the embedded server does not start: %s", *why)
	}
	e.mu.Lock()
	e.srv = srv
	e.mu.Unlock()
	return nil
}

// halt shuts the server down, if there is one.
func (e *embedded) halt() {
	e.mu.Lock()
	srv := e.srv
	e.srv = nil
	e.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// stop ends the server for good and gives the data directory free.
func (e *embedded) stop() error {
	var err error
	e.once.Do(func() {
		if e.quit != nil {
			e.quit()
		}
		e.wg.Wait()
		e.halt()
		if err = os.Remove(filepath.Join(e.o.Dir, accessFile)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		err = errors.Join(err, e.held.Close())
	})
	return err
}
