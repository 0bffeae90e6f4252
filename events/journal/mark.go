package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Mark on a journal keeps workers from opening it.
type Mark string

// The marks.
const (
	Unfinished Mark = own + "unfinished" // it is being filled from a copy or a backup, or that broke off
	Moved      Mark = own + "moved"      // it was copied, and workers may be at the copy
)

// LayoutVersion is the layout of the journals that this version writes.
const LayoutVersion = version

// Marks reports whether a subject of the bucket's stream is one of the marks.
func Marks(subject string) bool {
	return subject == stateSubject+string(Unfinished) || subject == stateSubject+string(Moved)
}

// Set marks the journal behind a connection, and says why.
func (m Mark) Set(ctx context.Context, nc *nats.Conn, why string) error {
	return m.with(ctx, nc, func(kv jetstream.KeyValue) error {
		_, err := kv.PutString(ctx, string(m), why)
		return err
	})
}

// Get is why the journal is marked, or "".
func (m Mark) Get(ctx context.Context, nc *nats.Conn) (why string, err error) {
	err = m.with(ctx, nc, func(kv jetstream.KeyValue) error {
		why, err = m.read(ctx, kv)
		return err
	})
	return why, err
}

// Clear takes the mark away.
func (m Mark) Clear(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	st, err := js.Stream(ctx, "KV_STATE")
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSubject(stateSubject+string(m)))
	}
	if err != nil {
		return fmt.Errorf("journal: clear %s: %w", m, err)
	}
	return nil
}

func (m Mark) with(ctx context.Context, nc *nats.Conn, do func(jetstream.KeyValue) error) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	kv, err := js.KeyValue(ctx, "STATE")
	if err == nil {
		err = do(kv)
	}
	if err != nil {
		return fmt.Errorf("journal: %s: %w", m, err)
	}
	return nil
}

func (m Mark) read(ctx context.Context, kv jetstream.KeyValue) (string, error) {
	e, err := kv.Get(ctx, string(m))
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return "", nil
	case err != nil:
		return "", err
	}
	return string(e.Value()), nil
}

// unmarked refuses a journal that no worker may open.
func (j *Journal) unmarked(ctx context.Context, o Options) error {
	if o.Filling {
		return nil
	}
	for m, what := range map[Mark]string{
		Unfinished: "it was not filled to its end (%s): copy or restore into it again, with --replace",
		Moved:      "it was moved (%s): a worker here and one there would do everything twice. To go on here copy it back, or say `curfew journal reopen` if nobody works with the copy",
	} {
		why, err := m.read(ctx, j.state.kv)
		if err != nil {
			return err
		}
		if why != "" {
			return fmt.Errorf(what, why)
		}
	}
	return nil
}
