package try

import (
	"context"
	"log/slog"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

// watch tells what a worker's journal says of its cases, as anybody may who can
// read the worker's data directory. The worker may die meanwhile.
func watch(ctx context.Context, wk *worker, tell *teller) {
	told := map[events.Key]int{} // how many records of a case were told
	for ctx.Err() == nil {
		if err := read(ctx, wk, tell, told); err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

// read follows one life of the worker.
func read(ctx context.Context, wk *worker, tell *teller, told map[events.Key]int) error {
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Local(wk.data, quiet)
	if err != nil {
		return err
	}
	defer func() { _ = b.Stop(context.WithoutCancel(ctx)) }() // nothing was written
	j, err := journal.Attach(ctx, b.Conn(), quiet)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		round, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := tellNew(round, j, tell, told)
		cancel()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(150 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// tellNew tells the records that were not told yet.
func tellNew(ctx context.Context, j *journal.Journal, tell *teller, told map[events.Key]int) error {
	for c, err := range j.Cases(ctx, "") {
		if err != nil {
			return err
		}
		records, err := j.Timeline(ctx, c.Key)
		if err != nil {
			return err
		}
		for _, r := range records[min(told[c.Key], len(records)):] {
			for _, what := range r.Trace {
				tell.curfew(c.Key.String(), what)
			}
		}
		told[c.Key] = len(records)
	}
	return nil
}
