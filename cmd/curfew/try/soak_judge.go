package try

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"curfew/events"
	"curfew/events/journal"
	"curfew/graph/graphtest"
)

// A SoakReport says what came of a soak.
type SoakReport struct {
	Seed    uint64  `json:"seed"` // repeats what goes wrong when
	Seconds float64 `json:"seconds"`
	Rate    int     `json:"rate"` // notifications a second that were asked for

	Offered   int            `json:"offered"`  // notifications, without copies
	Withheld  int            `json:"withheld"` // because too many waited to be taken
	Facts     uint64         `json:"facts"`    // that entered the journal, alarms among them
	PerSecond float64        `json:"facts_per_second"`
	Illnesses int            `json:"illnesses"`
	Faults    map[string]int `json:"faults"`

	Found     int `json:"found"` // illnesses that a user was told of
	Mails     int `json:"mails"`
	Tickets   int `json:"tickets"`
	Incidents int `json:"incidents"`

	Trends  []Trend  `json:"trends"` // of the worker that was never restarted
	Journal []Growth `json:"journal"`
	Wrong   []string `json:"wrong"` // what must not be; none: all is well
}

// A Growth compares what the journal takes with what its settings foretell.
type Growth struct {
	What     string  `json:"what"`
	Unit     string  `json:"unit"`
	Foretold float64 `json:"foretold"` // the most
	Measured float64 `json:"measured"`
	OK       bool    `json:"ok"`
}

// A growth is what the journal took at a time.
type growth struct {
	at, facts, bytes float64
	oldest           time.Duration
}

// observe takes the pulse of the second worker and of the journal every so often.
func (s *soak) observe(ctx context.Context, every time.Duration) {
	for rest(ctx, max(every, 100*time.Millisecond)) {
		s.watch.look(ctx)
		if g, err := s.measure(ctx); err == nil { // the queue may be gone just now
			s.grown = append(s.grown, g)
		}
	}
}

func (s *soak) measure(ctx context.Context) (growth, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	uses, err := s.j.Usage(ctx)
	if err != nil {
		return growth{}, err
	}
	u := uses[slices.IndexFunc(uses, func(u journal.Use) bool { return u.Family == "FACTS" })]
	g := growth{at: time.Since(s.began).Seconds(), facts: float64(u.Messages), bytes: float64(u.Bytes)}
	if !u.Oldest.IsZero() {
		g.oldest = time.Since(u.Oldest)
	}
	return g, nil
}

// judge lets everything come to rest, and compares.
func (s *soak) judge(ctx context.Context) error {
	r := s.report
	r.Seconds, r.Offered = time.Since(s.began).Seconds(), s.offered
	s.say("the load has ended; waiting for everything to come to rest")
	settled, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var left string
	for left = s.unsettled(settled); left != "" && rest(settled, 500*time.Millisecond); left = s.unsettled(settled) {
	}
	if left != "" {
		s.wrong("it does not come to rest: %s", left)
	}
	s.count()
	if r.Withheld > r.Offered/20 {
		s.wrong("notifications are not taken as fast as they come: %d of %d could not be sent", r.Withheld, r.Withheld+r.Offered)
	}
	r.Trends = s.watch.trends()
	for _, t := range r.Trends {
		if !t.OK {
			s.wrong("%s: from %.1f to %.1f %s over %d samples", t.What, t.First, t.Last, t.Unit, t.Samples)
		}
	}
	return s.account(ctx)
}

func (s *soak) wrong(format string, args ...any) {
	s.report.Wrong = append(s.report.Wrong, fmt.Sprintf(format, args...))
}

// unsettled says what has not come to rest, or "".
func (s *soak) unsettled(ctx context.Context) string {
	for i := range soakTenants * soakLaptops {
		t, name := s.laptopOf(i)
		if c, _, err := s.j.Case(ctx, keyOf(t, name)); err != nil || c.State() != "rest" {
			return fmt.Sprintf("the case of %s/%s is %s (%v)", t.Name, name, c.State(), err)
		}
	}
	if n := len(s.world.desk.Open()); n > 0 {
		return fmt.Sprintf("%d tickets are open", n)
	}
	if n := len(s.world.pager.Open()); n > 0 {
		return fmt.Sprintf("%d incidents are open", n)
	}
	uses, err := s.j.Usage(ctx)
	if err != nil {
		return err.Error()
	}
	for _, u := range uses {
		if u.Waiting > 0 || u.Family == "TASKS" && u.Messages > 0 {
			return fmt.Sprintf("%d messages wait in %s", max(u.Waiting, u.Messages), u.Family)
		}
	}
	return ""
}

// count compares what was done with what there was to do: illnesses are found and
// told, and nothing was done twice.
func (s *soak) count() {
	r := s.report
	ill := map[int]int{}
	for _, i := range illnesses(s.o.Seed, s.o.For) {
		ill[i.laptop]++
	}
	for i := range soakTenants * soakLaptops {
		t, name := s.laptopOf(i)
		told := 0
		for _, m := range t.Mails() {
			if slices.Contains(m.To, t.Device(name).User) {
				told++
			}
		}
		if told > 2*ill[i] {
			s.wrong("%s/%s was ill %d times, and its user had %d mails instead of one at the beginning and one at the end", t.Name, name, ill[i], told)
		}
		r.Found += (told + 1) / 2
		if n := s.world.desk.Count(keyOf(t, name).String()); n > ill[i] {
			s.wrong("%s/%s was ill %d times and had %d tickets", t.Name, name, ill[i], n)
		}
	}
	// Some are healed before anybody sees them: who cannot sign in is not asked again
	// for half a minute.
	if r.Found < r.Illnesses/2 && s.o.For > time.Minute || r.Found == 0 {
		s.wrong("only %d of %d illnesses were found", r.Found, r.Illnesses)
	}
	for _, t := range s.clients {
		sent := map[string]int{}
		for _, m := range t.Mails() {
			r.Mails++
			for _, key := range m.Extended { // the task, which the mail bears
				if sent[key]++; sent[key] == 2 {
					s.wrong("a mail of %s was sent twice", key)
				}
			}
		}
	}
	r.Tickets, r.Incidents = len(s.world.desk.Tickets()), len(s.world.pager.Incidents())
	if r.Mails == 0 || r.Tickets == 0 || r.Incidents == 0 && s.o.For > time.Minute {
		s.wrong("%d mails, %d tickets and %d incidents prove nothing", r.Mails, r.Tickets, r.Incidents)
	}
}

// account compares what the journal takes with what its settings foretell.
func (s *soak) account(ctx context.Context) error {
	r := s.report
	uses, err := s.j.Usage(ctx)
	if err != nil {
		return err
	}
	var bytes float64
	for _, u := range uses {
		bytes += float64(u.Bytes)
		switch u.Family {
		case "FACTS":
			r.Facts, r.PerSecond = u.Ever, float64(u.Ever)/r.Seconds
		case "CASES":
			s.foretell("CASES: records", "", float64(u.Subjects*1000), float64(u.Messages))
		case "DEAD":
			s.foretell("DEAD: letters", "", 0, float64(u.Messages))
		}
	}
	if len(s.grown) < 10 {
		return fmt.Errorf("the journal could be measured only %d times", len(s.grown))
	}
	// As many facts came per second as while none was old enough to go.
	age := factsAge.Seconds()
	var ramp growth
	oldest, most, mostBytes := time.Duration(0), 0.0, 0.0
	for _, g := range s.grown {
		if g.at <= age {
			ramp = g
		}
		oldest, most, mostBytes = max(oldest, g.oldest), max(most, g.facts), max(mostBytes, g.bytes)
	}
	kept := min(age, r.Seconds)
	s.foretell("FACTS: age of the oldest", "s", age+30, oldest.Seconds())
	s.foretell("FACTS: messages", "", 1.2*ramp.facts/ramp.at*kept, most)
	// What is seen of a laptop bears the last result of each action it ever had, 120 bytes
	// for a scan and for a sync: a quarter more when all have been ill than at first.
	s.foretell("FACTS: bytes", "MB", 1.2*1.25*ramp.bytes/ramp.at*kept/(1<<20), mostBytes/(1<<20))
	// A file is freed as a whole, when most of it has gone.
	s.foretell("files of the queue", "MB", 2*bytes/(1<<20)+64, float64(diskUsed(s.first.data))/(1<<20))
	return nil
}

func (s *soak) foretell(what, unit string, foretold, measured float64) {
	g := Growth{what, unit, foretold, measured, measured <= foretold}
	s.report.Journal = append(s.report.Journal, g)
	if !g.OK {
		s.wrong("%s: %.1f %s, and at most %.1f were foretold", what, measured, unit, foretold)
	}
}

// laptopOf is the nth laptop of all.
func (s *soaked) laptopOf(n int) (*graphtest.Tenant, string) {
	return s.clients[n%soakTenants], s.names[n%soakTenants](n / soakTenants)
}

func keyOf(t *graphtest.Tenant, name string) events.Key {
	return events.Key{Tenant: t.ID, Device: t.Device(name).EntraID}
}

// Kinds are the kinds of faults that there were, in alphabetical order.
func (r *SoakReport) Kinds() []string { return slices.Sorted(maps.Keys(r.Faults)) }
