package try

import (
	"context"
	"fmt"
	"time"

	"curfew/graph/graphtest"
	"curfew/handlers/page/pagetest"
	"curfew/handlers/ticket/tickettest"
)

// A stage is what a story plays on.
type stage struct {
	*world
	tell  *teller
	story string
}

// A laptop is one device of a story, and what the world knows of it.
type laptop struct {
	graphtest.Device
	t *graphtest.Tenant
	s *stage
}

// laptop enrols one.
func (s *stage) laptop(tenant, name, user string) *laptop {
	return s.join(tenant, name, user, graphtest.EntraJoined)
}

// join enrols one that is joined so.
func (s *stage) join(tenant, name, user string, how graphtest.Join) *laptop {
	t := s.tenants[tenant]
	d := t.AddDevice(graphtest.Device{Name: name, User: user + "@" + t.Domain, Join: how})
	s.tell.belongs(t.ID+"/"+d.EntraID, s.story, tenant+"/"+name)
	return &laptop{d, t, s}
}

// happens says what is done to the world, does it, and lets Graph notify.
func (l *laptop) happens(what string, do func()) {
	l.s.tell.world(l.s.story, l.t.Name+"/"+l.Name, what)
	do()
	l.t.Notify(l.Name)
}

// mails counts what its user was sent.
func (l *laptop) mails() int {
	n := 0
	for _, m := range l.t.Mails() {
		for _, to := range m.To {
			if to == l.User {
				n++
			}
		}
	}
	return n
}

// tickets are those about it.
func (l *laptop) tickets() []tickettest.Ticket {
	var out []tickettest.Ticket
	for _, t := range l.s.desk.Tickets() {
		if t.Device.ID == l.EntraID {
			out = append(out, t)
		}
	}
	return out
}

// incidents are those about it.
func (l *laptop) incidents() []pagetest.Incident {
	var out []pagetest.Incident
	for _, i := range l.s.pager.Incidents() {
		if contains(i.Key, l.EntraID) {
			out = append(out, i)
		}
	}
	return out
}

// resets counts Autopilot Resets that really happened.
func (l *laptop) resets() int { return l.t.Happened(l.Name, graphtest.AutopilotReset) }

// scans counts scans that really happened.
func (l *laptop) scans() int { return l.t.Happened(l.Name, "windowsDefenderScan") }

// wiped reports whether a wipe of any kind was asked for and is over.
func (l *laptop) wiped() bool {
	for _, a := range l.t.Actions(l.Name) {
		if a.Name == "wipe" && a.State == "done" {
			return true
		}
	}
	return false
}

// asked reports whether a ticket asks a person for help in these words.
func (l *laptop) asked(words string) bool {
	for _, t := range l.tickets() {
		for _, e := range t.Events {
			for _, a := range e.Attention {
				if contains(a, words) {
					return true
				}
			}
		}
	}
	return false
}

// wipes counts every wipe that was asked for and is not an Autopilot Reset.
func (l *laptop) wipes() int {
	n := 0
	for _, a := range l.t.Actions(l.Name) {
		if a.Name == "wipe" && a.Kind != graphtest.AutopilotReset {
			n++
		}
	}
	return n
}

// closed reports whether it had tickets and none is open.
func (l *laptop) closed() bool {
	for _, t := range l.tickets() {
		if t.Status != "closed" {
			return false
		}
	}
	return len(l.tickets()) > 0
}

// until waits for something to become true.
func until(ctx context.Context, what string, ok func() bool) error {
	start := time.Now()
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %.0f s in vain for this: %s", time.Since(start).Seconds(), what)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// still watches for a while that something stays true.
func still(ctx context.Context, d time.Duration, what string, ok func() bool) error {
	end := time.After(d)
	for {
		if !ok() {
			return fmt.Errorf("this did not hold: %s", what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// steps runs one after the other until one fails.
func steps(list ...func() error) error {
	for _, step := range list {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// none checks that a count is nought.
func none(what string, got int) error {
	if got != 0 {
		return fmt.Errorf("%s: %d, and there must be none", what, got)
	}
	return nil
}
