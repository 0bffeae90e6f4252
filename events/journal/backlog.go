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
		n, since, err := waits(ctx, j.facts, c.CachedInfo())
		if err != nil {
			return q, err
		}
		q.Waiting += n
		if n > 0 && (q.Oldest.IsZero() || since.Before(q.Oldest)) {
			q.Oldest = since
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
		if q.Waiting = uint64(len(info.State.Subjects)); q.Waiting == 0 {
			return q, nil
		}
		_, q.Oldest, err = first(ctx, j.tasks, 1, filter)
		return q, err
	case err != nil:
		return q, err
	}
	q.Waiting, q.Oldest, err = waits(ctx, j.tasks, c.CachedInfo())
	return q, err
}

// waits is how many messages of a consumer are not done with, and since when the oldest
// of them waits. The server counts along what is pending, and miscounts by thousands
// when messages grow too old around a restart (seen of nats-server 2.15); so nothing is
// said to wait of which there is no first one.
func waits(ctx context.Context, st jetstream.Stream, c *jetstream.ConsumerInfo) (n uint64, since time.Time, err error) {
	if n = c.NumPending + uint64(max(c.NumAckPending, 0)); n == 0 {
		return 0, since, nil
	}
	from := c.AckFloor.Stream + 1
	if st.CachedInfo().Config.Retention == jetstream.WorkQueuePolicy {
		from = 1 // what is done is not there any more
	}
	found, since, err := first(ctx, st, from, c.Config.FilterSubject)
	if err != nil || !found {
		return 0, time.Time{}, err
	}
	return n, since, nil
}

// first is the time of the first message of a filter from seq on.
func first(ctx context.Context, st jetstream.Stream, seq uint64, filter string) (found bool, at time.Time, err error) {
	m, err := st.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, at, nil
	case err != nil:
		return false, at, err
	}
	return true, m.Time.UTC(), nil
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
