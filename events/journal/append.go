package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// Append records a fact about a device. When it returns nil the fact is on the
// disk and will be taken into the device's case. A second one about the device
// with the same id within two minutes is the same fact; an empty id is no
// other's.
//
// A fact may have 256 KiB. An error says nothing about whether the fact was
// recorded; to append it again is always right.
func (j *Journal) Append(ctx context.Context, k events.Key, f events.Fact, id string) error {
	m, err := j.factMsg(Entry{k, f, id})
	if err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	carry(ctx, m.Header)
	if _, err := j.js.PublishMsg(ctx, m); err != nil {
		return fmt.Errorf("journal: append %s for %s: %w", kindOf(f), k, err)
	}
	return nil
}

// An Entry is a fact to be appended.
type Entry struct {
	Key  events.Key
	Fact events.Fact
	ID   string
}

// AppendAll records many facts at once, faster than one by one. It returns nil
// only when every one of them is on the disk. After an error any of them may be.
func (j *Journal) AppendAll(ctx context.Context, entries []Entry) error {
	var errs []error
	for len(entries) > 0 && len(errs) == 0 {
		n := min(len(entries), inFlight)
		errs = append(errs, j.appendSome(ctx, entries[:n])...)
		entries = entries[n:]
	}
	if len(errs) > 3 {
		errs = append(errs[:3], fmt.Errorf("journal: and %d more", len(errs)-3))
	}
	return errors.Join(errs...)
}

// inFlight is how many facts are sent before the first must be acknowledged.
const inFlight = 512

func (j *Journal) appendSome(ctx context.Context, entries []Entry) []error {
	var errs []error
	acks := make([]jetstream.PubAckFuture, len(entries))
	for i, e := range entries {
		m, err := j.factMsg(e)
		if err == nil {
			carry(ctx, m.Header)
			acks[i], err = j.js.PublishMsgAsync(m)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("journal: append: %w", err))
		}
	}
	for i, ack := range acks {
		if ack == nil {
			continue
		}
		if err := wait(ctx, ack); err != nil {
			errs = append(errs, fmt.Errorf("journal: append %s for %s: %w", kindOf(entries[i].Fact), entries[i].Key, err))
		}
	}
	return errs
}

// wait waits until a message is on the disk.
func wait(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *Journal) factMsg(e Entry) (*nats.Msg, error) {
	if !e.Key.Valid() {
		return nil, fmt.Errorf("%.80q names no device: tenant and device are at most 64 letters, digits, - and _", e.Key.String())
	}
	m, err := packFact(j.factSubject(e.Key), e.Fact)
	if err != nil {
		return nil, fmt.Errorf("for %s: %w", e.Key, err)
	}
	if e.ID != "" {
		m.Header.Set(jetstream.MsgIDHeader, e.Key.String()+" "+e.ID)
	}
	return m, nil
}
