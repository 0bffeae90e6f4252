// Package journal is where Curfew keeps everything, in streams of NATS
// JetStream:
//
//	FACTS   fact.<p>.<tenant>.<device>            what happened, kept for an age
//	        alarm.<p>.<tenant>.<device>           the one alarm of a case; rings as a fact
//	CASES   case.<tenant>.<device>                the case after every fact that changed it; the last is how it is now
//	        fence.<p>                             in a cluster: that a case was read as it is, which storing this has shown
//	TASKS   task.<action>.<tenant>.<device>.<n>   what is to be done, until it is done
//	DEAD    dead.<what it was>                    what could not be read or was given up on
//	STATE   a bucket of keys and values           what is not about one device
//
// <p> is a partition, the hash of tenant and device, of which there are as many
// as the journal was made with.
//
// What holds, whatever crashes when:
//
//   - A fact that was acknowledged is taken into its case, and the facts of one
//     device in the order they were appended.
//   - What follows from a case is published after the case is stored, and the
//     fact is acknowledged after that. A fact that is delivered again publishes
//     again whatever its case says is pending.
//   - A handler that does something outside is called only after the case shows
//     that this very attempt has begun. An attempt that has begun and is not heard
//     of again is never repeated: the next one is told that it must find out.
//   - A record of a case holds the hash of the one that it replaced and that of
//     the fact it took; package evidence says what that proves.
//   - That a fact changes nothing, or that a task is not wanted, is believed only
//     when most of a cluster's servers have agreed that the case is as it was read.
//   - What cannot be read goes to the dead letters, and nothing waits behind it.
//
// What may not be assumed: that a task is delivered once, that a fact is taken
// once, that an alarm rings in time. Step and the handlers know.
package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"curfew/events"
)

// Options say how a journal is made. What is zero is as the journal was made
// before, or else the default.
type Options struct {
	Partitions int           // how many facts can be taken at once; fixed when the journal is made; default 16
	Replicas   int           // copies of every message in a cluster: 1, 3 or 5; default 1
	FactsAge   time.Duration // how long facts are kept; default 90 days
	DeadAge    time.Duration // how long dead letters are kept; default 90 days
	Pulse      time.Duration // how often an idle broker says that it is alive, half a second to 30 s; two missed are noticed; default 4 s

	// Lease is after how long a silence what a worker was given is given to
	// another: how long its work stands still when it dies. Default 10 s; all
	// workers of a journal should have the same, and have if they leave it open. One that can be alone with an
	// embedded broker only waits for itself, and does well with a few seconds.
	Lease time.Duration

	Patience time.Duration // how long one request to the broker may take; default 5 s

	// Filling opens a journal that is marked as unfinished or moved; for those who
	// fill it.
	Filling bool

	// Took, if set, is told of every fact that this process has taken. It must
	// return at once.
	Took func(Transition)

	Tracer trace.Tracer // nil: nothing is traced
}

// AtCluster are options for workers at a cluster. A server of it that dies is told by
// its silence alone to those who are connected to another one, and what was asked of
// it is asked again soon after another has taken its place.
func AtCluster(replicas int) Options {
	return Options{Replicas: replicas, Pulse: time.Second / 2, Patience: 2 * time.Second}
}

const (
	leastLease = 2 * time.Second
	mostLease  = time.Minute
)

func (o Options) check() error {
	switch {
	case o.Partitions < 0 || o.Partitions > 1024:
		return fmt.Errorf("%d partitions: there may be 1 to 1024", o.Partitions)
	case o.Replicas < 0 || o.Replicas > 5:
		return fmt.Errorf("%d replicas: NATS keeps 1 to 5", o.Replicas)
	case o.FactsAge < 0 || o.FactsAge > 0 && o.FactsAge < minAge, o.DeadAge < 0 || o.DeadAge > 0 && o.DeadAge < minAge:
		return fmt.Errorf("facts and dead letters must be kept for at least %v", minAge)
	case o.Pulse != 0 && (o.Pulse < time.Second/2 || o.Pulse > 30*time.Second):
		return fmt.Errorf("a pulse of %v: it may be half a second to 30 s", o.Pulse)
	case o.Lease != 0 && (o.Lease < leastLease || o.Lease > mostLease):
		return fmt.Errorf("a lease of %v: it may be 2 s to a minute", o.Lease)
	case o.Patience < 0 || o.Patience > time.Minute:
		return fmt.Errorf("a patience of %v: it may be up to a minute", o.Patience)
	}
	return nil
}

// A Journal reads and writes the streams. It is safe for concurrent use, and any
// number of them may work on the same streams at the same time.
type Journal struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	log   *slog.Logger
	parts int
	pulse time.Duration
	lease time.Duration
	most  time.Duration // see Options.Patience

	facts, cases, tasks, dead jetstream.Stream
	state                     *State

	bell   bell
	stuck  stuck
	hung   hung
	begins atomic.Int64 // attempts that wait to be let begin

	took   func(Transition) // nil: nobody wants to know
	tracer trace.Tracer
	step   func(events.Case, events.Fact, events.Policies, time.Time) (events.Case, []events.Task)
	crash  func(point string) error // nil, but in the tests that stop a worker dead between two writes
}

// Open makes sure that the streams are there as o wants them. It may be called
// by several workers at once, and refuses a journal made by a newer version.
func Open(ctx context.Context, nc *nats.Conn, o Options, log *slog.Logger) (*Journal, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j, err := newJournal(nc, o, log)
	if err != nil {
		return nil, err
	}
	j.took = o.Took
	if o.Tracer != nil {
		j.tracer = o.Tracer
	}
	if err := j.lay(ctx, o); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, nil
}

// Attach opens a journal that somebody else has made, for looking at it and for
// appending to it, and changes nothing about its streams.
func Attach(ctx context.Context, nc *nats.Conn, log *slog.Logger) (*Journal, error) {
	j, err := newJournal(nc, Options{}, log)
	if err != nil {
		return nil, err
	}
	if err := j.find(ctx); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, nil
}

func newJournal(nc *nats.Conn, o Options, log *slog.Logger) (*Journal, error) {
	most := cmp.Or(o.Patience, patience)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(most), jetstream.WithDefaultTimeout(most), jetstream.WithPublishAsyncMaxPending(100*inFlight))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &Journal{
		nc: nc, js: js, log: log, step: events.Step, tracer: noop.NewTracerProvider().Tracer(""),
		pulse: cmp.Or(o.Pulse, 4*time.Second), lease: cmp.Or(o.Lease, 10*time.Second), most: most,
	}, nil
}

// patience is how long one request to the broker may take.
const patience = 5 * time.Second

// State is the journal's bucket for what is not about one device.
func (j *Journal) State() *State { return j.state }

// Ready says what keeps this journal from doing its work, or nil: the broker
// cannot be reached, or something has been tried for a while and does not go.
func (j *Journal) Ready(ctx context.Context) error {
	if _, err := j.layout(ctx); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.stuck.err(time.Now())
}

// crashed is where tests stop a worker dead.
func (j *Journal) crashed(point string) error {
	if j.crash == nil {
		return nil
	}
	return j.crash(point)
}

// errConflict reports that a case was changed by somebody else meanwhile.
var errConflict = errors.New("the case has moved on")

// ErrUnreadable reports a record that this version cannot read: damaged, or
// written by a newer one.
var ErrUnreadable = errors.New("unreadable")
