package graph

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// The types that answers are decoded into. One odd value must not hide a whole
// device, or a page of them: what is not of the form expected is kept as it came
// or counts as absent, and never fails its neighbours.

// text is a short string: a name, an id, a member of an enumeration.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(oneLine(scalar(b), maxText))
	return nil
}

// long is a string that is kept whole: a link or a message.
type long string

func (l *long) UnmarshalJSON(b []byte) error {
	*l = long(scalar(b))
	return nil
}

func scalar(b []byte) string {
	if n := len(b); n > 1 && b[0] == '"' && !bytes.ContainsRune(b, '\\') && utf8.Valid(b) {
		return string(b[1 : n-1]) // as nearly all are: a big tenant has a million of them
	}
	var s string
	switch err := json.Unmarshal(b, &s); {
	case err == nil: // null included
		return s
	default:
		return string(bytes.TrimSpace(b))
	}
}

// moment is a time. Intune writes the first year for "never" and the last for
// "no end"; neither is a time that anything happens at.
type moment time.Time

func (m *moment) UnmarshalJSON(b []byte) error {
	at, err := time.Parse(time.RFC3339, scalar(b))
	if err != nil || at.Year() <= 1 || at.Year() >= 9999 {
		at = time.Time{}
	}
	*m = moment(at.UTC())
	return nil
}

func (m moment) time() time.Time { return time.Time(m) }

// yes is a boolean that may not have been said.
type yes struct{ said, is bool }

func (y *yes) UnmarshalJSON(b []byte) error {
	*y = yes{}
	var v *bool
	if json.Unmarshal(b, &v) == nil && v != nil {
		*y = yes{said: true, is: *v}
	}
	return nil
}

// rows are the elements of a list that could be read, and how many could not.
type rows[T any] struct {
	list []T
	bad  int
}

func (r *rows[T]) UnmarshalJSON(b []byte) error {
	*r = rows[T]{}
	var each []json.RawMessage
	if err := json.Unmarshal(b, &each); err != nil {
		return err
	}
	r.list = make([]T, 0, len(each))
	for _, raw := range each {
		var v T
		if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, &v) != nil {
			r.bad++
			continue
		}
		r.list = append(r.list, v)
	}
	return nil
}

// parts are rows inside a larger thing: what is no list at all is one bad row.
type parts[T any] struct{ rows[T] }

func (p *parts[T]) UnmarshalJSON(b []byte) error {
	if p.rows.UnmarshalJSON(b) != nil {
		p.rows = rows[T]{bad: 1}
	}
	return nil
}

// page is one page of a list. A body without "value" is no empty list: it is no
// list.
type page[T any] struct {
	Value *rows[T] `json:"value"`
	Next  long     `json:"@odata.nextLink"`
	Delta long     `json:"@odata.deltaLink"`
}
