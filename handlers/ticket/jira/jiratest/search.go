package jiratest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// jql is all of the language that this site knows: one label.
var jql = regexp.MustCompile(`^labels = "((?:[^"\\]|\\.)*)"(?: ORDER BY created DESC)?$`)

// search answers a query from the index. On Cloud it is POST /search/jql, with
// page tokens and without a total, and fields only if they are named; /search is
// gone (changelog CHANGE-2046: 410). Data Center knows only /search, by startAt
// (DC docs: search).
func (s *Site) search(w http.ResponseWriter, r *http.Request, path string, in map[string]any) {
	switch {
	case s.cloud() && path == "/search":
		refuse(w, http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
		return
	case s.cloud() != (path == "/search/jql") || r.Method != http.MethodPost:
		refuse(w, http.StatusNotFound, "dead link")
		return
	}
	query, _ := in["jql"].(string)
	m := jql.FindStringSubmatch(query)
	if m == nil { // an unbounded query is refused too (Cloud docs: search, bounded JQL)
		refuse(w, http.StatusBadRequest, "Error in the JQL Query: "+query)
		return
	}
	found := s.found(m[1])
	size, _ := in["maxResults"].(float64)
	if size == 0 || size > 100 { // a server may return fewer than asked for (Cloud docs: search, maxResults)
		size = 50
	}
	from, _ := in["startAt"].(float64)
	if token, ok := in["nextPageToken"].(string); ok {
		n, err := strconv.Atoi(token[min(1, len(token)):])
		if err != nil {
			refuse(w, http.StatusBadRequest, "Invalid nextPageToken")
			return
		}
		from = float64(n)
	}
	first := min(int(from), len(found))
	last := min(first+int(size), len(found))
	page := found[first:last]
	out := map[string]any{"issues": page}
	if !s.cloud() {
		out["startAt"], out["maxResults"], out["total"] = first, size, len(found)
		answer(w, http.StatusOK, out)
		return
	}
	fields, _ := in["fields"].([]any)
	for n, shown := range page {
		page[n] = only(shown, fields)
	}
	if out["isLast"] = last == len(found); last < len(found) {
		out["nextPageToken"] = fmt.Sprintf("t%d", last)
	}
	answer(w, http.StatusOK, out)
}

// found are the issues with a label as the index has them, newest first.
func (s *Site) found(label string) []map[string]any {
	out := []map[string]any{}
	for _, i := range slices.Backward(s.issues) {
		var last *entry
		for n := range i.index {
			if !i.index[n].from.After(time.Now()) {
				last = &i.index[n]
			}
		}
		if last != nil && !last.gone && slices.Contains(last.label, label) {
			out = append(out, last.shown)
		}
	}
	return out
}

// only leaves the fields that were asked for; without any, Cloud shows ids.
func only(shown map[string]any, fields []any) map[string]any {
	out := map[string]any{"id": shown["id"]}
	if len(fields) == 0 {
		return out
	}
	kept := map[string]any{}
	for name, value := range shown["fields"].(map[string]any) {
		if slices.Contains(fields, any(name)) {
			kept[name] = value
		}
	}
	out["key"], out["fields"] = shown["key"], kept
	return out
}

// A step is a transition of the workflow.
type step struct {
	id             string
	name, from, to string
}

// steps are the workflow: To Do and In Progress end in Done, Done can be reopened,
// and what was archived has no way back. The ids differ by status, so that one
// kept from elsewhere is wrong (Cloud docs: get transitions).
func steps() []step {
	return []step{
		{"11", "Start progress", "To Do", "In Progress"}, {"31", "Erledigt", "To Do", "Done"},
		{"41", "Erledigt", "In Progress", "Done"}, {"51", "Wieder öffnen", "Done", "In Progress"},
	}
}

func (s *Site) transitions(i *Issue) []any {
	out := []any{}
	for _, t := range steps() {
		if t.from != i.Status {
			continue
		}
		fields := map[string]any{}
		if t.to == "Done" && s.Strict {
			fields["resolution"] = map[string]any{"required": true, "hasDefaultValue": false, "allowedValues": []any{
				map[string]any{"name": "Won't Do"}, map[string]any{"name": "Done"}, map[string]any{"name": "Duplicate"},
			}}
		}
		out = append(out, map[string]any{
			"id": t.id, "name": t.name, "fields": fields,
			"to": map[string]any{"name": t.to, "statusCategory": map[string]string{"key": category(t.to)}},
		})
	}
	return out
}

// transit makes a transition: 204 (Cloud docs: transition issue).
func (s *Site) transit(w http.ResponseWriter, i *Issue, in map[string]any) {
	chosen, _ := in["transition"].(map[string]any)
	fields, _ := in["fields"].(map[string]any)
	resolution, _ := fields["resolution"].(map[string]any)
	for _, t := range steps() {
		if t.from != i.Status || t.id != chosen["id"] {
			continue
		}
		switch asks := t.to == "Done" && s.Strict; {
		case asks && resolution == nil:
			refuseField(w, "resolution", "Resolution is required.")
			return
		case !asks && resolution != nil:
			refuseField(w, "resolution", "Field 'resolution' cannot be set. It is not on the appropriate screen, or unknown.")
			return
		case asks:
			i.Resolution = fmt.Sprint(resolution["name"])
		}
		i.move(t.to)
		if resolution != nil {
			i.Resolution = fmt.Sprint(resolution["name"])
		}
		i.Changes = append(i.Changes, Change{Us, time.Now()})
		s.indexed(i)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, http.StatusBadRequest, "It seems that you have tried to perform an illegal workflow operation.")
}
