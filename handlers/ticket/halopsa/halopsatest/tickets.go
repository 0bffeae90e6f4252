package halopsatest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stamp is a time as Halo writes it: UTC, without a zone. None is the last day of
// 1899 but one.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "1899-12-30T00:00:00"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000")
}

func (t *Ticket) show(details bool) map[string]any {
	out := map[string]any{
		"id": t.ID, "summary": t.Summary, "status_id": t.Status, "client_id": t.Client, "tickettype_id": t.Type,
		"agent_id": cmp.Or(t.Agent, Nobody), "dateoccurred": stamp(t.Created), "dateclosed": stamp(t.Closed),
	}
	if details {
		out["details_html"], out["details"] = t.Details, ""
	}
	return out
}

// search lists tickets, newest first if it is asked so. The filter finds a part of
// the summary. Pages are only made for pageinate; else all comes at once (HaloAPI:
// Get-HaloTicket).
func (s *Instance) search(w http.ResponseWriter, r *http.Request) {
	part := strings.ToLower(r.FormValue("search_summary"))
	found := []any{}
	for _, t := range s.tickets {
		if !t.Gone && strings.Contains(strings.ToLower(t.Summary), part) && time.Since(t.Created) >= s.Lag {
			found = append(found, t.show(false))
		}
	}
	if r.FormValue("orderdesc") == "true" {
		slices.Reverse(found)
	}
	out := map[string]any{"record_count": len(found), "tickets": found}
	if r.FormValue("pageinate") == "true" {
		size, _ := strconv.Atoi(r.FormValue("page_size"))
		page, _ := strconv.Atoi(r.FormValue("page_no"))
		from := min(max(0, page-1)*size, len(found))
		out["tickets"] = found[from:min(from+size, len(found))]
	}
	answer(w, http.StatusOK, out)
}

// first reads a list of one: an object that is not in a list is refused (CIPP,
// HaloAPI: New-HaloTicket).
func first(w http.ResponseWriter, r *http.Request, into any) bool {
	var all []json.RawMessage
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&all)
	if err == nil && len(all) == 1 {
		err = json.Unmarshal(all[0], into)
	}
	if err != nil || len(all) != 1 {
		refuse(w, http.StatusBadRequest, "a list of one object is expected")
		return false
	}
	return true
}

// write makes a ticket, or changes the one with the id. Both are answered with an
// object, of a list of one too: 201 (CIPP).
func (s *Instance) write(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID       int              `json:"id"`
		Summary  string           `json:"summary"`
		Details  string           `json:"details_html"`
		Client   int              `json:"client_id"`
		Site     int              `json:"site_id"`
		Type     int              `json:"tickettype_id"`
		Priority int              `json:"priority_id"`
		Status   int              `json:"status_id"`
		User     int              `json:"user_id"`
		Team     string           `json:"team"`
		Lookup   struct{ ID int } `json:"userlookup"`
		Fields   []struct {
			Name  string
			Value any
		} `json:"customfields"`
		NoTemplate bool `json:"donotapplytemplateintheapi"`
		NoChecks   bool `json:"_novalidate"`
	}
	if !first(w, r, &in) {
		return
	}
	if in.ID != 0 {
		s.enter(w, in.ID, in.Status)
		return
	}
	if in.Summary == "" || !in.NoChecks {
		refuse(w, http.StatusBadRequest, "a field that this ticket type requires is missing") // CIPP: _novalidate
		return
	}
	if !slices.Contains(s.Clients, in.Client) {
		in.Client = 1 // the default client, which is nobody's (CIPP)
	}
	if !in.NoTemplate {
		in.Details = "<p>as the template says</p>"
	}
	t := &Ticket{Summary: in.Summary, Details: in.Details, Client: in.Client, Type: in.Type, Priority: in.Priority, Status: 1, Team: in.Team, User: cmp.Or(in.User, in.Lookup.ID), Custom: map[string]any{}}
	for _, f := range in.Fields {
		t.Custom[f.Name] = f.Value
	}
	shown := s.insert(t, Us, "Curfew").show(true)
	if s.Lists {
		answer(w, http.StatusCreated, []any{shown})
		return
	}
	answer(w, http.StatusCreated, shown)
}

// enter sets a status. A closure may ask for fields (HaloAPI: Set-HaloTicket).
func (s *Instance) enter(w http.ResponseWriter, id, status int) {
	t := s.byID(strconv.Itoa(id))
	switch {
	case t == nil:
		refuse(w, http.StatusNotFound, "not found")
	case !slices.Contains([]int{1, 2, 3, 8, 9}, status):
		refuse(w, http.StatusBadRequest, "this status is not allowed")
	case status == 9 && s.Strict:
		refuse(w, http.StatusBadRequest, "Please complete the field: Closure reason")
	default:
		t.Enter(status)
		s.act(t, Action{Agent: Us, App: "Curfew", Hidden: true})
		answer(w, http.StatusCreated, t.show(true))
	}
}

// list shows the last actions of a ticket, newest first, without their HTML unless
// that is asked for (HaloAPI: Get-HaloAction).
func (s *Instance) list(w http.ResponseWriter, r *http.Request) {
	t := s.byID(r.FormValue("ticket_id"))
	if t == nil {
		refuse(w, http.StatusNotFound, "not found")
		return
	}
	count, _ := strconv.Atoi(r.FormValue("count"))
	out := []any{}
	for _, a := range slices.Backward(t.Actions) {
		if count--; count < 0 {
			break
		}
		shown := map[string]any{"id": a.ID, "ticket_id": t.ID, "who": a.Who, "who_agentid": a.Agent, "who_type": a.Type, "actionby_application_id": a.App, "datetime": stamp(a.At), "hiddenfromuser": a.Hidden, "note": ""}
		if r.FormValue("includehtmlnote") == "true" {
			shown["note_html"] = a.HTML
		}
		out = append(out, shown)
	}
	answer(w, http.StatusOK, map[string]any{"record_count": len(t.Actions), "actions": out})
}

// say adds an action, which must have an outcome that the agent may use (CIPP: "An
// Outcome must be entered for this Action"). Nothing is hidden unless it says so.
func (s *Instance) say(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Ticket  int    `json:"ticket_id"`
		Outcome int    `json:"outcome_id"`
		HTML    string `json:"note_html"`
		Hidden  bool   `json:"hiddenfromuser"`
	}
	if !first(w, r, &in) {
		return
	}
	t := s.byID(strconv.Itoa(in.Ticket))
	switch {
	case t == nil:
		refuse(w, http.StatusBadRequest, "there is no such ticket")
	case in.Outcome != 7:
		refuse(w, http.StatusBadRequest, "An Outcome must be entered for this Action")
	default:
		a := s.act(t, Action{Agent: Us, App: "Curfew", HTML: in.HTML, Hidden: in.Hidden})
		answer(w, http.StatusCreated, map[string]any{"id": a.ID, "ticket_id": t.ID})
	}
}
