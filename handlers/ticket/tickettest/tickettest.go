// Package tickettest is a help desk that keeps the rules which package ticket
// asks of a receiver, and verbs to see its tickets. It is a handler; package fake
// serves it.
package tickettest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"curfew/handlers/ticket"
)

// A Desk is a help desk. Give it its Secret; it must not be copied once used.
type Desk struct {
	Secret string // that requests are signed with
	Token  string // the Authorization header that it wants; empty: none

	mu      sync.Mutex
	tickets []Ticket
	answers map[string][]byte // by idempotency key: the answer that was given first
}

// A Ticket is what an agent of the desk sees.
type Ticket struct {
	ID       string // "T-1", "T-2" …
	Case     string
	Status   string // open or closed
	Summary  string
	Severity string
	Device   ticket.Device
	Events   []ticket.Event // each once, in order
}

// Tickets are all there ever were, oldest first.
func (d *Desk) Tickets() []Ticket {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tickets)
}

// Open are the tickets that are not closed.
func (d *Desk) Open() []Ticket {
	return slices.DeleteFunc(d.Tickets(), func(t Ticket) bool { return t.Status == "closed" })
}

// Count says how many tickets a case has had.
func (d *Desk) Count(id string) int {
	return len(slices.DeleteFunc(d.Tickets(), func(t Ticket) bool { return t.Case != id }))
}

// ServeHTTP takes an event.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the body cannot be read or is larger than 1 MiB")
		return
	}
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, "only POST")
		return
	}
	if d.Token != "" && r.Header.Get("Authorization") != d.Token {
		refuse(w, http.StatusUnauthorized, "wrong or no Authorization")
		return
	}
	if err := ticket.Verify(d.Secret, r.Header.Get(ticket.SignatureHeader), body, time.Now()); err != nil {
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 200 {
		refuse(w, http.StatusBadRequest, "Idempotency-Key is missing or too long")
		return
	}
	var e ticket.Event
	if err := json.Unmarshal(body, &e); err != nil || e.Version != 1 || e.Case == "" || e.Summary == "" || strings.ContainsAny(e.Summary, "\r\n") {
		refuse(w, http.StatusUnprocessableEntity, "the body is not an event of version 1")
		return
	}
	answer, err := d.take(key, e)
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	w.Write(answer)
}

// take does what the event says, once for each key, and answers the same each
// time.
func (d *Desk) take(key string, e ticket.Event) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a, ok := d.answers[key]; ok {
		return a, nil
	}
	i := slices.IndexFunc(d.tickets, func(t Ticket) bool { return e.Ref != "" && t.ID == e.Ref })
	switch e.Kind {
	case "opened":
		i = len(d.tickets)
		d.tickets = append(d.tickets, Ticket{ID: fmt.Sprintf("T-%d", i+1), Case: e.Case, Status: "open"})
	case "updated":
		if i >= 0 {
			d.tickets[i].Status = "open"
		}
	case "closed":
		if i >= 0 {
			d.tickets[i].Status = "closed"
		}
	default:
		return nil, fmt.Errorf("there is no event %q", e.Kind)
	}
	answer := []byte("{}") // of a ticket that is not there any more
	if i >= 0 {
		t := &d.tickets[i]
		t.Summary, t.Severity, t.Device, t.Events = e.Summary, e.Severity, e.Device, append(t.Events, e)
		answer, _ = json.Marshal(map[string]string{"id": t.ID, "url": "https://desk.example/tickets/" + t.ID}) // strings always marshal
	}
	if d.answers == nil {
		d.answers = map[string][]byte{}
	}
	d.answers[key] = answer
	return answer, nil
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": why})
}
