package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/evidence"
)

// errTooBig reports a case that cannot be stored.
var errTooBig = errors.New("the case is too big")

// store appends a record of a case if it is still at rev, and returns its new
// revision.
func (j *Journal) store(ctx context.Context, c evidence.Record, rev uint64) (uint64, error) {
	m, err := pack(caseSubject(c.Key), c, maxCase)
	if err != nil {
		return 0, fmt.Errorf("journal: case %s: %w: %w", c.Key, errTooBig, err)
	}
	carry(ctx, m.Header)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(rev, 10))
	if err := j.crashed("case: store"); err != nil {
		return 0, err
	}
	ack, err := j.js.PublishMsg(ctx, m)
	var refused *jetstream.APIError
	if errors.As(err, &refused) && wrongSequence(refused) {
		return 0, errConflict
	} else if err != nil {
		return 0, fmt.Errorf("journal: store case %s: %w", c.Key, err)
	}
	return ack.Sequence, j.crashed("case: stored")
}

// follow publishes what follows from a stored case: tasks, and the alarm if it
// is asked for. It returns when all of it is on the disk.
func (j *Journal) follow(ctx context.Context, c events.Case, rev uint64, tasks []events.Task, alarm bool) error {
	var acks []jetstream.PubAckFuture
	send := func(m *nats.Msg, err error) error {
		if err != nil {
			return err
		}
		if err := j.crashed(strings.SplitN(m.Subject, ".", 2)[0] + ": publish"); err != nil {
			return err
		}
		carry(ctx, m.Header)
		ack, err := j.js.PublishMsgAsync(m)
		acks = append(acks, ack)
		return err
	}
	for _, t := range tasks {
		if err := send(taskMsg(c.Key, t, rev)); err != nil {
			return fmt.Errorf("journal: task %s: %w", t.ID, err)
		}
	}
	switch {
	case alarm && c.WakeAt.IsZero():
		if err := j.crashed("alarm: cancel"); err != nil {
			return err
		}
		if err := j.facts.Purge(ctx, jetstream.WithPurgeSubject(j.alarmSubject(c.Key))); err != nil {
			return fmt.Errorf("journal: cancel the alarm of %s: %w", c.Key, err)
		}
	case alarm:
		if err := send(j.alarmMsg(c)); err != nil {
			return fmt.Errorf("journal: alarm of %s: %w", c.Key, err)
		}
	}
	for _, ack := range acks {
		if err := wait(ctx, ack); err != nil && !inQueue(err) {
			return fmt.Errorf("journal: what follows for %s: %w", c.Key, err)
		}
	}
	return nil
}

func taskMsg(k events.Key, t events.Task, rev uint64) (*nats.Msg, error) {
	m, err := pack(taskSubject(k, t), errand{t.ID, t.Sent}, maxFact)
	if err != nil {
		return nil, err
	}
	m.Header.Set(jetstream.MsgIDHeader, sentID(t))
	m.Header.Set(caseHeader, strconv.FormatUint(rev, 10))
	return m, nil
}

// sentID is a task each time it is put into the queue.
func sentID(t events.Task) string { return t.ID + "#" + strconv.Itoa(t.Sent) }

// inQueue reports whether a task was refused because it is in the queue already,
// which is as good. The error's code stands for anything that went wrong with
// storing, so its text decides (nats-server 2.15, ErrMaxMsgsPerSubject).
func inQueue(err error) bool {
	const storeFailed = 10077
	var refused *jetstream.APIError
	return errors.As(err, &refused) && refused.ErrorCode == storeFailed && strings.Contains(refused.Description, "maximum messages per subject exceeded")
}

// alarmMsg makes the alarm of a case. It replaces the one before.
func (j *Journal) alarmMsg(c events.Case) (*nats.Msg, error) {
	m, err := packFact(j.alarmSubject(c.Key), events.Rang{})
	if err != nil {
		return nil, err
	}
	m.Header.Set(jetstream.ScheduleHeader, "@at "+j.ringAt(c.WakeAt, time.Now()).Format(time.RFC3339))
	m.Header.Set(jetstream.ScheduleTargetHeader, j.factSubject(c.Key))
	return m, nil
}

// ringAt is when to ring for what is due at wake. Alarms have whole seconds, so
// it is rounded up. One that is far away rings before its message is too old to
// be kept, and is then set again.
func (j *Journal) ringAt(wake, now time.Time) time.Time {
	if age := j.facts.CachedInfo().Config.MaxAge; age > 0 && wake.After(now.Add(age/2)) {
		wake = now.Add(age / 2)
	}
	if wake.Before(now) {
		wake = now
	}
	return wake.UTC().Add(time.Second - 1).Truncate(time.Second)
}
