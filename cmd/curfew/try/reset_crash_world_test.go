package try

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// A manner is how a tenant takes a wipe.
type manner struct {
	name  string
	fault graphtest.Kind    // of every wipe
	comes graphtest.Outcome // of the wipe, if it is executed
	late  time.Duration     // nothing of it is written down for so long
	dies  places
}

// places says at which boundaries workers die in a tenant.
type places int

const (
	aroundTheCall places = iota
	whereAnythingChanges
	everywhere
)

// A scene is a world with a tenant, a NATS server and a worker that uses it, and
// watches all that passes between them. Laptops fall ill one after the other.
type scene struct {
	*world
	how    manner
	tenant *graphtest.Tenant
	queue  *broker.Broker
	wire   *wire
	wk     *worker
	j      *journal.Journal

	mu     sync.Mutex
	doom   *doom // of the life under way
	laptop graphtest.Device
	count  int // laptops so far
}

// settle is how late Intune's record of a call may be before it counts as lost.
const settle = 4 * time.Second

// newScene builds one, with a worker that runs.
func newScene(ctx context.Context, dir, program string, how manner) (s *scene, err error) {
	w, err := newWorld(ctx, dir, "", nil)
	if err != nil {
		return nil, err
	}
	s = &scene{world: w, how: how}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	s.tenant = w.newTenant("contoso", "00000001-0000-4000-8000-000000000001")
	timing := graphtest.QuickTiming()
	timing.Reset = timing.Pickup // it is over when its record is first read
	s.tenant.SetTiming(timing)
	if how.fault != "" {
		s.tenant.Inject(graphtest.Fault{Kind: how.fault, Path: "deviceManagement/managedDevices/*/wipe"})
	}
	store, quiet := filepath.Join(dir, "nats"), slog.New(slog.DiscardHandler)
	if s.queue, err = broker.Embed(ctx, broker.Embedded{Dir: store, Listen: "127.0.0.1:0"}, quiet); err != nil {
		return s, err
	}
	if s.j, err = journal.Open(ctx, s.queue.Conn(), journal.Options{}, quiet); err != nil {
		return s, err
	}
	if s.wire, err = newWire(ctx, strings.TrimPrefix(s.queue.URL(), "nats://"), s.life); err != nil {
		return s, err
	}
	cloud, err := w.serve(ctx, &front{cloud: w.cloud, doom: s.life, sees: s.sees})
	if err != nil {
		return s, err
	}
	if s.wk, err = s.crashWorker(cloud, filepath.Join(store, "nats.nk"), program); err != nil {
		return s, err
	}
	return s, s.begin(ctx)
}

func (s *scene) close(ctx context.Context) error {
	if d := s.life(); d != nil {
		d.abandon()
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

// begin begins a life of the worker.
func (s *scene) begin(ctx context.Context) error {
	d := newDoom(s.wk.kill)
	d.arm("", s.patient())
	s.mu.Lock()
	s.doom = d
	s.mu.Unlock()
	return s.wk.start(ctx)
}

func (s *scene) life() *doom {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doom
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

// unwritten is what Intune shows of a wipe that it has not written down.
var unwritten = map[string]any{"managementState": "managed", "deviceActionResults": []any{}}

// fallIll enrols another laptop, and has malware on it that stays.
func (s *scene) fallIll() graphtest.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	l := s.tenant.AddDevice(graphtest.Device{Name: fmt.Sprintf("LT-%03d", s.count), User: fmt.Sprintf("user%d@%s", s.count, s.tenant.Domain)})
	if s.how.comes != graphtest.Works {
		s.tenant.Next(l.Name, "wipe", s.how.comes)
	}
	if s.how.late > 0 {
		for property, value := range unwritten {
			s.tenant.SetRaw(l.Name, property, value)
		}
	}
	s.tenant.Infect(l.Name, graphtest.High)
	s.tenant.Investigate(l.Name, "failed")
	s.laptop = l
	return l
}

// patient is the laptop that is ill now.
func (s *scene) patient() graphtest.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.laptop
}

// sees lets a late record come when its time has.
func (s *scene) sees() {
	if s.how.late == 0 || s.patient().Name == "" {
		return
	}
	if w := s.wipes(); len(w) > 0 && time.Since(w[0].Asked) > s.how.late {
		for property := range unwritten {
			s.tenant.Unset(s.patient().Name, property)
		}
	}
}

// wipes are all of the laptop that Intune has taken on, of whatever kind.
func (s *scene) wipes() []graphtest.Action {
	return slices.DeleteFunc(s.tenant.Actions(s.patient().Name), func(a graphtest.Action) bool { return a.Name != "wipe" })
}

func (s *scene) key() events.Key {
	return events.Key{Tenant: s.tenant.ID, Device: s.patient().EntraID}
}

// caseNow is the laptop's case; one that cannot be read just now is empty.
func (s *scene) caseNow(ctx context.Context) events.Case {
	c, _, err := s.j.Case(ctx, s.key())
	if err != nil {
		return events.Case{}
	}
	return c
}

// hasBegun reports whether the journal has it that an attempt at the reset began.
func (s *scene) hasBegun(ctx context.Context) (bool, error) {
	for r, err := range s.j.Facts(ctx, s.key()) {
		if err != nil {
			return false, err
		}
		if f, ok := r.Fact.(events.Begun); ok && strings.HasSuffix(f.Task, "-"+string(events.Reset)) {
			return true, nil
		}
	}
	return false, nil
}

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

// ask runs a command of the program, as a person would, and returns what it says.
// A queue that is too busy to answer is asked again.
func (s *scene) ask(ctx context.Context, args ...string) (out []byte, err error) {
	waited := patiently(ctx, "curfew "+args[0]+" answers", func() bool {
		out, err = exec.CommandContext(ctx, s.wk.program, append(args, "--config", s.wk.config)...).Output()
		return err == nil
	})
	return out, errors.Join(waited, err)
}

// crashWorker writes the configuration of a worker that uses a NATS server
// elsewhere. Everything but its times is ordinary.
func (s *scene) crashWorker(cloud, nkey, program string) (*worker, error) {
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
    sweep: 520w # and so has every case
limits: # something better must keep off a second wipe
  reset: {count: 1000, within: 24h, percent: 0}
  breaker: {devices: 1000}
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
