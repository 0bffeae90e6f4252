// Package events is the heart of Curfew: the facts that reach it, the case it
// keeps for each device, and [Step], the one function that decides what follows
// from a fact.
//
// Nothing in this package does I/O, reads a clock or starts a goroutine. Time
// arrives as an argument and effects leave as a list of tasks, so a case that
// takes ten days to unfold is tested in microseconds.
//
// The life of a case:
//
//	at rest ──at risk──► open ──► rung 1 ──► … ──► rung n
//	   ▲                  ▲  │
//	   │        at risk   │  │ seen healthy, completely and since the risk
//	   │          again   │  ▼
//	   └──closing rung── clearing (for clear_for)
//
// What holds for every case, whatever facts arrive in whatever order:
//
//   - Only a [Seen] opens or clears a case; a message from outside never does.
//   - A task keeps its id for ever, and is asked for once.
//   - Nothing destructive is begun before its user was told and had the grace.
//   - A case that waits has an alarm: WakeAt is zero only at rest.
//
// What may not be assumed: that facts arrive in the order things happened, only
// once, or at all; that a task that was asked for is done; that an alarm rings
// when it is due.
package events

import (
	"strings"
	"time"
)

// A Key names a device, and with it the case about it: the id of its Microsoft
// 365 tenant and the id it has in Entra ID ("device id", a GUID; in Intune
// managedDevice.azureADDeviceId, in Defender deviceEvidence.azureAdDeviceId).
//
// A device that only Defender knows is keyed "mde-" and its Defender machine id;
// its case can only be about finding a person.
type Key struct {
	Tenant string `json:"tenant"`
	Device string `json:"device"`
}

// String is "tenant/device".
func (k Key) String() string { return k.Tenant + "/" + k.Device }

// Valid reports whether both parts may become tokens of a subject.
func (k Key) Valid() bool { return ValidID(k.Tenant) && ValidID(k.Device) }

// TenantKey is the key of the case about a tenant itself, which opens when
// something happens that is not one device's doing, and which a person closes.
func TenantKey(tenant string) Key { return Key{Tenant: tenant, Device: "tenant"} }

// UnresolvedPrefix starts the device part of a [Key] that is not an Entra
// device id but the machine id of Defender for Endpoint.
const UnresolvedPrefix = "mde-"

// ValidID reports whether id may name a tenant or a device. Ids come from
// outside and become parts of subjects and keys, so they are at most 64
// letters, digits, - and _.
func ValidID(id string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return id != "" && len(id) <= 64 && strings.Trim(id, letters) == "" && !strings.ContainsFunc(id, func(r rune) bool { return !strings.ContainsRune(letters, r) })
}

// A Fact is something that has happened. Facts are never refused: [Step] takes
// any fact in any state, and one that changes nothing is absorbed.
type Fact interface{ fact() }

type (
	// Noticed says that something about a device may have changed, without
	// saying what. The answer is to look.
	Noticed struct {
		Source string `json:"source,omitempty"` // which door: "webhook", "sweep", "operator" …
	}

	// Alerted brings an alert of Defender's about the device, as a sweep read it
	// from Graph. It is kept with the device, and the answer is to look.
	Alerted struct {
		Alert Alert `json:"alert"`
	}

	// Seen says how a device is. It alone opens and clears a case. A handler that
	// was asked for something else and saw that it must not be done says so by
	// naming its task, which is then put back and decided anew.
	Seen struct {
		Device Device `json:"device"`
		Task   string `json:"task,omitempty"`
	}

	// Begun says that an attempt at a task is about to call the outside world.
	// The attempt may do so only after the case shows it in [Task.Begun].
	Begun struct {
		Task    string `json:"task"`
		Attempt string `json:"attempt"`          // unique to this attempt
		Before  string `json:"before,omitempty"` // what the other side's record showed then
	}

	// Accepted says that the other side took a task on, which is not yet that it
	// did it. The task is handed out again at Again, to hear what became of it.
	Accepted struct {
		Task    string    `json:"task"`
		Receipt string    `json:"receipt,omitempty"`
		Running bool      `json:"running,omitempty"` // the device is at it
		Again   time.Time `json:"again"`
	}

	// Done says that a task was finished. For a device action it is what the
	// provider says; only a later Seen proves it.
	Done struct {
		Task    string `json:"task"`
		Receipt string `json:"receipt,omitempty"` // what the other side calls it: a ticket's number, say
		Link    string `json:"link,omitempty"`    // where a person finds it
		Dry     bool   `json:"dry,omitempty"`     // it was only pretended: a dry run
		Others  bool   `json:"others,omitempty"`  // somebody else had done it: it is not ours to take back
		Digest  string `json:"digest,omitempty"`  // it was told together with others, in the digest of this key: there is nothing of its own to take back
	}

	// Delayed says that a task could not be done now and must come again.
	Delayed struct {
		Task   string    `json:"task"`
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
		Unsure bool      `json:"unsure,omitempty"` // it may have been done all the same
	}

	// Held says that a gate keeps a task back: nothing was done, and nothing is
	// wrong. The task is handed out again at Until, to try the gate anew.
	Held struct {
		Task   string    `json:"task"`
		Gate   string    `json:"gate"` // which: "pause", "protected", "budget" …
		Reason string    `json:"reason"`
		Until  time.Time `json:"until"`

		// Request is, with [GateMicrosoft], what Microsoft calls the request that
		// waits there. The task keeps it.
		Request string `json:"request,omitempty"`
	}

	// Declined says that those who decide on the other side said no, or said
	// nothing for too long. The task is given up; it is no failure.
	Declined struct {
		Task   string `json:"task"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}

	// Tripped says that something about a whole tenant needs a person: its breaker
	// tripped, its budget is used up. It belongs to the tenant's own case; see
	// [TenantKey].
	Tripped struct {
		Gate   string `json:"gate"`
		Reason string `json:"reason"`
		Anew   bool   `json:"anew,omitempty"` // it takes the place of what this gate said before
	}

	// Eased says that what a gate called for a person about is over by itself. The
	// tenant's case closes when nothing else is left in it.
	Eased struct {
		Gate   string `json:"gate"`
		Reason string `json:"reason"`
	}

	// Failed says that a task was given up for good.
	Failed struct {
		Task   string `json:"task"`
		Reason string `json:"reason"`
		Stage  Stage  `json:"stage,omitempty"` // [TimedOut] or [Unknown]; empty: [GaveUp]
	}

	// Rang says that time has passed. It carries nothing: an alarm may ring
	// early, late, twice or for no reason, and Step must not care.
	Rang struct{}
)

// What operators say.
type (
	// Acknowledged says that a person has taken the case on: nothing more climbs
	// until then. An Until that is not in the future takes the acknowledgement back.
	Acknowledged struct {
		By    string    `json:"by"`
		Until time.Time `json:"until"`
	}

	// Snoozed says that a person wants to hear nothing until then, and why. An
	// Until that is not in the future wakes the case.
	Snoozed struct {
		By     string    `json:"by"`
		Reason string    `json:"reason"`
		Until  time.Time `json:"until"`
	}

	// Closed says that a person ended the case. It opens again when the device's
	// risk is another one than the person saw.
	Closed struct {
		By     string `json:"by"`
		Reason string `json:"reason"`
	}

	// Retried says that a person wants a failed task tried again.
	Retried struct {
		Task string `json:"task"`
		By   string `json:"by"`
	}

	// Approved says that a person allows a task that needs approval. It counts for
	// as long as the policies say, for the device as it is now, and once.
	Approved struct {
		Task string `json:"task"`
		By   string `json:"by"`

		Seal  string    `json:"seal,omitempty"` // the risk that the person saw; another one than now: it does not count
		Link  string    `json:"link,omitempty"` // the invitation that was answered; each counts once
		Given time.Time `json:"given,omitzero"` // when the person said so
		Sig   string    `json:"sig,omitempty"`  // proves all of that to whoever has the key
	}

	// Denied says that a person forbids it: the task is given up.
	Denied struct {
		Task   string `json:"task"`
		By     string `json:"by"`
		Reason string `json:"reason,omitempty"`
		Link   string `json:"link,omitempty"` // the invitation that was answered, which is used up
	}

	// Released says that a person lets a held task through the gate that holds it,
	// once. Gates that protect a device do not heed it.
	Released struct {
		Task string `json:"task"`
		By   string `json:"by"`
	}

	// Cancelled says that a person wants a task not done at all.
	Cancelled struct {
		Task   string `json:"task"`
		By     string `json:"by"`
		Reason string `json:"reason,omitempty"`
	}

	// Lifted says that a person wants the device back on the network now.
	Lifted struct {
		By     string `json:"by"`
		Reason string `json:"reason,omitempty"`
	}

	// Answered says what a person did about a ticket or a page where it is. The
	// answers of one ticket or page count in the order of At.
	Answered struct {
		Action      Action    `json:"action"` // ticket or page
		Destination string    `json:"destination"`
		Ref         string    `json:"ref,omitempty"`
		By          string    `json:"by"`
		Did         Answer    `json:"did"`
		At          time.Time `json:"at"`
	}

	// Rewound says that the journal was restored from a backup made at Since: what
	// was done after that is not in it, and may have been done all the same.
	Rewound struct {
		Since time.Time `json:"since"`
	}

	// Noted is a person's remark; it changes nothing but the timeline.
	Noted struct {
		By   string `json:"by"`
		Text string `json:"text"`
	}
)

func (Noticed) fact()      {}
func (Alerted) fact()      {}
func (Seen) fact()         {}
func (Begun) fact()        {}
func (Accepted) fact()     {}
func (Done) fact()         {}
func (Delayed) fact()      {}
func (Held) fact()         {}
func (Tripped) fact()      {}
func (Eased) fact()        {}
func (Failed) fact()       {}
func (Rang) fact()         {}
func (Acknowledged) fact() {}
func (Snoozed) fact()      {}
func (Closed) fact()       {}
func (Retried) fact()      {}
func (Approved) fact()     {}
func (Denied) fact()       {}
func (Released) fact()     {}
func (Cancelled) fact()    {}
func (Declined) fact()     {}
func (Lifted) fact()       {}
func (Answered) fact()     {}
func (Rewound) fact()      {}
func (Noted) fact()        {}
