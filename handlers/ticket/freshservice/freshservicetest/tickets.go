package freshservicetest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// byTag is all of the filter's language that this account knows: one tag, in single
// quotes, and the whole in double quotes (docs: filter tickets).
var byTag = regexp.MustCompile(`^"tag:'([^']*)'"$`)

// filter shows thirty tickets a page, newest first, as the index has them, and of
// the primary workspace unless one is named; 0 is all (docs: filter tickets). What
// tickets have that must be included is not shown, tags among it.
func (s *Account) filter(w http.ResponseWriter, r *http.Request) {
	m := byTag.FindStringSubmatch(r.FormValue("query"))
	if m == nil || len(r.FormValue("query")) > 512 {
		refuse(w, "query", "Given query is invalid", "invalid_value")
		return
	}
	found := []any{}
	for _, t := range slices.Backward(s.tickets) {
		var last *entry
		for n := range t.index {
			if time.Since(t.index[n].from) >= s.Lag {
				last = &t.index[n]
			}
		}
		switch in := r.FormValue("workspace_id"); {
		case last == nil || last.gone:
		case in == "" && t.Workspace != Primary, in != "" && in != "0" && in != strconv.FormatInt(t.Workspace, 10):
		case s.Deaf || slices.Contains(last.tags, m[1]):
			shown := t.show("")
			shown["status"] = last.status
			found = append(found, shown)
		}
	}
	page, _ := strconv.Atoi(r.FormValue("page"))
	from := min(max(page-1, 0)*30, len(found))
	answer(w, http.StatusOK, map[string]any{"tickets": found[from:min(from+30, len(found))], "total": len(found)})
}

// show is a ticket in an answer.
func (t *Ticket) show(include string) map[string]any {
	out := map[string]any{"id": t.ID, "subject": t.Subject, "status": t.Status, "created_at": t.Created, "responder_id": nil, "workspace_id": t.Workspace, "deleted": t.Gone, "spam": false}
	if t.Responder != 0 {
		out["responder_id"] = t.Responder
	}
	for part := range strings.SplitSeq(include, ",") {
		switch part {
		case "tags":
			out["tags"] = append([]string{}, t.Tags...)
		case "stats":
			stats := map[string]any{"resolved_at": nil, "closed_at": nil}
			if !t.Resolved.IsZero() {
				stats["resolved_at"] = t.Resolved
			}
			if !t.Closed.IsZero() {
				stats["closed_at"] = t.Closed
			}
			out["stats"] = stats
		}
	}
	return out
}

// create makes a ticket: 201 (docs: create a ticket).
func (s *Account) create(w http.ResponseWriter, in map[string]any) {
	t := &Ticket{Fields: maps.Clone(in), Workspace: Primary}
	t.Subject, _ = in["subject"].(string)
	t.Description, _ = in["description"].(string)
	if list, ok := in["tags"].([]any); ok {
		for _, x := range list {
			t.Tags = append(t.Tags, fmt.Sprint(x))
		}
	}
	if id, ok := in["workspace_id"].(float64); ok {
		t.Workspace = int64(id)
	}
	number := func(name string, from, to int) bool {
		n, ok := in[name].(float64)
		return ok && int(n) >= from && int(n) <= to
	}
	switch {
	case in["requester_id"] == nil && in["email"] == nil && in["phone"] == nil:
		refuse(w, "requester_id", "One of requester_id, phone, email is mandatory", "missing_field")
	case t.Subject == "" || strings.ContainsAny(t.Subject, "\r\n"):
		refuse(w, "subject", "It should not be blank as this is a mandatory field", "invalid_value")
	case len([]rune(t.Subject)) > 255:
		refuse(w, "subject", "Has 256 characters, it can have maximum of 255 characters", "invalid_value")
	case t.Description == "":
		refuse(w, "description", "It should not be blank as this is a mandatory field", "invalid_value")
	case !number("status", 2, 5):
		refuse(w, "status", "It should be one of these values: '2,3,4,5'", "invalid_value")
	case !number("priority", 1, 4):
		refuse(w, "priority", "It should be one of these values: '1,2,3,4'", "invalid_value")
	case t.Workspace != Primary && t.Workspace != Customer:
		refuse(w, "workspace_id", "There is no workspace matching the given id", "invalid_value")
	default:
		t.Enter(int(in["status"].(float64)))
		s.add(t, Us)
		w.Header().Set("Location", fmt.Sprintf("https://account.example/api/v2/tickets/%d", t.ID))
		answer(w, http.StatusCreated, map[string]any{"ticket": t.show("")})
	}
}

// one serves what is below a ticket. One in the trash is still shown, as deleted
// (docs: ticket attributes).
func (s *Account) one(w http.ResponseWriter, r *http.Request, t *Ticket, what string, in map[string]any) {
	switch r.Method + " " + what {
	case "GET ":
		shown := t.show(r.FormValue("include"))
		shown["description"] = t.Description
		answer(w, http.StatusOK, map[string]any{"ticket": shown})
	case "PUT ":
		s.update(w, t, in)
	case "POST notes": // private unless it says otherwise (docs: create a note)
		body, _ := in["body"].(string)
		if body == "" {
			refuse(w, "body", "It should not be blank as this is a mandatory field", "missing_field")
			return
		}
		n := Note{By: Us, HTML: body, At: now(), Private: in["private"] != false}
		t.Notes = append(t.Notes, n)
		t.did(Us)
		answer(w, http.StatusCreated, map[string]any{"conversation": n.show(len(t.Notes))})
	case "GET conversations":
		t.conversations(w, r)
	case "GET activities":
		t.activities(w, r)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (n Note) show(id int) map[string]any {
	return map[string]any{"id": id, "user_id": n.By, "body": n.HTML, "private": n.Private, "created_at": n.At}
}

// conversations are shown by pages, of a hundred at most (docs: pagination).
func (t *Ticket) conversations(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.FormValue("per_page"))
	if err != nil {
		size = 30
	}
	if size > 100 {
		refuse(w, "per_page", "It should be a Positive Integer less than or equal to 100", "invalid_value")
		return
	}
	page, _ := strconv.Atoi(r.FormValue("page"))
	from := min(max(page-1, 0)*size, len(t.Notes))
	list := []any{}
	for i, n := range t.Notes[from:min(from+size, len(t.Notes))] {
		list = append(list, n.show(from+i+1))
	}
	answer(w, http.StatusOK, map[string]any{"conversations": list})
}

// activities are shown newest first, thirty a page, with the address of the next
// (docs: view activities of a ticket).
func (t *Ticket) activities(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.FormValue("start_token"))
	list := []any{}
	for n, a := range slices.Backward(t.Activities) {
		if at := len(t.Activities) - 1 - n; at < from || at >= from+30 {
			continue
		}
		actor := map[string]any{"name": "System"}
		if a.By != Workflow {
			actor = map[string]any{"id": a.By, "name": map[int64]string{Us: "Curfew", Ben: "Ben Example"}[a.By]}
		}
		list = append(list, map[string]any{"actor": actor, "content": "updated ticket", "sub_contents": []string{}, "created_at": a.At})
	}
	out := map[string]any{"activities": list}
	if from+30 < len(t.Activities) {
		out["next_page_url"] = fmt.Sprintf("https://evil.example/api/v2/tickets/%d/activities?start_token=%d", t.ID, from+30)
	}
	answer(w, http.StatusOK, out)
}

// update changes a ticket: 200. What the form demands of a resolved ticket must be
// there (docs: update a ticket).
func (s *Account) update(w http.ResponseWriter, t *Ticket, in map[string]any) {
	if status, ok := in["status"].(float64); ok {
		switch {
		case !slices.Contains([]int{2, 3, 4, 5, 8}, int(status)):
			refuse(w, "status", "It should be one of these values: '2,3,4,5,8'", "invalid_value")
			return
		case status == 4 && s.Demands && in["resolution_notes"] == nil:
			refuse(w, "resolution_notes", "It should not be blank as this is a mandatory field", "missing_field")
			return
		}
		t.Enter(int(status))
	}
	maps.Copy(t.Fields, in)
	t.did(Us)
	answer(w, http.StatusOK, map[string]any{"ticket": t.show("")})
}
