package mail

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// Data is what templates may show. Every text is one line and comes without
// control characters; html/template escapes it for HTML.
type Data struct {
	Device     string             // the device's name, or its id
	OS         string             // "Windows 10.0.26100"; may be empty
	User       string             // whom to greet: the display name, or the address
	Findings   []handlers.Finding // what is wrong, the gravest first; each has What, and Fix if the user can do something
	Steps      []string           // what the user can do, in order, none twice
	ResetDue   string             // when the device will be reset, in words; empty: not, or not yet known
	GraceUntil string             // when Intune starts to block the device, in words; empty: not said
	Ask        string             // whom to ask, as a phrase
	Case       string             // what to name when asking
	Language   string             // the tag of the language that all of this is in: "de"

	// In mails that ask for approval only.
	Deed     string   // what would be done: "reset"
	Tenant   string   // what people call it; may be empty
	Stakes   []Stake  // what to know before; each has What and Text
	Approved []string // who has approved so far
	Needs    int      // how many people must
	Task     string   // what to name to `curfew approve`
	Link     string   // where to answer; empty: by `curfew approve` only
	Expires  string   // until when the link can be used, in words
	Request  string   // of what Intune asks: its code there
}

// data is what a template may show of a case, in a language.
func (h Handler) data(template string, c events.Case, language string) Data {
	d := c.Inhabited()
	zone, words := cmp.Or(h.Zone, time.UTC), speak(language)
	telling := handlers.Telling{Language: language}
	if !ForApprovers(template) {
		zone = handlers.ZoneOf(d, h.Zone)
	}
	if h.Plain != nil && !ForApprovers(template) {
		telling.Plain = h.Plain(c)
	}
	data := Data{
		Device:   cmp.Or(handlers.Line(d.Name, 80), c.Key.Device),
		OS:       handlers.Line(strings.TrimSpace(d.OS+" "+d.OSVersion), 60),
		User:     cmp.Or(handlers.Line(d.UserName, 80), handlers.Line(d.User, 80)),
		Findings: telling.Findings(d),
		Ask:      cmp.Or(handlers.Line(h.ask(language), 300), words.ask),
		Case:     c.ID(),
		Language: language,
	}
	for _, f := range data.Findings {
		if f.Fix != "" && !slices.Contains(data.Steps, f.Fix) {
			data.Steps = append(data.Steps, f.Fix)
		}
	}
	data.Steps = append(data.Steps, words.online, strings.ReplaceAll(words.unsure, "{ask}", data.Ask))
	if h.ResetDue != nil {
		data.ResetDue = telling.When(h.ResetDue(c), zone)
	}
	if until := d.GraceUntil; until.Year() < 9999 { // Intune's way to say never (seen in Graph replies, 2023)
		data.GraceUntil = telling.When(until, zone)
	}
	return data
}

// ask is whom the configuration names for questions in a language.
func (h Handler) ask(language string) string {
	for _, l := range handlers.Widen(language) {
		if who := h.AskIn[l]; who != "" {
			return who
		}
	}
	return h.Ask
}
