package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// Unserved counts by tenant the tasks of these actions that are in the queue while
// nobody serves them. An action that is served counts nothing, however many wait.
func (j *Journal) Unserved(ctx context.Context, actions ...events.Action) (map[string]int, error) {
	out := map[string]int{}
	for _, a := range actions {
		c, err := j.tasks.Consumer(ctx, "serve-"+string(a))
		switch {
		case errors.Is(err, jetstream.ErrConsumerNotFound): // nobody ever has
		case err != nil:
			return nil, fmt.Errorf("journal: who serves %s: %w", a, err)
		case c.CachedInfo().NumWaiting > 0:
			continue
		}
		info, err := j.tasks.Info(ctx, jetstream.WithSubjectFilter("task."+string(a)+".>"))
		if err != nil {
			return nil, fmt.Errorf("journal: tasks of %s: %w", a, err)
		}
		for subject, n := range info.State.Subjects {
			if k, err := j.keyOf(subject); err == nil {
				out[k.Tenant] += int(n)
			}
		}
	}
	return out, nil
}
