package handlerstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A suite is worth what it refuses. Each handler here breaks one promise, and the
// rule about that promise must say so.

const canary = "canary-of-a-key"

// door is a desk that folds by idempotency key; it is the other side of the
// handlers over HTTP.
type door struct {
	done  map[string]bool
	texts []string
	mu    chan struct{}
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu <- struct{}{}
	defer func() { <-d.mu }()
	d.done[r.Header.Get("Idempotency-Key")] = true
	d.texts = append(d.texts, string(body))
}

func (d *door) effects() []string {
	d.mu <- struct{}{}
	defer func() { <-d.mu }()
	var out []string
	for k := range d.done {
		out = append(out, k)
	}
	return out
}

// send is a handler over HTTP that keeps every promise; the broken ones are
// changes of it.
type send struct {
	client *http.Client
	url    string
	key    func(events.Task) string
	text   func(events.Case) string
	after  func(error) error
	during func(context.Context) context.Context
}

func (s send) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	req, err := http.NewRequestWithContext(s.during(ctx), http.MethodPost, s.url, bytes.NewBufferString(s.text(c)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Idempotency-Key", s.key(t))
	req.Header.Set("Authorization", canary)
	res, err := handlers.Do(s.client, req, canary)
	if err != nil {
		return nil, s.after(err)
	}
	res.Body.Close()
	return events.Done{Task: t.ID}, nil
}

func overHTTP(change func(*send)) func(testing.TB) World {
	return func(t testing.TB) World {
		d := &door{done: map[string]bool{}, mu: make(chan struct{}, 1)}
		s, err := fake.Pipe(d)
		if err != nil {
			t.Fatal(err)
		}
		client := handlers.NewClient(handlers.Reach{Roots: s.Roots, Dial: s.Dial})
		h := send{
			client: client, url: s.URL,
			key:    func(t events.Task) string { return t.ID },
			text:   func(c events.Case) string { return handlers.Summary(c) },
			after:  func(err error) error { return err },
			during: func(ctx context.Context) context.Context { return ctx },
		}
		if change != nil {
			change(&h)
		}
		t.Cleanup(func() { client.CloseIdleConnections(); s.Close() })
		c := Laptop()
		return World{
			Do: h.do, Case: c, Task: Task(c, events.Order{Action: events.Ticket}), Effects: d.effects,
			Texts: func() []string { return d.texts }, Calls: &s.Faults, Secrets: []string{canary}, HTTP: true,
		}
	}
}

// onDevice is a handler of a device action on a tenant whose records are late.
func onDevice(action events.Action, do func(*Tenant) handlers.Func) func(testing.TB) World {
	return func(testing.TB) World {
		tenant := &Tenant{Lag: 2 * time.Minute}
		c := Laptop()
		return World{
			Do: do(tenant), Case: c, Task: Task(c, events.Order{Action: action}),
			Effects: tenant.Effects, Calls: &tenant.Writes, Reads: &tenant.Reads,
		}
	}
}

func TestAGoodHandlerPasses(t *testing.T) { Run(t, overHTTP(nil)) }

func TestEveryRuleRefusesItsBreach(t *testing.T) {
	follow := handlers.Follow{Names: []string{"wipe"}, First: time.Minute, Limit: 24 * time.Hour, Settle: time.Hour}
	n := 0
	for name, tt := range map[string]struct {
		rule  string
		want  string // in the violation
		world func(testing.TB) World
	}{
		"a new key each time": {"twice is once", "2 effects", overHTTP(func(s *send) {
			s.key = func(events.Task) string { n++; return fmt.Sprint("key-", n) }
		})},
		"repeats a reset blindly": {"crash", "2 effects", onDevice(events.Reset, func(tn *Tenant) handlers.Func {
			return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
				if err := tn.Reset(ctx, c.Device); err != nil {
					return nil, err
				}
				return events.Done{Task: t.ID}, nil
			}
		})},
		"believes an empty record too early": {"lost reply", "2 effects", onDevice(events.Reset, func(tn *Tenant) handlers.Func {
			return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
				if t.Accepted != nil || t.Unsure {
					hasty := follow
					hasty.Settle = 0
					return hasty.Up(ctx, tn, c, t, nil)
				}
				if err := tn.Reset(ctx, c.Device); err != nil {
					return nil, err
				}
				return follow.Accepted(t, ""), nil
			}
		})},
		"takes a failed question for a no": {"blind", "2 effects", onDevice(events.Scan, func(tn *Tenant) handlers.Func {
			return func(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
				if t.Accepted != nil || t.Unsure {
					fact, err := follow.Up(ctx, tn, c, t, nil)
					if err != nil {
						err = handlers.Sure(err)
					}
					return fact, err
				}
				if err := tn.Reset(ctx, c.Device); err != nil {
					return nil, err
				}
				return follow.Accepted(t, ""), nil
			}
		})},
		"gives up on everything": {"comes back", "gives up", overHTTP(func(s *send) { s.after = handlers.GiveUp })},
		"does not hear Retry-After": {"comes back", "comes back after 0s", overHTTP(func(s *send) {
			s.after = func(err error) error {
				if handlers.Read(err).GiveUp {
					return err
				}
				return handlers.After(err, 0)
			}
		})},
		"never gives up":     {"gives up", "comes back", overHTTP(func(s *send) { s.after = func(err error) error { return errors.New(err.Error()) } })},
		"follows redirects":  {"gives up", "status 302", overHTTP(func(s *send) { s.after = func(err error) error { return strip(err, 302) } })},
		"ignores its ctx":    {"cancelled", "its context had ended", overHTTP(func(s *send) { s.during = context.WithoutCancel })},
		"gives up at a stop": {"cancelled", "it gave up", overHTTP(func(s *send) { s.after = handlers.GiveUp })},
		"waits for ever":     {"slow", "it took", overHTTP(func(s *send) { s.client.Timeout = time.Hour })},
		"quotes everything": {"secrets", "the secret", overHTTP(func(s *send) {
			s.after = func(err error) error { return fmt.Errorf("%w (sent %s)", err, canary) }
		})},
		"sends names as they are": {"hostile text", "not UTF-8", overHTTP(func(s *send) { s.text = func(c events.Case) string { return c.Device.Name } })},
		"drops what is not ASCII": {"hostile text", "did not arrive", overHTTP(func(s *send) { s.text = func(events.Case) string { return "a device" } })},
		"returns neither nor":     {"does it", "must be one of the two", withDo(func() (events.Fact, error) { return nil, nil })},
		"does nothing": {"does it", "0 effects", withDo(func() (events.Fact, error) {
			return events.Done{Task: Task(Laptop(), events.Order{Action: events.Ticket}).ID}, nil
		})},
		"answers for another task":  {"does it", "does not name task", withDo(func() (events.Fact, error) { return events.Done{Task: "another"}, nil })},
		"asks for itself at once":   {"does it", "which has passed", withDo(func() (events.Fact, error) { return events.Accepted{Again: time.Now()}, nil })},
		"never ends":                {"does it", "does not end", withDo(func() (events.Fact, error) { return nil, errors.New("not today") })},
		"gives up without a reason": {"does it", "gave up", withDo(func() (events.Fact, error) { return nil, handlers.GiveUp(errors.New("no")) })},
		"changes the case": {"leaves the case alone", "before:", onDevice(events.Look, func(*Tenant) handlers.Func {
			return func(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
				c.Device.Alerts[0].Title = "changed"
				return events.Seen{Device: c.Device, Task: t.ID}, nil
			}
		})},
		"knows one case only": {"side by side", "at the same time", onDevice(events.Look, func(*Tenant) handlers.Func {
			return func(_ context.Context, c events.Case, t events.Task) (events.Fact, error) {
				if c.Key != Laptop().Key {
					return nil, handlers.GiveUp(errors.New("who?"))
				}
				return events.Seen{Device: c.Device, Task: t.ID}, nil
			}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range rules() {
				if r.name != tt.rule {
					continue
				}
				if err := r.check(t, tt.world); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("rule %q says %v; want %q", r.name, err, tt.want)
				}
				return
			}
			t.Errorf("there is no rule %q", tt.rule)
		})
	}
}

// strip takes the marks off the error of a status.
func strip(err error, status int) error {
	if handlers.Read(err).Status == status {
		return errors.New(err.Error())
	}
	return err
}

func withDo(do func() (events.Fact, error)) func(testing.TB) World {
	return func(testing.TB) World {
		tenant := &Tenant{}
		c := Laptop()
		return World{
			Do:   func(context.Context, events.Case, events.Task) (events.Fact, error) { return do() },
			Case: c, Task: Task(c, events.Order{Action: events.Ticket}), Effects: tenant.Effects, Calls: &tenant.Writes,
		}
	}
}
