package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server/archive"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/journal"
)

// Fill says how a journal is filled.
type Fill struct {
	Replicas int  // in a cluster; 0: one
	Replace  bool // what is there is deleted first
}

// Restore fills the journal behind a connection from a backup. Every case that
// waits for anything is told that it is as old as that; it returns how many.
func Restore(ctx context.Context, nc *nats.Conn, b *File, o Fill, log *slog.Logger) (told int, err error) {
	if b.Exact {
		return 0, errors.New("backup: this is half of a copy, and no backup")
	}
	err = fill(ctx, nc, b, o, func() error {
		j, err := journal.Open(ctx, nc, journal.Options{Replicas: max(1, o.Replicas), Filling: true}, log)
		if err != nil {
			return err
		}
		told, err = j.Rewind(ctx, b.Made)
		return err
	})
	return told, err
}

// fill fills a journal and proves that it holds what the file does; then comes last.
func fill(ctx context.Context, nc *nats.Conn, b *File, o Fill, last func() error) error {
	if b.Layout > journal.LayoutVersion {
		return fmt.Errorf("backup: it may hold a journal of layout %d and this version knows up to %d: use the newer Curfew", b.Layout, journal.LayoutVersion)
	}
	if err := b.Verify(); err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if err := makeRoom(ctx, js, o.Replace); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for i, s := range b.Streams {
		if err := b.fillStream(ctx, nc, s, o); err != nil {
			return err
		}
		if i == 0 { // the bucket is there, and can be marked
			if err := journal.Unfinished.Set(ctx, nc, "begun "+time.Now().UTC().Format(time.RFC3339)); err != nil {
				return err
			}
		}
	}
	for _, s := range b.Streams {
		if err := prove(ctx, nc, s); err != nil {
			return err
		}
	}
	if err := wake(ctx, js, b.Streams, o); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := last(); err != nil {
		return err
	}
	return journal.Unfinished.Clear(ctx, nc)
}

// makeRoom makes sure that there is no journal.
func makeRoom(ctx context.Context, js jetstream.JetStream, replace bool) error {
	for _, name := range exactly {
		st, err := js.Stream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if _, err := durables(ctx, st); err != nil {
			return err
		}
		if is := st.CachedInfo().State; is.LastSeq > 0 && name != "KV_STATE" && !replace {
			return fmt.Errorf("%w, with %d messages in %s", ErrNotEmpty, is.Msgs, name)
		}
	}
	for _, name := range exactly {
		if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	return nil
}

// config is how a stream is made. Asleep, nothing is dropped by age before it is
// proven to be there, and one server has it: those that get it from there later are
// known to have it when they say so, which they are not after a restore.
func config(s Stream, o Fill, asleep bool) (jetstream.StreamConfig, error) {
	var c jetstream.StreamConfig
	if err := json.Unmarshal(s.Config, &c); err != nil || c.Name != s.Name {
		return c, fmt.Errorf("how it was made is not said as a server says it (%w)", err)
	}
	c.Metadata, c.Placement = nil, nil
	c = journal.Replicated(c, max(1, o.Replicas))
	if asleep {
		c.MaxAge, c.Replicas = 0, 1
	}
	return c, nil
}

func (b *File) fillStream(ctx context.Context, nc *nats.Conn, s Stream, o Fill) error {
	c, err := config(s, o, true)
	if err != nil {
		return fmt.Errorf("backup: stream %s: %w", s.Name, err)
	}
	r, w := io.Pipe()
	done := make(chan error, 1)
	states := make(chan state, 1)
	go func() {
		var out *writing
		err := b.each(s, func(h *archive.Header, data []byte) error {
			if journal.Marks(h.Name) {
				return nil
			}
			return out.entry(h, data)
		}, func(a *reading) (err error) {
			consumers, err := b.consumers(s, a)
			if err != nil {
				return err
			}
			states <- a.state
			out, err = begin(w, a.state, consumers)
			return err
		})
		if err == nil {
			err = out.end()
		}
		w.CloseWithError(err)
		close(states)
		done <- err
	}()
	err = errors.New("it holds nothing")
	if st, ok := <-states; ok {
		err = restore(ctx, nc, c, st, r)
	}
	r.CloseWithError(io.ErrClosedPipe)
	if err2 := <-done; err2 != nil && !errors.Is(err2, io.ErrClosedPipe) {
		return err2
	}
	if err != nil {
		return fmt.Errorf("backup: restore stream %s: %w", s.Name, err)
	}
	return nil
}

// consumers are those that a stream is restored with: of a copy the durable ones,
// of a backup those of the manifest, as they stood when it was begun.
func (b *File) consumers(s Stream, a *reading) (all []consumer, err error) {
	if b.Exact {
		for _, c := range a.consumers {
			if c.durable() {
				all = append(all, c)
			}
		}
		return all, nil
	}
	for _, at := range s.Stands {
		var is struct {
			Durable string `json:"durable_name"`
		}
		if err := json.Unmarshal(at.Config, &is); err != nil {
			return nil, err
		}
		data, err := json.Marshal(map[string]any{"config": at.Config, "state": map[string]any{"delivered": at.Floor, "ack_floor": at.Floor}})
		if err != nil {
			return nil, err
		}
		all = append(all, consumer{is.Durable, data})
	}
	return all, nil
}

// prove reads a stream back.
func prove(ctx context.Context, nc *nats.Conn, s Stream) error {
	var is *tally
	err := snapshot(ctx, nc, s.Name, false, func(_ json.RawMessage, r io.Reader) error {
		a, err := open(r)
		if err == nil {
			is, err = a.tally(s.Last, func(*archive.Header, []byte) error { return nil })
		}
		return err
	})
	if err == nil && !is.holds(s.Sum) {
		err = fmt.Errorf("%d messages with SHA-256 %.12s… arrived, and %d with %.12s… were sent", is.Messages, is.SHA256, s.Messages, s.SHA256)
	}
	if err != nil {
		return fmt.Errorf("backup: read stream %s back: %w", s.Name, err)
	}
	return nil
}

// wake lets the streams be as they were, and waits until every replica has all of
// them.
func wake(ctx context.Context, js jetstream.JetStream, all []Stream, o Fill) error {
	for _, s := range all {
		c, err := config(s, o, false)
		if err != nil {
			return err
		}
		if _, err := js.UpdateStream(ctx, c); err != nil {
			return fmt.Errorf("stream %s: %w", s.Name, err)
		}
	}
	for _, s := range all {
		for {
			st, err := js.Stream(ctx, s.Name)
			if err != nil {
				return fmt.Errorf("stream %s: %w", s.Name, err)
			}
			if complete(st.CachedInfo()) {
				break
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("wait for the replicas of %s: %w", s.Name, ctx.Err())
			}
		}
	}
	return nil
}

// complete reports whether a stream has all its replicas, and each has everything.
func complete(is *jetstream.StreamInfo) bool {
	if is.Cluster == nil {
		return is.Config.Replicas == 1
	}
	current := 1
	for _, r := range is.Cluster.Replicas {
		if r.Current && !r.Offline && r.Lag == 0 {
			current++
		}
	}
	return is.Cluster.Leader != "" && is.Cluster.Desired == nil && current >= is.Config.Replicas
}
