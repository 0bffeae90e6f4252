package zendesktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// list shows the tickets with an external id, oldest first, by pages with a
// cursor (docs: list tickets; pagination).
func (s *Account) list(w http.ResponseWriter, r *http.Request) {
	found := []any{}
	for _, t := range s.tickets {
		if !t.Gone && time.Since(t.Created) >= s.Lag && (r.FormValue("external_id") == "" || t.ExternalID == r.FormValue("external_id")) {
			found = append(found, t.show())
		}
	}
	out := map[string]any{}
	if page, m, ok := cursor(w, r, found); ok {
		out["tickets"], out["meta"] = page, m
		answer(w, http.StatusOK, out)
	}
}

// cursor is the page that was asked for: 100 at most (docs: pagination).
func cursor(w http.ResponseWriter, r *http.Request, all []any) (page []any, meta map[string]any, ok bool) {
	size, err := strconv.Atoi(r.FormValue("page[size]"))
	from, bad := 0, error(nil)
	if after := r.FormValue("page[after]"); after != "" {
		from, bad = strconv.Atoi(strings.TrimPrefix(after, "c"))
	}
	if err != nil || size < 1 || size > 100 || bad != nil || from > len(all) {
		refuse(w, http.StatusBadRequest, "InvalidPaginationParameter", "page[size] must be 1 to 100", nil)
		return nil, nil, false
	}
	to := min(from+size, len(all))
	return all[from:to], map[string]any{"has_more": to < len(all), "after_cursor": fmt.Sprintf("c%d", to)}, true
}

func (t *Ticket) show() map[string]any {
	out := map[string]any{"id": t.ID, "external_id": t.ExternalID, "status": t.Status, "subject": t.Subject, "created_at": t.Created, "assignee_id": nil}
	if t.Assignee != 0 {
		out["assignee_id"] = t.Assignee
	}
	return out
}

// create makes a ticket: 201. Under an idempotency key that it has seen within two
// hours it shows the first answer again, or refuses another request; the key is
// kept for requests that made something (docs: idempotency).
func (s *Account) create(w http.ResponseWriter, r *http.Request, in map[string]any) {
	request, _ := json.Marshal(in)
	key := r.Header.Get("Idempotency-Key")
	if first, ok := s.made[key]; ok && time.Now().Before(first.until) {
		if first.request != string(request) {
			refuse(w, http.StatusBadRequest, "IdempotentRequestError", "Request parameters don't match the given idempotency key", nil)
			return
		}
		w.Header().Set("X-Idempotency-Lookup", "hit")
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, first.body)
		return
	}
	if len(key) > 255 {
		refuse(w, http.StatusBadRequest, "IdempotentRequestError", "Idempotency key is too long", nil)
		return
	}
	body, _ := in["ticket"].(map[string]any)
	t := &Ticket{Status: "new", Fields: maps.Clone(body)}
	t.ExternalID, _ = body["external_id"].(string)
	t.Subject, _ = body["subject"].(string)
	c := comment(body)
	source, follows := body["via_followup_source_id"].(string)
	switch p := fmt.Sprint(body["priority"]); {
	case c == nil:
		invalid(w, "base", "Description: cannot be blank")
		return
	case body["priority"] != nil && !slices.Contains([]string{"urgent", "high", "normal", "low"}, p):
		invalid(w, "priority", "Priority: "+p+" is invalid")
		return
	case follows && (s.byID(source) == nil || s.byID(source).Status != "closed"): // docs: create a follow-up ticket
		invalid(w, "via_followup_source_id", "Via followup source: is not closed")
		return
	}
	s.add(t, Audit{By: Us, Comment: c, Status: "new"})
	var b bytes.Buffer
	json.NewEncoder(&b).Encode(map[string]any{"ticket": t.show()})
	if key != "" {
		if s.made == nil {
			s.made = map[string]answered{}
		}
		s.made[key] = answered{time.Now().Add(2 * time.Hour), string(request), b.String()}
		w.Header().Set("X-Idempotency-Lookup", "miss")
	}
	w.Header().Set("Location", "https://account.example/api/v2/tickets/"+strconv.FormatInt(t.ID, 10))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	io.Copy(w, &b)
}

// comment is the one of a request. It is public unless it says otherwise, and the
// plain form takes Markdown (docs: ticket comments), of which links are enough
// here.
func comment(body map[string]any) *Comment {
	in, ok := body["comment"].(map[string]any)
	if !ok {
		return nil
	}
	c := &Comment{Public: in["public"] != false}
	if c.HTML, ok = in["html_body"].(string); !ok {
		text, _ := in["body"].(string)
		c.HTML = "<p>" + strings.ReplaceAll(html.EscapeString(text), "[", "<a>[") + "</p>"
	}
	if c.HTML == "" {
		return nil
	}
	return c
}

// one serves what is below a ticket.
func (s *Account) one(w http.ResponseWriter, r *http.Request, t *Ticket, what string, in map[string]any) {
	switch r.Method + " " + what {
	case "GET ":
		out := map[string]any{"ticket": t.show()}
		if r.FormValue("include") == "users" && t.Assignee != 0 { // docs: side-loading
			out["users"] = []any{person(t.Assignee)}
		}
		answer(w, http.StatusOK, out)
	case "GET audits":
		list := []any{}
		for n, a := range t.Audits {
			list = append(list, a.show(n))
		}
		if page, m, ok := cursor(w, r, list); ok {
			out := map[string]any{"audits": page, "meta": m}
			if r.FormValue("include") == "users" {
				out["users"] = []any{person(Us), person(Ben)}
			}
			answer(w, http.StatusOK, out)
		}
	case "PUT ":
		body, _ := in["ticket"].(map[string]any)
		s.update(w, t, body)
	default:
		refuse(w, http.StatusNotFound, "InvalidEndpoint", "Not found", nil)
	}
}

// show is an audit with its events (docs: ticket audit events reference).
func (a Audit) show(n int) map[string]any {
	list := []any{}
	if a.Comment != nil {
		list = append(list, map[string]any{"type": "Comment", "public": a.Comment.Public, "html_body": a.Comment.HTML, "body": "in Markdown"})
	}
	if a.Status != "" {
		kind := "Change"
		if n == 0 {
			kind = "Create"
		}
		list = append(list, map[string]any{"type": kind, "field_name": "status", "value": a.Status}, map[string]any{"type": kind, "field_name": "tags", "value": []string{"curfew"}})
	}
	return map[string]any{"id": n + 1, "author_id": a.By, "created_at": a.At, "events": list, "via": map[string]any{"channel": "api"}}
}

// update changes a ticket: 200. What is closed stays as it is; nothing becomes new
// again; a ticket is solved only with an assignee and the fields that are required
// then (support docs: about system ticket rules). A user may make 30 updates of a
// ticket in ten minutes (docs: rate limits).
func (s *Account) update(w http.ResponseWriter, t *Ticket, in map[string]any) {
	t.updates = slices.DeleteFunc(t.updates, func(at time.Time) bool { return time.Since(at) >= 10*time.Minute })
	if len(t.updates) >= 30 {
		w.Header().Set("Retry-After", strconv.Itoa(int((10*time.Minute-time.Since(t.updates[0])).Seconds())+1))
		refuse(w, http.StatusTooManyRequests, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded", nil)
		return
	}
	status, _ := in["status"].(string)
	assignee := t.Assignee
	if value, ok := in["assignee_id"]; ok {
		id, _ := value.(float64)
		assignee = int64(id)
	}
	c := comment(in)
	switch {
	case t.Status == "closed":
		invalid(w, "status", "Status: closed prevents ticket update")
		return
	case status != "" && !slices.Contains([]string{"open", "pending", "hold", "solved"}, status):
		invalid(w, "status", "Status: "+status+" is not valid")
		return
	case assignee == Us && s.Outsider:
		invalid(w, "assignee", "Assignee: is not a member of the group")
		return
	case status == "solved" && assignee == 0:
		invalid(w, "base", "Assignee: is required when solving a ticket")
		return
	case status == "solved" && s.Demands:
		invalid(w, "base", "Type: is required when solving a ticket")
		return
	}
	t.updates = append(t.updates, time.Now())
	a := Audit{By: Us, At: now(), Comment: c}
	if t.Assignee = assignee; status != "" && status != t.Status {
		t.Status, a.Status = status, status
	}
	t.Audits = append(t.Audits, a)
	answer(w, http.StatusOK, map[string]any{"ticket": t.show()})
}
