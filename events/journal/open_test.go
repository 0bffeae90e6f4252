package journal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/broker"
)

// fresh is a broker that stops with the test.
func fresh(t testing.TB, o broker.Embedded) *broker.Broker {
	t.Helper()
	o.Dir, o.DontListen = t.TempDir(), true
	b, err := broker.Embed(t.Context(), o, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		check(t, b.Stop(ctx))
	})
	return b
}

func TestOpenedBySeveralAtOnce(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			j, err := Open(t.Context(), b.Conn(), Options{}, logTo(t))
			if err != nil {
				t.Error(err)
			} else if j.parts != 16 {
				t.Errorf("%d partitions", j.parts)
			}
		})
	}
	wg.Wait()
}

func TestPartitionsAreFixed(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	open(t, b, Options{Partitions: 5})
	if _, err := Open(t.Context(), b.Conn(), Options{Partitions: 6}, quiet); err == nil || !strings.Contains(err.Error(), "made with 5 partitions, not 6") {
		t.Errorf("got %v", err)
	}
	if j := open(t, b, Options{}); j.parts != 5 {
		t.Errorf("%d partitions", j.parts)
	}
}

func TestNewerLayoutIsLeftAlone(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	j := open(t, b, Options{FactsAge: 30 * day})
	must(t, of(j.state.kv.Put(t.Context(), layoutKey, []byte(`{"version":2,"partitions":16}`))))
	if _, err := Open(t.Context(), b.Conn(), Options{FactsAge: 60 * day}, quiet); err == nil || !strings.Contains(err.Error(), "run the newer version; nothing was changed") {
		t.Errorf("got %v", err)
	}
	if _, err := Attach(t.Context(), b.Conn(), quiet); err == nil || !strings.Contains(err.Error(), "run the newer version") {
		t.Errorf("got %v", err)
	}
	if age := must(t, of(j.js.Stream(t.Context(), "FACTS"))).CachedInfo().Config.MaxAge; age != 30*day {
		t.Errorf("facts are kept for %v", age)
	}
	must(t, of(j.state.kv.Put(t.Context(), layoutKey, []byte(`{"colour":"green"}`))))
	if _, err := Open(t.Context(), b.Conn(), Options{}, quiet); err == nil || !strings.Contains(err.Error(), "somebody else's?") {
		t.Errorf("got %v", err)
	}
}

// What an option leaves open is as it was; what it says is changed.
func TestOpenedWithOtherOptions(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	ages := func(j *Journal) (ages []time.Duration) {
		for _, name := range []string{"FACTS", "DEAD"} {
			ages = append(ages, must(t, of(j.js.Stream(t.Context(), name))).CachedInfo().Config.MaxAge/day)
		}
		return ages
	}
	for _, c := range []struct {
		o    Options
		want []time.Duration
	}{
		{Options{FactsAge: 30 * day}, []time.Duration{30, 90}},
		{Options{DeadAge: 10 * day}, []time.Duration{30, 10}},
		{Options{}, []time.Duration{30, 10}},
		{Options{FactsAge: 90 * day, DeadAge: 90 * day}, []time.Duration{90, 90}},
	} {
		if got := ages(open(t, b, c.o)); !slices.Equal(got, c.want) {
			t.Errorf("%+v: kept for %v, want %v days", c.o, got, c.want)
		}
	}
	for _, o := range []Options{{Partitions: -1}, {Partitions: 5000}, {Replicas: 7}, {FactsAge: time.Hour}, {DeadAge: -day}, {Pulse: time.Minute}} {
		if _, err := Open(t.Context(), b.Conn(), o, quiet); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// Who joins another's journal, and does not say for how long a task is its own, has it
// as long as those who are there.
func TestTheLeaseIsThatOfTheOthers(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	if j := open(t, b, Options{}); j.lease != 10*time.Second {
		t.Errorf("%v where nobody was before", j.lease)
	}
	first := open(t, b, Options{Lease: 4 * time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan error, 1)
	go func() { kept <- first.Keep(ctx, rules) }()
	for {
		if _, err := first.facts.Consumer(ctx, "keep-0"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if j := open(t, b, Options{}); j.lease != 4*time.Second {
		t.Errorf("%v, and the others have 4 s", j.lease)
	}
	cancel()
	check(t, <-kept)
}

func TestAttach(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	if _, err := Attach(t.Context(), b.Conn(), quiet); err == nil || !strings.Contains(err.Error(), "start `curfew run` first") {
		t.Errorf("got %v", err)
	}
	j := open(t, b, Options{Partitions: 3})
	other := must(t, of(Attach(t.Context(), b.Conn(), quiet)))
	check(t, other.Append(t.Context(), key("d1"), events.Noted{By: "alice", Text: "mine"}, ""))
	n := 0
	for r, err := range j.Facts(t.Context(), key("d1")) {
		check(t, err)
		if n++; r.Fact != (events.Noted{By: "alice", Text: "mine"}) || r.Seq != 1 || time.Since(r.At) > time.Minute {
			t.Errorf("%+v", r)
		}
	}
	if n != 1 {
		t.Errorf("%d facts", n)
	}
	check(t, other.Ready(t.Context()))
}

func TestNotReady(t *testing.T) {
	b := fresh(t, broker.Embedded{})
	j := open(t, b, Options{})
	check(t, j.Ready(t.Context()))
	j.stuck.set("keep-3", errors.New("no space left"))
	check(t, j.Ready(t.Context())) // it may be over in a moment
	j.stuck.what["keep-3"] = trouble{time.Now().Add(-time.Minute), errors.New("no space left")}
	if err := j.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "keep-3 has been tried in vain for 1m0s: no space left") {
		t.Errorf("got %v", err)
	}
	j.stuck.set("keep-3", nil)
	check(t, j.Ready(t.Context()))
	b.Conn().Close()
	if err := j.Ready(t.Context()); err == nil {
		t.Error("ready without a broker")
	}
}
