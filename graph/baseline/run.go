package baseline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Run is the record of one apply, or undo: what was before and after, so that it
// can be taken back and, when it broke off, gone on with.
type Run struct {
	ID      string    `json:"id"` // by which it is undone
	Tenant  string    `json:"tenant"`
	Plan    string    `json:"plan"` // which one: see [Plan.Digest]
	By      string    `json:"by"`
	Stage   Stage     `json:"stage"`
	Spec    Spec      `json:"spec"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Trouble string    `json:"trouble,omitempty"` // why it broke off
	Undoes  string    `json:"undoes,omitempty"`  // the run that this one takes back
	Undone  string    `json:"undone,omitempty"`  // the run that took this one back
	Entries []Entry   `json:"entries"`
}

// An Entry is what a run did to one object. The changes are those that were meant;
// where Done is not set, some of them may not have been made.
type Entry struct {
	Object  Object   `json:"object"`
	Action  Action   `json:"action"`
	ID      string   `json:"id,omitempty"`
	Changes []Change `json:"changes"`
	Done    bool     `json:"done"`
	// Approval is the code of the request that waits for a second administrator.
	Approval string `json:"approval,omitempty"`
}

// A Log keeps runs. Save is called before each thing that is done and after it; the
// run has its id by then.
type Log interface {
	Save(ctx context.Context, r Run) error
}

// An Event is one line of progress.
type Event struct {
	N      int    `json:"n,omitempty"`   // which step
	Of     int    `json:"of,omitempty"`  // of how many
	Key    string `json:"key,omitempty"` // the object's; empty: about all
	Name   string `json:"name,omitempty"`
	Action Action `json:"action,omitempty"`
	What   string `json:"what"` // begins, done, already, waits, failed, said
	Detail string `json:"detail,omitempty"`
}

// What events say.
const (
	EventBegins  = "begins"
	EventDone    = "done"
	EventAlready = "already"
	EventWaits   = "waits"
	EventFailed  = "failed"
	EventSaid    = "said" // something to know
)

// Digest names a plan by what it holds.
func (p *Plan) Digest() string {
	what := *p
	what.Gate = nil // which is asked anew
	sum := sha256.Sum256([]byte(canon(what)))
	return hex.EncodeToString(sum[:8])
}
