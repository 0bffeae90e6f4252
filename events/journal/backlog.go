package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// A Queue is what waits in one.
type Queue struct {
	Name    string    // "facts", or an action
	Waiting uint64    // messages that are not done with
	Oldest  time.Time // when the oldest of them was appended; zero: nothing waits
}

// Backlog says what waits in each queue that there is. It asks about streams and
// consumers, and reads one message of each queue, however many wait.
func (j *Journal) Backlog(ctx context.Context) ([]Queue, error) {
	facts, err := j.untaken(ctx)
	if err != nil {
		return nil, fmt.Errorf("journal: what facts wait: %w", err)
	}
	all := []Queue{facts}
	for _, a := range events.Actions() {
		q, err := j.undone(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("journal: what tasks of %s wait: %w", a, err)
		}
		all = append(all, q)
	}
	return all, nil
}

// untaken are the facts that are in no case yet.
func (j *Journal) untaken(ctx context.Context) (Queue, error) {
	q := Queue{Name: "facts"}
	for p := range j.parts {
		c, err := j.facts.Consumer(ctx, keeperName(p))
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue // nobody has kept it yet
		} else if err != nil {
			return q, err
		}
		info := c.CachedInfo()
		n := info.NumPending + uint64(max(info.NumAckPending, 0))
		if n == 0 {
			continue
		}
		q.Waiting += n
		if err := q.older(ctx, j.facts, info.AckFloor.Stream+1, factsOf(p)); err != nil {
			return q, err
		}
	}
	return q, nil
}

// undone are the tasks of an action that are in the queue.
func (j *Journal) undone(ctx context.Context, a events.Action) (Queue, error) {
	q := Queue{Name: string(a)}
	filter := "task." + string(a) + ".>"
	c, err := j.tasks.Consumer(ctx, "serve-"+string(a))
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound): // nobody ever has served it
		info, err := j.tasks.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return q, err
		}
		q.Waiting = uint64(len(info.State.Subjects))
	case err != nil:
		return q, err
	default:
		info := c.CachedInfo()
		q.Waiting = info.NumPending + uint64(max(info.NumAckPending, 0))
	}
	if q.Waiting == 0 {
		return q, nil
	}
	return q, q.older(ctx, j.tasks, 1, filter)
}

// older notes the time of the first message of a filter from seq on, if it is older.
func (q *Queue) older(ctx context.Context, st jetstream.Stream, seq uint64, filter string) error {
	m, err := st.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound): // done meanwhile
		return nil
	case err != nil:
		return err
	}
	if at := m.Time.UTC(); q.Oldest.IsZero() || at.Before(q.Oldest) {
		q.Oldest = at
	}
	return nil
}

// Letters are how many dead letters there are of one kind.
type Letters struct {
	Family string // "fact" or "task"
	Tenant string // its id; empty: not known
	Count  uint64
}

// mostSubjects is of how many devices dead letters are counted by tenant.
const mostSubjects = 20_000

// DeadCount counts the dead letters by family and tenant, without reading any. Of
// very many it only says how many there are. The time is that of the oldest.
func (j *Journal) DeadCount(ctx context.Context) ([]Letters, time.Time, error) {
	info, err := j.dead.Info(ctx)
	if err == nil && info.State.Msgs > 0 && info.State.NumSubjects <= mostSubjects {
		info, err = j.dead.Info(ctx, jetstream.WithSubjectFilter("dead.>"))
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("journal: dead letters: %w", err)
	}
	if info.State.Msgs == 0 {
		return nil, time.Time{}, nil
	}
	oldest := info.State.FirstTime.UTC()
	if info.State.Subjects == nil {
		return []Letters{{Count: info.State.Msgs}}, oldest, nil
	}
	counts := map[Letters]uint64{}
	for subject, n := range info.State.Subjects {
		l := j.letter(&jetstream.RawStreamMsg{Subject: subject})
		counts[Letters{Family: l.Family, Tenant: l.Key.Tenant}] += n
	}
	var all []Letters
	for l, n := range counts {
		l.Count = n
		all = append(all, l)
	}
	return all, oldest, nil
}
