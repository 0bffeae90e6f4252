package broker_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"curfew/events/broker"
)

// The server keeps one ticker for the life of the process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CURFEW_TEST_PUBLISH_INTO"); dir != "" {
		publishForEver(dir)
	}
	// What go test notes of files that were opened is a file too, and some tests limit
	// how long one may be.
	flag.Parse()
	if f := flag.Lookup("test.testlogfile"); f != nil {
		_ = f.Value.Set("")
	}
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func logTo(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// embed starts a broker on any free port and stops it with the test.
func embed(t *testing.T, o broker.Embedded) *broker.Broker {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	b, err := broker.Embed(t.Context(), o, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func stop(t testing.TB, b *broker.Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func stream(t testing.TB, b *broker.Broker) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	return js
}

func messages(t testing.TB, js jetstream.JetStream) uint64 {
	t.Helper()
	st, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().State.Msgs
}

func TestAnotherProcessOfTheSameUserGetsIn(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, broker.Embedded{Dir: dir})
	js := stream(t, b)
	for _, name := range []string{"nats.nk", "nats.json", "lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}

	other, err := broker.Local(dir, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, other)
	ojs, err := jetstream.New(other.Conn())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ojs.Publish(t.Context(), "s.x", nil); err != nil {
		t.Error(err)
	}
	if n := messages(t, js); n != 1 {
		t.Errorf("%d messages", n)
	}
	if err := errors.Join(b.Healthy(), other.Healthy()); err != nil {
		t.Error(err)
	}
}

func TestNobodyGetsInWithoutTheKey(t *testing.T) {
	b := embed(t, broker.Embedded{Dir: t.TempDir()})
	if nc, err := nats.Connect(b.URL()); err == nil {
		nc.Close()
		t.Error("anybody may connect")
	} else if !errors.Is(err, nats.ErrAuthorization) {
		t.Error(err)
	}
	if _, err := broker.Dial(t.Context(), broker.Remote{URL: b.URL()}, logTo(t)); !errors.Is(err, nats.ErrAuthorization) {
		t.Error(err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	first := embed(t, broker.Embedded{Dir: dir})
	_, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, Listen: "127.0.0.1:0"}, logTo(t))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d: stop that worker", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if err := first.Healthy(); err != nil {
		t.Error(err)
	}
	stop(t, first)
	embed(t, broker.Embedded{Dir: dir})
}

func TestStartedAgain(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, broker.Embedded{Dir: dir})
	if _, err := stream(t, b).Publish(t.Context(), "s.x", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "nats.nk"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	stop(t, b) // a second time does nothing

	if _, err := broker.Local(dir, logTo(t)); !errors.Is(err, broker.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
	again := embed(t, broker.Embedded{Dir: dir})
	if n := messages(t, stream(t, again)); n != 1 {
		t.Errorf("%d messages", n)
	}
	if same, _ := os.ReadFile(filepath.Join(dir, "nats.nk")); string(same) != string(key) {
		t.Error("the key has changed")
	}
}

func TestNotListening(t *testing.T) {
	dir := t.TempDir()
	b := embed(t, broker.Embedded{Dir: dir, DontListen: true})
	stream(t, b)
	if b.URL() != "" {
		t.Error(b.URL())
	}
	if _, err := os.Stat(filepath.Join(dir, "nats.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestWhereItCannotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for listen, want := range map[string]string{
		"0.0.0.0:4222":        "for this machine only",
		"192.0.2.1:4222":      "for this machine only",
		":4222":               "for this machine only",
		"queue.example:4222":  "for this machine only",
		"127.0.0.1":           "it must be like 127.0.0.1:4222",
		"127.0.0.1:http":      "is no port",
		"127.0.0.1:70000":     "is no port",
		taken.Addr().String(): "choose another",
	} {
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), Listen: listen}, logTo(t))
		if err == nil {
			stop(t, b)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", listen, err, want)
		}
	}
}

func TestDirectoryThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file, filepath.Join(file, "below")} {
		if b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, Listen: "127.0.0.1:0"}, logTo(t)); err == nil {
			stop(t, b)
			t.Errorf("%q was used", dir)
		}
	}
}

func TestKeyThatIsNone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nats.nk")
	if err := os.WriteFile(path, []byte("SUAGIBBERISH"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Embed(t.Context(), broker.Embedded{Dir: dir, Listen: "127.0.0.1:0"}, logTo(t))
	if err == nil {
		stop(t, b)
		t.Fatal("taken as a key")
	}
	if !strings.Contains(err.Error(), "delete it and a new one is made") || strings.Contains(err.Error(), "GIBBERISH") {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	embed(t, broker.Embedded{Dir: dir})
}

// A worker is killed in the middle of a stream of publishes. Whatever was
// acknowledged to it is there when the next one starts.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "CURFEW_TEST_PUBLISH_INTO="+dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := uint64(0)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if acknowledged++; acknowledged == 500 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || acknowledged < 500 {
		t.Fatalf("ended by itself after %d: %v", acknowledged, err)
	}
	b := embed(t, broker.Embedded{Dir: dir})
	if n := messages(t, stream(t, b)); n < acknowledged {
		t.Errorf("%d of %d acknowledged messages are there", n, acknowledged)
	}
}

// publishForEver is the process that is killed: it writes a line for every
// acknowledgement.
func publishForEver(dir string) {
	ctx := context.Background()
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, slog.Default())
	if err != nil {
		panic(err)
	}
	js, err := jetstream.New(b.Conn())
	if err != nil {
		panic(err)
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		panic(err)
	}
	for {
		if _, err := js.Publish(ctx, "s.x", make([]byte, 300)); err != nil {
			panic(err)
		}
		fmt.Println("acknowledged")
	}
}
