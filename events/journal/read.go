package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// Case returns the case of a device as it was last stored, and its revision. A
// device never heard of has the zero case, but for its key, and revision 0. A
// record that cannot be read is [ErrUnreadable].
func (j *Journal) Case(ctx context.Context, k events.Key) (events.Case, uint64, error) {
	l, err := j.last(ctx, k)
	return l.Case, l.rev, err
}

// A last is the last record of a case.
type last struct {
	events.Case
	rev  uint64
	at   time.Time
	data []byte // exactly as stored; nil: the device was never heard of
}

func (j *Journal) last(ctx context.Context, k events.Key) (last, error) {
	l := last{Case: events.Case{Key: k}}
	if !k.Valid() {
		return l, fmt.Errorf("journal: %.80q names no device", k.String())
	}
	m, err := j.lastOf(ctx, caseSubject(k))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return l, nil
	} else if err != nil {
		return l, fmt.Errorf("journal: case %s: %w", k, err)
	}
	l.rev, l.at, l.data = m.Sequence, m.Time, m.Data
	if l.Case, err = readCase(k, m.Header, m.Data); err != nil {
		return l, fmt.Errorf("journal: case %s: %w", k, err)
	}
	return l, nil
}

// lastOf asks for the last message of a subject. A server that has died says nothing,
// and the one in its place answers only what it is asked itself; so it is asked again
// soon, and all in all for as long as one request may take.
func (j *Journal) lastOf(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, j.most)
	defer cancel()
	for wait := j.most / 8; ; wait = j.most / 4 {
		try, cancel := context.WithTimeout(ctx, wait)
		m, err := j.cases.GetLastMsgForSubject(try, subject)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return m, err
		}
	}
}

func readCase(k events.Key, h nats.Header, data []byte) (events.Case, error) {
	var c events.Case
	if err := unpack(h, data, &c); err != nil {
		return events.Case{Key: k}, err
	}
	if c.Key != k {
		return events.Case{Key: k}, fmt.Errorf("%w: it is about another device, %.130q", ErrUnreadable, c.Key.String())
	}
	return c, nil
}

// Cases yields the case of every device of a tenant, or of all for "", as they
// were when it began, in the order they last changed. One that cannot be read is
// yielded with its key and [ErrUnreadable], and the rest follow; any other error
// is the last.
func (j *Journal) Cases(ctx context.Context, tenant string) iter.Seq2[events.Case, error] {
	return func(yield func(events.Case, error) bool) {
		filter, err := casesOf(tenant)
		if err != nil {
			yield(events.Case{}, err)
			return
		}
		for m, err := range j.read(ctx, j.cases, filter, jetstream.DeliverLastPerSubjectPolicy) {
			var c events.Case
			if err == nil {
				c, err = j.caseIn(m)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (j *Journal) caseIn(m jetstream.Msg) (events.Case, error) {
	k, err := j.keyOf(m.Subject())
	if err != nil {
		return events.Case{}, fmt.Errorf("journal: %w: %w", ErrUnreadable, err)
	}
	c, err := readCase(k, m.Headers(), m.Data())
	if err != nil {
		err = fmt.Errorf("journal: case %s: %w", k, err)
	}
	return c, err
}

func casesOf(tenant string) (string, error) {
	switch {
	case tenant == "":
		return "case.>", nil
	case !events.ValidID(tenant):
		return "", fmt.Errorf("journal: %.80q names no tenant", tenant)
	}
	return "case." + tenant + ".*", nil
}

// Known returns the devices of a tenant that have a case, without reading any.
func (j *Journal) Known(ctx context.Context, tenant string) (map[string]bool, error) {
	filter, err := casesOf(tenant)
	if err != nil || tenant == "" {
		return nil, fmt.Errorf("journal: %.80q names no tenant", tenant)
	}
	info, err := j.cases.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("journal: devices of %s: %w", tenant, err)
	}
	known := make(map[string]bool, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		if k, err := j.keyOf(subject); err == nil {
			known[k.Device] = true
		}
	}
	return known, nil
}

// Timeline returns the records of a device's case, oldest first: at most the
// last thousand. Each says in its Trace what it changed.
func (j *Journal) Timeline(ctx context.Context, k events.Key) ([]events.Case, error) {
	if !k.Valid() {
		return nil, fmt.Errorf("journal: %.80q names no device", k.String())
	}
	var all []events.Case
	for m, err := range j.read(ctx, j.cases, caseSubject(k), jetstream.DeliverAllPolicy) {
		if err != nil {
			return nil, err
		}
		c, err := j.caseIn(m)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// A Recorded is a fact as it stands in the journal.
type Recorded struct {
	Seq  uint64    // counts all facts
	At   time.Time // when it was appended
	Fact events.Fact
}

// Facts yields the facts about a device that are still kept, oldest first. One
// that cannot be read is yielded with [ErrUnreadable], and the rest follow; any
// other error is the last.
func (j *Journal) Facts(ctx context.Context, k events.Key) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		if !k.Valid() {
			yield(Recorded{}, fmt.Errorf("journal: %.80q names no device", k.String()))
			return
		}
		for m, err := range j.read(ctx, j.facts, j.factSubject(k), jetstream.DeliverAllPolicy) {
			var r Recorded
			if err == nil {
				r, err = recorded(m)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func recorded(m jetstream.Msg) (Recorded, error) {
	meta, err := m.Metadata()
	if err != nil {
		return Recorded{}, fmt.Errorf("journal: %w", err)
	}
	r := Recorded{Seq: meta.Sequence.Stream, At: meta.Timestamp.UTC()}
	if r.Fact, err = unpackFact(m.Headers(), m.Data()); err != nil {
		err = fmt.Errorf("journal: fact %d: %w", r.Seq, err)
	}
	return r, err
}

// read yields the messages of a stream that a filter and policy choose, as they
// were when it began. An error is the last thing it yields.
func (j *Journal) read(ctx context.Context, st jetstream.Stream, filter string, policy jetstream.DeliverPolicy) iter.Seq2[jetstream.Msg, error] {
	return j.readFrom(ctx, st, filter, policy, 0)
}

// readFrom is read; with [jetstream.DeliverByStartSequencePolicy] from a message on.
func (j *Journal) readFrom(ctx context.Context, st jetstream.Stream, filter string, policy jetstream.DeliverPolicy, start uint64) iter.Seq2[jetstream.Msg, error] {
	return func(yield func(jetstream.Msg, error) bool) {
		cons, err := st.CreateConsumer(ctx, jetstream.ConsumerConfig{
			FilterSubject:     filter,
			DeliverPolicy:     policy,
			OptStartSeq:       start,
			AckPolicy:         jetstream.AckNonePolicy,
			MemoryStorage:     true,
			Replicas:          1,
			InactiveThreshold: time.Minute,
		})
		if err != nil {
			yield(nil, fmt.Errorf("journal: read %s: %w", filter, err))
			return
		}
		info := cons.CachedInfo()
		defer func() {
			// If that does not arrive the server forgets the consumer by itself.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			_ = st.DeleteConsumer(ctx, info.Name)
		}()
		if info.NumPending == 0 {
			return
		}
		msgs, err := cons.Messages(jetstream.PullMaxMessages(500), jetstream.PullHeartbeat(min(j.pulse, 4*time.Second)))
		if err != nil {
			yield(nil, fmt.Errorf("journal: read %s: %w", filter, err))
			return
		}
		defer msgs.Stop()
		for n := uint64(1); n <= info.NumPending; n++ {
			m, meta, err := next(ctx, msgs)
			if err == nil && meta.Sequence.Consumer != n {
				err = errors.New("the connection was lost meanwhile; read again")
			}
			if err != nil {
				yield(nil, fmt.Errorf("journal: read %s: %w", filter, err))
				return
			}
			if !yield(m, nil) || meta.NumPending == 0 {
				return
			}
		}
	}
}

// silence is how long a reader hears nothing before it gives up. Until then it asks
// again: what was asked for goes to a server that does not listen yet, now and then.
const silence = 30 * time.Second

func next(ctx context.Context, msgs jetstream.MessagesContext) (jetstream.Msg, *jetstream.MsgMetadata, error) {
	for since := time.Now(); ; {
		m, err := msgs.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) && time.Since(since) < silence {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		meta, err := m.Metadata()
		return m, meta, err
	}
}
