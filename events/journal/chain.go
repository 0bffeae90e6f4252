package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/evidence"
)

// TimelineLength is how many records of a case are kept at most. The chain of a
// device with fewer that does not begin with its first record has lost some.
const TimelineLength = timelineLength

// chain makes the next record of a case, by way of a fact. It is stored only if l
// is still the last, so what it holds is the hash of the very bytes that it
// replaces.
func (l last) chain(next events.Case, m jetstream.Msg) evidence.Record {
	r := evidence.Record{Case: next, Prev: evidence.First(next.Key), Fact: evidence.FactSum(m.Headers().Get(kindHeader), m.Data())}
	if l.rev != 0 {
		r.Prev = evidence.Sum(l.data)
	}
	return r
}

// Head is the last record of a case as it is stored, or [ErrNoCase]. The hash of
// its bytes, kept elsewhere, proves later that nothing before it was altered.
func (j *Journal) Head(ctx context.Context, k events.Key) (evidence.Item, error) {
	l, err := j.last(ctx, k)
	switch {
	case err != nil && !errors.Is(err, ErrUnreadable):
		return evidence.Item{}, err
	case l.rev == 0:
		return evidence.Item{}, fmt.Errorf("journal: %s: %w", k, ErrNoCase)
	}
	return evidence.NewItem(l.rev, l.at, "", l.data), nil
}

// ErrNoCase reports a device never heard of.
var ErrNoCase = errors.New("there is no case")

// RawCases yields the records of a device's case as they are stored, readable or
// not, oldest first. An error is the last thing it yields.
func (j *Journal) RawCases(ctx context.Context, k events.Key) iter.Seq2[evidence.Item, error] {
	return j.raw(ctx, j.cases, k, caseSubject(k))
}

// RawFacts yields the facts about a device that are still kept, in the same way.
// What the records took is among them if the records were read before, and it was
// not too old.
func (j *Journal) RawFacts(ctx context.Context, k events.Key) iter.Seq2[evidence.Item, error] {
	return j.raw(ctx, j.facts, k, j.factSubject(k))
}

func (j *Journal) raw(ctx context.Context, st jetstream.Stream, k events.Key, subject string) iter.Seq2[evidence.Item, error] {
	return func(yield func(evidence.Item, error) bool) {
		if !k.Valid() {
			yield(evidence.Item{}, fmt.Errorf("journal: %.80q names no device", k.String()))
			return
		}
		for m, err := range j.read(ctx, st, subject, jetstream.DeliverAllPolicy) {
			var it evidence.Item
			if err == nil {
				it, err = item(m)
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

func item(m jetstream.Msg) (evidence.Item, error) {
	meta, err := m.Metadata()
	if err != nil {
		return evidence.Item{}, fmt.Errorf("journal: %w", err)
	}
	return evidence.NewItem(meta.Sequence.Stream, meta.Timestamp, m.Headers().Get(kindHeader), m.Data()), nil
}
