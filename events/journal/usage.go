package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A Use is what one family of messages takes.
type Use struct {
	Family   string    `json:"family"` // a stream's name
	Messages uint64    `json:"messages"`
	Ever     uint64    `json:"ever"`     // messages there ever were, those that went again included
	Subjects uint64    `json:"subjects"` // of CASES the devices, of FACTS the devices and their alarms
	Bytes    uint64    `json:"bytes"`
	Oldest   time.Time `json:"oldest,omitzero"`
	Keeps    string    `json:"keeps"`   // what bounds it
	Waiting  uint64    `json:"waiting"` // messages no consumer is done with
}

// Usage says what the journal takes on disk, family by family.
func (j *Journal) Usage(ctx context.Context) ([]Use, error) {
	var uses []Use
	for _, name := range []string{"FACTS", "CASES", "TASKS", "DEAD", "KV_STATE"} {
		u, err := j.use(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("journal: usage of %s: %w", name, err)
		}
		uses = append(uses, u)
	}
	return uses, nil
}

func (j *Journal) use(ctx context.Context, name string) (Use, error) {
	st, err := j.js.Stream(ctx, name)
	if err != nil {
		return Use{}, err
	}
	info := st.CachedInfo()
	u := Use{
		Family:   name,
		Messages: info.State.Msgs,
		Ever:     info.State.LastSeq,
		Subjects: info.State.NumSubjects,
		Bytes:    info.State.Bytes,
		Keeps:    keeps(info.Config),
	}
	if u.Messages > 0 {
		u.Oldest = info.State.FirstTime.UTC()
	}
	if name != "FACTS" && name != "TASKS" {
		return u, nil
	}
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		n, _, err := waits(ctx, st, c)
		if err != nil {
			return u, err
		}
		u.Waiting += n
	}
	return u, list.Err()
}

func keeps(c jetstream.StreamConfig) string {
	switch {
	case c.MaxAge > 0:
		return fmt.Sprintf("for %.4g days", c.MaxAge.Hours()/24)
	case c.Retention == jetstream.WorkQueuePolicy:
		return "until done"
	case c.MaxMsgsPerSubject > 0:
		return fmt.Sprintf("the last %d of each", c.MaxMsgsPerSubject)
	}
	return "for ever"
}
