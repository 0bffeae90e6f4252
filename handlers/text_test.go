package handlers_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"plain", 10, "plain"},
		{"", 10, ""},
		{"  a \t\r\n b\u2028c  ", 10, "a b c"},
		{"bell\a and \x1b[1mbold", 50, "bell and [1mbold"},
		{"\u202eabc\u2066d\ufeff", 10, "abcd"},
		{"bad\xff\xfeend", 10, "badend"},
		{"family 👨\u200d👩", 20, "family 👨\u200d👩"},
		{"Ünïcödé 漢字", 20, "Ünïcödé 漢字"},
		{"漢字漢字", 4, "漢字漢字"},
		{"漢字漢字漢", 4, "漢字漢…"},
		{"one two", 5, "one…"},
		{"one two", 1, "…"},
		{"one two", 0, ""},
		{"a b", 2, "a…"},
	} {
		got := handlers.Line(tt.in, tt.n)
		if got != tt.want {
			t.Errorf("Line(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\r\nb\u202e\xff漢", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n %= 1000
		got := handlers.Line(s, n)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\t\x00\u202e\u2028") || strings.Contains(got, "  ") {
			t.Errorf("Line(%q, %d) = %q", s, n, got)
		}
		if count := utf8.RuneCountInString(got); count > max(n, 0) {
			t.Errorf("Line(%q, %d) has %d characters", s, n, count)
		}
		if handlers.Line(got, n) != got {
			t.Errorf("Line(%q, %d) = %q, and again %q", s, n, got, handlers.Line(got, n))
		}
	})
}

func TestSafeLink(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://security.microsoft.com/alerts/1":        true,
		"http://security.microsoft.com/":                 false,
		"javascript:alert(1)":                            false,
		"https://user:pw@example.com/":                   false,
		"//example.com":                                  false,
		"https:///x":                                     false,
		"https://a.example/\x00":                         false,
		"https://a.example/" + strings.Repeat("x", 2000): false,
		"": false,
	} {
		if got := handlers.SafeLink(address) != ""; got != ok {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func TestFindings(t *testing.T) {
	d := handlerstest.Laptop().Device
	got := handlers.Findings(d)
	if len(got) != 4 || !strings.Contains(got[0].What, "Trojan") || got[0].Fix == "" || !strings.Contains(got[3].What, "not encrypted") {
		t.Errorf("got %+v", got)
	}
	for range 100 {
		d.Settings = append(d.Settings, events.Setting{Policy: "p", Name: "Some.Thing"})
	}
	if got := handlers.Findings(d); len(got) != handlers.MaxFindings || !strings.Contains(got[4].What, "“Some.Thing” of policy “p”") {
		t.Errorf("%d findings: %+v", len(got), got)
	}
	if got := handlers.Findings(events.Device{Compliance: "noncompliant"}); len(got) != 1 {
		t.Errorf("not compliant, and nobody says why: %+v", got)
	}
	healthy := events.Device{Compliance: "compliant", Threat: "secured", Malware: []events.Malware{{Name: "x", State: "removed"}}, Alerts: []events.Alert{{ID: "1", Status: "resolved"}}}
	if got := handlers.Findings(healthy); len(got) != 0 {
		t.Errorf("a healthy device: %+v", got)
	}
}

func TestSummaryAndWorst(t *testing.T) {
	c := events.Case{Key: events.Key{Tenant: "t", Device: "d-1"}}
	if s := handlers.Summary(c); s != "d-1: nothing is wrong any more" || handlers.Worst(c.Device) != events.Nothing {
		t.Errorf("an empty case: %q", s)
	}
	c.Attention = []string{"no such\ndevice"}
	if s := handlers.Summary(c); s != "d-1: no such device" {
		t.Errorf("got %q", s)
	}
	c.Device.Compliance = "noncompliant"
	if w := handlers.Worst(c.Device); w != events.Low {
		t.Errorf("not compliant is %v", w)
	}
	c.Device.Alerts = []events.Alert{{ID: "1", Severity: "medium"}}
	c.Device.Name = "LT-1"
	if s := handlers.Summary(c); s != "LT-1: Microsoft Defender reports “an alert”, severity medium (and 1 more)" || handlers.Worst(c.Device) != events.Medium {
		t.Errorf("got %q, %v", s, handlers.Worst(c.Device))
	}
}

func TestLinks(t *testing.T) {
	c := handlerstest.Laptop()
	c.Effects = []events.Effect{
		{Action: events.Ticket, Ref: "T-1", Link: "https://desk.example/T-1", At: time.Now()},
		{Action: events.Page, Ref: "x", Link: "javascript:alert(1)"},
	}
	for range 20 {
		c.Device.Alerts = append(c.Device.Alerts, c.Device.Alerts[0])
	}
	got := handlers.Links(c)
	if len(got) != 10 || got[0] != (handlers.Link{Text: "ticket T-1", URL: "https://desk.example/T-1"}) || !strings.HasPrefix(got[1].Text, "alert: ") {
		t.Errorf("got %+v", got)
	}
}
