package evidence

import (
	"fmt"
	"time"

	"curfew/events"
)

// About says what a bundle is about and where it comes from.
type About struct {
	Key     events.Key `json:"key"`
	Device  string     `json:"device,omitempty"` // its name when the bundle was made
	Made    time.Time  `json:"made"`
	By      string     `json:"by,omitempty"`      // who made it
	Program string     `json:"program,omitempty"` // and with which version of Curfew
	Keeps   int        `json:"keeps"`             // how many records of a device the journal keeps at most
}

// A Report is what the check of a bundle found.
type Report struct {
	About
	Records   int       `json:"records"`
	Facts     int       `json:"facts"`
	From      Place     `json:"from,omitzero"`       // the first record
	To        Place     `json:"to,omitzero"`         // and the last
	Begins    string    `json:"begins,omitempty"`    // how the chain begins: first, later or unchained
	Unchained int       `json:"unchained,omitempty"` // records at the start that were written before there were chains
	Bound     int       `json:"bound"`               // facts whose hash is in the record that took them
	Gone      int       `json:"gone,omitempty"`      // facts that records took and that are not kept any more
	Head      string    `json:"head,omitempty"`      // the hash of the last record
	Seal      string    `json:"seal,omitempty"`      // the hash over everything
	Known     Place     `json:"known,omitzero"`      // the record whose hash was kept elsewhere, if one was asked for
	Findings  []Finding `json:"findings,omitempty"`  // empty: nothing was altered; at most [MostFindings]
	Secrets   []string  `json:"secrets,omitempty"`   // where something looks like a key or a token
}

// How a chain begins.
const (
	BeginsFirst     = "first"     // with the first record ever of the device
	BeginsLater     = "later"     // with one that follows another, not kept any more
	BeginsUnchained = "unchained" // with records of before there were chains
)

// OK reports whether nothing was found to be altered.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// A Place is one record or fact.
type Place struct {
	N   int       `json:"n"` // counted from 1
	Seq uint64    `json:"seq"`
	At  time.Time `json:"at"`
}

func (p Place) String() string { return fmt.Sprintf("%d (sequence %d, %s)", p.N, p.Seq, stamp(p.At)) }

// A Finding is one thing that is not as Curfew wrote it.
type Finding struct {
	What string `json:"what"` // record, fact, decision, task or bundle
	Place
	Text string `json:"text"` // what is wrong with it
}

// MostFindings bounds [Report.Findings]: after so many it is clear.
const MostFindings = 50

// String says where and what.
func (f Finding) String() string {
	if f.N == 0 {
		return "the " + f.What + " " + f.Text
	}
	if f.Seq == 0 {
		return fmt.Sprintf("%s %d %s", f.What, f.N, f.Text)
	}
	return fmt.Sprintf("%s %s %s", f.What, f.Place, f.Text)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
