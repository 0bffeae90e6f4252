package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server/archive"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events/journal"
)

// What the form of nats-server 2.15 is made of (server/stream_backup.go there): the
// state of the stream, its consumers, the messages in order, and an empty entry.
const (
	stateEntry     = "state.json"
	consumerPrefix = "consumers/"
	mostMessage    = 2 << 20 // bytes; a server takes 1 MiB
	mostJSON       = 1 << 20
)

// A state is what is read of the first entry.
type state struct {
	First     uint64 `json:"first_seq"`
	Last      uint64 `json:"last_seq"`
	Messages  uint64 `json:"messages"`
	Bytes     uint64 `json:"bytes"`
	Consumers int    `json:"consumer_count"`
}

// A consumer is one entry about one.
type consumer struct {
	name string
	data json.RawMessage
}

// durable reports whether the consumer outlives those who use it.
func (c consumer) durable() bool {
	var is struct {
		Config struct {
			Durable string `json:"durable_name"`
		} `json:"config"`
	}
	return json.Unmarshal(c.data, &is) == nil && is.Config.Durable != ""
}

// A reading goes through one archive.
type reading struct {
	r         *archive.Reader
	state     state
	consumers []consumer
}

// open reads up to the first message.
func open(r io.Reader) (*reading, error) {
	a := &reading{r: archive.NewReader(s2.NewReader(r))}
	h, err := a.r.Next()
	if errors.Is(err, archive.ErrInvalidArchive) || errors.Is(err, io.EOF) || err == nil && h.Name != stateEntry {
		return nil, errors.New("the server hands its streams over in a form that is not known: nats-server 2.15 or newer is needed")
	} else if err != nil {
		return nil, err
	}
	if err := a.json(&a.state); err != nil {
		return nil, err
	}
	for range a.state.Consumers {
		h, err := a.r.Next()
		if err != nil {
			return nil, damaged(err)
		}
		c := consumer{name: strings.TrimPrefix(h.Name, consumerPrefix)}
		if c.name == h.Name {
			return nil, fmt.Errorf("it is damaged: %.40q stands where a consumer must", h.Name)
		}
		if err := a.json(&c.data); err != nil {
			return nil, err
		}
		a.consumers = append(a.consumers, c)
	}
	return a, nil
}

func (a *reading) json(to any) error {
	data, err := io.ReadAll(io.LimitReader(a.r, mostJSON))
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		return damaged(err)
	}
	return nil
}

// messages hands on every message, and returns what they sum up to. It is an
// error if the archive does not come to its end.
func (a *reading) messages(take func(h *archive.Header, data []byte) error) (Sum, error) {
	t, err := a.tally(0, take)
	return t.sum(), err
}

func (a *reading) tally(upTo uint64, take func(h *archive.Header, data []byte) error) (*tally, error) {
	t := &tally{upTo: upTo, hash: sha256.New(), alarms: sha256.New()}
	var data bytes.Buffer
	for {
		h, err := a.r.Next()
		if err != nil {
			return t, damaged(err)
		}
		size := h.HeaderSize + h.PayloadSize
		if h.Sequence == 0 && h.Name == "" && size == 0 {
			return t, nil
		}
		if h.Sequence <= t.Last || size > mostMessage {
			return t, fmt.Errorf("it is damaged behind message %d", t.Last)
		}
		data.Reset()
		if _, err := io.CopyN(&data, a.r, size); err != nil {
			return t, damaged(err)
		}
		t.add(h, data.Bytes())
		if err := take(h, data.Bytes()); err != nil {
			return t, err
		}
	}
}

func damaged(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("it is damaged: it ends in the middle")
	}
	return fmt.Errorf("it is damaged: %w", err)
}

// A tally sums messages up.
type tally struct {
	Sum
	upTo         uint64 // what has a greater number came later; 0: all counts
	rang         uint64 // alarms, later
	hash, alarms hash.Hash
}

// add counts a message, but for the marks of a journal, which are not its own.
func (t *tally) add(h *archive.Header, data []byte) {
	t.Last = h.Sequence
	if t.upTo > 0 && h.Sequence > t.upTo {
		if bytes.Contains(data[:h.HeaderSize], []byte(jetstream.SchedulerHeader+":")) {
			t.rang++
		}
		return
	}
	if journal.Marks(h.Name) {
		return
	}
	if t.Messages++; t.Messages == 1 {
		t.First = h.Sequence
	}
	t.Bytes += uint64(len(data))
	to := t.hash
	if strings.HasPrefix(h.Name, "alarm.") {
		t.Alarms++
		to = t.alarms
	}
	fmt.Fprintf(to, "%d %d %d %d %s\n", h.Sequence, h.Timestamp, h.HeaderSize, h.PayloadSize, h.Name)
	to.Write(data)
}

func (t *tally) sum() Sum {
	t.SHA256 = hex.EncodeToString(t.hash.Sum(nil))
	t.AlarmsSHA256 = hex.EncodeToString(t.alarms.Sum(nil))
	return t.Sum
}

// same reports whether two sums are of the same messages. Marks move the first and
// last sequence.
func (s Sum) same(o Sum) bool {
	return s.Messages == o.Messages && s.SHA256 == o.SHA256 && s.AlarmsSHA256 == o.AlarmsSHA256
}

// holds reports whether a stream that was read back has all that was sent; of the
// alarms, some may have rung.
func (t *tally) holds(sent Sum) bool {
	is := t.sum()
	rung := sent.Alarms - is.Alarms
	return is.same(sent) || is.SHA256 == sent.SHA256 && is.Messages+rung == sent.Messages && t.rang >= rung
}

// A writing makes one archive.
type writing struct {
	w   *archive.Writer
	enc *s2.Writer
}

// begin writes what stands before the messages. The blocks are small because a
// server that syncs every message must be heard of in between.
func begin(w io.Writer, st state, consumers []consumer) (*writing, error) {
	enc := s2.NewWriter(w, s2.WriterBlockSize(8<<10), s2.WriterConcurrency(1))
	a := &writing{archive.NewWriter(enc), enc}
	st.Consumers = len(consumers)
	if err := a.json(stateEntry, st); err != nil {
		return nil, err
	}
	for _, c := range consumers {
		if err := a.json(consumerPrefix+c.name, c.data); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *writing) json(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.entry(&archive.Header{Name: name, PayloadSize: int64(len(data))}, data)
}

func (a *writing) entry(h *archive.Header, data []byte) error {
	if err := a.w.WriteHeader(h); err != nil {
		return err
	}
	_, err := a.w.Write(data)
	return err
}

// end writes the end.
func (a *writing) end() error {
	return errors.Join(a.entry(&archive.Header{}, nil), a.w.Close(), a.enc.Close())
}
