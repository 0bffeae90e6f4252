package evidence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/evidence"
)

var (
	key   = events.Key{Tenant: "contoso", Device: "d42"}
	nine  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	about = evidence.About{Key: key, Device: "LT-042", Made: nine.AddDate(0, 0, 1), By: "jo", Program: "v1", Keeps: 1000}
)

// A journal is what a bundle is made of.
type journal struct{ records, facts []evidence.Item }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// minute is the time of the nth thing that happened.
func minute(n int) time.Time { return nine.Add(time.Duration(n) * time.Minute) }

// happen appends a fact, and the record of what follows from it; a nil case: it
// changes nothing.
func (j *journal) happen(t testing.TB, kind string, f events.Fact, c *events.Case) {
	t.Helper()
	n := len(j.facts)
	data, err := json.Marshal(f)
	check(t, err)
	j.facts = append(j.facts, evidence.NewItem(uint64(100+7*n), minute(n), kind, data))
	if c == nil {
		return
	}
	r := evidence.Record{Case: *c, Prev: evidence.First(key), Fact: evidence.FactSum(kind, data)}
	r.Key, r.Taken, r.At = key, uint64(100+7*n), minute(n)
	if len(j.records) > 0 {
		r.Prev = evidence.Sum(j.records[len(j.records)-1].Data())
	}
	data, err = json.Marshal(r)
	check(t, err)
	j.records = append(j.records, evidence.NewItem(uint64(1000+3*n), minute(n), "", data))
}

// story is how a reset was held, approved, begun and done.
func story(t testing.TB) *journal {
	t.Helper()
	j := &journal{}
	task := events.Task{ID: key.String() + "/2-reset", N: 2, Order: events.Order{Action: events.Reset}, Policy: "threat", Rung: 4, Asked: nine, Needs: 1, Seal: "threat=highSeverity", For: "intune-1"}
	look := events.Task{ID: key.String() + "/1-look", N: 1, Order: events.Order{Action: events.Look}, Asked: nine}
	c := events.Case{Rules: "rules-1", Trace: []string{"look asked for"}, Pending: []events.Task{look}}
	j.happen(t, "noticed", events.Noticed{Source: "webhook"}, &c)
	j.happen(t, "noticed", events.Noticed{Source: "sweep"}, nil)
	c.Open, c.Policy, c.Rung, c.Pending, c.Trace = true, "threat", 4, []events.Task{task}, []string{"at risk <again> & “ü”"}
	j.happen(t, "seen", events.Seen{Task: look.ID, Device: events.Device{Key: key, Threat: "highSeverity"}}, &c)
	task.Held = &events.Holding{Gate: "budget", Reason: "2 of 2 resets in 24h", Since: minute(3)}
	c.Pending, c.Rules = []events.Task{task}, "rules-2"
	j.happen(t, "held", events.Held{Task: task.ID, Gate: "budget", Reason: "2 of 2 resets in 24h"}, &c)
	task.Held, task.Released, task.Approvals = nil, "budget by kim", []events.Approval{{By: "kim", At: minute(4), Given: minute(3), Sig: "sig-1"}}
	c.Pending = []events.Task{task}
	j.happen(t, "approved", events.Approved{Task: task.ID, By: "kim"}, &c)
	task.Begun = &events.Attempt{ID: "a1", At: minute(5), Before: "nothing"}
	c.Pending = []events.Task{task}
	j.happen(t, "begun", events.Begun{Task: task.ID, Attempt: "a1", Before: "nothing"}, &c)
	task.Unsure = true
	j.happen(t, "delayed", events.Delayed{Task: task.ID, Reason: "graph: 504 (request-id 8f3c-11)"}, nil)
	task.Accepted = &events.Progress{At: minute(7), Receipt: "wipe pending"}
	c.Pending = []events.Task{task}
	j.happen(t, "accepted", events.Accepted{Task: task.ID, Receipt: "wipe pending"}, &c)
	c.Pending = nil
	j.happen(t, "done", events.Done{Task: task.ID, Receipt: "Intune says done", Link: "https://intune.example/1"}, &c)
	return j
}

// write makes the bundle, and seals it anew whatever is in it.
func (j *journal) write(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w := evidence.NewWriter(&file, about)
	for _, it := range j.records {
		check(t, w.Record(it))
	}
	for _, it := range j.facts {
		check(t, w.Fact(it))
	}
	_, err := w.Close()
	check(t, err)
	return file.Bytes()
}

func verify(t testing.TB, file []byte, head string) evidence.Report {
	t.Helper()
	r, err := evidence.Verify(bytes.NewReader(file), head)
	check(t, err)
	return r
}

// head is the hash of the last record.
func (j *journal) head() string { return evidence.Sum(j.records[len(j.records)-1].Data()) }

// with puts other bytes into the nth item, with the hash that belongs to them.
func with(items []evidence.Item, n int, data []byte) {
	items[n] = evidence.NewItem(items[n].Seq, items[n].At, items[n].Kind, data)
}

func (j *journal) clone() *journal {
	return &journal{slices.Clone(j.records), slices.Clone(j.facts)}
}

// says are the findings, one a line.
func says(r evidence.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}
