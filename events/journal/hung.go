package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"curfew/events"
)

// deaf is how long after its time a call may take to notice that it is up.
const deaf = 5 * time.Second

// A hung remembers the calls of handlers that do not end although their time is up.
type hung struct {
	mu    sync.Mutex
	calls map[string]hungCall // by task
}

type hungCall struct {
	action events.Action
	since  time.Time
}

func (h *hung) set(task string, a events.Action, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls == nil {
		h.calls = map[string]hungCall{}
	}
	h.calls[task] = hungCall{a, since}
}

func (h *hung) forget(task string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, task)
}

// Alive says what only a restart of this process can help, or nil: a handler that
// does not end although its time is up. Its task is nobody else's meanwhile,
// because it may still be done; after a restart it is unsure, like any other that
// was not heard of again.
func (j *Journal) Alive(context.Context) error {
	j.hung.mu.Lock()
	defer j.hung.mu.Unlock()
	var oldest hungCall
	for _, c := range j.hung.calls {
		if oldest.since.IsZero() || c.since.Before(oldest.since) {
			oldest = c
		}
	}
	if oldest.since.IsZero() {
		return nil
	}
	return fmt.Errorf("journal: %d calls of handlers do not end although their time is up, the oldest, of %s, for %v; restart the worker to have their tasks taken up again",
		len(j.hung.calls), oldest.action, time.Since(oldest.since).Round(time.Second))
}

// patiently calls the handler and returns when it does. A call that does not end
// although its time is up keeps its task, and gives up its place.
func (s *serving) patiently(ctx context.Context, k events.Key, t events.Task, call func() (events.Fact, error)) (f events.Fact, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err = call()
	}()
	select {
	case <-done:
		return f, err
	case <-ctx.Done():
	}
	select {
	case <-done:
		return f, err
	case <-time.After(deaf):
	}
	s.log.Error("a handler does not end although its time is up; others work on in its place, and its task waits for it or for a restart", "task", t.ID)
	s.hung.set(t.ID, s.action, time.Now())
	defer s.hung.forget(t.ID)
	back := s.desk.lend(k.Tenant)
	defer back()
	<-done
	s.log.Warn("a handler has ended long after its time", "task", t.ID, "err", err)
	return f, err
}
