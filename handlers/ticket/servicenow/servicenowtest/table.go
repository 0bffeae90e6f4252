package servicenowtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columns are what incidents have. What is written to another name is ignored
// without a word (docs: Table API).
func columns() []string {
	return []string{
		"short_description", "description", "impact", "urgency", "priority", "assignment_group", "company", "caller_id", "parent_incident", "category",
		"correlation_id", "correlation_display", "state", "active", "assigned_to", "close_code", "close_notes", "resolved_at", "closed_at", "u_serial",
		"sys_id", "number", "sys_created_by", "sys_created_on", "sys_updated_by", "sys_updated_on", "element_id", "element", "value",
	}
}

// selects reports whether a row fits an encoded query: terms joined by ^, where
// ^^ is the character itself. A term with a name that is no column is dropped, so
// that the rest, or everything, is found (docs: GlideRecord, encoded queries).
func selects(row map[string]string, query string) bool {
	for term := range strings.SplitSeq(strings.ReplaceAll(query, "^^", "\x00"), "^") {
		term = strings.ReplaceAll(term, "\x00", "^")
		if strings.HasPrefix(term, "ORDERBY") {
			continue
		}
		end := strings.IndexAny(term, "=I")
		if end < 0 || !slices.Contains(columns(), term[:end]) {
			continue
		}
		value, in := strings.CutPrefix(term[end:], "IN")
		if in && !slices.Contains(strings.Split(value, ","), row[term[:end]]) || !in && row[term[:end]] != strings.TrimPrefix(term[end:], "=") {
			return false
		}
	}
	return true
}

// list answers with the rows that a query finds. The limit counts rows that the
// account may not see, and X-Total-Count counts them too (docs: Table API,
// sysparm_limit).
func list(w http.ResponseWriter, r *http.Request, all []map[string]string, visible bool) {
	query := r.FormValue("sysparm_query")
	var found []map[string]string
	for _, row := range all {
		if selects(row, query) {
			found = append(found, row)
		}
	}
	if strings.Contains(query, "^ORDERBYDESC") {
		slices.Reverse(found)
	}
	limit, err := strconv.Atoi(r.FormValue("sysparm_limit"))
	if err != nil {
		limit = 10000
	}
	from, _ := strconv.Atoi(r.FormValue("sysparm_offset"))
	from = min(from, len(found))
	page := []map[string]any{}
	for n, row := range found[from:min(from+limit, len(found))] {
		if visible && (n%10 != 9 || row["state"] == "1") { // some rows are hidden by rules of the customer's
			page = append(page, show(row, r))
		}
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(found)))
	answer(w, http.StatusOK, map[string]any{"result": page})
}

// show is a row with the fields that were asked for. Display values are what a
// person with the account's settings would see, here a German one; references are
// objects unless their links are excluded (docs: Table API).
func show(row map[string]string, r *http.Request) map[string]any {
	out := map[string]any{}
	for name, value := range row {
		if asked := r.FormValue("sysparm_fields"); asked != "" && !slices.Contains(strings.Split(asked, ","), name) {
			continue
		}
		switch {
		case r.FormValue("sysparm_display_value") == "true":
			out[name] = display(name, value)
		case value != "" && slices.Contains([]string{"assigned_to", "assignment_group", "company", "caller_id", "parent_incident"}, name) && r.FormValue("sysparm_exclude_reference_link") != "true":
			out[name] = map[string]string{"link": "https://instance.example/api/now/table/x/" + value, "value": value}
		default:
			out[name] = value
		}
	}
	return out
}

func display(name, value string) string {
	switch at, err := time.Parse(time.DateTime, value); {
	case name == "state":
		return map[string]string{"1": "Neu", "2": "In Bearbeitung", "6": "Gelöst", "7": "Geschlossen"}[value]
	case err == nil:
		return at.Add(time.Hour).Format("02.01.2006 15:04:05") // of Berlin
	}
	return value
}

// one serves what concerns a single incident.
func (s *Instance) one(w http.ResponseWriter, r *http.Request, path string) {
	var in map[string]any
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			refuse(w, http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON.")
			return
		}
	}
	if path == "incident" && r.Method == http.MethodPost {
		i := s.insert(s.User, map[string]string{"state": "1", "active": "true"})
		s.write(i, in)
		// The body is what the form would show, whatever was asked for: a client
		// must not learn states and times from it.
		shown := map[string]any{}
		for name, value := range i.Fields {
			shown[name] = display(name, value)
		}
		w.Header().Set("Location", "https://instance.example/api/now/v2/table/incident/"+i.ID)
		answer(w, http.StatusCreated, map[string]any{"result": shown})
		return
	}
	id, ok := strings.CutPrefix(path, "incident/")
	i := s.byID(id)
	switch {
	case !ok:
		refuse(w, http.StatusBadRequest, "Invalid table", "")
	case i == nil || i.Gone: // or hidden by an ACL: both are 404 (docs: REST API HTTP response codes)
		refuse(w, http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, map[string]any{"result": show(i.Fields, r)})
	case r.Method == http.MethodPatch:
		if why := s.forbids(i, in); why != "" {
			refuse(w, http.StatusForbidden, "Operation Failed", why)
			return
		}
		s.write(i, in)
		answer(w, http.StatusOK, map[string]any{"result": show(i.Fields, r)})
	default:
		refuse(w, http.StatusMethodNotAllowed, "Method not supported", "")
	}
}

// forbids is the data policy of resolving, and that what is closed stays so (docs:
// resolve and close an incident; reopen an incident).
func (s *Instance) forbids(i *Incident, in map[string]any) string {
	codes := []string{"Duplicate", "Known error", "Resolved by caller", "Resolved by change", "Resolved by problem", "Solution provided", "Workaround provided", "User error"}
	switch state, _ := in["state"].(string); {
	case i.Fields["active"] == "false" && state != "":
		return "Error during update of incident: a closed incident cannot be reopened"
	case state == "7" || state == "8":
		return "ACL Exception Update Failed due to security constraints" // closing wants itil_admin
	case state == "6" && (fmt.Sprint(in["close_notes"]) == "<nil>" || !slices.Contains(codes, fmt.Sprint(in["close_code"]))):
		return "Data Policy Exception: the following fields are mandatory: Resolution code, Resolution notes"
	}
	return ""
}

// write stores what may be written; longer texts are cut (base system: 160 and
// 4,000 characters). Work notes go to the journal and read as empty.
func (s *Instance) write(i *Incident, in map[string]any) {
	for name, value := range in {
		text := fmt.Sprint(value)
		switch {
		case name == "work_notes":
			i.Say(s.User, text)
		case name == "state" && !slices.Contains(s.ReadOnly, name):
			i.Enter(text)
		}
	}
	for name, value := range in {
		text := []rune(fmt.Sprint(value))
		limit := map[string]int{"short_description": 160, "correlation_id": 100}[name]
		if limit == 0 {
			limit = 4000
		}
		if slices.Contains(columns(), name) && !strings.HasPrefix(name, "sys_") && !slices.Contains([]string{"state", "priority", "number", "active"}, name) && !slices.Contains(s.ReadOnly, name) {
			i.Fields[name] = string(text[:min(len(text), limit)])
		}
	}
	// The priority is looked up, whatever was sent (docs: incident priority).
	if i.Fields["priority"] = map[string]string{"11": "1", "12": "2", "21": "2", "22": "3", "13": "3", "31": "3", "23": "4", "32": "4"}[i.Fields["impact"]+i.Fields["urgency"]]; i.Fields["priority"] == "" {
		i.Fields["priority"] = "5"
	}
	i.touch(s.User)
}

// journal answers from sys_journal_field (docs: journal fields).
func (s *Instance) journal(w http.ResponseWriter, r *http.Request) {
	var all []map[string]string
	for _, i := range s.rows {
		for _, e := range i.Journal {
			all = append(all, map[string]string{"element_id": i.ID, "element": e.Field, "value": e.Text, "sys_created_by": e.By, "sys_created_on": e.At.UTC().Format(time.DateTime), "state": "1"})
		}
	}
	list(w, r, all, !s.Hidden)
}
