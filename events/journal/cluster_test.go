package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/evidence"
)

// A node is one of the servers of a cluster, a process of its own.
type node struct {
	Name    string
	Client  string // host and port for clients
	Cluster string // and for the others
	Routes  []string
	Dir     string
}

const nodeEnv = "CURFEW_TEST_NODE"

// beNode makes this process a node of a cluster, until it is killed.
func beNode(spec string) {
	var n node
	if err := json.Unmarshal([]byte(spec), &n); err != nil {
		panic(err)
	}
	listen := func(address string) (string, int) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			panic(err)
		}
		p, err := strconv.Atoi(port)
		if err != nil {
			panic(err)
		}
		return host, p
	}
	o := &server.Options{
		ServerName: n.Name, JetStream: true, StoreDir: n.Dir, SyncAlways: true,
		JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 1 << 26, NoSigs: true, NoLog: true,
	}
	o.Host, o.Port = listen(n.Client)
	o.Cluster.Name = "curfew"
	o.Cluster.Host, o.Cluster.Port = listen(n.Cluster)
	o.Routes = server.RoutesFromStr(strings.Join(n.Routes, ","))
	s, err := server.NewServer(o)
	if err != nil {
		panic(err)
	}
	s.Start()
	s.WaitForShutdown()
}

// cluster starts three nodes. It returns where clients reach them, and what
// kills the nth.
func cluster(t *testing.T) (urls string, kill func(int)) {
	t.Helper()
	var nodes []node
	var clients, routes []string
	for i := range 3 {
		n := node{Name: "n" + number(i), Client: free(t), Cluster: free(t), Dir: t.TempDir()}
		nodes, clients, routes = append(nodes, n), append(clients, "nats://"+n.Client), append(routes, "nats://"+n.Cluster)
	}
	var all []*exec.Cmd
	for _, n := range nodes {
		n.Routes = routes
		spec, err := json.Marshal(n)
		check(t, err)
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
		cmd.Env = append(os.Environ(), nodeEnv+"="+string(spec))
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		check(t, cmd.Start())
		all = append(all, cmd)
	}
	kill = func(i int) {
		check(t, all[i].Process.Kill())
		_ = all[i].Wait() // it was killed
		all[i] = nil
	}
	t.Cleanup(func() {
		for i := range all {
			if all[i] != nil {
				kill(i)
			}
		}
	})
	return strings.Join(clients, ","), kill
}

// free finds an address nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l := must(t, of(net.Listen("tcp", "127.0.0.1:0")))
	check(t, l.Close())
	return l.Addr().String()
}

// poll waits for what happens in real time.
func poll(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until ", what)
		}
	}
}

// twice lets a fact that changes nothing come by while the case is not any more as it
// was read: it is taken once more, into the case as it is, and not forgotten.
func twice(t *testing.T, j *Journal) {
	t.Helper()
	k := key("stale")
	var seen []string
	j.step = func(c events.Case, _ events.Fact, _ events.Policies, _ time.Time) (events.Case, []events.Task) {
		seen = append(seen, c.Waived)
		return c, nil
	}
	j.crash = func(point string) error {
		if point == "case: confirm" && len(seen) == 1 {
			must(t, of(j.store(t.Context(), evidence.Record{Case: events.Case{Key: k, Waived: "meanwhile"}}, 0)))
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	var kept sync.WaitGroup
	kept.Go(func() { check(t, j.Keep(ctx, rules)) })
	check(t, j.Append(t.Context(), k, events.Noted{By: "kim", Text: "x"}, ""))
	poll(t, "the fact is taken", func() bool {
		c, err := j.facts.Consumer(t.Context(), keeperName(j.PartitionOf(k)))
		return err == nil && c.CachedInfo().AckFloor.Stream > 0
	})
	cancel()
	kept.Wait()
	if fmt.Sprint(seen) != "[ meanwhile]" {
		t.Errorf("the fact saw %q", seen)
	}
	j.step, j.crash = events.Step, nil
}

// Two workers on a cluster of three: everything as with one server, also when
// one of the three is killed.
func TestCluster(t *testing.T) {
	urls, kill := cluster(t)
	var workers []*Journal
	for range 2 {
		dial, cancel := context.WithTimeout(t.Context(), time.Minute)
		b := must(t, of(broker.Dial(dial, broker.Remote{URL: urls}, quiet)))
		cancel()
		t.Cleanup(func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) })
		var j *Journal
		poll(t, "the journal can be made", func() bool {
			try, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			var err error
			j, err = Open(try, b.Conn(), Options{Replicas: 3, Partitions: 4, Pulse: time.Second}, quiet)
			return err == nil
		})
		workers = append(workers, j)
	}
	j := workers[0]
	if j.cases.CachedInfo().Config.AllowDirect {
		t.Error("cases may be read from a replica that lags behind")
	}
	if j.state.st.CachedInfo().Config.AllowDirect {
		t.Error("pauses may be read from a replica that lags behind")
	}

	// A second copy of a task, and a case that has moved on, are told apart from trouble.
	k := key("d0")
	task := events.Task{ID: k.String() + "/1-look", N: 1, Sent: 1, Order: events.Order{Action: "idle"}}
	check(t, j.follow(t.Context(), events.Case{Key: k}, 1, []events.Task{task}, false))
	task.Sent = 2
	check(t, j.follow(t.Context(), events.Case{Key: k}, 1, []events.Task{task}, false))
	must(t, of(j.store(t.Context(), evidence.Record{Case: events.Case{Key: k}}, 0)))
	if _, err := j.store(t.Context(), evidence.Record{Case: events.Case{Key: k}}, 0); !errors.Is(err, errConflict) {
		t.Errorf("got %v", err)
	}

	// A case that was read as it was before is told from one that is still so.
	at := must(t, of(j.last(t.Context(), k))).rev
	check(t, j.confirm(t.Context(), k, at))
	check(t, j.confirm(t.Context(), k, at))
	if err := j.confirm(t.Context(), k, at-1); !errors.Is(err, errConflict) {
		t.Errorf("got %v", err)
	}
	check(t, j.confirm(t.Context(), key("nobody"), 0))
	if n := len(must(t, of(j.Timeline(t.Context(), k)))); n != 1 {
		t.Errorf("%d records", n)
	}

	twice(t, workers[1])

	must(t, of(j.State().Create(t.Context(), "mark", nil)))
	if _, err := j.State().Create(t.Context(), "mark", nil); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	_, rev, err := j.State().Get(t.Context(), "mark")
	check(t, err)
	check(t, j.State().Confirm(t.Context(), "mark", rev))
	check(t, j.State().Confirm(t.Context(), "nothing", 0))
	if err := j.State().Confirm(t.Context(), "mark", rev-1); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	if keys := must(t, of(j.State().Keys(t.Context(), ""))); fmt.Sprint(keys) != "[mark]" {
		t.Errorf("keys %v", keys)
	}

	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer func() { cancel(); wg.Wait() }()
	for _, j := range workers {
		wg.Go(func() { check(t, j.Keep(ctx, rules)) })
		for _, a := range events.Actions() {
			wg.Go(func() { check(t, j.Serve(ctx, a, w.do, ServeOptions{})) })
		}
	}
	const devices = 30
	notice := func(from, to int) {
		for i := from; i < to; i++ {
			k := key("d" + fmt.Sprint(i))
			w.set(k, "highSeverity")
			poll(t, "a fact is taken", func() bool { return workers[i%2].Append(ctx, k, events.Noticed{}, "") == nil })
		}
	}
	notice(1, devices/2)
	kill(0)
	notice(devices/2, devices)
	poll(t, "everybody is told", func() bool {
		for i := 1; i < devices; i++ {
			if actions(w.effects(key("d"+number(i)))) != "mail ticket" {
				return false
			}
		}
		return true
	})
	w.once()
}
