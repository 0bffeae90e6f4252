// Package backup copies a whole journal: into one file, out of it again, and from
// one NATS server to another.
//
// It does not read messages and publish them anew, but has the servers themselves
// hand their streams over (JetStream's snapshot and restore API, in the format of
// nats-server 2.15). So every message keeps its number and its time, and with them
// everything that hangs on these: which facts a case has taken, which case asked for
// a task, the place where each consumer stands, the chain of evidence, the age by
// which facts are dropped, and the time at which an alarm rings. Published anew, a
// fact would get another number, and one that was taken might be taken again, or
// never.
//
// There are two kinds:
//
//   - A copy is exact, queue and alarms included. No worker may be at the journal
//     meanwhile, and it is made again if something moves all the same.
//   - A backup is made while workers run. It holds where the keepers of facts stand
//     first, then what is not about devices, then the cases, and then the facts: so
//     every fact that a case has taken is there, and those that it has not are taken
//     after a restore. Alarms, and tasks in the queue, follow from the cases and are
//     made anew from them.
//
// What holds: each message is counted and goes into a SHA-256 while it is read, and
// what a server says it holds after a restore is read back and must be the same. A
// journal that is being filled is marked, and no worker opens it before all is
// proven. One that was moved is marked too. No file is taken that does not check.
//
// What may not be assumed: that a restored journal knows what was done after the
// backup. [journal.Journal.Rewind] tells every case; see there. Nor that a timeline
// of the most records there may be, that grew meanwhile, has not lost its oldest.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Manifest says what a backup holds.
type Manifest struct {
	Version int       `json:"version"` // of the file's form
	Made    time.Time `json:"made"`    // when it was begun
	By      string    `json:"by"`      // the program that made it
	Layout  int       `json:"layout"`  // the newest layout of journals that program knew
	Exact   bool      `json:"exact"`   // a copy: nobody was at work
	Streams []Stream  `json:"streams"`
}

// A Stream is what a backup holds of one.
type Stream struct {
	Name string `json:"name"`
	Sum
	Config json.RawMessage `json:"config"`
	Stands []stand         `json:"stands,omitempty"` // where its consumers stood when the backup began
}

// A Sum counts messages and holds a hash over all of them.
type Sum struct {
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	First    uint64 `json:"first"` // sequence
	Last     uint64 `json:"last"`
	SHA256   string `json:"sha256"` // over numbers, times, subjects, headers and bytes; alarms apart

	Alarms       uint64 `json:"alarms,omitempty"` // of the messages
	AlarmsSHA256 string `json:"alarmsSha256,omitempty"`
}

// A stand is where a consumer is.
type stand struct {
	Config json.RawMessage `json:"config"`
	Floor  place           `json:"floor"` // everything up to here is acknowledged
}

type place struct {
	Consumer uint64 `json:"consumer_seq"`
	Stream   uint64 `json:"stream_seq"`
}

// version is the form of files this code writes.
const version = 1

// Errors of this package.
var (
	ErrNoBackup = errors.New("it is no backup of Curfew")
	ErrNotEmpty = errors.New("there is a journal already")
	ErrBusy     = errors.New("somebody works with it: stop every worker first")
)

// find returns what the manifest says of a stream.
func (m Manifest) find(name string) (Stream, bool) {
	for _, s := range m.Streams {
		if s.Name == name {
			return s, true
		}
	}
	return Stream{}, false
}

func (m Manifest) check() error {
	switch {
	case m.Version < 1 || m.Layout < 1:
		return ErrNoBackup
	case m.Version > version:
		return fmt.Errorf("it was written by a newer Curfew (form %d, and up to %d is known): use that one", m.Version, version)
	}
	return nil
}
