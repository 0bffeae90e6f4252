package gate

import (
	"slices"
	"time"
)

// A flow is the record of what a destination was told lately.
type flow struct {
	Plain  bucket `json:"plain,omitzero"`
	Urgent bucket `json:"urgent,omitzero"`
	Took   []took `json:"took,omitempty"` // who has a token, for who asks twice takes one

	Since   time.Time `json:"since,omitzero"`   // digests are sent since; zero: everything is told by itself
	Due     time.Time `json:"due,omitzero"`     // when the next one is
	Round   int       `json:"round,omitempty"`  // told in this round of digests
	Tenants []string  `json:"rounds,omitempty"` // that were, where each has its own
	Sending *sending  `json:"sending,omitempty"`
	Last    *Sent     `json:"last,omitempty"`
	Tries   int       `json:"tries,omitempty"` // of a digest that could not be sent
}

type took struct {
	Task string    `json:"task"`
	At   time.Time `json:"at"`
}

// A bucket holds tokens. The zero value is full.
type bucket struct {
	Spent float64   `json:"spent,omitempty"` // that have not come back
	At    time.Time `json:"at,omitzero"`     // when they were counted
}

// take takes a token, if there is one.
func (b *bucket) take(size int, within time.Duration, now time.Time) bool {
	if since := now.Sub(b.At); since > 0 { // another worker's clock may be ahead
		b.Spent, b.At = max(0, b.Spent-float64(size)*float64(since)/float64(within)), now
	}
	if b.Spent+1 > float64(size)+1e-9 {
		return false
	}
	b.Spent++
	return true
}

// next is when there is a token again.
func (b bucket) next(size int, within time.Duration, now time.Time) time.Time {
	if size <= 0 {
		return now.Add(within)
	}
	missing := max(0, b.Spent+1-float64(size))
	return now.Add(time.Duration(missing / float64(size) * float64(within)))
}

// has reports whether a task has a token that still counts.
func (f *flow) has(task string, r Rate, now time.Time) bool {
	f.Took = slices.DeleteFunc(f.Took, func(t took) bool { return now.Sub(t.At) >= r.Within })
	return slices.ContainsFunc(f.Took, func(t took) bool { return t.Task == task })
}

// token takes one for a task. What is urgent has a bucket of its own, and the
// other one too.
func (f *flow) token(task string, urgent bool, r Rate, now time.Time) bool {
	if !(urgent && f.Urgent.take(r.Urgent, r.Within, now)) && !f.Plain.take(r.Count, r.Within, now) {
		return false
	}
	f.Took = append(f.Took, took{task, now})
	return true
}

// admit lets a task through, or says when the digest is due that tells of it. From
// the first one that finds no token, what is not urgent waits for digests, until
// there is little to tell. A person's word lets a task through without a token.
//
// While there are digests, whatever is let through changes the record: so a digest
// that has found the task waiting cannot be stored.
func (f *flow) admit(task string, urgent, released bool, r Rate, now time.Time) (pass, changed bool, again time.Time) {
	switch {
	case f.Sending != nil && slices.Contains(f.Sending.Tasks, task):
		return false, false, f.Sending.Until
	case f.has(task, r, now):
		return true, !f.Due.IsZero(), time.Time{}
	case released:
		f.Took = append(f.Took, took{task, now})
		return true, true, time.Time{}
	case !f.Due.IsZero() && !urgent:
		return false, false, f.Due
	case f.token(task, urgent, r, now):
		return true, true, time.Time{}
	case !f.Due.IsZero():
		return false, false, f.Due
	}
	f.Since, f.Due = now, now.Add(r.first())
	return false, true, f.Due
}

// first is from the first message that finds no token to the first digest: a storm
// is heard of soon.
func (r Rate) first() time.Duration { return min(r.Every, max(r.Every/10, 10*time.Second)) }

// space lets a task through that can wait, or says when there may be a token.
func (f *flow) space(task string, urgent bool, r Rate, now time.Time) (pass, changed bool, again time.Time) {
	if f.has(task, r, now) {
		return true, false, time.Time{}
	}
	if f.token(task, urgent, r, now) {
		return true, true, time.Time{}
	}
	return false, false, f.Plain.next(r.Count, r.Within, now)
}
