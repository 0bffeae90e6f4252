package try

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// A scene is a world with one sick laptop, a NATS server and a worker that uses
// it, everything between them and around them being watched.
type scene struct {
	*world
	tenant *graphtest.Tenant
	laptop graphtest.Device
	how    manner
	queue  *broker.Broker
	wire   *wire
	wk     *worker
	j      *journal.Journal

	mu   sync.Mutex
	doom *doom // of the life under way
}

// newScene builds one; close must be called.
func newScene(ctx context.Context, dir, program string, how manner) (s *scene, err error) {
	w, err := newWorld(ctx, dir, "1h", nil)
	if err != nil {
		return nil, err
	}
	s = &scene{world: w, how: how, doom: newDoom("")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	s.tenant = w.newTenant("contoso", "00000001-0000-4000-8000-000000000001")
	s.laptop = s.tenant.AddDevice(graphtest.Device{Name: "LT-001", User: "ana@" + s.tenant.Domain})
	s.misbehave()
	store := filepath.Join(dir, "nats")
	quiet := slog.New(slog.DiscardHandler)
	if s.queue, err = broker.Embed(ctx, broker.Embedded{Dir: store, Listen: "127.0.0.1:0"}, quiet); err != nil {
		return s, err
	}
	if s.wire, err = newWire(ctx, strings.TrimPrefix(s.queue.URL(), "nats://"), s.life); err != nil {
		return s, err
	}
	if s.j, err = journal.Open(ctx, s.queue.Conn(), journal.Options{}, quiet); err != nil {
		return s, err
	}
	cloud, err := w.serve(ctx, &front{cloud: w.cloud, doom: s.life, sees: s.sees})
	if err != nil {
		return s, err
	}
	s.wk, err = s.newCrashWorker(cloud, filepath.Join(store, "nats.nk"), program)
	return s, err
}

// A manner is how a tenant takes a wipe.
type manner struct {
	name  string
	fault graphtest.Kind    // of every wipe
	comes graphtest.Outcome // of the wipe, if it is executed
	late  time.Duration     // nothing of it is written down for so long
	dies  boundaries
}

// settle is how late Intune's record of a call may be before it counts as lost.
const settle = 4 * time.Second

// boundaries says at which ones a worker dies in a tenant.
type boundaries int

const (
	aroundTheCall boundaries = iota
	whereAnythingChanges
	everywhere
)

// misbehave makes the laptop sick and its tenant what it is.
func (s *scene) misbehave() {
	timing := graphtest.QuickTiming()
	timing.Reset = timing.Pickup // it is over when its record is first read
	s.tenant.SetTiming(timing)
	s.tenant.Infect(s.laptop.Name, graphtest.High)
	s.tenant.Investigate(s.laptop.Name, "failed")
	if s.how.fault != "" {
		s.tenant.Inject(graphtest.Fault{Kind: s.how.fault, Path: "deviceManagement/managedDevices/*/wipe"})
	}
	if s.how.comes != graphtest.Works {
		s.tenant.Next(s.laptop.Name, "wipe", s.how.comes)
	}
	if s.how.late > 0 {
		for property, value := range unwritten {
			s.tenant.SetRaw(s.laptop.Name, property, value)
		}
	}
}

func (s *scene) close(ctx context.Context) error {
	s.life().abandon()
	if s.wk != nil {
		s.wk.kill()
	}
	s.world.close()
	if s.wire != nil {
		s.wire.close()
	}
	if s.queue != nil {
		return s.queue.Stop(context.WithoutCancel(ctx))
	}
	return nil
}

func (s *scene) life() *doom {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doom
}

// begin starts a worker that dies at a boundary.
func (s *scene) begin(ctx context.Context, at string) (*doom, error) {
	d := newDoom(at)
	d.kill = s.wk.kill
	s.mu.Lock()
	s.doom = d
	s.mu.Unlock()
	return d, s.wk.start(ctx)
}

// release gives back to the queue what a dead worker had in hand. NATS would do
// so by itself when the worker's lease is over, some seconds later.
func (s *scene) release(ctx context.Context, d *doom) error {
	for _, reply := range d.held() {
		if err := s.queue.Conn().Publish(reply, []byte("-NAK")); err != nil {
			return err
		}
	}
	return s.queue.Conn().FlushWithContext(ctx)
}

// sees lets a late record come when its time has.
func (s *scene) sees(*http.Request) {
	if w := s.wipes(); s.how.late > 0 && len(w) > 0 && time.Since(w[0].Asked) > s.how.late {
		for property := range unwritten {
			s.tenant.Unset(s.laptop.Name, property)
		}
	}
}

// unwritten is what Intune shows of a wipe that it has not written down.
var unwritten = map[string]any{"managementState": "managed", "deviceActionResults": []any{}}

func (s *scene) key() events.Key {
	return events.Key{Tenant: s.tenant.ID, Device: s.laptop.EntraID}
}

// wipes are all that Intune has taken on, of whatever kind.
func (s *scene) wipes() []graphtest.Action {
	var out []graphtest.Action
	for _, a := range s.tenant.Actions(s.laptop.Name) {
		if a.Name == "wipe" {
			out = append(out, a)
		}
	}
	return out
}

// newCrashWorker writes the configuration of a worker that uses a NATS server
// elsewhere. Everything but its times is ordinary.
func (s *scene) newCrashWorker(cloud, nkey, program string) (*worker, error) {
	write := func(name string, data []byte) error {
		_, err := s.file(filepath.Join("worker", name), data)
		return err
	}
	var text strings.Builder
	err := crashConfig.Execute(&text, map[string]string{
		"Cloud": cloud, "NATS": s.wire.url(), "NKey": nkey, "App": s.appID, "Tenant": s.tenant.ID, "Domain": s.tenant.Domain,
		"Settle": settle.String(),
	})
	dir := filepath.Join(s.dir, "worker")
	return &worker{name: "worker", program: program, config: filepath.Join(dir, "curfew.yaml"), data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log")},
		errors.Join(err, write("cloud-ca.pem", s.cloud.CA()), write("client-secret", []byte(s.appSecret)), write("curfew.yaml", []byte(text.String())))
}

var crashConfig = template.Must(template.New("curfew.yaml").Parse(`
dry_run: false
data: data
listen: 127.0.0.1:0
admin: 127.0.0.1:0
nats: {url: "{{.NATS}}", nkey_file: "{{.NKey}}"}
pace: {check_after: 1s, settle: {{.Settle}}}
relook: 10m # every look here has another reason
tenants:
  - name: contoso
    id: {{.Tenant}}
    endpoints: {graph: {{.Cloud}}, login: {{.Cloud}}, ca_file: cloud-ca.pem}
    auth: {client_id: {{.App}}, client_secret_file: client-secret}
    mail_from: it@{{.Domain}}
    sweep: 1h
limits:
  reset: {count: 10, within: 24h, percent: 100} # a second wipe must be kept off by something better
policies:
  - name: threat
    when: device.os == "Windows" && device.threat >= medium
    grace: 1s
    clear_for: 1s
    ladder:
      - do: [mail: {template: threat-found}]
      - after: 1s
        do: [reset]
`))

// tale is what the journal has of the laptop, for a test that failed.
func (s *scene) tale(ctx context.Context) string {
	var b strings.Builder
	for r, err := range s.j.Facts(ctx, s.key()) {
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%s %T %.300v\n", r.At.Format("15:04:05.000"), r.Fact, r.Fact)
	}
	return b.String()
}
