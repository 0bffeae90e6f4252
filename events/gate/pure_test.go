package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"curfew/events"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestNeverMoreThanTheLimitInAnyWindow, however tasks ask, come back and give
// their slots back, as long as nobody releases any.
func TestNeverMoreThanTheLimitInAnyWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Count: rapid.IntRange(0, 5).Draw(t, "count"), Window: time.Hour}
		var s slots
		now := noon
		taken := map[string]time.Time{} // calls that were made
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1800).Draw(t, "gap")) * time.Second)
			task := rapid.StringMatching("[a-h]").Draw(t, "task")
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				s.give(task, "")
				delete(taken, task)
				continue
			}
			ok, until := s.take(task, "", l, l.Allowed(0, false), "", now)
			if !ok && (l.Count > 0 && until.After(now.Add(l.Window)) || !until.After(now)) {
				t.Fatalf("it is to ask again at %v, now is %v", until, now)
			}
			if at, had := taken[task]; ok && (!had || !now.Before(at.Add(l.Window))) {
				taken[task] = now
			}
			within := 0
			for _, at := range taken {
				if now.Sub(at) < l.Window {
					within++
				}
			}
			if within > l.Count || len(s.Slots) > l.Count {
				t.Fatalf("%d calls within the window, %d slots, limit %d", within, len(s.Slots), l.Count)
			}
		}
	})
}

func TestWhatATenantOfItsSizeIsAllowed(t *testing.T) {
	reset := DefaultLimits()[BudgetReset]
	for _, tt := range []struct {
		devices int
		known   bool
		want    int
	}{{0, false, 1}, {0, true, 1}, {50, true, 1}, {100, true, 1}, {199, true, 1}, {200, true, 2}, {50_000, true, 2}} {
		if got := reset.Allowed(tt.devices, tt.known); got != tt.want {
			t.Errorf("%d devices (known: %v): %d resets, want %d", tt.devices, tt.known, got, tt.want)
		}
	}
	if got := (Limit{Window: time.Hour}).Allowed(1000, true); got != 0 {
		t.Errorf("a limit of none allows %d", got)
	}
	g := &Guard{}
	if l := g.limit("wipe"); l.Count != 1 {
		t.Errorf("an action that nobody limited may be done %d times", l.Count)
	}
}

// TestReleasedIsOverTheLimit once, and takes a slot like any other.
func TestReleasedIsOverTheLimit(t *testing.T) {
	l := Limit{Count: 1, Window: time.Hour}
	var s slots
	steps := []struct {
		task, by string
		after    time.Duration
		ok       bool
		until    time.Duration
	}{
		{"a", "", 0, true, 0}, {"b", "", 10 * time.Minute, false, time.Hour}, {"b", "kim", 20 * time.Minute, true, 0},
		{"c", "", 61 * time.Minute, false, 80 * time.Minute}, {"b", "", 62 * time.Minute, true, 0}, {"c", "", 81 * time.Minute, true, 0},
	}
	for _, st := range steps {
		ok, until := s.take(st.task, "", l, 1, st.by, noon.Add(st.after))
		if ok != st.ok || !ok && !until.Equal(noon.Add(st.until)) {
			t.Errorf("%s after %v: %v, again at %v", st.task, st.after, ok, until)
		}
	}
}

// TestBurst is the most within any window, whenever that was.
func TestBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var at []time.Time
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			at = append(at, noon.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minute"))*time.Minute))
		}
		want := 0
		for _, from := range at {
			n := 0
			for _, x := range at {
				if !x.Before(from) && x.Sub(from) <= time.Hour {
					n++
				}
			}
			want = max(want, n)
		}
		if got := burst(slices.Clone(at), time.Hour); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

func TestWhatTripsTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		bad, devices           int
		known, trips, doubtful bool
	}{
		{4, 4, true, false, false}, {5, 6, true, true, false}, {5, 50, true, false, false}, {6, 50, true, true, false},
		{100, 1000, true, false, false}, {101, 1000, true, true, false}, {5, 0, false, false, true}, {4, 0, false, false, false},
	} {
		if trips, doubtful := (Breaker{}).trips(tt.bad, tt.devices, tt.known); trips != tt.trips || doubtful != tt.doubtful {
			t.Errorf("%+v: %v, %v", tt, trips, doubtful)
		}
	}
}

// TestPausesTakeTwoToLift where they keep destructive things from happening.
func TestPausesTakeTwoToLift(t *testing.T) {
	for _, tt := range []struct {
		name   string
		action events.Action
		by     []string // who asks to lift what anna has set
		want   error    // of the last
		lifted bool
	}{
		{"who set it, alone", events.Reset, []string{"anna"}, nil, false},
		{"who set it, twice", events.Reset, []string{"anna", "anna"}, ErrSamePerson, false},
		{"in other letters", events.Reset, []string{"anna", "ANNA"}, ErrSamePerson, false},
		{"everything is destructive too", "", []string{"kim", "kim"}, ErrSamePerson, false},
		{"another alone", events.Reset, []string{"kim"}, nil, false},
		{"two", events.Reset, []string{"anna", "kim"}, nil, true},
		{"two others", "", []string{"kim", "lee"}, nil, true},
		{"mails take one", events.Mail, []string{"anna"}, nil, true},
	} {
		var ps pauses
		if err := ps.set(Pause{Tenant: "t1", Action: tt.action, By: "anna", Reason: "x"}); err != nil {
			t.Fatal(err)
		}
		var lifted bool
		var err error
		for _, who := range tt.by {
			_, lifted, err = ps.lift("t1", tt.action, who, noon)
		}
		if !errors.Is(err, tt.want) || lifted != tt.lifted || (len(ps.List) == 0) != lifted {
			t.Errorf("%s: lifted %v, %v, left %v", tt.name, lifted, err, ps.List)
		}
	}
	var ps pauses
	_ = ps.set(Pause{By: "anna", Reason: "x"})
	_, _, _ = ps.lift("", "", "anna", noon)
	_ = ps.set(Pause{By: "lee", Reason: "still going on"})
	if _, lifted, err := ps.lift("", "", "kim", noon); lifted || err != nil {
		t.Error("a wish to lift outlived somebody's saying that it goes on", err)
	}
	if _, _, err := ps.lift("t9", "", "kim", noon); !errors.Is(err, ErrNoPause) {
		t.Error(err)
	}
}

func TestWhatAPauseCovers(t *testing.T) {
	for _, tt := range []struct {
		p      Pause
		tenant string
		action events.Action
		want   bool
	}{
		{Pause{}, "t1", events.Reset, true}, {Pause{}, "t1", events.Mail, true}, {Pause{}, "t1", events.Look, false},
		{Pause{Tenant: "T1"}, "t1", events.Reset, true}, {Pause{Tenant: "t2"}, "t1", events.Reset, false},
		{Pause{Action: events.Scan}, "t1", events.Reset, false}, {Pause{Action: events.Scan}, "t1", events.Scan, true},
		{Pause{Tenant: "t2", Action: events.Scan}, "t1", events.Scan, false},
	} {
		if got := tt.p.Covers(tt.tenant, tt.action); got != tt.want {
			t.Errorf("%+v covers %s in %s: %v", tt.p, tt.action, tt.tenant, got)
		}
	}
}

type always struct {
	yes bool
	err error
}

func (a always) Holds(events.Device) (bool, error) { return a.yes, a.err }
func (a always) String() string                    { return "it is so" }

// TestProtected: what is protected, and that doubt protects.
func TestProtected(t *testing.T) {
	for _, tt := range []struct {
		name   string
		p      Protected
		change func(*events.Case, *events.Task)
		want   string // part of the reason; empty: not protected
	}{
		{"nothing said", Protected{}, nil, ""},
		{"by id", Protected{Devices: []string{"D1"}}, nil, "by its id"},
		{"by Intune's id", Protected{Devices: []string{"intune-1"}}, nil, "by its id"},
		{"another id", Protected{Devices: []string{"d2", ""}}, nil, ""},
		{"by name", Protected{Names: []string{"srv-*", "lt-0?2"}}, nil, "name"},
		{"another name", Protected{Names: []string{"SRV-*"}}, nil, ""},
		{"a name that is not known", Protected{Names: []string{"SRV-*"}}, func(c *events.Case, _ *events.Task) { c.Device.Name = "" }, "not known"},
		{"a pattern that is none", Protected{Names: []string{"["}}, nil, "name"},
		{"a server", Protected{}, func(c *events.Case, _ *events.Task) { c.Device.OS = "Windows Server" }, "server"},
		{"a server that says Windows", Protected{}, func(c *events.Case, _ *events.Task) { c.Device.OSVersion = "10.0.20348.2113" }, "server"},
		{"by user", Protected{Users: []string{"anna@contoso.example"}}, nil, "is protected"},
		{"by a user whom a reset took away", Protected{Users: []string{"anna@contoso.example"}}, func(c *events.Case, _ *events.Task) {
			c.Person.User, c.Device.User, c.Device.UserID = c.Device.User, "", ""
		}, "is protected"},
		{"break glass", Protected{BreakGlass: []string{"U-1"}}, nil, "break-glass"},
		{"an approver", Protected{Approvers: []string{"anna@contoso.example"}}, nil, "may approve"},
		{"who approved this", Protected{}, func(_ *events.Case, t *events.Task) { t.Approvals = []events.Approval{{By: "anna"}} }, "may approve"},
		{"by category", Protected{Categories: []string{"kiosk"}}, func(c *events.Case, _ *events.Task) { c.Device.Category = "Kiosk" }, "category Kiosk"},
		{"of another category", Protected{Categories: []string{"kiosk"}}, func(c *events.Case, _ *events.Task) { c.Device.Category = "Office" }, ""},
		{"of no category that is known", Protected{Categories: []string{"kiosk"}}, func(c *events.Case, _ *events.Task) { c.Device.IntuneID = "" }, "not known"},
		{"by tag", Protected{Tags: []string{"no-touch"}}, func(c *events.Case, _ *events.Task) { c.Device.Tags = []string{"lab", "No-Touch"} }, "tag No-Touch"},
		{"with another tag", Protected{Tags: []string{"no-touch"}}, func(c *events.Case, _ *events.Task) { c.Device.Tags = []string{"lab"} }, ""},
		{"tags not read", Protected{Tags: []string{"no-touch"}}, func(c *events.Case, _ *events.Task) { c.Device.Missing = []string{"Defender's tags: 403"} }, "could not be read"},
		{"by group", Protected{Groups: []string{"board", "vips"}}, func(c *events.Case, _ *events.Task) { c.Device.Groups = []string{"g1", "VIPs"} }, "protected group VIPs"},
		{"in other groups", Protected{Groups: []string{"vips"}}, func(c *events.Case, _ *events.Task) { c.Device.Groups = []string{"g1", "Staff"} }, ""},
		{"groups not read", Protected{Groups: []string{"vips"}}, nil, "could not be read"},
		{"groups not read to the end", Protected{Groups: []string{"vips"}}, func(c *events.Case, _ *events.Task) {
			c.Device.Groups, c.Device.Missing = []string{"Staff"}, []string{"groups: there are more than 500"}
		}, "could not be read"},
		{"condition", Protected{When: always{yes: true}}, nil, "it is so"},
		{"condition that does not hold", Protected{When: always{}}, nil, ""},
		{"condition without a clear answer", Protected{When: always{err: errors.New("owner is new")}}, nil, "no clear answer: owner is new"},
	} {
		c := events.Case{Key: events.Key{Tenant: "t1", Device: "d1"}}
		c.Device = events.Device{Key: c.Key, Name: "LT-042", IntuneID: "intune-1", OS: "Windows", OSVersion: "10.0.22631.1", User: "anna@contoso.example", UserID: "u-1"}
		var task events.Task
		if tt.change != nil {
			tt.change(&c, &task)
		}
		if got := tt.p.Why(c, task); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAskAgain: a task that is held for long asks ever more rarely, or its case
// would be nothing but that.
func TestAskAgain(t *testing.T) {
	asked, now := 0, noon
	task := events.Task{Held: &events.Holding{Gate: GatePause, Since: noon}}
	for ; now.Before(noon.Add(30 * 24 * time.Hour)); asked++ {
		now = again(task, GatePause, now)
	}
	if asked > 140 || again(task, GateBreaker, now).Sub(now) != 10*time.Minute {
		t.Errorf("it asked %d times in a month", asked)
	}
}

// TestPreflight: refusals, then holds, and unknown as the policy has it.
func TestPreflight(t *testing.T) {
	p := Preflight{Unknown: map[string]Treatment{"escrow": Allow, "joined": Refuse}}
	for _, tt := range []struct {
		name          string
		reasons       []Reason
		released      bool
		refused, held string
	}{
		{"all well", []Reason{{Check: "seen", Answer: Yes}, {Check: "joined", Answer: Yes}}, false, "", ""},
		{"final no", []Reason{{Check: "joined", Answer: No, Why: "hybrid", Final: true}, {Check: "seen", Answer: No, Why: "old"}}, true, "joined: hybrid", ""},
		{"no", []Reason{{Check: "seen", Answer: No, Why: "3 days ago"}}, false, "", "seen: 3 days ago"},
		{"a no is not released", []Reason{{Check: "seen", Answer: No, Why: "3 days ago"}}, true, "", "seen: 3 days ago"},
		{"unknown", []Reason{{Check: "seen", Answer: Unknown, Why: "no answer"}}, false, "", "seen: no answer (not known)"},
		{"unknown, released", []Reason{{Check: "seen", Answer: Unknown}}, true, "", ""},
		{"unknown, allowed", []Reason{{Check: "escrow", Answer: Unknown}}, false, "", ""},
		{"unknown, refused", []Reason{{Check: "joined", Answer: Unknown, Why: "no record"}}, true, "joined: no record", ""},
		{"an answer that is none", []Reason{{Check: "seen", Answer: "maybe", Why: "?"}}, false, "", "seen: ? (not known)"},
		{"nothing checked", nil, false, "", "nothing was checked"},
	} {
		v := p.decide(tt.reasons, tt.released)
		if v.refused != tt.refused || v.held != tt.held {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
}
