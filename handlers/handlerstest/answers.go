package handlerstest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest/fake"
)

func comesBack(ctx context.Context, fresh func() World) error {
	in2min := func() string { return time.Now().Add(2 * time.Minute).UTC().Format(http.TimeFormat) }
	waits := []struct {
		header func() string
		least  time.Duration
	}{
		{func() string { return "" }, 0},
		{func() string { return "120" }, 2 * time.Minute},
		{in2min, 2 * time.Minute},
		{func() string { return "soon" }, 0},
		{func() string { return "99999999999999999999" }, time.Minute},
	}
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		for _, wait := range waits {
			w := fresh()
			f := fake.Fault{Status: status, RetryAfter: wait.header()}
			w.Calls.Fail(-1, f)
			_, err := w.do(ctx, w.Task)
			v := handlers.Read(err)
			switch {
			case err == nil:
				return fmt.Errorf("status %d is no error", status)
			case v.GiveUp:
				return fmt.Errorf("status %d gives up: %w", status, err)
			case v.After < wait.least:
				return fmt.Errorf("status %d with Retry-After %q comes back after %v", status, f.RetryAfter, v.After)
			case v.After > 24*time.Hour:
				return fmt.Errorf("status %d with Retry-After %q is put off for %v", status, f.RetryAfter, v.After)
			case len(w.Effects()) > 0:
				return fmt.Errorf("status %d left effects: %q", status, w.Effects())
			}
			w.Calls.Heal()
			t := w.Task
			t.Unsure = v.Unsure
			t.Begun = &events.Attempt{ID: "attempt", At: time.Now().UTC()}
			if err := w.once(w.play(ctx, t)); err != nil {
				return fmt.Errorf("after status %d: %w", status, err)
			}
		}
	}
	return nil
}

func givesUp(ctx context.Context, fresh func() World) error {
	for _, status := range []int{302, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422} {
		w := fresh()
		w.Calls.Fail(-1, fake.Fault{Status: status})
		switch fact, err := w.do(ctx, w.Task); {
		case err == nil:
			return fmt.Errorf("status %d is no error but %v", status, fact)
		case !handlers.Read(err).GiveUp:
			return fmt.Errorf("status %d comes back: %w", status, err)
		case len(w.Effects()) > 0:
			return fmt.Errorf("status %d left effects: %q", status, w.Effects())
		}
	}
	return nil
}

func cancelled(ctx context.Context, fresh func() World) error {
	for _, after := range []time.Duration{0, 3 * time.Second} {
		w := fresh()
		if after > 0 {
			w.Calls.Fail(1, fake.Fault{Hang: true, Done: true})
		}
		ends, cancel := context.WithCancel(ctx)
		stop := time.AfterFunc(after, cancel)
		if after == 0 {
			cancel()
		}
		start := time.Now()
		fact, err := w.do(ends, w.Task)
		stop.Stop()
		cancel()
		switch took := time.Since(start); {
		case took > after+time.Second:
			return fmt.Errorf("it returned %v after its context had ended", took-after)
		case err == nil:
			return fmt.Errorf("its context had ended, and it returned %v", fact)
		case handlers.Read(err).GiveUp:
			return fmt.Errorf("its context had ended, and it gave up: %w", err)
		}
		t := w.Task
		t.Unsure = handlers.Read(err).Unsure
		t.Begun = &events.Attempt{ID: "attempt", At: start}
		if err := w.once(w.play(ctx, t)); err != nil {
			return err
		}
	}
	return nil
}

func slow(ctx context.Context, fresh func() World) error {
	try := func(ctx context.Context, limit time.Duration) error {
		w := fresh()
		w.Calls.Fail(-1, fake.Fault{Hang: true})
		start := time.Now()
		_, err := w.do(ctx, w.Task)
		switch took := time.Since(start); {
		case took > limit:
			return fmt.Errorf("it took %v", took)
		case err == nil:
			return fmt.Errorf("nobody answered, and it is no error")
		case handlers.Read(err).GiveUp:
			return fmt.Errorf("nobody answered, and it gave up: %w", err)
		}
		return nil
	}
	soon, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := try(soon, 6*time.Second); err != nil || !fresh().HTTP {
		return err
	}
	return try(ctx, 2*time.Minute)
}

func secrets(ctx context.Context, fresh func() World) error {
	for _, f := range []fake.Fault{
		{Status: 400, Echo: true}, {Status: 401, Echo: true}, {Status: 429, Echo: true}, {Status: 500, Echo: true}, {Status: 200, Echo: true},
		{Drop: true}, {Status: 302}, {},
	} {
		w := fresh()
		if f != (fake.Fault{}) {
			w.Calls.Fail(1, f)
		}
		w.do(ctx, w.Task) // only what it says counts here
		ended, cancel := context.WithCancel(ctx)
		cancel()
		w.do(ended, w.Task)
		if err := w.leaks(); err != nil {
			return err
		}
	}
	return nil
}
