package journal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"curfew/events"
)

// Headers of messages.
const (
	kindHeader    = "Fact"    // of a fact: which kind it is
	versionHeader = "Version" // of facts, cases and tasks: the layout they were written by
	caseHeader    = "Case"    // of a task: the sequence of the case that asked for it
)

// pack makes a message of what can be JSON.
func pack(subject string, v any, most int) (*nats.Msg, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%d bytes are too many: at most %d are kept", len(data), most)
	}
	m := nats.NewMsg(subject)
	m.Header.Set(versionHeader, strconv.Itoa(version))
	m.Data = data
	return m, nil
}

// unpack reads what pack has made.
func unpack(h nats.Header, data []byte, v any) error {
	n, err := strconv.Atoi(h.Get(versionHeader))
	if err != nil || n < 1 {
		return fmt.Errorf("%w: it does not say which version wrote it", ErrUnreadable)
	}
	if n > version {
		return fmt.Errorf("%w: it was written by a newer version (layout %d)", ErrUnreadable, n)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

func packFact(subject string, f events.Fact) (*nats.Msg, error) {
	kind := kindOf(f)
	if readers[kind] == nil {
		return nil, fmt.Errorf("no kind of fact: %T", f)
	}
	m, err := pack(subject, f, maxFact)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	m.Header.Set(kindHeader, kind)
	return m, nil
}

func unpackFact(h nats.Header, data []byte) (events.Fact, error) {
	kind := h.Get(kindHeader)
	read := readers[kind]
	if read == nil {
		return nil, fmt.Errorf("%w: unknown kind of fact %.40q", ErrUnreadable, kind)
	}
	if len(data) > maxFact {
		return nil, fmt.Errorf("%w: %s of %d bytes, at most %d are taken", ErrUnreadable, kind, len(data), maxFact)
	}
	f, err := read(h, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return f, nil
}

// readers holds every kind of fact under the name it is stored by. It is never
// changed.
var readers = map[string]func(nats.Header, []byte) (events.Fact, error){
	"noticed":      as[events.Noticed],
	"alerted":      as[events.Alerted],
	"seen":         as[events.Seen],
	"begun":        as[events.Begun],
	"accepted":     as[events.Accepted],
	"done":         as[events.Done],
	"delayed":      as[events.Delayed],
	"held":         as[events.Held],
	"declined":     as[events.Declined],
	"tripped":      as[events.Tripped],
	"eased":        as[events.Eased],
	"failed":       as[events.Failed],
	"rang":         as[events.Rang],
	"acknowledged": as[events.Acknowledged],
	"snoozed":      as[events.Snoozed],
	"closed":       as[events.Closed],
	"retried":      as[events.Retried],
	"approved":     as[events.Approved],
	"denied":       as[events.Denied],
	"released":     as[events.Released],
	"cancelled":    as[events.Cancelled],
	"lifted":       as[events.Lifted],
	"answered":     as[events.Answered],
	"rewound":      as[events.Rewound],
	"noted":        as[events.Noted],
}

func as[F events.Fact](h nats.Header, data []byte) (events.Fact, error) {
	var f F
	err := unpack(h, data, &f)
	return f, err
}

func kindOf(f events.Fact) string {
	if f == nil {
		return ""
	}
	return strings.ToLower(reflect.TypeOf(f).Name())
}

// An errand is what the queue holds of a task. What is to be done is read from
// the case.
type errand struct {
	Task string `json:"task"`
	Sent int    `json:"sent"`
}
