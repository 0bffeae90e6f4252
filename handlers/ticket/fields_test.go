package ticket_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

// What comes out of a template stays a text of JSON.
func TestFieldsCannotBeBrokenOutOf(t *testing.T) {
	f := ticket.Fields{
		"text":   "{{.Device.Name}} of {{.Device.Tenant}}",
		"choice": map[string]any{"value": "{{.Severity}}", "weight": 3.0},
		"list":   []any{"curfew", "{{range .Findings}}{{.}};{{end}}"},
		"flag":   true,
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	e := ticket.Event{Severity: "high", Findings: []string{"one", "two"}, Device: ticket.Device{Tenant: "contoso", Name: `x"},"flag":false,"y":{"z":"{{.Case}}`}}
	got := map[string]any{"flag": "as it was"}
	if err := ticket.Put(got, e, nil, f); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"choice":{"value":"high","weight":3},"flag":true,"list":["curfew","one;two;"],"text":"x\"},\"flag\":false,\"y\":{\"z\":\"{{.Case}} of contoso"}`; string(body) != want {
		t.Errorf("got %s\nwant %s", body, want)
	}
}

func TestFieldsThatAreWrongAreReported(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Device.Colour}}":                                    `field "f"`,
		"{{.Severity":                                           "unclosed action",
		"{{len .Nothing}}":                                      "Nothing",
		`{{printf "%99999s" ""}}`:                               "short buffer",
		`{{range .Findings}}{{.Unknown}}{{end}}`:                "Unknown",
		`{{range .Links}}{{.URL}} {{.Href}}{{end}}`:             "Href",
		`{{printf "\xff"}}`:                                     "not UTF-8",
		`{{template "other"}}`:                                  "other",
		`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`: "a",
	} {
		for name, f := range map[string]ticket.Fields{"text": {"f": text}, "nested": {"f": []any{map[string]any{"x": text}}}} {
			if err := f.Check(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: got %v, want %q", name, text, err, want)
			}
		}
		if _, err := (ticket.Fields{"f": text}).Fill(ticket.Event{Findings: []string{"x"}, Links: []handlers.Link{{}}}); err == nil || !handlers.Read(err).GiveUp {
			t.Errorf("%q: got %v, want an error that gives up", text, err)
		}
	}
}

// A long text loses its middle and keeps the line that it is known by.
func TestShorten(t *testing.T) {
	long := strings.Repeat("Ünï 😀 ", 1000) + "\nRef. the mark"
	for _, n := range []int{40, 200, 5999} {
		got := ticket.Shorten(long, n)
		if c := utf8.RuneCountInString(got); c != n || !strings.HasSuffix(got, "…\nRef. the mark") || !strings.HasPrefix(got, "Ünï") || !utf8.ValidString(got) {
			t.Errorf("%d: %d characters, %q", n, c, got)
		}
	}
	if got := ticket.Shorten("short\nRef. the mark", 100); got != "short\nRef. the mark" {
		t.Errorf("got %q", got)
	}
}

// A tenant without a place of its own goes to triage, or nowhere.
func TestCustomers(t *testing.T) {
	triage := "triage"
	all := ticket.Customers[string]{Routes: map[string]string{"contoso": "contoso's queue"}, Triage: &triage}
	n := ticket.New{Note: ticket.Note{Text: "text", Event: ticket.Event{Device: ticket.Device{Tenant: "contoso"}}}}
	if place, placed, warning, err := all.Place(n); place != "contoso's queue" || placed.Text != "text" || warning != "" || err != nil {
		t.Errorf("got %q, %q, %q, %v", place, placed.Text, warning, err)
	}
	n.Event.Device.Tenant = "fabrikam"
	if place, placed, warning, err := all.Place(n); place != triage || !strings.HasPrefix(placed.Text, "Attention: tenant fabrikam is not in") || warning == "" || err != nil {
		t.Errorf("got %q, %q, %q, %v", place, placed.Text, warning, err)
	}
	all.Triage = nil
	if place, _, _, err := all.Place(n); place != "" || err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), `"fabrikam"`) {
		t.Errorf("got %q, %v", place, err)
	}
}
