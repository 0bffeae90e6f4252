package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"curfew/cmd/curfew/try"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// A worker is a real `curfew run`, a process of its own, for simulated tenants.
type worker struct {
	plan
	dir     string
	cloud   *graphtest.Cloud
	tenants []*graphtest.Tenant
	apps    []*graphtest.App // of each
	program string
	admin   string
	cmd     *exec.Cmd
	exited  chan struct{}
}

// A plan is what a worker is to do.
type plan struct {
	Tenants int
	Sweep   time.Duration // between two sweeps
	Rules   string        // policies
	dir     string        // with data to begin with; empty: a new one
}

// The least policies there can be: nothing is done about anything for a day.
const patient = `
  - name: threat
    when: device.threat >= medium
    ladder:
      - after: 1d
        do: [sync]
`

// worker lends a worker whose process has not been started yet.
func (r *Rig) worker(ctx context.Context, p plan, use func(*worker) error) (err error) {
	w := &worker{plan: p, dir: p.dir, program: r.Program, cloud: graphtest.NewCloud()}
	defer w.cloud.Close()
	if w.dir == "" {
		if w.dir, err = os.MkdirTemp(r.dir, "worker-"); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.dir)) }()
	if err := w.cloud.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	if err := w.configure(ctx); err != nil {
		return err
	}
	defer w.stop()
	return use(w)
}

// configure makes the tenants and writes the worker's configuration.
func (w *worker) configure(ctx context.Context) error {
	secret := rand.Text()
	for i := range w.Tenants {
		t, app := newTenant(w.cloud, fmt.Sprintf("tenant-%02d", i), tenantNumber(i), secret)
		w.tenants, w.apps = append(w.tenants, t), append(w.apps, app)
	}
	cert, key, err := w.cloud.Issue("127.0.0.1")
	if err != nil {
		return err
	}
	listen, err := freePort(ctx)
	if err != nil {
		return err
	}
	if w.admin, err = freePort(ctx); err != nil {
		return err
	}
	var text strings.Builder
	err = config.Execute(&text, map[string]any{
		"Listen": listen, "Admin": w.admin, "Cloud": w.cloud.URL, "App": appID, "Sweep": fmt.Sprintf("%dms", w.Sweep.Milliseconds()), "Rules": w.Rules, "Resource": resource, "Tenants": w.tenants,
	})
	for name, data := range map[string][]byte{
		"curfew.yaml": []byte(text.String()), "cert.pem": cert, "key.pem": key, "ca.pem": w.cloud.CA(), "secret": []byte(secret),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(w.dir, name), data, 0o600))
	}
	return err
}

// tenantNumber is the id of the i-th tenant, and tenantID that of the first.
func tenantNumber(i int) string { return fmt.Sprintf("%s%02d", tenantID[:34], i+1) }

var config = template.Must(template.New("curfew.yaml").Parse(`dry_run: false
data: data
listen: {{.Listen}}
public_url: https://{{.Listen}}
tls: {cert_file: cert.pem, key_file: key.pem}
admin: {{.Admin}}
queue: 127.0.0.1:0
relook: 30d
tenants:
{{- range .Tenants}}
  - name: {{.Name}}
    id: {{.ID}}
    endpoints: {graph: {{$.Cloud}}, login: {{$.Cloud}}, ca_file: ca.pem}
    auth: {client_id: {{$.App}}, client_secret_file: secret}
    sweep: {{$.Sweep}}
    subscribe: [{{$.Resource}}]
{{- end}}
limits:
  breaker: {devices: 1000, percent: 100} # everything falls ill here at once
policies:{{.Rules}}`))

// start runs the program, and returns how long it took until it was ready.
func (w *worker) start(ctx context.Context, within time.Duration) (time.Duration, error) {
	log, err := os.OpenFile(filepath.Join(w.dir, "log"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	w.cmd = exec.CommandContext(context.WithoutCancel(ctx), w.program, "run", "--config", filepath.Join(w.dir, "curfew.yaml"), "--log", "json")
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.Dir = log, log, w.dir
	start := time.Now()
	if err := w.cmd.Start(); err != nil {
		return 0, err
	}
	w.exited = make(chan struct{})
	go func() {
		_ = w.cmd.Wait() // how it ended is seen by who waits for it to be ready
		close(w.exited)
	}()
	err = until(ctx, within, "the worker is ready", func() error {
		select {
		case <-w.exited:
			return final{errors.New("it has ended")}
		default:
			return try.Ready(ctx, w.admin)
		}
	})
	if err != nil {
		err = fmt.Errorf("%w: %s", err, w.lastWords())
	}
	return time.Since(start), err
}

// lastWords are the end of the worker's log.
func (w *worker) lastWords() string {
	b, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-1500):])
}

// stop ends the worker in order, or else at once.
func (w *worker) stop() {
	if w.exited == nil {
		return
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-w.exited:
	case <-time.After(15 * time.Second):
		_ = w.cmd.Process.Kill()
		<-w.exited
	}
}

// attach lends the worker's journal, as other commands use it.
func (w *worker) attach(ctx context.Context, use func(*broker.Broker, *journal.Journal) error) error {
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Local(filepath.Join(w.dir, "data"), log)
	if err != nil {
		return err
	}
	j, err := journal.Attach(ctx, b.Conn(), log)
	if err == nil {
		err = use(b, j)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, b.Stop(stop))
}

// A final error is not waited out.
type final struct{ error }

// until waits for something to be so, which it is when there is no error.
func until(ctx context.Context, within time.Duration, what string, is func() error) error {
	for end := time.Now().Add(within); ; {
		err := is()
		if err == nil {
			return nil
		}
		if _, over := errors.AsType[final](err); over || time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("waited in vain for this: %s: %w", what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// freePort is a port of this machine that nobody listens on just now.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// subscribed is an error until every tenant has its subscription.
func (w *worker) subscribed() error {
	for _, t := range w.tenants {
		if len(t.Subscriptions()) == 0 {
			return fmt.Errorf("%s has none", t.Name)
		}
	}
	return nil
}
