package evidence

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"time"
)

// A Decision is what one record says was decided.
type Decision struct {
	Record int       `json:"record"` // which, from 1
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Fact   uint64    `json:"fact,omitempty"`  // the sequence of the fact it follows from
	Rules  string    `json:"rules,omitempty"` // the version of the policies it was made by
	Policy string    `json:"policy,omitempty"`
	Rung   int       `json:"rung,omitempty"`
	Open   bool      `json:"open"`
	Said   []string  `json:"said,omitempty"` // what it changed, in plain words
}

// A Task is what became of one task, as far as the records and facts go back.
type Task struct {
	ID          string     `json:"id"`
	Action      string     `json:"action"`
	Destination string     `json:"destination,omitempty"`
	Kind        string     `json:"kind,omitempty"`
	Via         string     `json:"via,omitempty"`
	Scope       string     `json:"scope,omitempty"`
	For         string     `json:"for,omitempty"` // the enrolment it was asked for, by its id in Intune
	Policy      string     `json:"policy,omitempty"`
	Rung        int        `json:"rung,omitempty"`
	Rules       string     `json:"rules,omitempty"` // the version of the policies when it was first seen
	Asked       time.Time  `json:"asked"`
	Needs       int        `json:"needs,omitempty"` // approvals
	Approvals   []Approval `json:"approvals,omitempty"`
	Risk        string     `json:"risk,omitempty"` // that they were given for
	Held        []Holding  `json:"held,omitempty"`
	Released    string     `json:"released,omitempty"` // through which gate, by whom
	Attempts    []Attempt  `json:"attempts,omitempty"` // those that began
	Unsure      bool       `json:"unsure,omitempty"`   // at some time nobody knew whether it had been done
	Accepted    *Progress  `json:"accepted,omitempty"`
	Requests    []string   `json:"requests,omitempty"` // Microsoft's request ids and approval requests that were named
	Result      string     `json:"result"`             // pending; done, failed and the like: the fact that ended it; dropped: the case went on without it; ended: that fact is not kept any more
	Dry         bool       `json:"dry,omitempty"`      // a dry run
	Receipt     string     `json:"receipt,omitempty"`
	Link        string     `json:"link,omitempty"`
	Why         string     `json:"why,omitempty"`
	Ended       time.Time  `json:"ended,omitzero"`

	endedBy uint64 // the fact
}

// An Attempt is one go at a task.
type Attempt struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Before string    `json:"before,omitempty"` // what the other side's record showed then
}

// A Holding is a gate's word that a task must wait.
type Holding struct {
	Gate   string    `json:"gate"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// An Approval is one person's consent.
type Approval struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`             // when it counted
	Given time.Time `json:"given,omitzero"` // when the person said so
	Sig   string    `json:"sig,omitempty"`  // proves it to whoever has the key
}

// Progress is what the other side said when it took a task on.
type Progress struct {
	At      time.Time `json:"at"`
	Receipt string    `json:"receipt,omitempty"`
}

// A record is what the account and the chain read of a stored record. It is
// declared here, and not the case itself, so that a bundle of this version reads
// the same whatever a case becomes.
type record struct {
	Tenant  string     `json:"tenant"`
	Device  string     `json:"device"`
	At      time.Time  `json:"at"`
	Rules   string     `json:"rules"`
	Policy  string     `json:"policy"`
	Rung    int        `json:"rung"`
	Open    bool       `json:"open"`
	Trace   []string   `json:"trace"`
	Taken   uint64     `json:"taken"`
	Pending []taskView `json:"pending"`
	Given   []taskView `json:"given"`
	Prev    string     `json:"prev"`
	Fact    string     `json:"fact"`
}

type taskView struct {
	ID          string     `json:"id"`
	Action      string     `json:"action"`
	Destination string     `json:"destination"`
	Kind        string     `json:"kind"`
	Via         string     `json:"via"`
	Scope       string     `json:"scope"`
	For         string     `json:"for"`
	Policy      string     `json:"policy"`
	Rung        int        `json:"rung"`
	Asked       time.Time  `json:"asked"`
	Begun       *Attempt   `json:"begun"`
	Unsure      bool       `json:"unsure"`
	Accepted    *Progress  `json:"accepted"`
	Held        *Holding   `json:"held"`
	Released    string     `json:"released"`
	Needs       int        `json:"needs"`
	Approvals   []Approval `json:"approvals"`
	Seal        string     `json:"seal"`
	Request     string     `json:"request"`
	Why         string     `json:"why"`
}

// An ending is what the account reads of a fact about a task.
type ending struct {
	Task    string `json:"task"`
	Receipt string `json:"receipt"`
	Link    string `json:"link"`
	Reason  string `json:"reason"`
	By      string `json:"by"`
	Request string `json:"request"`
	Dry     bool   `json:"dry"`
}

// An account tells the story of the tasks from records and facts. It remembers
// no more than mostRemembered bytes.
type account struct {
	tasks   map[string]*Task
	order   []*Task
	pending map[string]bool    // ids, as of the last record
	ended   map[uint64][]*Task // by the fact that their last record took
	spent   int
}

func newAccount() account {
	return account{tasks: map[string]*Task{}, ended: map[uint64][]*Task{}}
}

const (
	mostRemembered = 64 << 20
	mostOfOne      = 100 // of each kind of thing about one task
)

var errTooMuch = errors.New("it holds more than Curfew ever writes about one device")

func (a *account) remember(n int) error {
	if a.spent += n; a.spent > mostRemembered {
		return errTooMuch
	}
	return nil
}

// record takes the next record, number n from 1, and returns what it decided.
func (a *account) record(n int, seq uint64, r record) (Decision, error) {
	d := Decision{Record: n, Seq: seq, At: r.At, Fact: r.Taken, Rules: r.Rules, Policy: r.Policy, Rung: r.Rung, Open: r.Open, Said: r.Trace}
	pending := map[string]bool{}
	for _, v := range r.Pending {
		pending[v.ID] = true
		t, err := a.see(v, r.Rules)
		if err != nil {
			return d, err
		}
		t.Result, t.Why, t.Ended, t.endedBy = "pending", v.Why, time.Time{}, 0
	}
	for id := range a.pending {
		if t := a.tasks[id]; !pending[id] {
			t.Result, t.Ended, t.endedBy = "ended", r.At, r.Taken
			a.ended[r.Taken] = append(a.ended[r.Taken], t)
		}
	}
	for _, v := range r.Given {
		if t := a.tasks[v.ID]; t != nil && t.Result == "ended" && t.endedBy == r.Taken {
			t.Result, t.Why = "failed", v.Why
		}
	}
	a.pending = pending
	size := 200
	for _, text := range r.Trace {
		size += 20 + len(text)
	}
	return d, a.remember(size)
}

// see takes a task as a record shows it into the account.
func (a *account) see(v taskView, rules string) (*Task, error) {
	t := a.tasks[v.ID]
	if t == nil {
		t = &Task{
			ID: v.ID, Action: v.Action, Destination: v.Destination, Kind: v.Kind, Via: v.Via, Scope: v.Scope, For: v.For,
			Policy: v.Policy, Rung: v.Rung, Rules: rules, Asked: v.Asked,
		}
		a.tasks[v.ID] = t
		a.order = append(a.order, t)
		if err := a.remember(500 + 2*len(v.ID)); err != nil {
			return t, err
		}
	}
	t.Needs, t.Risk, t.Released, t.Unsure = v.Needs, v.Seal, v.Released, t.Unsure || v.Unsure
	t.request(v.Request)
	for _, text := range []string{v.Why, v.Released} {
		t.mentions(text)
	}
	size := len(v.Why) + len(v.Seal)
	if v.Begun != nil && len(t.Attempts) < mostOfOne && !slices.ContainsFunc(t.Attempts, func(b Attempt) bool { return b.ID == v.Begun.ID }) {
		t.Attempts = append(t.Attempts, *v.Begun)
		size += 100 + len(v.Begun.Before)
	}
	if v.Held != nil && len(t.Held) < mostOfOne && !slices.Contains(t.Held, *v.Held) {
		t.Held = append(t.Held, *v.Held)
		size += 100 + len(v.Held.Reason)
	}
	for _, ok := range v.Approvals {
		if len(t.Approvals) < mostOfOne && !slices.Contains(t.Approvals, ok) {
			t.Approvals = append(t.Approvals, ok)
			size += 100 + len(ok.By) + len(ok.Sig)
		}
	}
	if v.Accepted != nil {
		t.Accepted = v.Accepted
		t.mentions(v.Accepted.Receipt)
	}
	return t, a.remember(size)
}

// fact takes a fact, after all records.
func (a *account) fact(it Item) error {
	var f ending
	if json.Unmarshal(it.Data(), &f) != nil || f.Task == "" {
		a.dropped(it.Seq, "")
		return nil // who cannot be read says nothing about a task
	}
	a.dropped(it.Seq, f.Task)
	t := a.tasks[f.Task]
	if t == nil {
		return nil
	}
	t.request(f.Request)
	t.mentions(f.Reason)
	t.mentions(f.Receipt)
	if t.endedBy != it.Seq {
		return nil
	}
	t.Result, t.Receipt, t.Link, t.Dry, t.Why = it.Kind, f.Receipt, f.Link, f.Dry, f.Reason
	if it.Kind == "seen" {
		t.Result = "done" // what a look is done with
	}
	if f.By != "" {
		t.Why = "by " + f.By
		if f.Reason != "" {
			t.Why += ": " + f.Reason
		}
	}
	return a.remember(len(f.Receipt) + len(f.Link) + len(t.Why))
}

// dropped notes the tasks that a fact ended without being about them.
func (a *account) dropped(seq uint64, but string) {
	for _, t := range a.ended[seq] {
		if t.endedBy == seq && t.ID != but && t.Result == "ended" {
			t.Result = "dropped"
		}
	}
}

// requestID is how errors of the Graph client name Microsoft's request id.
var requestID = regexp.MustCompile(`request-id ([0-9A-Za-z-]{1,64})`)

func (t *Task) mentions(text string) {
	for _, m := range requestID.FindAllStringSubmatch(text, 20) {
		t.request(m[1])
	}
}

func (t *Task) request(id string) {
	if id != "" && len(t.Requests) < mostOfOne && !slices.Contains(t.Requests, id) {
		t.Requests = append(t.Requests, id)
	}
}
