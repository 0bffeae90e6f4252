package broker

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	hasOthers  = `{"cluster":{"leader":"n2","replicas":[{"active":1},{"active":1}]}}`
	lostOthers = `{"cluster":{"leader":"n1","replicas":[{"active":5000000000},{"active":5000000000}]}}`
)

// A server that has lost the others is left, also if it has never had them since the
// connection was made; one that has them is stayed with.
func TestRoam(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	well := free.Addr().(*net.TCPAddr).Port
	free.Close()
	lost := says(t, "lost", -1, lostOthers)
	nc, err := nats.Connect(lost+",nats://"+free.Addr().String(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	gone, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		roam(t.Context(), nc, gone, 20*time.Millisecond, slog.New(slog.DiscardHandler))
	}()
	defer func() { close(gone); <-ended; nc.Close() }()
	says(t, "well", well, hasOthers)
	for end := time.Now().Add(30 * time.Second); nc.ConnectedServerName() != "well"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it stays at a server that has lost the others")
		}
	}
	stays := nc.Stats().Reconnects
	time.Sleep(500 * time.Millisecond)
	if nc.ConnectedServerName() != "well" || nc.Stats().Reconnects != stays {
		t.Errorf("it went on to %s", nc.ConnectedServerName())
	}
}

// says runs a server at which somebody answers about the bucket, and returns its URL.
func says(t *testing.T, name string, port int, answer string) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: name, Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("not ready")
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if _, err := nc.Subscribe(roamAsk, func(m *nats.Msg) { _ = m.Respond([]byte(answer)) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return s.ClientURL()
}

// What servers of a cluster say in each state, as nats-server 2.15 does.
func TestSpeaks(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   bool
	}{
		"alone":                      {`{"config":{"name":"KV_STATE"}}`, true},
		"no such stream":             {`{"error":{"code":404,"err_code":10059,"description":"stream not found"}}`, true},
		"leads":                      {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":400000000},{"name":"n3","active":900000000}]}}`, true},
		"leads, one is dead":         {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":400000000},{"name":"n3","active":60000000000,"offline":true}]}}`, true},
		"leads, just elected":        {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":0},{"name":"n3","active":0}]}}`, true},
		"took itself for the leader": {`{"cluster":{"leader":"n1","replicas":[{"name":"n2","active":4100000000},{"name":"n3","active":4200000000}]}}`, false},
		"lost two of five":           {`{"cluster":{"leader":"n1","replicas":[{"active":5000000000},{"active":5000000000},{"active":1},{"active":1}]}}`, true},
		"lost three of five":         {`{"cluster":{"leader":"n1","replicas":[{"active":5000000000},{"active":5000000000},{"active":5000000000},{"active":1}]}}`, false},
		"knows of no leader":         {`{"cluster":{"replicas":[]}}`, false},
		"not available just now":     {`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}`, false},
		"something else":             {`pong`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := speaks([]byte(c.answer)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
