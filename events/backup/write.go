package backup

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server/archive"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/journal"
)

// The streams, in the order in which they are read: what a later one refers to an
// earlier one by was there when that was read. Marks of sweeps are older than the
// facts, so that at worst something is swept twice.
var (
	whileRunning = []string{"KV_STATE", "CASES", "FACTS", "DEAD"}
	exactly      = []string{"KV_STATE", "CASES", "FACTS", "TASKS", "DEAD"}
)

const (
	manifestEntry = "manifest.json"
	suffix        = ".nats"
	comment       = "a backup of Curfew: curfew backup verify FILE"
)

// Write writes a backup of the journal behind a connection while workers may run.
func Write(ctx context.Context, nc *nats.Conn, w io.Writer, by string) (Manifest, error) {
	return write(ctx, nc, w, Manifest{By: by}, whileRunning)
}

func write(ctx context.Context, nc *nats.Conn, w io.Writer, m Manifest, names []string) (Manifest, error) {
	m.Version, m.Layout, m.Made = version, journal.LayoutVersion, time.Now().UTC()
	js, err := jetstream.New(nc)
	if err != nil {
		return m, err
	}
	var stands []stand
	if !m.Exact {
		if stands, err = standing(ctx, js); err != nil {
			return m, fmt.Errorf("backup: where the keepers stand: %w", err)
		}
	}
	z := zip.NewWriter(w)
	for _, name := range names {
		s, err := writeStream(ctx, nc, z, name, m.Exact && (name == "FACTS" || name == "TASKS"))
		if err != nil {
			return m, fmt.Errorf("backup: stream %s: %w", name, err)
		}
		if name == "FACTS" {
			s.Stands = stands
		}
		m.Streams = append(m.Streams, s)
	}
	err = z.SetComment(comment)
	entry, err2 := z.Create(manifestEntry)
	if err = errors.Join(err, err2); err == nil {
		e := json.NewEncoder(entry)
		e.SetIndent("", "  ")
		err = errors.Join(e.Encode(m), z.Close())
	}
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

func writeStream(ctx context.Context, nc *nats.Conn, z *zip.Writer, name string, consumers bool) (s Stream, err error) {
	s.Name = name
	entry, err := z.CreateHeader(&zip.FileHeader{Name: name + suffix, Method: zip.Store, Modified: time.Now()})
	if err != nil {
		return s, err
	}
	err = snapshot(ctx, nc, name, consumers, func(config json.RawMessage, r io.Reader) error {
		s.Config = config
		both := io.TeeReader(r, entry)
		a, err := open(both)
		if err != nil {
			return err
		}
		if s.Sum, err = a.messages(func(*archive.Header, []byte) error { return nil }); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, both)
		return err
	})
	return s, err
}

// standing says where the keepers of facts are.
func standing(ctx context.Context, js jetstream.JetStream) ([]stand, error) {
	st, err := js.Stream(ctx, "FACTS")
	if err != nil {
		return nil, err
	}
	var all []stand
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		if !strings.HasPrefix(c.Config.Durable, "keep-") {
			continue
		}
		config, err := json.Marshal(c.Config)
		if err != nil {
			return nil, err
		}
		all = append(all, stand{config, place{c.AckFloor.Consumer, c.AckFloor.Stream}})
	}
	return all, list.Err()
}

// writeExact writes a copy, again while alarms ring into it.
func writeExact(ctx context.Context, nc *nats.Conn, by string, w interface {
	io.WriteSeeker
	Truncate(int64) error
}) (m Manifest, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return m, err
	}
	for range 10 {
		before, err := stillness(ctx, js)
		if err != nil {
			return m, err
		}
		if _, err := w.Seek(0, io.SeekStart); err != nil {
			return m, err
		}
		if err := w.Truncate(0); err != nil {
			return m, err
		}
		if m, err = write(ctx, nc, w, Manifest{By: by, Exact: true}, exactly); err != nil {
			return m, err
		}
		after, err := stillness(ctx, js)
		if err != nil || reflect.DeepEqual(before, after) {
			return m, err
		}
	}
	return m, fmt.Errorf("backup: the journal did not hold still: %w", ErrBusy)
}

// stillness is what must not change while a journal is copied. It is an error if a
// worker waits for work.
func stillness(ctx context.Context, js jetstream.JetStream) (map[string]any, error) {
	all := map[string]any{}
	for _, name := range exactly {
		st, err := js.Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("backup: stream %s: %w", name, err)
		}
		is := st.CachedInfo().State
		all[name] = []uint64{is.Msgs, is.FirstSeq, is.LastSeq}
		list, err := durables(ctx, st)
		if err != nil {
			return nil, fmt.Errorf("backup: stream %s: %w", name, err)
		}
		for _, c := range list {
			all[name+" "+c.Name] = []uint64{c.AckFloor.Stream, c.Delivered.Stream}
		}
	}
	return all, nil
}

// durables are the durable consumers of a stream. It is an error if somebody waits
// at one of them.
func durables(ctx context.Context, st jetstream.Stream) (all []*jetstream.ConsumerInfo, err error) {
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		if c.Config.Durable != "" {
			all = append(all, c)
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.NumWaiting > 0 {
			return nil, fmt.Errorf("a worker takes %s: %w", c.Name, ErrBusy)
		}
	}
	return all, nil
}
