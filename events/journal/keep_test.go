package journal

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/evidence"
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
			if r := proof(t, two.Journal, k); !r.OK() || r.Begins != evidence.BeginsFirst || r.Bound != r.Records {
				t.Errorf("%s: the chain is %+v", k, r)
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
