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

func (h Handler) data(c events.Case) Data {
	d := c.Inhabited()
	zone := cmp.Or(h.Zone, time.UTC)
	data := Data{
		Device:   cmp.Or(handlers.Line(d.Name, 80), c.Key.Device),
		OS:       handlers.Line(strings.TrimSpace(d.OS+" "+d.OSVersion), 60),
		User:     cmp.Or(handlers.Line(d.UserName, 80), handlers.Line(d.User, 80)),
		Findings: handlers.Findings(d),
		Ask:      cmp.Or(handlers.Line(h.Ask, 300), "your IT help desk"),
		Case:     c.ID(),
	}
	for _, f := range data.Findings {
		if f.Fix != "" && !slices.Contains(data.Steps, f.Fix) {
			data.Steps = append(data.Steps, f.Fix)
		}
	}
	data.Steps = append(data.Steps,
		"Leave the device switched on and connected to the internet, so that it can report that it is healthy again.",
		"If something is unclear, or if you did not expect this, ask "+data.Ask+". Do not open suspicious files or links to find out.")
	if h.ResetDue != nil {
		data.ResetDue = when(h.ResetDue(c), zone)
	}
	if until := d.GraceUntil; until.Year() < 9999 { // Intune's way to say never (seen in Graph replies, 2023)
		data.GraceUntil = when(until, zone)
	}
	return data
}
