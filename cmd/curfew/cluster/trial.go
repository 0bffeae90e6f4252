package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/broker"
	"curfew/events/journal"
)

// A Blow is one thing that went wrong, and how long it took until a device of
// every partition that fell ill right after it was seen through.
//
// Before that the servers elect who leads in place of one that died. NATS gives each
// election four to nine seconds, and the next one as much if two servers vote for
// themselves at the same time (nats-server 2.15, raft.go: minElectionTimeoutDefault).
type Blow struct {
	What    string  `json:"what"`
	Seconds float64 `json:"seconds"`
	Elected float64 `json:"elected"` // when the last election was over; 0: there was none
}

// A Report is what came of a trial.
type Report struct {
	Rates   []Rate   `json:"rates,omitempty"`
	Blows   []Blow   `json:"blows"`
	Devices int      `json:"devices"` // that fell ill, and were acknowledged
	Remarks int      `json:"remarks"` // the same of remarks
	Effects int      `json:"effects"` // done outside
	Lost    int      `json:"lost"`    // acknowledged, and not seen through
	Doubled int      `json:"doubled"` // tasks done more than once
	Chatty  int      `json:"chatty"`  // devices that remarks were made about
	Mixed   int      `json:"mixed"`   // those of them whose facts were taken in another order, or not all
	Wrong   []string `json:"wrong,omitempty"`
}

// A trial is one under way.
type trial struct {
	*cluster
	b      *broker.Broker
	js     jetstream.JetStream
	load   *load
	probes int
	Report

	mu      sync.Mutex
	elected time.Time // when the last leader was
}

// observe hears of elections, which the servers tell to everybody.
func (t *trial) observe() error {
	_, err := t.b.Conn().Subscribe("$JS.EVENT.ADVISORY.*.LEADER_ELECTED.>", func(*nats.Msg) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.elected = time.Now()
	})
	return err
}

func (t *trial) electedAfter(start time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(t.elected.Sub(start), 0)
}

// Run builds a cluster, measures it, lets it suffer, and says what came of that. The
// error is about what could not be tried.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	c, err := build(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer c.close()
	quiet := slog.New(slog.DiscardHandler)
	t := &trial{cluster: c}
	if t.b, err = broker.Dial(ctx, broker.Remote{URL: c.urls}, quiet); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, t.b.Stop(stop))
	}()
	j, err := openWhenAgreed(ctx, t.b, journal.AtCluster(servers), quiet)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	t.load = &load{j: j}
	if t.js, err = jetstream.New(t.b.Conn()); err != nil {
		return nil, err
	}
	if err := t.observe(); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if o.Measure > 0 {
		if err := t.measure(ctx); err != nil {
			return nil, fmt.Errorf("cluster: measure: %w", err)
		}
	}
	if err := t.suffer(ctx); err != nil {
		return &t.Report, fmt.Errorf("cluster: %w", err)
	}
	return &t.Report, t.judge(ctx, j)
}

func (t *trial) say(format string, args ...any) {
	if t.o.Told != nil {
		fmt.Fprintf(t.o.Told, format+"\n", args...)
	}
}

// suffer puts two and then three workers under load, and lets things go wrong.
func (t *trial) suffer(ctx context.Context) error {
	for len(t.workers) < 2 {
		if err := t.addWorker(); err != nil {
			return err
		}
	}
	t.load.begin(ctx, t.o.Rate)
	defer t.load.end()
	if _, err := t.probe(ctx); err != nil { // everything runs
		return err
	}
	if len(t.workers) < 3 {
		if err := t.blow(ctx, "a third worker comes", t.addWorker, nil); err != nil {
			return err
		}
	}
	for round := range max(t.o.Rounds, 1) {
		n, w := t.nodes[round%servers], t.workers[round%len(t.workers)]
		if !t.o.Brief {
			if err := t.blow(ctx, "a broker is killed", kill(n), n.start); err != nil {
				return err
			}
			if err := t.blow(ctx, "a worker is killed", kill(w), w.start); err != nil {
				return err
			}
		}
		n = t.leader(ctx)
		if err := t.blow(ctx, "the leading broker and a worker are killed", both(kill(n), kill(w)), both(n.start, w.start)); err != nil {
			return err
		}
		n = t.nearest()
		if err := t.blow(ctx, "a broker is cut off from the others", t.cutOff(n), t.rejoin(ctx, n)); err != nil {
			return err
		}
		if err := t.rolling(ctx); err != nil {
			return err
		}
	}
	return nil
}

// blow lets something happen, sees how long the work stands still, and puts it right.
func (t *trial) blow(ctx context.Context, what string, strike, end func() error) error {
	start := time.Now()
	if err := strike(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	took, err := t.probe(ctx)
	elected := min(t.electedAfter(start), took)
	if err == nil && end != nil {
		err = end()
	}
	if err == nil {
		err = t.whole(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	t.Blows = append(t.Blows, Blow{what, took.Seconds(), elected.Seconds()})
	t.say("%s: every partition was served after %.1f s, and the last leader elected after %.1f s", what, took.Seconds(), elected.Seconds())
	return nil
}

// rolling restarts everything in order, one after the other, or in brief a server and
// a worker at a time.
func (t *trial) rolling(ctx context.Context) error {
	turns := [][]*process{}
	for i := range t.nodes {
		if t.o.Brief {
			turns = append(turns, []*process{t.nodes[i], t.workers[i]})
		} else {
			turns = append(turns, []*process{t.nodes[i]}, []*process{t.workers[i]})
		}
	}
	for _, turn := range turns {
		err := t.blow(ctx, "a rolling restart", func() error {
			var errs []error
			for _, p := range turn {
				p.end(syscall.SIGTERM)
				errs = append(errs, p.start())
			}
			return errors.Join(errs...)
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func kill(p *process) func() error { return func() error { p.end(syscall.SIGKILL); return nil } }

func both(a, b func() error) func() error { return func() error { return errors.Join(a(), b()) } }

// cutOff cuts a server off; rejoin lets it back when those who were connected to it
// have left it.
func (t *trial) cutOff(n *process) func() error {
	return func() error { t.isolate(slices.Index(t.nodes, n), true); return nil }
}

func (t *trial) rejoin(ctx context.Context, n *process) func() error {
	return func() error {
		if err := until(ctx, func() bool { return t.nearest() != n }); err != nil {
			return fmt.Errorf("%s is cut off and was not left: %w", n.name, err)
		}
		t.isolate(slices.Index(t.nodes, n), false)
		return nil
	}
}

// nearest is the server that the load goes to.
func (t *trial) nearest() *process {
	i := slices.IndexFunc(t.nodes, func(n *process) bool { return n.name == t.b.Conn().ConnectedServerName() })
	return t.nodes[max(i, 0)]
}

// leader is the server that decides about facts.
func (t *trial) leader(ctx context.Context) *process {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if st, err := t.js.Stream(ctx, "FACTS"); err == nil && st.CachedInfo().Cluster != nil {
		for _, n := range t.nodes {
			if n.name == st.CachedInfo().Cluster.Leader {
				return n
			}
		}
	}
	return t.nodes[0]
}

// whole waits until every stream has all its replicas again, so that the next blow
// meets a cluster that can bear it.
func (t *trial) whole(ctx context.Context) error {
	var missing string
	err := until(ctx, func() bool {
		missing = ""
		for _, name := range []string{"KV_STATE", "FACTS", "CASES", "TASKS", "DEAD"} {
			try, cancel := context.WithTimeout(ctx, 5*time.Second)
			st, err := t.js.Stream(try, name)
			cancel()
			if err != nil || !complete(st.CachedInfo()) {
				missing = name
				if err == nil {
					missing += fmt.Sprintf(" (%+v)", st.CachedInfo().Cluster)
				}
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("the replicas of %s: %w", missing, err)
	}
	return nil
}

func complete(is *jetstream.StreamInfo) bool {
	if is.Cluster == nil || is.Cluster.Leader == "" || len(is.Cluster.Replicas) < servers-1 {
		return false
	}
	return !slices.ContainsFunc(is.Cluster.Replicas, func(r *jetstream.PeerInfo) bool { return !r.Current || r.Offline })
}

// judge waits until everything is done, and looks for what must not be.
func (t *trial) judge(ctx context.Context, j *journal.Journal) error {
	wrong := func(format string, args ...any) {
		if len(t.Wrong) < 20 {
			t.Wrong = append(t.Wrong, fmt.Sprintf(format, args...))
		}
	}
	t.Devices = len(t.load.ill)
	all := func() bool {
		return !slices.ContainsFunc(t.load.ill, func(k key) bool { return t.out.served(k.String()).IsZero() })
	}
	if err := until(ctx, all); err != nil && ctx.Err() != nil {
		return err
	}
	for _, k := range t.load.ill {
		if t.out.served(k.String()).IsZero() {
			t.Lost++
			wrong("%s fell ill, which was acknowledged, and was not seen through", k)
		}
	}
	doubled, calls := t.out.doubled()
	t.Effects, t.Doubled = calls, len(doubled)
	for _, id := range doubled {
		wrong("%s was done more than once", id)
	}
	t.Chatty = len(t.load.said)
	for n, said := range t.load.said {
		t.Remarks += said
		if err := inOrder(ctx, j, device("chat", n), said); err != nil {
			t.Mixed++
			wrong("%s: %v", device("chat", n), err)
		}
	}
	return nil
}

// inOrder checks that the remarks about a device were taken one after the other.
func inOrder(ctx context.Context, j *journal.Journal, k key, said int) error {
	var line []int
	err := until(ctx, func() bool {
		all, err := j.Timeline(ctx, k)
		if err != nil {
			return false
		}
		line = nil
		for _, c := range all {
			for _, trace := range c.Trace {
				var n int
				if rest, ok := strings.CutPrefix(trace, "kim notes: "); ok {
					if _, err := fmt.Sscan(rest, &n); err == nil {
						line = append(line, n)
					}
				}
			}
		}
		return len(line) > 0 && line[len(line)-1] >= said
	})
	if err != nil {
		return fmt.Errorf("remark %d was not taken: %w", said, err)
	}
	for i, n := range line {
		if n != line[0]+i {
			return fmt.Errorf("remark %d was taken after remark %d", n, line[i-1])
		}
	}
	return nil
}
