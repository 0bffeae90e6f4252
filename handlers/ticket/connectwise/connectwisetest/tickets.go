package connectwisetest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The conditions are all of the language that this PSA knows: one field and one
// text, which has no escape for a quote.
var (
	condition       = regexp.MustCompile(`^externalXRef="([^"]*)"$`)
	customCondition = regexp.MustCompile(`^caption="Curfew key" AND value="([^"]*)"$`)
)

// KeyField is the id of the custom field that is called Curfew key.
const KeyField = 12

// search lists tickets (docs: PSA API Requests, conditions and
// customFieldConditions).
func (s *PSA) search(w http.ResponseWriter, r *http.Request) {
	key := func(t *Ticket) string { return t.Key }
	m := condition.FindStringSubmatch(r.FormValue("conditions"))
	if m == nil {
		m = customCondition.FindStringSubmatch(r.FormValue("customFieldConditions"))
		key = func(t *Ticket) string { text, _ := t.Custom[KeyField].(string); return text }
	}
	if m == nil {
		refuse(w, http.StatusBadRequest, "InvalidArgument", "Conditions could not be parsed")
		return
	}
	found := []map[string]any{}
	for _, t := range s.tickets {
		if !t.Gone && strings.EqualFold(key(t), m[1]) { // as its database compares
			found = append(found, t.show())
		}
	}
	page(w, r, found)
}

// page answers with a page of a list: 25 rows unless asked for more, and never more
// than 1,000 (docs: PSA Pagination); and with the fields that were asked for.
func page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	size, err := strconv.Atoi(r.FormValue("pageSize"))
	if err != nil {
		size = 25
	}
	n, err := strconv.Atoi(r.FormValue("page"))
	if err != nil {
		n = 1
	}
	size = min(size, 1000)
	from := min((n-1)*size, len(all))
	all = all[from:min(from+size, len(all))]
	for i := range all {
		all[i] = only(all[i], r.FormValue("fields"))
	}
	answer(w, http.StatusOK, all)
}

func only(row map[string]any, fields string) map[string]any {
	if fields == "" {
		return row
	}
	out := map[string]any{}
	for name := range strings.SplitSeq(fields, ",") {
		if value, ok := row[name]; ok {
			out[name] = value
		}
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (t *Ticket) show() map[string]any {
	out := map[string]any{
		"id": t.ID, "summary": t.Summary, "externalXRef": t.Key, "closedFlag": t.Status.Closed,
		"board":  map[string]any{"id": slices.Index(boardIDs(), t.Board) + 1, "name": t.Board},
		"status": map[string]any{"id": t.Status.ID, "name": t.Status.Name},
		"_info":  map[string]any{"dateEntered": stamp(t.Created), "enteredBy": t.EnteredBy, "lastUpdated": stamp(t.Updated), "updatedBy": t.UpdatedBy},
	}
	fields := []any{map[string]any{"id": 99, "caption": "Visits", "type": "Number", "value": 0}}
	for id, value := range t.Custom {
		fields = append(fields, map[string]any{"id": id, "caption": "a caption", "type": "Text", "value": value})
	}
	out["customFields"] = fields
	if t.Owner != "" {
		out["owner"] = map[string]any{"id": 7, "identifier": t.Owner, "name": t.Owner}
	}
	if !t.Closed.IsZero() {
		out["closedDate"] = stamp(t.Closed)
	}
	return out
}

type reference struct{ Name, Identifier string }

// create makes a ticket: 201 (the module: New-CWMTicket, with the lengths).
func (s *PSA) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Summary, ExternalXRef, Severity, Impact     string
		InitialInternalAnalysis, InitialDescription string
		Company, Board, Status, Team, Priority      reference
		Source                                      any
		CustomFields                                []struct {
			ID    int64
			Value any
		}
	}
	if !read(w, r, &in) {
		return
	}
	if in.Board.Name == "" {
		in.Board.Name = "Endless" // the system's default board
	}
	on := boards()[in.Board.Name]
	switch {
	case in.Summary == "" || utf8.RuneCountInString(in.Summary) > 100:
		invalid(w, "summary", "The field summary must be a string with a maximum length of 100.")
		return
	case len(in.ExternalXRef) > 100:
		invalid(w, "externalXRef", "The field externalXRef must be a string with a maximum length of 100.")
		return
	case !slices.Contains([]string{"ContosoLtd", "Provider"}, in.Company.Identifier):
		invalid(w, "company/identifier", "company was not found")
		return
	case on == nil:
		invalid(w, "board/name", "board was not found")
		return
	}
	t := &Ticket{Summary: in.Summary, Company: in.Company.Identifier, Board: in.Board.Name, Key: in.ExternalXRef, Team: in.Team.Name, Priority: in.Priority.Name, Severity: in.Severity, Impact: in.Impact, Source: in.Source}
	i := slices.IndexFunc(on, func(status Status) bool {
		return status.Name == in.Status.Name || in.Status.Name == "" && status.Default
	})
	if i < 0 {
		invalid(w, "status/name", "status was not found on the board")
		return
	}
	t.enter(on[i])
	t.Custom = map[int64]any{}
	for _, f := range in.CustomFields {
		t.Custom[f.ID] = f.Value
	}
	for text, internal := range map[string]bool{in.InitialInternalAnalysis: true, in.InitialDescription: false} {
		if text != "" { // what it begins with are notes
			t.Notes = append(t.Notes, Note{text, Us, internal, time.Now()})
		}
	}
	answer(w, http.StatusCreated, s.insert(t, Us).show())
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "InvalidObject", "the body could not be read")
		return false
	}
	return true
}

// one serves what concerns a single ticket.
func (s *PSA) one(w http.ResponseWriter, r *http.Request, t *Ticket) {
	switch {
	case t == nil:
		refuse(w, http.StatusNotFound, "NotFound", "Ticket was not found")
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, only(t.show(), r.FormValue("fields")))
	case r.Method == http.MethodPatch:
		s.patch(w, r, t)
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "")
	}
}

// patch changes a ticket by a JSON Patch: a list of operations, whose paths need no
// slash before them (the module: Invoke-CWMUpdateMaster). A status must be one of
// the ticket's board.
func (s *PSA) patch(w http.ResponseWriter, r *http.Request, t *Ticket) {
	var in []struct {
		Op, Path string
		Value    struct{ ID int }
	}
	if !read(w, r, &in) {
		return
	}
	for _, op := range in {
		on := boards()[t.Board]
		i := slices.IndexFunc(on, func(status Status) bool { return status.ID == op.Value.ID && !status.Unused })
		switch {
		case op.Op != "replace" || strings.TrimPrefix(op.Path, "/") != "status":
			refuse(w, http.StatusBadRequest, "InvalidArgument", "the operation is not understood")
			return
		case i < 0:
			invalid(w, "status/id", "status was not found on the board")
			return
		case on[i].Closed && s.Strict:
			invalid(w, "status", "Ticket can not be closed: a resolution note is required")
			return
		}
		t.enter(on[i])
	}
	t.touch(Us)
	answer(w, http.StatusOK, t.show())
}

// notes lists those of a ticket, or adds one: 201. One that says nowhere where it
// goes is refused (the module: New-CWMTicketNote).
func (s *PSA) notes(w http.ResponseWriter, r *http.Request, t *Ticket) {
	switch {
	case t == nil:
		refuse(w, http.StatusNotFound, "NotFound", "Ticket was not found")
	case r.Method == http.MethodGet:
		rows := []map[string]any{}
		for n, note := range t.Notes {
			rows = append(rows, map[string]any{"id": n + 1, "text": note.Text, "createdBy": note.By, "dateCreated": stamp(note.At), "internalAnalysisFlag": note.Internal, "detailDescriptionFlag": !note.Internal})
		}
		page(w, r, rows)
	default:
		var in struct {
			Text                                                                              string
			InternalAnalysisFlag, DetailDescriptionFlag, ResolutionFlag, ProcessNotifications bool
		}
		if !read(w, r, &in) {
			return
		}
		if in.Text == "" || !in.InternalAnalysisFlag && !in.DetailDescriptionFlag && !in.ResolutionFlag {
			invalid(w, "detailDescriptionFlag", "at least one of the flags must be set")
			return
		}
		t.Notes = append(t.Notes, Note{in.Text, Us, !in.DetailDescriptionFlag && !in.ResolutionFlag && !in.ProcessNotifications, time.Now()})
		answer(w, http.StatusCreated, map[string]any{"id": len(t.Notes), "ticketId": t.ID})
	}
}

func listStatuses(w http.ResponseWriter, r *http.Request, path string) {
	id, ok := strings.CutSuffix(path, "/statuses")
	n, err := strconv.Atoi(id)
	if !ok || err != nil || n < 1 || n > len(boardIDs()) {
		refuse(w, http.StatusNotFound, "NotFound", "Board was not found")
		return
	}
	rows := []map[string]any{}
	for _, status := range boards()[boardIDs()[n-1]] {
		rows = append(rows, map[string]any{"id": status.ID, "name": status.Name, "sortOrder": status.Sort, "closedStatus": status.Closed, "defaultFlag": status.Default, "inactive": status.Unused})
	}
	page(w, r, rows)
}
