package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"curfew/events"
)

// Headers of a dead letter. Its other headers are those of the message.
const (
	reasonHeader = "Dead-Reason"
	sourceHeader = "Dead-Message-Id" // the Nats-Msg-Id the message had
	mostReason   = 4 << 10           // bytes
)

// ErrNoLetter reports that there is no dead letter of this number (any more).
var ErrNoLetter = errors.New("journal: no such dead letter")

// A Letter is something that could not be read or was given up on.
type Letter struct {
	ID      uint64     `json:"id"`
	At      time.Time  `json:"at"`
	Family  string     `json:"family"`         // "fact" or "task"
	Kind    string     `json:"kind,omitempty"` // of a fact its kind, of a task its action
	Subject string     `json:"subject"`        // where the message was
	Key     events.Key `json:"key,omitzero"`   // the device, if the subject names one
	Reason  string     `json:"reason"`
	Data    []byte     `json:"data"`

	header nats.Header
}

// bury puts a message among the dead letters and acknowledges it.
func (j *Journal) bury(ctx context.Context, m jetstream.Msg, reason string) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%s/%d", meta.Stream, meta.Sequence.Stream)
	if err := j.write(ctx, m.Subject(), m.Headers(), m.Data(), reason, id); err != nil {
		return err
	}
	j.log.Error("dead letter", "subject", m.Subject(), "reason", firstLine(reason))
	return m.Ack()
}

// write writes a dead letter. The same id is the same letter.
func (j *Journal) write(ctx context.Context, subject string, h nats.Header, data []byte, reason, id string) error {
	m := nats.NewMsg("dead." + subject)
	for name, values := range h {
		if !strings.HasPrefix(name, "Nats-") {
			m.Header[name] = values
		}
	}
	if was := h.Get(jetstream.MsgIDHeader); was != "" {
		m.Header.Set(sourceHeader, was)
	}
	m.Header.Set(reasonHeader, oneLine(reason, mostReason))
	m.Header.Set(jetstream.MsgIDHeader, id)
	m.Data = data
	if err := j.crashed("dead: write"); err != nil {
		return err
	}
	if _, err := j.js.PublishMsg(ctx, m); err != nil {
		return fmt.Errorf("journal: dead letter %s: %w", subject, err)
	}
	return j.crashed("dead: written")
}

// Dead lists up to limit dead letters whose number is greater than after, oldest
// first.
func (j *Journal) Dead(ctx context.Context, after uint64, limit int) ([]Letter, error) {
	var letters []Letter
	for len(letters) < limit {
		m, err := j.dead.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject("dead.>"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		} else if err != nil {
			return letters, fmt.Errorf("journal: dead letters: %w", err)
		}
		letters = append(letters, j.letter(m))
		after = m.Sequence
	}
	return letters, nil
}

// Letter returns one dead letter, or [ErrNoLetter].
func (j *Journal) Letter(ctx context.Context, id uint64) (Letter, error) {
	m, err := j.dead.GetMsg(ctx, id)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Letter{}, fmt.Errorf("%w: %d", ErrNoLetter, id)
	} else if err != nil {
		return Letter{}, fmt.Errorf("journal: dead letter %d: %w", id, err)
	}
	return j.letter(m), nil
}

func (j *Journal) letter(m *jetstream.RawStreamMsg) Letter {
	subject := strings.TrimPrefix(m.Subject, "dead.")
	l := Letter{
		ID: m.Sequence, At: m.Time.UTC(), Subject: subject,
		Reason: m.Header.Get(reasonHeader), Kind: m.Header.Get(kindHeader),
		Data: m.Data, header: m.Header,
	}
	part := strings.Split(subject, ".")
	l.Family = part[0]
	if l.Family == "task" && len(part) > 1 {
		l.Kind = part[1]
	}
	if len(part) >= 4 {
		if k := (events.Key{Tenant: part[2], Device: part[3]}); k.Valid() {
			l.Key = k
		}
	}
	return l
}

// Replay tries a dead letter again and removes it: a fact is appended anew, a
// task that was given up is tried again by the word of a person.
func (j *Journal) Replay(ctx context.Context, id uint64, by string) error {
	l, err := j.Letter(ctx, id)
	if err != nil {
		return err
	}
	f, err := l.fact(by)
	if err != nil {
		return fmt.Errorf("journal: dead letter %d: %w", id, err)
	}
	if err := j.Append(ctx, l.Key, f, fmt.Sprintf("dead/%d", id)); err != nil {
		return err
	}
	if err := j.crashed("dead: replayed"); err != nil {
		return err
	}
	return j.Drop(ctx, id)
}

// fact is what brings a letter back.
func (l Letter) fact(by string) (events.Fact, error) {
	switch l.Family {
	case "fact":
		f, err := unpackFact(l.header, l.Data)
		if err != nil {
			return nil, fmt.Errorf("it still cannot be read, so it can only be dropped: %w", err)
		}
		return f, nil
	case "task":
		var t events.Task
		if err := unpack(l.header, l.Data, &t); err != nil || t.ID == "" {
			return nil, errors.New("it is no task that was given up: its case asks for it again by itself, so drop the letter")
		}
		return events.Retried{Task: t.ID, By: by}, nil
	}
	return nil, fmt.Errorf("nothing is known of %s: it can only be dropped", l.Subject)
}

// Drop removes a dead letter for good.
func (j *Journal) Drop(ctx context.Context, id uint64) error {
	err := j.dead.DeleteMsg(ctx, id)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		if _, err := j.Letter(ctx, id); errors.Is(err, ErrNoLetter) {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("journal: drop dead letter %d: %w", id, err)
	}
	return nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return oneLine(s, 500)
}

// oneLine makes a text fit to be a header or a reason: one line, valid, and no
// longer than most bytes.
func oneLine(s string, most int) string {
	s = strings.ToValidUTF8(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " | "), "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most-3], "") + "..."
	}
	return s
}
