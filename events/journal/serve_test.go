package journal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
)

// The first error of a look leaves no trace in the case, the next ones do.
func TestLookHiccup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		defer x.stop()
		w := newWorld(t)
		calls := map[events.Key]int{}
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		x.wg.Go(func() {
			check(t, x.Serve(ctx, events.Look, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
				calls[c.Key]++
				if calls[c.Key] <= 1 && c.Key == key("d1") || calls[c.Key] <= 3 && c.Key == key("d2") {
					return nil, errors.New("reset by peer")
				}
				return w.do(ctx, c, task)
			}, ServeOptions{Concurrency: 1}))
		})
		x.notice(key("d1"))
		x.notice(key("d2"))
		pass(time.Minute)
		for device, want := range map[string]string{"d1": "noticed seen", "d2": "noticed delayed rang delayed rang seen"} {
			var kinds []string
			for r, err := range x.Facts(t.Context(), key(device)) {
				check(t, err)
				kinds = append(kinds, kindOf(r.Fact))
			}
			if got := strings.Join(kinds, " "); got != want {
				t.Errorf("%s: %s, want %s", device, got, want)
			}
		}
	})
}

// One tenant has hundreds of tasks that each take long. The task of
// another is done at once, and the first has never more than its share.
func TestBusyTenantDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		x.cancel = cancel
		defer x.stop()
		var mu sync.Mutex
		done := map[string]int{}
		busy, most := 0, 0
		x.wg.Go(func() { check(t, x.Keep(ctx, rules)) })
		x.wg.Go(func() {
			check(t, x.Serve(ctx, events.Look, func(ctx context.Context, c events.Case, task events.Task) (events.Fact, error) {
				if c.Tenant == "storm" {
					mu.Lock()
					busy++
					most = max(most, busy)
					mu.Unlock()
					time.Sleep(10 * time.Second)
					mu.Lock()
					busy--
					mu.Unlock()
				}
				mu.Lock()
				defer mu.Unlock()
				done[c.Tenant]++
				return events.Seen{Task: task.ID, Device: events.Device{Key: c.Key, Threat: "secured", SeenAt: time.Now().UTC()}}, nil
			}, ServeOptions{Concurrency: 4, Timeout: time.Minute}))
		})
		var storm []Entry
		for i := range 100 {
			storm = append(storm, Entry{Key: events.Key{Tenant: "storm", Device: "d" + number(i)}, Fact: events.Noticed{}})
		}
		check(t, x.AppendAll(t.Context(), storm))
		pass(time.Minute)
		for i := range 10 {
			k := events.Key{Tenant: "calm", Device: "d" + number(i)}
			x.notice(k)
			begin := time.Now()
			for x.mustCase(k).Looked.IsZero() && time.Since(begin) < time.Minute {
				pass(10 * time.Millisecond)
			}
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("the other tenant waited %v", took)
			}
			pass(5 * time.Second)
		}
		if most != 2 {
			t.Errorf("the busy tenant had %d of 4 places at once", most)
		}
		pass(12 * time.Minute)
		if done["storm"] != 100 || done["calm"] != 10 {
			t.Errorf("done: %v", done)
		}
	})
}

func TestServeWhatIsNone(t *testing.T) {
	j := &Journal{}
	for _, a := range []events.Action{"", "look.>", "*", "a b"} {
		if err := j.Serve(t.Context(), a, nil, ServeOptions{}); err == nil {
			t.Errorf("%q was served", a)
		}
	}
}
