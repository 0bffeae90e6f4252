package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

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

func TestState(t *testing.T) {
	s := open(t, fresh(t, broker.Embedded{}), Options{}).State()
	ctx := t.Context()
	if _, _, err := s.Get(ctx, "sweep.contoso"); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v", err)
	}
	rev := must(t, of(s.Create(ctx, "sweep.contoso", []byte("1"))))
	if _, err := s.Create(ctx, "sweep.contoso", nil); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	next := must(t, of(s.Update(ctx, "sweep.contoso", []byte("2"), rev)))
	if _, err := s.Update(ctx, "sweep.contoso", []byte("3"), rev); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	if v, at, err := s.Get(ctx, "sweep.contoso"); err != nil || string(v) != "2" || at != next {
		t.Error(string(v), at, err)
	}
	must(t, of(s.Put(ctx, "sweep.fabrikam", []byte("x"))))
	must(t, of(s.Put(ctx, "pause", []byte("y"))))
	if keys := must(t, of(s.Keys(ctx, "sweep."))); !slices.Equal(keys, []string{"sweep.contoso", "sweep.fabrikam"}) {
		t.Errorf("%q", keys)
	}
	check(t, s.Delete(ctx, "sweep.contoso"))
	check(t, s.Delete(ctx, "sweep.contoso"))
	if keys := must(t, of(s.Keys(ctx, ""))); !slices.Equal(keys, []string{"pause", "sweep.fabrikam"}) {
		t.Errorf("%q", keys)
	}
	must(t, of(s.Create(ctx, "sweep.contoso", []byte("again"))))
	for _, bad := range []string{"", ">", "sweep.*", "a b", ".a", "a.", "a..b", "journal.layout", strings.Repeat("a", 300)} {
		_, err := s.Put(ctx, bad, nil)
		_, err2 := s.Create(ctx, bad, nil)
		_, err3 := s.Update(ctx, bad, nil, 1)
		if err == nil || err2 == nil || err3 == nil || s.Delete(ctx, bad) == nil {
			t.Errorf("%q was taken as a key", bad)
		}
	}
}

// Ten thousand devices are listed as they are now, not as they were.
func TestTenThousandCases(t *testing.T) {
	nc, err := nats.Connect("", nats.InProcessServer(hall(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	j := must(t, of(Open(t.Context(), nc, Options{}, quiet)))
	const devices = 10000
	tenant := func(i int) string { return [...]string{"contoso", "fabrikam"}[i%2] }
	var acks []jetstream.PubAckFuture
	for _, rung := range []int{1, 2} {
		for i := range devices {
			k := events.Key{Tenant: tenant(i), Device: "d" + number(i)}
			m := must(t, of(pack(caseSubject(k), events.Case{Key: k, Open: true, Rung: rung}, maxCase)))
			acks = append(acks, must(t, of(j.js.PublishMsgAsync(m))))
			if len(acks) == 500 {
				for _, ack := range acks {
					check(t, wait(t.Context(), ack))
				}
				acks = nil
			}
		}
	}
	for tenant, want := range map[string]int{"": devices, "contoso": devices / 2, "nobody": 0} {
		seen := map[events.Key]bool{}
		for c, err := range j.Cases(t.Context(), tenant) {
			if err != nil || c.Rung != 2 || tenant != "" && c.Tenant != tenant {
				t.Fatal(c.Key, c.Rung, err)
			}
			seen[c.Key] = true
		}
		if len(seen) != want {
			t.Errorf("%d cases of %q are listed", len(seen), tenant)
		}
	}
	if known := must(t, of(j.Known(t.Context(), "fabrikam"))); len(known) != devices/2 || !known["d1"] || known["d2"] {
		t.Errorf("%d devices are known", len(known))
	}
	for range j.Cases(t.Context(), "") {
		break // whoever has seen enough may go
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := error(nil)
	for _, err := range j.Cases(ctx, "") {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v", last)
	}
	cancel()
}

func TestTimelineIsBounded(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	k, rev := key("d1"), uint64(0)
	if all := must(t, of(j.Timeline(t.Context(), k))); len(all) != 0 {
		t.Errorf("%d records of a device never heard of", len(all))
	}
	for i := range 1005 {
		rev = must(t, of(j.store(t.Context(), events.Case{Key: k, Asked: i}, rev)))
	}
	all := must(t, of(j.Timeline(t.Context(), k)))
	if len(all) != 1000 || all[0].Asked != 5 || all[999].Asked != 1004 {
		t.Errorf("%d records, from %d", len(all), all[0].Asked)
	}
	if _, err := j.store(t.Context(), events.Case{Key: k}, rev-1); !errors.Is(err, errConflict) {
		t.Errorf("got %v", err)
	}
	if _, err := j.store(t.Context(), events.Case{Key: k, Attention: []string{strings.Repeat("x", maxCase)}}, rev); !errors.Is(err, errTooBig) {
		t.Errorf("got %v", err)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx := t.Context()
	for _, k := range []events.Key{{}, {Tenant: "contoso"}, {Tenant: "contoso", Device: "*"}, {Tenant: ">", Device: "d1"}, {Tenant: "a.b", Device: "d1"}, {Tenant: "contoso", Device: strings.Repeat("d", 65)}} {
		errs := []error{j.Append(ctx, k, events.Noticed{}, ""), j.AppendAll(ctx, []Entry{{Key: k, Fact: events.Noticed{}}})}
		_, _, err := j.Case(ctx, k)
		errs = append(errs, err)
		_, err = j.Timeline(ctx, k)
		errs = append(errs, err)
		for _, err = range j.Facts(ctx, k) {
			errs = append(errs, err)
		}
		if len(errs) != 5 || slices.Contains(errs, nil) {
			t.Errorf("%q: got %v", k, errs)
		}
	}
	for _, tenant := range []string{"*", "a.b", ">"} {
		for _, err := range j.Cases(ctx, tenant) {
			if err == nil {
				t.Errorf("%q was taken as a tenant", tenant)
			}
		}
	}
	for _, tenant := range []string{"*", "a.b", ">", ""} {
		if _, err := j.Known(ctx, tenant); err == nil {
			t.Errorf("%q was taken as a tenant", tenant)
		}
	}
}

func TestFactsThatAreNone(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	big := events.Noted{Text: strings.Repeat("x", maxFact)}
	for want, f := range map[string]events.Fact{"no kind of fact": nil, "at most 262144": big} {
		if err := j.Append(t.Context(), key("d1"), f, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.200v", err)
		}
	}
	entries := make([]Entry, 2000)
	for i := range entries {
		entries[i] = Entry{key("d1"), events.Noticed{}, fmt.Sprint(i)}
	}
	entries[1999].Fact = big
	if err := j.AppendAll(t.Context(), entries); err == nil {
		t.Error("all are said to be recorded")
	}
	entries = entries[:1999]
	check(t, j.AppendAll(t.Context(), entries)) // again is always right
	if u := must(t, of(j.use(t.Context(), "FACTS"))); u.Messages != 1999 {
		t.Errorf("%d facts", u.Messages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.AppendAll(ctx, entries[:1]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUsage(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{FactsAge: 36 * time.Hour})
	check(t, j.Append(t.Context(), key("d1"), events.Noticed{}, ""))
	uses := must(t, of(j.Usage(t.Context())))
	var got []string
	for _, u := range uses {
		got = append(got, fmt.Sprintf("%s %d %s", u.Family, u.Messages, u.Keeps))
	}
	want := []string{"FACTS 1 for 1.5 days", "CASES 0 the last 1000 of each", "TASKS 0 until done", "DEAD 0 for 90 days", "KV_STATE 1 the last 1 of each"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if uses[0].Bytes == 0 || time.Since(uses[0].Oldest) > time.Minute || uses[0].Subjects != 1 {
		t.Errorf("%+v", uses[0])
	}
}

func TestDeadLetters(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	ctx := t.Context()
	for i := range 25 {
		check(t, j.write(ctx, "fact.0.contoso.d"+number(i), nil, []byte("?"), "line one\nline two\x00"+strings.Repeat("é", 5000), number(i)))
	}
	check(t, j.write(ctx, "fact.0.contoso.d0", nil, []byte("?"), "the same again", "0"))
	var ids []uint64
	for after := uint64(0); ; after = ids[len(ids)-1] {
		page := must(t, of(j.Dead(ctx, after, 10)))
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			ids = append(ids, l.ID)
			if l.Key.Tenant != "contoso" || !strings.HasPrefix(l.Reason, "line one | line two") || len(l.Reason) > mostReason {
				t.Errorf("%+v", l)
			}
		}
	}
	if len(ids) != 25 {
		t.Errorf("%d letters", len(ids))
	}
	if err := j.Replay(ctx, ids[3], "alice"); err == nil || !strings.Contains(err.Error(), "can only be dropped") {
		t.Errorf("got %v", err)
	}
	check(t, j.Drop(ctx, ids[3]))
	if err := j.Drop(ctx, ids[3]); !errors.Is(err, ErrNoLetter) {
		t.Errorf("got %v", err)
	}
	if _, err := j.Letter(ctx, 4711); !errors.Is(err, ErrNoLetter) {
		t.Errorf("got %v", err)
	}
	check(t, j.write(ctx, "task.mail.contoso.d1.3", nil, []byte("?"), "unreadable", "t"))
	check(t, j.write(ctx, "what.is.this", nil, []byte("?"), "no idea", "w"))
	for _, l := range must(t, of(j.Dead(ctx, ids[24], 10))) {
		if err := j.Replay(ctx, l.ID, "alice"); err == nil {
			t.Errorf("%s was replayed", l.Subject)
		}
	}
}
