package rules

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

var (
	contoso  = "6f2b1c9e-0a4d-4f7b-9c55-2f6f0f1a7d10"
	fabrikam = "0c4f8a52-7d0e-4c6d-8a8e-3b1f5f0f9e21"
	names    = Known{
		Tenants:      map[string]string{"contoso": contoso, "fabrikam": fabrikam},
		Destinations: map[string]events.Action{"desk": events.Ticket, "oncall": events.Page},
		Templates:    []string{"found", "cleared", "attention"},
	}
	mail   = Order{Action: events.Mail, Template: "found"}
	ticket = Order{Action: events.Ticket, Destination: "desk"}
	reset  = Order{Action: events.Reset}
)

func hours(n int) Duration { return Duration(time.Duration(n) * time.Hour) }

// sound is a policy with nothing wrong.
func sound() Policy {
	return Policy{
		Name:  "threat",
		When:  `device.os == "Windows" && (device.threat >= medium || device.malware.exists(m, m.active))`,
		Grace: hours(24),
		Ladder: []Rung{
			{Do: []Order{mail}},
			{After: hours(2), Do: []Order{ticket, {Action: events.Scan}}},
			{After: hours(4), If: "device.threat >= high", Do: []Order{{Action: events.Page, Destination: "oncall"}}},
			{After: hours(24), WaitsInvestigation: true, Do: []Order{reset}},
		},
	}
}

func TestSoundRules(t *testing.T) {
	second := sound()
	second.Name, second.Tenants, second.When = "bitlocker", []string{"fabrikam"}, `device.compliance == "noncompliant"`
	second.Ladder, second.Closing, second.Grace = []Rung{{Do: []Order{ticket}}}, []Order{}, 0
	got, problems := Rules{Attention: []Order{ticket}, Policies: []Policy{sound(), second}}.Compile(names)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.Relook != time.Hour || len(got.Version) != 12 || len(got.Attention) != 1 {
		t.Errorf("got %+v", got)
	}
	p := got.List[0]
	if p.Grace != 24*time.Hour || p.ClearFor != 30*time.Minute || p.ReopenWithin != 7*24*time.Hour || p.InvestigationCap != 4*time.Hour {
		t.Errorf("got %+v", p)
	}
	if diff := cmp.Diff(p.About, []events.Signal{events.ThreatState, events.MalwareLeft}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(got.List[1].About, []events.Signal{events.Compliance}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p.Closing, []events.Order{{Action: events.Mail, Template: "cleared"}}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p.Ladder[1].Do, []events.Order{events.Order(ticket), {Action: events.Scan, Kind: "quick"}}); diff != "" {
		t.Error(diff)
	}
	if p.Ladder[0].If != nil || p.Ladder[2].If == nil || !p.Ladder[3].WaitsInvestigation || p.Ladder[3].After != 24*time.Hour {
		t.Errorf("got %+v", p.Ladder)
	}
	if len(got.List[1].Closing) != 0 {
		t.Error("a policy that mails nobody tells them that all is well")
	}
}

func TestTenantsOfAPolicy(t *testing.T) {
	for _, named := range []string{"contoso", contoso, strings.ToUpper(contoso)} {
		p := sound()
		p.Tenants = []string{named}
		got, problems := Rules{Policies: []Policy{p}}.Compile(names)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		d := with(func(d *events.Device) { d.Threat = "highSeverity" })
		for tenant, want := range map[string]bool{contoso: true, fabrikam: false} {
			d.Tenant = tenant
			if ok, err := got.List[0].When.Holds(d); ok != want || err != nil {
				t.Errorf("%s in %s: %v, %v", named, tenant, ok, err)
			}
			if Applies(got.List[0], tenant) != want {
				t.Errorf("%s applies to %s: not %v", named, tenant, want)
			}
		}
		d.Tenant, d.Threat = fabrikam, "strange"
		if ok, err := got.List[0].When.Holds(d); ok || err != nil {
			t.Errorf("another tenant's device is unclear: %v", err)
		}
		if !Reads(got.List[0], "malware") || Reads(got.List[0], "groups") {
			t.Error("what it reads is lost")
		}
	}
}

func TestProblems(t *testing.T) {
	edit := func(change func(*Policy)) Rules {
		p := sound()
		change(&p)
		return Rules{Policies: []Policy{p}}
	}
	rung := func(i int, change func(*Rung)) Rules {
		return edit(func(p *Policy) { change(&p.Ladder[i]) })
	}
	after := func(change func(*Policy)) Rules {
		p := sound()
		p.Name = "second"
		change(&p)
		return Rules{Policies: []Policy{sound(), p}}
	}
	zero := Duration(0)
	for _, tt := range []struct {
		name  string
		rules Rules
		path  string
		want  string // part of the text; "warning: " before a warning's
	}{
		{"no name", edit(func(p *Policy) { p.Name = "" }), "/policies/0/name", "no name"},
		{"name twice", after(func(p *Policy) {
			p.Name, p.When, p.Ladder[2].If = "threat", `device.os == "Windows" && device.threat == low`, ""
		}), "/policies/1/name", "two policies are named threat"},
		{"approval by many", rung(3, func(r *Rung) { r.Approval = "tow" }), "/policies/0/ladder/3/approval", "did you mean two?"},
		{"approval of a mail", rung(0, func(r *Rung) { r.Approval = "one" }), "/policies/0/ladder/0/approval", "nothing on this rung is destructive"},
		{"unknown tenant", edit(func(p *Policy) { p.Tenants = []string{"contosso"} }), "/policies/0/tenants/0", "did you mean contoso?"},
		{"tenant twice", edit(func(p *Policy) { p.Tenants = []string{"contoso", contoso} }), "/policies/0/tenants/1", "warning: tenant " + contoso + " is named twice"},
		{"broken condition", edit(func(p *Policy) { p.When = "device.thraet > low" }), "/policies/0/when", "did you mean threat?"},
		{"broken if", rung(2, func(r *Rung) { r.If = "devce.os" }), "/policies/0/ladder/2/if", "did you mean device?"},
		{"never at risk", edit(func(p *Policy) { p.When = "device.threat > high && device.threat < high" }), "/policies/0/when", "matches no device"},
		{"no ladder", edit(func(p *Policy) { p.Ladder, p.Grace = nil, 0 }), "/policies/0/ladder", "no rungs"},
		{"empty rung", rung(1, func(r *Rung) { r.Do = nil }), "/policies/0/ladder/1/do", "does nothing"},
		{"negative", rung(1, func(r *Rung) { r.After = -1 }), "/policies/0/ladder/1/after", "negative"},
		{"never climbed", rung(2, func(r *Rung) { r.If = "1 > 2" }), "/policies/0/ladder/2/if", "never holds"},
		{"never climbed either", rung(2, func(r *Rung) { r.If = "high < low" }), "/policies/0/ladder/2/if", "never holds"},
		{"always fails", rung(2, func(r *Rung) { r.If = "1 / 0 == 1" }), "/policies/0/ladder/2/if", "never holds"},
		{"against when", rung(2, func(r *Rung) { r.If = `device.os == "macOS"` }), "/policies/0/ladder/2/if", "no device that the policy is about"},
		{"always climbed", rung(2, func(r *Rung) { r.If = "true" }), "/policies/0/ladder/2/if", "warning: this always holds"},
		{"no notice", rung(0, func(r *Rung) { r.Do = []Order{{Action: events.Page, Destination: "oncall"}} }), "/policies/0/ladder/3", "nobody is told"},
		{"notice perhaps", rung(0, func(r *Rung) { r.If = "device.threat > low" }), "/policies/0/ladder/3", "may not have been told"},
		{"notice on the same rung", edit(func(p *Policy) {
			p.Ladder = []Rung{{WaitsInvestigation: true, Do: []Order{mail, reset}}}
		}), "/policies/0/ladder/0", "nobody is told"},
		{"no grace", edit(func(p *Policy) { p.Grace = 0 }), "/policies/0/grace", "needs a grace"},
		{"grace for nothing", rung(3, func(r *Rung) { r.Do = []Order{mail} }), "/policies/0/grace", "warning: "},
		{"reset for compliance", edit(func(p *Policy) { p.When = `device.os == "Windows" && device.compliance == "noncompliant"` }), "/policies/0/when", "only threats may reach a reset"},
		{"reset for either", edit(func(p *Policy) {
			p.When = `device.os == "Windows" && (device.threat >= medium || device.compliance == "noncompliant")`
		}), "/policies/0/when", "only threats may reach a reset"},
		{"reset without threat, by negation", edit(func(p *Policy) { p.When = `device.os == "Windows" && device.threat < high`; p.Ladder[2].If = "" }), "/policies/0/when", "only threats may reach a reset"},
		{"reset by an empty list", edit(func(p *Policy) { p.When = `device.os == "Windows" && device.alerts.all(a, a.severity > low)` }), "/policies/0/when", "only threats may reach a reset"},
		{"reset for what is over", edit(func(p *Policy) {
			p.When = `device.os == "Windows" && device.alerts.exists(a, a.severity >= high)`
			p.Ladder[2].If = ""
		}), "/policies/0/when", "warning: this still holds when every alert is resolved"},
		{"reset of phones", edit(func(p *Policy) { p.When = "device.threat >= medium"; p.Ladder[1].Do = []Order{ticket} }), "/policies/0/ladder/3", "warning: reset works on Windows only"},
		{"impatient reset", rung(3, func(r *Rung) { r.WaitsInvestigation = false }), "/policies/0/ladder/3", "warning: this reset does not wait"},
		{"waits for nothing", edit(func(p *Policy) { p.InvestigationCap = &zero }), "/policies/0/wait_for_investigation", "no longer than 0"},
		{"cap for nothing", edit(func(p *Policy) {
			d := hours(1)
			p.InvestigationCap, p.Ladder, p.Grace = &d, p.Ladder[:2], 0
		}), "/policies/0/wait_for_investigation", "warning: no rung"},
		{"unknown action", rung(1, func(r *Rung) { r.Do = []Order{{Action: "tiket"}} }), "/policies/0/ladder/1/do/0", "did you mean ticket?"},
		{"no action", rung(1, func(r *Rung) { r.Do = []Order{{}} }), "/policies/0/ladder/1/do/0", "names no action"},
		{"action of its own", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Close}} }), "/policies/0/ladder/1/do/0", "by itself"},
		{"twice", rung(1, func(r *Rung) { r.Do = []Order{ticket, ticket} }), "/policies/0/ladder/1/do/1", "same as entry 1"},
		{"ticket to nobody", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Ticket}} }), "/policies/0/ladder/1/do/0/ticket", "there are: desk"},
		{"ticket to the pager", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Ticket, Destination: "oncall"}} }), "/policies/0/ladder/1/do/0/ticket/destination", "takes a page, not a ticket; there are: desk"},
		{"ticket elsewhere", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Ticket, Destination: "deks"}} }), "/policies/0/ladder/1/do/0/ticket/destination", "did you mean desk?"},
		{"mail to a desk", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Mail, Destination: "desk"}} }), "/policies/0/ladder/1/do/0/mail/destination", "takes no destination"},
		{"unknown template", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Mail, Template: "fund"}} }), "/policies/0/ladder/1/do/0/mail/template", "did you mean found?"},
		{"strange scan", rung(1, func(r *Rung) { r.Do = []Order{{Action: events.Scan, Kind: "deep"}} }), "/policies/0/ladder/1/do/0/scan/kind", "quick or full"},
		{"reset in attention", Rules{Attention: []Order{reset}, Policies: []Policy{sound()}}, "/attention/0", "not possible in attention"},
		{"scan at closing", edit(func(p *Policy) { p.Closing = []Order{{Action: events.Scan}} }), "/policies/0/closing/0", "not possible in closing"},
		{"same when", after(func(p *Policy) {}), "/policies/1/when", "threat above matches whatever this one does"},
		{"same when, for a tenant", after(func(p *Policy) { p.Tenants = []string{"contoso"} }), "/policies/1/when", "can never match"},
		{"narrower when", after(func(p *Policy) { p.When = `device.os == "Windows" && device.threat == high`; p.Ladder[2].If = "" }), "/policies/1/when", "can never match"},
		{"after everything", Rules{Policies: []Policy{
			{Name: "all", When: "true", Ladder: []Rung{{Do: []Order{ticket}}}},
			{Name: "more", When: `device.compliance == "noncompliant"`, Ladder: []Rung{{Do: []Order{ticket}}}},
		}}, "/policies/1/when", "all above matches whatever this one does"},
		{"between two", Rules{Policies: []Policy{
			{Name: "a", When: "device.threat >= high", Ladder: []Rung{{Do: []Order{ticket}}}},
			{Name: "b", When: "device.threat < high", Ladder: []Rung{{Do: []Order{ticket}}}},
			{Name: "c", When: "device.threat in [low, medium, high]", Ladder: []Rung{{Do: []Order{ticket}}}},
		}}, "/policies/2/when", "a or b above"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := tt.rules.Compile(names)
			i := slices.IndexFunc(problems, func(p Problem) bool { return p.Path == tt.path && strings.Contains(p.String(), tt.want) })
			if i < 0 {
				t.Errorf("no problem at %s with %q, but %v", tt.path, tt.want, problems)
			}
			if i >= 0 && problems[i].Warning != strings.HasPrefix(tt.want, "warning: ") {
				t.Errorf("a warning is %v: %v", problems[i].Warning, problems[i])
			}
			if len(problems) > 1 && tt.name != "after everything" {
				t.Errorf("more than one problem: %v", problems)
			}
		})
	}
}

// TestApprovals: how many people a rung asks, and that the version tells.
func TestApprovals(t *testing.T) {
	versions := map[string]bool{}
	for said, want := range map[string]int{"": 0, "one": 1, "two": 2} {
		p := sound()
		p.Ladder[3].Approval = said
		got, problems := Rules{Policies: []Policy{p}}.Compile(names)
		if len(problems) > 0 || got.List[0].Ladder[3].Approvals != want || got.List[0].Ladder[0].Approvals != 0 {
			t.Errorf("%q: %+v, %v", said, got.List[0].Ladder, problems)
		}
		versions[got.Version] = true
	}
	if len(versions) != 3 {
		t.Error("the version does not tell who must approve")
	}
}

// TestNotShadowed: what looks alike is not always the same.
func TestNotShadowed(t *testing.T) {
	for _, tt := range [][2]string{
		{"device.threat >= high", "device.threat >= medium"},
		{`device.os == "Windows" && device.threat >= low`, "device.threat >= high"},
		{"device.threat >= low || device.threat < low", "device.malware.exists(m, m.active)"}, // of an unclear threat
		{"device.alerts.exists(a, a.open)", "device.alerts.exists(a, a.remediated)"},
		{`device.os != "macOS"`, `device.os in ["Windows", "macOS"]`},
		{"device.investigating", "!device.investigating"},
		{"has(device.user)", `device.user == "ada"`}, // true, but not known here
	} {
		rules := Rules{Policies: []Policy{
			{Name: "a", When: tt[0], Ladder: []Rung{{Do: []Order{ticket}}}},
			{Name: "b", When: tt[1], Ladder: []Rung{{Do: []Order{ticket}}}},
		}}
		if _, problems := rules.Compile(names); len(problems) > 0 {
			t.Errorf("%s, then %s: %v", tt[0], tt[1], problems)
		}
	}
	other := sound()
	other.Name, other.Tenants = "b", []string{"fabrikam"}
	mine := sound()
	mine.Tenants = []string{"contoso"}
	if _, problems := (Rules{Policies: []Policy{mine, other}}).Compile(names); len(problems) > 0 {
		t.Errorf("other tenants: %v", problems)
	}
	mine.Tenants, other.Tenants = []string{"contoso", "fabrikam"}, nil
	if _, problems := (Rules{Policies: []Policy{mine, other}}).Compile(names); len(problems) != 1 {
		t.Errorf("all tenants named one by one: %v", problems)
	}
}

// TestManyConditions: what is too much to try out is not judged.
func TestManyConditions(t *testing.T) {
	var parts []string
	for c := 'a'; c <= 'z'; c++ {
		parts = append(parts, `"`+string(c)+`" in device.groups`)
	}
	text := strings.Join(parts, " && ")
	start := time.Now()
	rules := Rules{Policies: []Policy{
		{Name: "a", When: text, Ladder: []Rung{{Do: []Order{ticket}}}},
		{Name: "b", When: text + " && device.threat > low", Ladder: []Rung{{Do: []Order{ticket}}}},
	}}
	if _, problems := rules.Compile(names); len(problems) > 0 {
		t.Error(problems)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestVersionNamesTheRules(t *testing.T) {
	version := func(r Rules) string {
		out, _ := r.Compile(names)
		return out.Version
	}
	one := version(Rules{Policies: []Policy{sound()}})
	if again := version(Rules{Policies: []Policy{sound()}}); again != one {
		t.Errorf("%s and %s of the same rules", one, again)
	}
	for i, change := range []func(*Policy){
		func(p *Policy) { p.Grace++ },
		func(p *Policy) { p.When += " " },
		func(p *Policy) { p.Closing = []Order{} },
		func(p *Policy) { p.Ladder[1].Do[0].Template = "found" },
		func(p *Policy) { p.Ladder[3].WaitsInvestigation = false },
	} {
		p := sound()
		change(&p)
		if version(Rules{Policies: []Policy{p}}) == one {
			t.Errorf("change %d does not show", i)
		}
	}
}

func TestOrdersAsJSON(t *testing.T) {
	var got []Order
	in := `["reset", {"mail": {"template": "found"}}, {"ticket": {"destination": "desk"}}, {"scan": null}, null]`
	if err := json.Unmarshal([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	want := []Order{reset, mail, ticket, {Action: events.Scan}, {}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal(got[:4])
	if err != nil {
		t.Fatal(err)
	}
	var again []Order
	if err := json.Unmarshal(b, &again); err != nil || !slices.Equal(again, want[:4]) {
		t.Errorf("%s: %v, %v", b, again, err)
	}
	for _, bad := range []string{`[7]`, `[{"mail": {}, "ticket": {}}]`, `[{"mail": "found"}]`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
