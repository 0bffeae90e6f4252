package journal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/evidence"
)

// proof makes a bundle about a device and checks it.
func proof(t testing.TB, j *Journal, k events.Key) evidence.Report {
	t.Helper()
	var file bytes.Buffer
	w := evidence.NewWriter(&file, evidence.About{Key: k, Made: time.Now(), Keeps: TimelineLength})
	for it, err := range j.RawCases(t.Context(), k) {
		check(t, errors.Join(err, w.Record(it)))
	}
	for it, err := range j.RawFacts(t.Context(), k) {
		check(t, errors.Join(err, w.Fact(it)))
	}
	must(t, of(w.Close()))
	return must(t, of(evidence.Verify(&file, "")))
}

// found is the only thing that a check found.
func found(t testing.TB, r evidence.Report) string {
	t.Helper()
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings: %v", len(r.Findings), r.Findings)
	}
	return r.Findings[0].String()
}

// Another worker stores its record between the reading of the case and the
// storing of ours. Ours is refused, made anew, and follows the other's.
func TestChainOverConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		other := open(t, x.b, Options{Partitions: 4})
		k := key("d1")
		conflicts := 0
		x.crash = func(point string) error {
			if point == "case: store" && conflicts < 3 {
				conflicts++
				was := must(t, of(other.last(t.Context(), k)))
				r := evidence.Record{Case: was.Case, Prev: evidence.First(k)}
				r.Key, r.Asked = k, was.Asked+1
				if was.rev != 0 {
					r.Prev = evidence.Sum(was.data)
				}
				must(t, of(other.store(t.Context(), r, was.rev)))
			}
			return nil
		}
		x.notice(k)
		x.run(newWorld(t))
		pass(time.Second)
		if r := proof(t, x.Journal, k); !r.OK() || r.Begins != evidence.BeginsFirst || r.Records < 5 || conflicts != 3 {
			t.Errorf("%d conflicts, %+v", conflicts, r)
		}
	})
}

// A journal of before there were chains goes on. What it holds proves nothing,
// but for its last record; what follows does.
func TestChainOfAnOldJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := start(t, t.TempDir())
		defer x.stop()
		k := key("d1")
		for i := range 3 {
			m := must(t, of(pack(caseSubject(k), events.Case{Key: k, Looked: time.Now().Add(time.Duration(i)).UTC()}, maxCase)))
			must(t, of(x.js.PublishMsg(t.Context(), m)))
		}
		if r := proof(t, x.Journal, k); !r.OK() || r.Unchained != 3 {
			t.Errorf("before: %+v", r)
		}
		x.notice(k)
		x.run(newWorld(t))
		pass(time.Second)
		r := proof(t, x.Journal, k)
		if !r.OK() || r.Begins != evidence.BeginsUnchained || r.Unchained != 3 || r.Records < 5 || r.Bound != r.Records-3 {
			t.Errorf("after: %+v", r)
		}
		if head := must(t, of(x.Head(t.Context(), k))); evidence.Sum(head.Data()) != r.Head || head.Seq != r.To.Seq || !head.At.Equal(r.To.At) {
			t.Errorf("the head is %+v, and the last record has %s at %+v", head, r.Head, r.To)
		}
		if _, err := x.Head(t.Context(), key("d2")); !errors.Is(err, ErrNoCase) {
			t.Errorf("got %v", err)
		}
	})
}

// Somebody with access to the streams removes and rewrites what they hold.
func TestChainShowsWhatWasDoneToTheStream(t *testing.T) {
	j := open(t, fresh(t, broker.Embedded{}), Options{})
	k, rev := key("d1"), uint64(0)
	grow := func(n int) {
		for range n {
			was := must(t, of(j.last(t.Context(), k)))
			r := evidence.Record{Case: was.Case, Prev: evidence.First(k)}
			r.Asked++
			if was.rev != 0 {
				r.Prev = evidence.Sum(was.data)
			}
			rev = must(t, of(j.store(t.Context(), r, was.rev)))
		}
	}
	grow(1005)
	r := proof(t, j, k)
	if !r.OK() || r.Begins != evidence.BeginsLater || r.Records != 1000 || r.To.Seq != rev {
		t.Errorf("a full timeline: %+v", r)
	}
	check(t, j.cases.SecureDeleteMsg(t.Context(), rev-500))
	if got, want := found(t, proof(t, j, k)), "record 500 (sequence 506, "; !strings.HasPrefix(got, want) {
		t.Errorf("one was removed: %s", got)
	}
	check(t, j.cases.Purge(t.Context(), jetstream.WithPurgeSubject(caseSubject(k)), jetstream.WithPurgeKeep(10)))
	if got := found(t, proof(t, j, k)); !strings.Contains(got, "follows one that is not here, though the journal keeps 1000 and only 10 are") {
		t.Errorf("the oldest were removed: %s", got)
	}
	check(t, j.cases.SecureDeleteMsg(t.Context(), rev))
	r = proof(t, j, k)
	if r.To.Seq != rev-1 {
		t.Fatalf("%+v", r)
	}
	grow(3) // it goes on after the last that is there
	if r := proof(t, j, k); len(r.Findings) != 1 || r.Records != 12 {
		t.Errorf("after the last was removed: %+v", r)
	}
}
