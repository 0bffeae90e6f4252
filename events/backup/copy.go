package backup

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"

	"curfew/events/journal"
)

// A Move says how a journal is moved.
type Move struct {
	Fill
	By    string // the program that does it
	Where string // what people call the new place; the old one is marked with it
	Temp  string // where a file as big as the journal may lie for a while; empty: as the system says
}

// Copy moves the journal behind one connection behind another: all of it, exactly.
// The old one is left as it is, but for a mark that keeps workers from opening it.
func Copy(ctx context.Context, from, to *nats.Conn, o Move) (m Manifest, err error) {
	for mark, what := range map[journal.Mark]string{journal.Unfinished: "is not whole itself", journal.Moved: "was moved"} {
		why, err := mark.Get(ctx, from)
		switch {
		case err != nil:
			return m, err
		case why != "":
			return m, fmt.Errorf("backup: the journal to copy %s (%s)", what, why)
		}
	}
	temp, err := os.CreateTemp(o.Temp, ".curfew-copy-*") // nobody else can read it
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, temp.Close(), os.Remove(temp.Name())) }()
	if m, err = writeExact(ctx, from, o.By, temp); err != nil {
		return m, err
	}
	b, err := read(temp)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, fill(ctx, to, b, o.Fill, func() error { return journal.Moved.Set(ctx, from, "to "+o.Where) })
}
