package graphtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// A pair is one member of a JSON object.
type pair struct {
	key   string
	value any
}

// An object is a JSON object whose members keep their order, as Graph's do. It
// is written by hand because a page of a thousand devices has fifty thousand
// members, and maps and reflection would make a fleet of 100,000 slow.
type object []pair

// MarshalJSON lets an object be nested in whatever encoding/json writes.
func (o object) MarshalJSON() ([]byte, error) { return appendValue(nil, o), nil }

func (o object) bytes() []byte { return appendValue(nil, o) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case time.Time:
		return appendString(b, stamp(v))
	case object:
		b = append(b, '{')
		for i, p := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, p.key)
			b = append(b, ':')
			b = appendValue(b, p.value)
		}
		return append(b, '}')
	case []object:
		return appendList(b, v)
	case []string:
		return appendList(b, v)
	case []any:
		return appendList(b, v)
	}
	j, err := json.Marshal(v)
	if err != nil { // only a test can put such a value here, by SetRaw
		panic(fmt.Sprintf("graphtest: %T cannot be sent as JSON: %v", v, err))
	}
	return append(b, j...)
}

func appendList[T any](b []byte, list []T) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			j, _ := json.Marshal(s) // a string always marshals
			return append(b, j...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// stamp writes a time as Graph does: UTC, up to seven decimals, no trailing
// zeros. The zero time comes out as 0001-01-01T00:00:00Z, which is what Intune
// sends for "never" (seen in the responses of insightconnect-plugins#1966).
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }

// never and forever are Intune's own values for dates that are not set:
// complianceGracePeriodExpirationDateTime of a compliant device is the latter
// (insightconnect-plugins#553 shows a list from a tenant).
func never() time.Time   { return time.Time{} }
func forever() time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }

// orNull is null for an empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// timeOrNull is null for the zero time.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func (o object) get(key string) any {
	for _, p := range o {
		if p.key == key {
			return p.value
		}
	}
	return nil
}
