package evidence_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
	"curfew/events/evidence"
)

func TestNothingWasAltered(t *testing.T) {
	j := story(t)
	file := j.write(t)
	got := verify(t, file, j.head())
	want := evidence.Report{
		About: about, Records: 7, Facts: 9, Begins: evidence.BeginsFirst, Bound: 7, Head: j.head(), Seal: got.Seal,
		From: evidence.Place{N: 1, Seq: 1000, At: minute(0)}, To: evidence.Place{N: 7, Seq: 1024, At: minute(8)}, Known: evidence.Place{N: 7, Seq: 1024, At: minute(8)},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Seal) != 64 {
		t.Error(diff)
	}
	var pretty bytes.Buffer
	check(t, json.Indent(&pretty, file, "", "    "))
	if r := verify(t, pretty.Bytes(), ""); !r.OK() {
		t.Errorf("white space: %s", says(r))
	}
}

// Any bit of any record, changed by somebody who then computes every hash of the
// bundle anew, is found: at this record or at the one that follows it. The last
// one has none after it and is found by the head that was kept elsewhere. Not all
// are tried, for time's sake, but each place in a byte in turn.
func TestAnyBitOfAnyRecord(t *testing.T) {
	whole := story(t)
	head := whole.head()
	for n := range whole.records {
		for i := n; i < len(whole.records[n].Data())*8; i += 43 {
			j := whole.clone()
			data := slices.Clone(j.records[n].Data())
			data[i/8] ^= 1 << (i % 8)
			with(j.records, n, data)
			r := verify(t, j.write(t), head)
			last := n == len(j.records)-1
			switch {
			case r.OK():
				t.Fatalf("record %d, bit %d: not found", n+1, i)
			case !last && r.Findings[0].What == "record" && (r.Findings[0].N == n+1 || r.Findings[0].N == n+2):
			case last && r.Known.N == 0:
			default:
				t.Fatalf("record %d, bit %d: found as %s", n+1, i, says(r))
			}
		}
	}
}

// Any bit of the file, changed by somebody who computes nothing, is found.
func TestAnyBitOfTheFile(t *testing.T) {
	file := story(t).write(t)
	for i := 0; i < len(file)*8; i += 149 {
		file[i/8] ^= 1 << (i % 8)
		if r, err := evidence.Verify(bytes.NewReader(file), ""); err == nil && r.OK() {
			t.Fatalf("byte %d, now %q: not found", i/8, file[max(0, i/8-20):min(len(file), i/8+20)])
		}
		file[i/8] ^= 1 << (i % 8)
	}
	for n := 0; n < len(file); n += 23 {
		if r, err := evidence.Verify(bytes.NewReader(file[:n]), ""); err == nil && r.OK() && n < len(file)-1 {
			t.Fatalf("the first %d of %d bytes pass", n, len(file))
		}
	}
}

// Somebody changes the bundle and then computes all its hashes anew.
func TestForgedWithHashes(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(j *journal)
		want string
	}{
		{"a record is removed", func(j *journal) { j.records = slices.Delete(j.records, 3, 4) },
			"record 4 (sequence 1015, 2026-03-02T09:05:00Z) does not follow record 3 (sequence 1009, 2026-03-02T09:03:00Z): that one was altered, or what was between them was removed"},
		{"two are swapped", func(j *journal) { j.records[3], j.records[4] = j.records[4], j.records[3] },
			"record 4 (sequence 1015, 2026-03-02T09:05:00Z) does not follow record 3 (sequence 1009, 2026-03-02T09:03:00Z)"},
		{"two are swapped with their numbers", func(j *journal) {
			three, four := j.records[3].Data(), j.records[4].Data()
			with(j.records, 3, four)
			with(j.records, 4, three)
		}, "record 5 (sequence 1015, 2026-03-02T09:05:00Z) follows record 3 (sequence 1009, 2026-03-02T09:03:00Z) by its hash, and not the one before it here"},
		{"one is inserted", func(j *journal) {
			r := evidence.Record{Case: events.Case{Key: key, Trace: []string{"approved by kim"}}, Prev: evidence.Sum(j.records[2].Data())}
			data, _ := json.Marshal(r)
			j.records = slices.Insert(j.records, 3, evidence.NewItem(1010, minute(3), "", data))
		}, "record 5 (sequence 1012, 2026-03-02T09:04:00Z) follows record 3 (sequence 1009, 2026-03-02T09:03:00Z) by its hash"},
		{"one is put before the first", func(j *journal) {
			data, _ := json.Marshal(events.Case{Key: key})
			j.records = slices.Insert(j.records, 0, evidence.NewItem(1, minute(-1), "", data))
		}, "record 2 (sequence 1000, 2026-03-02T09:00:00Z) is the first that was ever written about the device: the 1 record before it were inserted"},
		{"one without a hash is put in", func(j *journal) {
			data, _ := json.Marshal(events.Case{Key: key})
			with(j.records, 2, data)
		}, "record 3 (sequence 1009, 2026-03-02T09:03:00Z) holds no hash of the one before it"},
		{"the oldest are removed", func(j *journal) { j.records = j.records[2:] },
			"record 1 (sequence 1009, 2026-03-02T09:03:00Z) follows one that is not here, though the journal keeps 1000 and only 5 are"},
		{"a record of another device", func(j *journal) {
			data, _ := json.Marshal(evidence.Record{Case: events.Case{Key: events.Key{Tenant: "contoso", Device: "d1"}}, Prev: evidence.Sum(j.records[5].Data())})
			with(j.records, 6, data)
		}, `record 7 (sequence 1024, 2026-03-02T09:08:00Z) is about another device, "contoso/d1"`},
		{"one that cannot be read", func(j *journal) { with(j.records, 6, []byte("\xff\x00")) },
			"record 7 (sequence 1024, 2026-03-02T09:08:00Z) cannot be read"},
		{"a fact that a record took is changed", func(j *journal) {
			with(j.facts, 4, bytes.ReplaceAll(j.facts[4].Data(), []byte("kim"), []byte("eve")))
		}, "fact 5 (sequence 128, 2026-03-02T09:04:00Z) is not the one that record 4 (sequence 1012, 2026-03-02T09:04:00Z) took"},
		{"its kind is changed", func(j *journal) {
			j.facts[4] = evidence.NewItem(j.facts[4].Seq, j.facts[4].At, "denied", j.facts[4].Data())
		}, "fact 5 (sequence 128, 2026-03-02T09:04:00Z) is not the one"},
		{"it is removed", func(j *journal) { j.facts = slices.Delete(j.facts, 4, 5) },
			"record 4 (sequence 1012, 2026-03-02T09:04:00Z) took a fact, sequence 128, that was removed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := story(t)
			c.do(j)
			if got := says(verify(t, j.write(t), "")); !strings.Contains(got, c.want) {
				t.Errorf("found %q", got)
			}
		})
	}
}

// What only a head that was kept elsewhere shows.
func TestTheEndIsCutOff(t *testing.T) {
	j := story(t)
	head, early := j.head(), evidence.Sum(j.records[2].Data())
	j.records, j.facts = j.records[:5], j.facts[:6]
	file := j.write(t)
	if r := verify(t, file, ""); !r.OK() {
		t.Errorf("without a head nothing can be found, but: %s", says(r))
	}
	r := verify(t, file, head)
	if got, want := says(r), "the bundle holds no record with the hash that was kept: that record was altered or cut off; the last one here is record 5 (sequence 1015, 2026-03-02T09:05:00Z)\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r := verify(t, file, early); !r.OK() || r.Known.N != 3 || r.Known.Seq != 1009 {
		t.Errorf("an earlier head is of record 3: %+v", r)
	}
}

// Facts grow too old to be kept, the oldest first, and that is no alteration.
func TestOldFactsAreGone(t *testing.T) {
	j := story(t)
	j.facts = j.facts[4:]
	if r := verify(t, j.write(t), ""); !r.OK() || r.Gone != 3 || r.Bound != 4 {
		t.Errorf("%s%+v", says(r), r)
	}
	j.facts = nil
	if r := verify(t, j.write(t), ""); !r.OK() || r.Gone != 7 || r.Bound != 0 {
		t.Errorf("%s%+v", says(r), r)
	}
}

// A stream of facts that was copied counts anew: its numbers are others'.
func TestFactsAreCountedAnew(t *testing.T) {
	j := story(t)
	j.facts = []evidence.Item{
		evidence.NewItem(1, minute(100), "noticed", []byte("{}")),
		evidence.NewItem(107, minute(101), "noticed", []byte("{}")),
		evidence.NewItem(128, minute(102), "noticed", []byte("{}")),
	}
	if r := verify(t, j.write(t), ""); !r.OK() || r.Gone != 7 {
		t.Errorf("%s%+v", says(r), r)
	}
}

// Records of before there were chains prove nothing about each other.
func TestRecordsWithoutHashes(t *testing.T) {
	j := &journal{}
	for n := range 3 {
		data, _ := json.Marshal(events.Case{Key: key, Asked: n})
		j.records = append(j.records, evidence.NewItem(uint64(n+1), minute(n), "", data))
	}
	j.happen(t, "noticed", events.Noticed{}, &events.Case{})
	if r := verify(t, j.write(t), ""); !r.OK() || r.Begins != evidence.BeginsUnchained || r.Unchained != 3 {
		t.Errorf("%s%+v", says(r), r)
	}
	with(j.records, 2, []byte(`{"tenant":"contoso","device":"d42","asked":9}`))
	if got := says(verify(t, j.write(t), "")); !strings.Contains(got, "record 4 (sequence 1000, 2026-03-02T09:00:00Z) does not follow record 3") {
		t.Error(got)
	}
	var empty journal
	if r := verify(t, empty.write(t), ""); !r.OK() || r.Head != "" {
		t.Errorf("%s%+v", says(r), r)
	}
}

// What looks like a key is pointed out; it is for a person to judge.
func TestSecretsArePointedOut(t *testing.T) {
	j := story(t)
	if r := verify(t, j.write(t), ""); len(r.Secrets) > 0 {
		t.Errorf("%q", r.Secrets)
	}
	for _, text := range []string{
		"-----BEGIN RSA PRIVATE KEY-----", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0NTY3.abc", "Authorization: Bearer abcdefghijklmnopqrstuvwx", "client_secret=abcdefgh8",
	} {
		j := story(t)
		j.happen(t, "noted", events.Noted{By: "jo", Text: text}, nil)
		if r := verify(t, j.write(t), ""); !r.OK() || len(r.Secrets) != 1 || !strings.HasPrefix(r.Secrets[0], "fact 10 (sequence 163, ") {
			t.Errorf("%s: %q", text, r.Secrets)
		}
	}
}

// A bundle tells what became of a task without anybody reading the records.
func TestAccount(t *testing.T) {
	var b struct {
		Decisions []evidence.Decision
		Tasks     []evidence.Task
	}
	check(t, json.Unmarshal(story(t).write(t), &b))
	if len(b.Decisions) != 7 || b.Decisions[2].Rules != "rules-2" || b.Decisions[1].Fact != 114 || b.Decisions[1].Said[0] != "at risk <again> & “ü”" {
		t.Errorf("%+v", b.Decisions)
	}
	want := []evidence.Task{
		{ID: "contoso/d42/1-look", Action: "look", Rules: "rules-1", Asked: nine, Result: "done", Ended: minute(2)},
		{
			ID: "contoso/d42/2-reset", Action: "reset", Policy: "threat", Rung: 4, Rules: "rules-1", Asked: nine, Needs: 1,
			Approvals: []evidence.Approval{{By: "kim", At: minute(4), Given: minute(3), Sig: "sig-1"}}, Risk: "threat=highSeverity", For: "intune-1", Unsure: true,
			Held:     []evidence.Holding{{Gate: "budget", Reason: "2 of 2 resets in 24h", Since: minute(3)}},
			Released: "budget by kim",
			Attempts: []evidence.Attempt{{ID: "a1", At: minute(5), Before: "nothing"}},
			Accepted: &evidence.Progress{At: minute(7), Receipt: "wipe pending"},
			Requests: []string{"8f3c-11"},
			Result:   "done", Receipt: "Intune says done", Link: "https://intune.example/1", Ended: minute(8),
		},
	}
	if diff := cmp.Diff(want, b.Tasks, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "endedBy" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
}

// How a task ended, where it was not simply done.
func TestEndings(t *testing.T) {
	for _, c := range []struct {
		kind   string
		fact   events.Fact
		given  string
		gone   bool
		result string
		why    string
	}{
		{"failed", events.Failed{Task: "t", Reason: "no (request-id a-1)"}, "no (request-id a-1)", false, "failed", "no (request-id a-1)"},
		{"denied", events.Denied{Task: "t", By: "kim", Reason: "not now"}, "denied by kim: not now", false, "denied", "by kim: not now"},
		{"cancelled", events.Cancelled{Task: "t", By: "kim"}, "cancelled by kim", false, "cancelled", "by kim"},
		{"closed", events.Closed{By: "kim"}, "", false, "dropped", ""},
		{"done", events.Done{Task: "t"}, "", true, "ended", ""},
		{"failed", events.Failed{Task: "t", Reason: "no"}, "no", true, "failed", "no"},
	} {
		j := &journal{}
		task := events.Task{ID: "t", Order: events.Order{Action: events.Mail}}
		j.happen(t, "noticed", events.Noticed{}, &events.Case{Pending: []events.Task{task}})
		after := events.Case{}
		if task.Why = c.given; c.given != "" {
			after.Given = []events.Task{task}
		}
		j.happen(t, c.kind, c.fact, &after)
		if c.gone {
			j.facts = nil
		}
		var b struct{ Tasks []evidence.Task }
		check(t, json.Unmarshal(j.write(t), &b))
		if got := b.Tasks[0]; got.Result != c.result || got.Why != c.why || !got.Ended.Equal(minute(1)) {
			t.Errorf("%s: %+v", c.kind, got)
		}
	}
}

// Time zones, letters of all kinds and bytes that are no text come back as they
// were.
func TestItemsAreExact(t *testing.T) {
	for _, data := range []string{"", "{}", "\x00\x01\u2028<&>\\\"ü\ufffd", "\xff\xfe", "a\xffb"} {
		it := evidence.NewItem(7, nine.In(time.FixedZone("", 3600)), "noted", []byte(data))
		line, err := json.Marshal(it)
		check(t, err)
		var back evidence.Item
		if check(t, json.Unmarshal(line, &back)); string(back.Data()) != data || back.Sum != it.Sum || !back.At.Equal(nine) {
			t.Errorf("%q: %s", data, line)
		}
	}
}
