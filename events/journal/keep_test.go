package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// A device stays at risk: every rung comes in its time, and once.
func TestLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := key("d1")
		w.set(k, "highSeverity")
		x := start(t, t.TempDir()).run(w)
		defer x.stop()
		x.notice(k)
		pass(3 * time.Hour)
		got := w.effects(k)
		slices.Sort(got)
		if want := []string{"0s mail", "0s ticket", "10m0s scan", "20m0s page", "40m0s reset"}; !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		w.once()
		if c := x.mustCase(k); !c.Open || c.WakeAt.IsZero() {
			t.Errorf("the case is %s and wakes %v", c.State(), c.WakeAt)
		}
		check(t, x.Ready(t.Context()))
	})
}

// The worker is stopped, the alarm of the second rung falls due meanwhile, and
// the page comes late but comes. Grace counts from what was done.
func TestStoppedWhileAnAlarmIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k, dir := key("d1"), t.TempDir()
		w.set(k, "highSeverity")
		x := start(t, dir).run(w)
		x.notice(k)
		pass(12 * time.Minute)
		x.stop()
		pass(3 * time.Hour)
		x = start(t, dir).run(w)
		defer x.stop()
		pass(15 * time.Minute)
		if got, want := strings.Join(w.effects(k), ", "), "0s mail, 0s ticket, 10m0s scan, 3h12m0s page"; sorted(got) != sorted(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		pass(10 * time.Minute)
		if got := w.effects(k); got[len(got)-1] != "3h32m0s reset" {
			t.Errorf("got %q", got)
		}
		w.once()
	})
}

func sorted(list string) string {
	part := strings.Split(list, ", ")
	slices.Sort(part)
	return strings.Join(part, ", ")
}

// A storm of notices about one device is one look, and one more for what may
// have been missed.
func TestThousandNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		k := key("d1")
		entries := make([]Entry, 1000)
		for i := range entries {
			entries[i] = Entry{k, events.Noticed{Source: "webhook"}, "notice-" + number(i%500)}
		}
		check(t, x.AppendAll(t.Context(), entries))
		if facts := x.count("FACTS"); facts != 500 {
			t.Errorf("%d facts were kept of 500 ids", facts)
		}
		w := newWorld(t)
		x.run(w)
		defer x.stop()
		pass(time.Minute)
		if c := x.mustCase(k); c.Asked > 2 || c.State() != "rest" || !c.WakeAt.IsZero() {
			t.Errorf("%d looks, the case is %s and wakes %v", c.Asked, c.State(), c.WakeAt)
		}
		if records := len(must(t, of(x.Timeline(t.Context(), k)))); records > 6 {
			t.Errorf("%d records", records)
		}
		if n := alarms(t, x.Journal); n != 0 {
			t.Errorf("%d alarms are left", n)
		}
	})
}

func (x *worker) count(stream string) int {
	x.t.Helper()
	return int(must(x.t, of(x.use(x.t.Context(), stream))).Messages)
}

// What cannot be read goes to the dead letters, and nothing waits behind it.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		k := key("d1")
		own := x.factSubject(k)
		other := fmt.Sprintf("fact.%d.contoso.d1", (x.partition(k)+1)%x.parts)
		poison := []struct{ subject, kind, version, data, reason string }{
			{own, "", "1", "{}", `unknown kind of fact ""`},
			{own, "exploded", "1", "{}", `unknown kind of fact "exploded"`},
			{own, "noticed", "", "{}", "does not say which version wrote it"},
			{own, "noticed", "2", "{}", "written by a newer version"},
			{own, "noticed", "1", "{", "unexpected end of JSON"},
			{own, "seen", "1", `{"device":[]}`, "cannot unmarshal"},
			{own, "noted", "1", strings.Repeat(" ", maxFact) + "{}", "at most 262144 are taken"},
			{other, "noticed", "1", "{}", "is not in the device's partition"},
			{"fact.0.contoso.d€", "noticed", "1", "{}", "names no device"},
			{"fact.x.contoso.d1", "noticed", "1", "{}", "is not in the device's partition"},
		}
		for _, p := range poison {
			m := &nats.Msg{Subject: p.subject, Data: []byte(p.data), Header: nats.Header{
				"Fact": {p.kind}, "Version": {p.version}, "Nats-Msg-Id": {p.reason}, "Colour": {"green"},
			}}
			must(t, of(x.js.PublishMsg(t.Context(), m)))
		}
		x.notice(k)
		x.run(newWorld(t))
		pass(time.Minute)

		if c := x.mustCase(k); c.Looked.IsZero() {
			t.Error("the fact behind them was not taken")
		}
		// A subject whose partition is no number has no reader.
		poison = poison[:len(poison)-1]
		letters := must(t, of(x.Dead(t.Context(), 0, 100)))
		for _, p := range poison {
			i := slices.IndexFunc(letters, func(l Letter) bool { return l.header.Get(sourceHeader) == p.reason })
			if i < 0 {
				t.Errorf("%s %s is no dead letter", p.subject, p.kind)
				continue
			}
			l := letters[i]
			if l.Subject != p.subject || l.Kind != p.kind || string(l.Data) != p.data || !strings.Contains(l.Reason, p.reason) || l.header.Get("Colour") != "green" || l.Family != "fact" {
				t.Errorf("the letter of %s %s says: %s %s %s %q", p.subject, p.kind, l.Family, l.Kind, l.Reason, l.header)
			}
		}
		if len(letters) != len(poison) {
			t.Errorf("%d letters for %d", len(letters), len(poison))
		}
		if u := must(t, of(x.use(t.Context(), "FACTS"))); u.Waiting != 0 {
			t.Errorf("%d facts wait", u.Waiting)
		}
	})
}

// A fact that Step cannot bear goes to the dead letters with the stack; when the
// cause is mended it is replayed.
func TestStepPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		var ill atomic.Bool
		ill.Store(true)
		x.step = func(c events.Case, f events.Fact, p events.Policies, now time.Time) (events.Case, []events.Task) {
			if c.Device.Key == (events.Key{}) && c.Key == key("d1") && ill.Load() {
				panic("no device")
			}
			return events.Step(c, f, p, now)
		}
		x.notice(key("d1"))
		x.notice(key("d2"))
		x.run(newWorld(t))
		pass(time.Minute)
		letters := must(t, of(x.Dead(t.Context(), 0, 10)))
		if len(letters) != 1 || !strings.HasPrefix(letters[0].Reason, "panic: no device | goroutine") || letters[0].Key != key("d1") {
			t.Fatalf("%+v", letters)
		}
		if x.mustCase(key("d2")).Looked.IsZero() {
			t.Error("another device had to wait")
		}
		ill.Store(false)
		check(t, x.Replay(t.Context(), letters[0].ID, "alice"))
		pass(time.Minute)
		if x.mustCase(key("d1")).Looked.IsZero() {
			t.Error("the replayed fact was not taken")
		}
		if err := x.Replay(t.Context(), letters[0].ID, "alice"); !errors.Is(err, ErrNoLetter) {
			t.Errorf("got %v", err)
		}
	})
}

// A case that cannot be read stops nobody else.
func TestUnreadableCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		x.notice(key("d1"))
		x.run(newWorld(t))
		pass(time.Second)
		must(t, of(x.js.Publish(t.Context(), caseSubject(key("d1")), []byte("{}"))))
		must(t, of(x.js.Publish(t.Context(), "task.look.contoso.d1.9", []byte(`{}`))))
		m := must(t, of(taskMsg(key("d1"), events.Task{ID: "contoso/d1/7-look", N: 7, Order: events.Order{Action: events.Look}}, 1)))
		must(t, of(x.js.PublishMsg(t.Context(), m)))
		for i := range 20 {
			x.notice(key("d" + number(i)))
		}
		pass(time.Minute)
		for i := range 20 {
			k := key("d" + number(i))
			switch c, _, err := x.Case(t.Context(), k); {
			case i == 1 && !errors.Is(err, ErrUnreadable):
				t.Errorf("%s: got %v", k, err)
			case i != 1 && (err != nil || c.Looked.IsZero()):
				t.Errorf("%s had to wait: %v", k, err)
			}
		}
		var reasons []string
		for _, l := range must(t, of(x.Dead(t.Context(), 0, 10))) {
			reasons = append(reasons, l.Family+" "+l.Key.Device)
		}
		slices.Sort(reasons)
		if got := strings.Join(reasons, ", "); got != "fact d1, task d1, task d1" {
			t.Errorf("dead letters: %s", got)
		}
		n, bad := 0, 0
		for c, err := range x.Cases(t.Context(), "") {
			if n++; errors.Is(err, ErrUnreadable) && c.Key == key("d1") {
				bad++
			} else if err != nil {
				t.Error(err)
			}
		}
		if n != 20 || bad != 1 {
			t.Errorf("%d cases are listed, %d of them unreadable", n, bad)
		}
	})
}

// A case that somebody else changes between reading and writing is read again.
func TestConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		k := key("d1")
		once := false
		x.crash = func(point string) error {
			if point == "case: store" && !once {
				once = true
				m := must(t, of(pack(caseSubject(k), events.Case{Key: k, Waived: "by somebody else"}, maxCase)))
				must(t, of(x.js.PublishMsg(t.Context(), m)))
			}
			return nil
		}
		x.notice(k)
		x.run(newWorld(t))
		pass(time.Second)
		all := must(t, of(x.Timeline(t.Context(), k)))
		if len(all) < 2 || all[0].Taken != 0 || all[1].Taken == 0 || all[1].Waived == "" {
			t.Errorf("%+v", all)
		}
	})
}

// Two workers keep and serve the same journal: every fact is taken, in order,
// and nothing is done twice.
func TestTwoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hall(t, t.TempDir())
		w := newWorld(t)
		one, two := enter(t, s, w, quick, 0), enter(t, s, w, quick, 0)
		const devices = 40
		for i := range devices {
			k := key("d" + number(i))
			w.set(k, "highSeverity")
			check(t, one.Append(t.Context(), k, events.Noticed{}, ""))
		}
		pass(5 * time.Minute)
		one.stop()
		for i := range devices {
			k := key("d" + number(i))
			w.set(k, "secured")
			check(t, two.Append(t.Context(), k, events.Noticed{}, ""))
		}
		pass(5 * time.Minute)
		defer two.stop()
		for i := range devices {
			k := key("d" + number(i))
			if got, want := actions(w.effects(k)), "close mail mail reset ticket"; got != want {
				t.Errorf("%s: did %s, want %s", k, got, want)
			}
			taken := uint64(0)
			for _, c := range must(t, of(two.Timeline(t.Context(), k))) {
				if c.Taken <= taken {
					t.Errorf("%s took fact %d after %d", k, c.Taken, taken)
				}
				taken = c.Taken
			}
		}
		w.once()
		if left := leftovers(t, two.Journal); left != "" {
			t.Error(left)
		}
	})
}

// An alarm that is further away than facts are kept still rings.
func TestFarAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The server compares the age of messages with the clock on the wall.
		time.Sleep(time.Until(realStart))
		x := start(t, t.TempDir())
		x.Journal = open(t, x.b, Options{FactsAge: day})
		defer x.stop()
		k := key("d1")
		rang := 0
		due := time.Now().Add(20 * time.Hour).UTC()
		x.step = func(c events.Case, f events.Fact, _ events.Policies, now time.Time) (events.Case, []events.Task) {
			if _, is := f.(events.Rang); is {
				rang++
			}
			if c.WakeAt = due; !now.Before(due) {
				c.WakeAt, c.Looked = time.Time{}, now
			}
			return c, nil
		}
		x.notice(k)
		x.run(newWorld(t))
		pass(19 * time.Hour)
		if rang == 0 || !x.mustCase(k).Looked.IsZero() {
			t.Errorf("rang %d times, looked at %v", rang, x.mustCase(k).Looked)
		}
		pass(2 * time.Hour)
		if at := x.mustCase(k).Looked; at.Before(due) || at.After(due.Add(2*time.Second)) {
			t.Errorf("rang at %v, not %v", at, due)
		}
		if n := alarms(t, x.Journal); n != 0 || rang > 8 {
			t.Errorf("%d alarms are left after %d", n, rang)
		}
	})
}

// Alarms ring in whole seconds, never before what is due.
func TestRingAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		now := time.Date(2026, 3, 2, 9, 0, 0, 500e6, time.UTC)
		for wake, want := range map[time.Duration]time.Duration{
			0:              500 * time.Millisecond,
			-time.Hour:     500 * time.Millisecond,
			time.Second:    1500 * time.Millisecond,
			1e9 + 1e6:      1500 * time.Millisecond,
			1500e6:         1500 * time.Millisecond,
			1500e6 + 1:     2500 * time.Millisecond,
			1000 * day:     45*day + 500*time.Millisecond,
			45 * day:       45*day + 500*time.Millisecond,
			44*day + 500e6: 44*day + 500*time.Millisecond,
		} {
			if got := x.ringAt(now.Add(wake), now).Sub(now); got != want {
				t.Errorf("for %v rings after %v, want %v", wake, got, want)
			}
		}
	})
}

// Facts of a stream that was restored or made anew have small numbers again; by
// their time they are told from those already taken.
func TestTaken(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := events.Case{Taken: 100, At: at}
	for _, f := range []struct {
		seq  uint64
		at   time.Time
		want bool
	}{
		{100, at, true},
		{99, at.Add(-time.Hour), true},
		{100, at.Add(900 * time.Microsecond), true},
		{101, at.Add(-time.Hour), false},
		{3, at.Add(time.Hour), false},
	} {
		meta := &jetstream.MsgMetadata{Timestamp: f.at, Sequence: jetstream.SequencePair{Stream: f.seq}}
		if got := taken(c, meta); got != f.want {
			t.Errorf("%d of %v: %v", f.seq, f.at, got)
		}
	}
}
