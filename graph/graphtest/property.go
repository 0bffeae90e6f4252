package graphtest

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// A property is one of an entity's, and how to get it.
type property[V any] struct {
	name string
	get  func(V) any
	beta bool // not in v1.0's metadata
	only bool // comes only from a GET of one entity with $select
	// enum holds the members before unknownFutureValue of an evolvable
	// enumeration; nil for everything else.
	enum []string
}

// value is what is sent for p: an override, if a test set one. A member that
// came after unknownFutureValue is shown only to who asks for it by Prefer:
// include-unknown-enum-members (Graph docs: best practices, "Handling future
// members in evolvable enumerations"). Other enumerations have no such member
// and are sent as they are.
func (p *property[V]) value(v V, raw map[string]any, prefer bool) any {
	if len(raw) == 0 {
		return p.get(v)
	}
	over, set := raw[p.name]
	if !set {
		return p.get(v)
	}
	return future(over, p.enum, prefer)
}

func future(v any, enum []string, prefer bool) any {
	if s, ok := v.(string); ok && enum != nil && !prefer && !slices.Contains(enum, s) {
		return "unknownFutureValue"
	}
	return v
}

// pick returns the properties that $select asks for, or all that come without,
// and the first name that the entity does not have.
func pick[V any](all []property[V], sel string, beta bool) (chosen []*property[V], unknown string) {
	if sel == "" {
		for i := range all {
			if p := &all[i]; !p.only && (beta || !p.beta) {
				chosen = append(chosen, p)
			}
		}
		return chosen, ""
	}
	for name := range strings.SplitSeq(sel, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(all, func(p property[V]) bool { return strings.EqualFold(p.name, name) && (beta || !p.beta) })
		if i < 0 {
			return nil, name
		}
		chosen = append(chosen, &all[i])
	}
	// The key is always there.
	if !slices.ContainsFunc(chosen, func(p *property[V]) bool { return p.name == "id" }) {
		chosen = append([]*property[V]{&all[0]}, chosen...)
	}
	return chosen, ""
}

func appendRow[V any](b []byte, v V, chosen []*property[V], raw map[string]any, prefer bool) []byte {
	b = append(b, '{')
	for i, p := range chosen {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, p.name), ':')
		b = appendValue(b, p.value(v, raw, prefer))
	}
	return append(b, '}')
}

// collection is a page: head's members and the rows as value.
func collection(head object, rows []byte) []byte {
	b := head.bytes()
	b = append(b[:len(b)-1], `,"value":[`...)
	return append(append(b, rows...), "]}"...)
}

// entity is one row with its context.
func (k *call) entity(set string, row []byte) []byte {
	b := object{{"@odata.context", k.base + "/$metadata#" + set + "/$entity"}}.bytes()
	b[len(b)-1] = ','
	return append(b, row[1:]...)
}

// list is a collection that is never paged.
func (k *call) list(set string, rows []object) reply {
	return ok(object{{"@odata.context", k.base + "/$metadata#" + set}, {"value", rows}})
}

// page reads $top and the token of a nextLink.
func (k *call) page(usual, most int) (size, from int, bad reply) {
	size = usual
	if s := k.query.Get("$top"); s != "" {
		top, err := strconv.Atoi(s)
		if err != nil || top < 1 {
			return 0, 0, k.badRequest("Invalid value '%s' for $top query option found.", s)
		}
		size = min(top, most)
	}
	if s := k.query.Get("$skiptoken"); s != "" {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err == nil {
			from, err = strconv.Atoi(strings.TrimPrefix(string(b), "at:"))
		}
		if err != nil || from < 0 {
			return 0, 0, k.badRequest("The $skiptoken is invalid.")
		}
	}
	return size, from, reply{}
}

func pageToken(at int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("at:" + strconv.Itoa(at)))
}

func (k *call) applied(prefer bool) map[string]string {
	if !prefer {
		return nil
	}
	return map[string]string{"Preference-Applied": "include-unknown-enum-members"}
}
