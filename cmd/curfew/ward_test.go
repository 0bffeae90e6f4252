package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

var updateCLI = flag.Bool("update-cli", false, "rewrite what commands are expected to print in testdata/cli; then read the difference")

const (
	contoso  = "11111111-1111-4111-8111-111111111111"
	fabrikam = "22222222-2222-4222-8222-222222222222"
)

var quiet = slog.New(slog.DiscardHandler)

// A ward is a journal with a worker that keeps it, in the bubble of a test, and
// devices whose handlers are the test itself. Its time begins at nine in the
// morning in Berlin.
type ward struct {
	t      *testing.T
	j      *journal.Journal
	attach func(context.Context) (*journal.Journal, func(), error)
	env    map[string]string

	rules events.Policies
	stop  func() // stops the worker
}

// inWard runs f in a bubble with a ward in it.
func inWard(t *testing.T, f func(w *ward)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
		check(t, err)
		j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 2, Pulse: 30 * time.Second}, quiet)
		check(t, err)
		conf, problems := loadConfig("testdata/cli/curfew.yaml", testOptions())
		if conf == nil {
			t.Fatal(problems)
		}
		w := &ward{t: t, j: j, rules: conf.Policies, env: map[string]string{"TZ": "Europe/Berlin", "CURFEW_CONFIG": "testdata/cli/curfew.yaml"}}
		w.attach = func(ctx context.Context) (*journal.Journal, func(), error) {
			j, err := journal.Attach(ctx, b.Conn(), quiet)
			return j, func() {}, err
		}
		w.keep()
		defer func() {
			w.stop()
			check(t, b.Stop(context.WithoutCancel(t.Context())))
		}()
		time.Sleep(time.Until(time.Date(2000, 1, 1, 8, 0, 0, 0, time.UTC)))
		f(w)
	})
}

// keep starts the worker.
func (w *ward) keep() {
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.j.Keep(ctx, func() events.Policies { return w.rules }) })
	w.stop = func() {
		cancel()
		wg.Wait()
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a command and returns what it printed and its exit code.
func (w *ward) run(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	code = w.app(&out, &errs).execute(w.t.Context(), args)
	return out.String(), errs.String(), code
}

func (w *ward) app(stdout, stderr io.Writer) *app {
	a := newApp(func(key string) string { return w.env[key] }, stdout, stderr)
	a.user = func() string { return "jo" }
	a.attach = w.attach
	return a
}

// must runs a command that has to work.
func (w *ward) must(args ...string) string {
	w.t.Helper()
	stdout, stderr, code := w.run(args...)
	if code != exitFine || stderr != "" {
		w.t.Fatalf("curfew %s ended with %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// fails runs a command that must end with a code and a message about something.
func (w *ward) fails(code int, about string, args ...string) {
	w.t.Helper()
	_, stderr, got := w.run(args...)
	if got != code || !strings.Contains(stderr, about) {
		w.t.Errorf("curfew %s ended with %d, want %d, and said %q, want %q", strings.Join(args, " "), got, code, stderr, about)
	}
	if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "curfew: ") {
		w.t.Errorf("the message is not one line: %q", stderr)
	}
}

// golden compares what a command printed with testdata/cli/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "cli", name)
	if *updateCLI {
		check(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	check(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// A patient is a device in the ward.
type patient struct {
	w   *ward
	key events.Key
	d   events.Device
}

// admit makes a device that is well.
func (w *ward) admit(tenant, id, name, user string) *patient {
	k := events.Key{Tenant: tenant, Device: id}
	return &patient{w, k, events.Device{
		Key: k, Name: name, User: user, OS: "Windows", OSVersion: "10.0.26100", Owner: "company",
		IntuneID: "intune-" + id, Threat: "secured", Compliance: "compliant",
	}}
}

// tell lets a fact happen, and waits until it is taken into the case.
func (p *patient) tell(f events.Fact) events.Case {
	p.w.t.Helper()
	check(p.w.t, p.w.j.Append(p.w.t.Context(), p.key, f, ""))
	return p.settled()
}

func (p *patient) settled() events.Case {
	p.w.t.Helper()
	synctest.Wait()
	c, _, err := p.w.j.Case(p.w.t.Context(), p.key)
	check(p.w.t, err)
	return c
}

// task is the pending task of an action.
func (p *patient) task(a events.Action) events.Task {
	p.w.t.Helper()
	c := p.settled()
	for _, t := range c.Pending {
		if t.Action == a {
			return t
		}
	}
	p.w.t.Fatalf("%s has no pending %s: %+v", p.d.Name, a, c.Pending)
	return events.Task{}
}

// look answers the look that is pending, or notices something first.
func (p *patient) look() events.Case {
	p.w.t.Helper()
	if _, pending := pendingLook(p.settled()); !pending {
		p.tell(events.Noticed{Source: "sweep"})
	}
	p.d.SeenAt, p.d.LastSync = time.Now().UTC(), time.Now().UTC()
	return p.tell(events.Seen{Device: p.d, Task: p.task(events.Look).ID})
}

// begin begins a task, and does what follows.
func (p *patient) begin(a events.Action) events.Task {
	p.w.t.Helper()
	t := p.task(a)
	p.tell(events.Begun{Task: t.ID, Attempt: "a" + t.ID})
	return t
}

func (p *patient) done(a events.Action, receipt, link string) {
	p.w.t.Helper()
	p.tell(events.Done{Task: p.begin(a).ID, Receipt: receipt, Link: link})
}

// giveUp lets a real handler give the pending task of an action up.
func (w *ward) giveUp(a events.Action, why string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = w.j.Serve(ctx, a, func(context.Context, events.Case, events.Task) (events.Fact, error) {
			return nil, hopeless{errors.New(why)}
		}, journal.ServeOptions{})
	})
	time.Sleep(2 * time.Second)
	cancel()
	wg.Wait()
}

type hopeless struct{ error }

func (hopeless) GiveUp() bool { return true }

// fill tells the stories that the tests of the tables look at. It ends at noon.
func (w *ward) fill() {
	w.t.Helper()
	laptop := w.admit(contoso, "d42", "LT-042", "anna@contoso.example") // climbs
	laptop.d.UserName, laptop.d.Serial, laptop.d.DefenderID = "Anna Example", "5CG1234XYZ", strings.Repeat("a", 40)
	laptop.d.Threat = "highSeverity"
	laptop.d.Malware = []events.Malware{{Name: "Trojan:Win32/Wacatac.B!ml", Severity: "severe", State: "active"}}
	laptop.look()
	laptop.done(events.Mail, "sent to anna@contoso.example", "")

	healed := w.admit(contoso, "d44", "LT-044", "cy@contoso.example") // heals by itself
	healed.d.Threat = "mediumSeverity"
	healed.look()
	healed.done(events.Mail, "sent to cy@contoso.example", "")

	same := w.admit(fabrikam, "d99", "lt-042", "zoe@fabrikam.example") // has a name that another one has
	same.d.Compliance = "noncompliant"
	same.d.Settings = []events.Setting{{Policy: "Windows baseline", Name: "BitLockerEnabled", State: "nonCompliant"}}
	same.look()
	same.done(events.Mail, "sent to zoe@fabrikam.example", "")

	well := w.admit(contoso, "d1", "PC-001", "ed@contoso.example")
	well.look()

	time.Sleep(time.Hour)
	healed.d.Threat = "secured"
	healed.look()
	time.Sleep(30 * time.Minute)
	healed.look()
	healed.done(events.Mail, "sent to cy@contoso.example", "")

	time.Sleep(30 * time.Minute)
	laptop.look()
	laptop.done(events.Ticket, "INC-7", "https://desk.contoso.example/INC-7")
	time.Sleep(time.Minute)
	scan := laptop.begin(events.Scan)
	laptop.tell(events.Accepted{Task: scan.ID, Again: time.Now().Add(30 * time.Minute)})

	evil := w.admit(contoso, "d66", evilName, "mallory\x1b[2J@contoso.example") // nobody can be told
	evil.d.Threat = "mediumSeverity"
	evil.look()
	w.giveUp(events.Mail, "mail: the device has no primary user,\x1b]0;pwned\a so nobody can be told")
	time.Sleep(time.Until(time.Date(2000, 1, 1, 11, 0, 0, 0, time.UTC)))
	synctest.Wait()
}

// evilName tries what a terminal may obey: escape sequences of seven and eight
// bits, a turned text, a line of its own, a backspace.
const evilName = "LT\x1b[31m-66\u009b2J\u202e6\r\ncurfew: all is well\b"
