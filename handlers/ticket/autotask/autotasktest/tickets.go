package autotasktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z") // UTC (docs: Tickets entity)
}

func (t *Ticket) show() map[string]any {
	return map[string]any{
		"id": t.ID, "ticketNumber": "T20261122." + strconv.FormatInt(t.ID, 10), "externalID": t.Key, "status": t.Status, "title": t.Title, "description": t.Text,
		"companyID": t.Company, "assignedResourceID": maybe(t.Assigned), "creatorResourceID": t.Creator, "createDate": stamp(t.Created), "completedDate": stamp(t.Completed),
	}
}

// maybe is an id, or null for none.
func maybe(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// query answers what one filter finds. A history takes only that of its ticket
// (docs: TicketHistory entity).
func (s *PSA) query(w http.ResponseWriter, r *http.Request, entity string) {
	var in struct {
		MaxRecords    int
		IncludeFields []string
		Filter        []struct {
			Op, Field string
			Value     any
		}
	}
	if !read(w, r, &in) {
		return
	}
	by := map[string]string{"tickets": "externalID", "ticketnotes": "ticketID", "tickethistory": "ticketID"}[entity]
	if len(in.Filter) != 1 || in.Filter[0].Op != "eq" || in.Filter[0].Field != by || in.MaxRecords < 1 || in.MaxRecords > 500 {
		refuse(w, http.StatusInternalServerError, "Unable to find %v in the %s Entity, or MaxRecords is not 1 to 500.", in.Filter, entity)
		return
	}
	found := []map[string]any{}
	for _, t := range s.tickets {
		switch {
		case t.Gone:
		case entity == "tickets":
			if key, _ := in.Filter[0].Value.(string); strings.EqualFold(t.Key, key) { // as its database compares
				found = append(found, t.show())
			}
		case in.Filter[0].Value == float64(t.ID):
			found = append(found, t.below(entity)...)
		}
	}
	paged(w, r, found, in.MaxRecords, in.IncludeFields)
}

// below are the notes or the history of a ticket.
func (t *Ticket) below(entity string) (out []map[string]any) {
	if entity == "tickethistory" {
		for n, c := range t.History {
			out = append(out, map[string]any{"id": n + 1, "ticketID": t.ID, "action": c.Action, "resourceID": c.By, "date": stamp(c.At)})
		}
		return out
	}
	for n, note := range t.Notes {
		out = append(out, map[string]any{"id": n + 1, "ticketID": t.ID, "title": note.Title, "description": note.Text, "noteType": note.Type, "publish": note.Publish, "creatorResourceID": maybe(note.By), "createdByContactID": maybe(note.Contact), "createDateTime": stamp(note.At)})
	}
	return out
}

// paged answers with a page, and the address of the next, which is to be asked in
// the same way (the client: crud.go).
func paged(w http.ResponseWriter, r *http.Request, all []map[string]any, size int, fields []string) {
	from, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from = min(from, len(all))
	to := min(from+size, len(all))
	details := map[string]any{"count": to - from, "requestCount": size, "prevPageUrl": nil, "nextPageUrl": nil}
	if to < len(all) {
		details["nextPageUrl"] = "https://" + r.Host + r.URL.Path + "?page=" + strconv.Itoa(to)
	}
	page := []map[string]any{}
	for _, row := range all[from:to] {
		shown := row
		if len(fields) > 0 {
			shown = map[string]any{}
			for _, name := range fields {
				shown[name] = row[name]
			}
		}
		page = append(page, shown)
	}
	answer(w, http.StatusOK, map[string]any{"items": page, "pageDetails": details})
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		refuse(w, http.StatusInternalServerError, "Error converting value in the request body")
		return false
	}
	return true
}

// create makes a ticket, and answers with its id and no more: 200. It must go to a
// queue, or to a resource in a role (docs: Tickets entity). The company 0 is that of
// the provider, so that it must not be left out.
func (s *PSA) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		CompanyID                                           *int64
		Title, Description, ExternalID                      string
		Status, Priority                                    int
		QueueID, AssignedResourceID, AssignedResourceRoleID int64
		UserDefinedFields                                   []struct {
			Name  string
			Value any
		}
	}
	if !read(w, r, &in) {
		return
	}
	switch {
	case in.CompanyID == nil || !slices.Contains([]int64{0, 123}, *in.CompanyID):
		refuse(w, http.StatusInternalServerError, "Invalid reference value: companyID.")
	case in.Title == "" || utf8.RuneCountInString(in.Title) > 255 || utf8.RuneCountInString(in.Description) > 8000 || len(in.ExternalID) > 50:
		refuse(w, http.StatusInternalServerError, "A required field is missing, or a text is longer than the field.")
	case !slices.Contains(statuses(), in.Status) || in.Priority < 1 || in.Priority > 4:
		refuse(w, http.StatusInternalServerError, "Picklist value is not valid: status or priority.")
	case in.QueueID == 0 && (in.AssignedResourceID == 0 || in.AssignedResourceRoleID == 0):
		refuse(w, http.StatusInternalServerError, "Ticket must be assigned to either a queue, or a resource and a role.")
	default:
		t := &Ticket{Company: *in.CompanyID, Queue: in.QueueID, Title: in.Title, Text: in.Description, Key: in.ExternalID, Status: in.Status, Priority: in.Priority, Assigned: in.AssignedResourceID, Role: in.AssignedResourceRoleID, Custom: map[string]any{}}
		for _, f := range in.UserDefinedFields {
			t.Custom[f.Name] = f.Value
		}
		answer(w, http.StatusOK, map[string]any{"itemId": s.insert(t, Us).ID})
	}
}

// statuses are new, complete, waiting and in progress; what else there is differs by
// customer (docs: Tickets entity, picklists).
func statuses() []int { return []int{1, 5, 7, 8} }

// patch changes the ticket whose id is in the body (docs: Tickets entity, URLs).
func (s *PSA) patch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID     int64
		Status int
	}
	if !read(w, r, &in) {
		return
	}
	t := s.byID(strconv.FormatInt(in.ID, 10))
	switch {
	case t == nil:
		refuse(w, http.StatusNotFound, "No matching records found.")
	case !slices.Contains(statuses(), in.Status):
		refuse(w, http.StatusInternalServerError, "Picklist value is not valid: status.")
	case in.Status == 5 && s.Strict:
		refuse(w, http.StatusInternalServerError, "The ticket category requires a resolution to complete the ticket.")
	default:
		t.Enter(in.Status)
		t.History = append(t.History, Change{Us, "Edited", time.Now()})
		answer(w, http.StatusOK, map[string]any{"itemId": t.ID})
	}
}

// say adds a note.
func (s *PSA) say(w http.ResponseWriter, r *http.Request, t *Ticket) {
	var in struct {
		Title, Description string
		NoteType, Publish  int
	}
	switch {
	case !read(w, r, &in):
	case t == nil:
		refuse(w, http.StatusNotFound, "No matching records found.")
	case in.Title == "" || in.Description == "" || in.NoteType == 0 || in.Publish == 0 || utf8.RuneCountInString(in.Description) > 32_000:
		refuse(w, http.StatusInternalServerError, "A required field is missing, or a text is longer than the field.")
	default:
		t.Notes = append(t.Notes, Note{in.Title, in.Description, in.NoteType, in.Publish, Us, 0, time.Now()})
		answer(w, http.StatusOK, map[string]any{"itemId": len(t.Notes)})
	}
}
