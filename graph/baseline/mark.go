package baseline

import (
	"regexp"
	"strings"
)

// Mark is what an object of Curfew's carries, so that it is found again: in its
// description, or at the end of its name where a description is not kept. Intune's
// templates have none in v1.0, and of Conditional Access policies Microsoft says
// "not used" (Graph docs: notificationMessageTemplate, conditionalAccessPolicy).
func Mark(key string) string { return "[curfew:" + key + "]" }

var markForm = regexp.MustCompile(`\[curfew:([a-z0-9_/]{1,60})\]`)

// keyOf is the key that a text carries; empty: none.
func keyOf(text string) string {
	if m := markForm.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// keyIn is the key of an object that is there, if it is Curfew's.
func keyIn(kind Kind, have Raw) string { return keyOf(have.text(markedIn(kind))) }

// markedIn is the property that carries the mark.
func markedIn(kind Kind) string {
	if kind == KindNotification || kind == KindAccess {
		return "displayName"
	}
	return "description"
}

// withMark puts the mark at the end of a text.
func withMark(text, key string) string {
	return strings.TrimSpace(strings.TrimSpace(markForm.ReplaceAllString(text, "")) + " " + Mark(key))
}

// ID is an object's id.
func (r Raw) ID() string { return r.text("id") }

// Name is an object's name without a mark.
func (r Raw) Name() string {
	return strings.TrimSpace(markForm.ReplaceAllString(r.text("displayName"), ""))
}

// Type is its @odata.type without the namespace.
func (r Raw) Type() string { return strings.TrimPrefix(r.text("@odata.type"), typePrefix) }

const typePrefix = "#microsoft.graph."

func (r Raw) text(key string) string {
	s, _ := r[key].(string)
	return s
}

// at is the value at a path, conditions.users.includeUsers; nil: there is none.
func (r Raw) at(path string) any {
	var v any = map[string]any(r)
	for key := range strings.SplitSeq(path, ".") {
		in, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = in[key]
	}
	return v
}

// texts are the texts of a list at a path.
func (r Raw) texts(path string) []string {
	list, _ := r.at(path).([]any)
	var all []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

func (r Raw) list(key string) []Raw {
	list, _ := r[key].([]any)
	var all []Raw
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}
