package bench

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"curfew/events/broker"
	"curfew/events/journal"
)

// A Rig is what scenarios are measured with.
type Rig struct {
	Options
	dir    string
	limits *limits
}

// beside measures a limit, does something, and measures the limit again. It
// returns the mean: a machine is not the same from one second to the next.
func (r *Rig) beside(ctx context.Context, what limit, do func() error) (float64, error) {
	before, err := r.measure(ctx, what)
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := r.measure(ctx, what)
	return (before + after) / 2, err
}

// fit is so many, or as many as the bare queue stores with so many writes each in
// the time that there is for it.
func (r *Rig) fit(ctx context.Context, n, writes int) (int, error) {
	perSecond, err := r.measure(ctx, syncPublish)
	return min(n, max(int(perSecond*r.Size.Write.Seconds())/writes, 50)), err
}

// journal lends a new journal, on a queue in this process as a worker has one.
func (r *Rig) journal(ctx context.Context, use func(*broker.Broker, *journal.Journal) error) error {
	dir, err := os.MkdirTemp(r.dir, "queue-")
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Embed(ctx, broker.Embedded{Dir: dir, DontListen: true}, log)
	if err != nil {
		return err
	}
	j, err := journal.Open(ctx, b.Conn(), journal.Options{}, log)
	if err == nil {
		err = use(b, j)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, b.Stop(stop), os.RemoveAll(dir))
}
