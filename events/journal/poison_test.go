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

	"curfew/events"
)

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
