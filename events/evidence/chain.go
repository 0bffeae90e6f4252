// Package evidence is what can be shown to somebody who has no reason to trust
// the journal: the chain that runs through the records of a case, and the bundle
// that holds all that is kept about one device and is checked without Curfew's
// configuration, queue or network.
//
// What a record is chained by, so that it can be recomputed with other tools:
//
//   - prev is the SHA-256 of the bytes of the device's record before it, in hex;
//     in the first record of all it is [First].
//   - fact is [FactSum] of the fact that the record took.
//
// What holds of a chain that is whole: no record of it was changed, removed,
// inserted or moved after the record that follows it was written, and no fact
// that one of its records took was changed or replaced.
//
// What may not be assumed: that nobody wrote the whole anew. Whoever can write to
// the journal, or has the bundle, can compute every hash again, and can cut off
// the end. Only a head that was kept where they cannot reach it shows that. Nor
// does a chain say anything about facts that changed nothing; those are held by
// the seal of the bundle alone.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"curfew/events"
)

// Sum is the SHA-256 of bytes, in hex: what the next record holds of the one
// before it.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// FactSum is the SHA-256, in hex, of the name of a fact's kind, a line feed, and
// the fact's bytes.
func FactSum(kind string, data []byte) string {
	return Sum(append([]byte(kind+"\n"), data...))
}

// First is what the first record ever of a device holds in place of the hash of
// one before it, so that none can be put before it later: the SHA-256 of "curfew
// case " and the key.
func First(k events.Key) string { return Sum([]byte("curfew case " + k.String())) }

// A Record is a case as the journal stores it. Records of before there were
// chains have neither mark.
type Record struct {
	events.Case
	Prev string `json:"prev,omitempty"`
	Fact string `json:"fact,omitempty"`
}

// An Item is one message of the journal exactly as it is stored.
type Item struct {
	Seq  uint64    `json:"seq"`            // its number in the stream, which counts the messages of all devices
	At   time.Time `json:"at"`             // when it was stored, by the clock of the queue
	Kind string    `json:"kind,omitempty"` // of a fact; a record has none

	Text   string `json:"text,omitempty"`   // the bytes, if they are UTF-8
	Base64 []byte `json:"base64,omitempty"` // and if not

	Sum string `json:"sum"` // over all of that; see [Item.sum]
}

// NewItem makes an item of what is stored.
func NewItem(seq uint64, at time.Time, kind string, data []byte) Item {
	it := Item{Seq: seq, At: at.UTC(), Kind: kind}
	if utf8.Valid(data) {
		it.Text = string(data)
	} else {
		it.Base64 = data
	}
	it.Sum = it.sum()
	return it
}

// Data are the bytes that are stored.
func (it Item) Data() []byte {
	if it.Text == "" {
		return it.Base64
	}
	return []byte(it.Text)
}

// sum is the SHA-256 of sequence, time and kind, a line feed after each, and the
// bytes.
func (it Item) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n%s\n", it.Seq, it.At.UTC().Format(time.RFC3339Nano), it.Kind)
	h.Write(it.Data())
	return hex.EncodeToString(h.Sum(nil))
}
