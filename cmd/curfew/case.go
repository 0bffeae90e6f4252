package main

import (
	"cmp"
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/handlers"
)

func newCaseCmd(a *app) *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "case DEVICE",
		Short: "Tell the story of one device: what happened, what is waited for, what comes next",
		Long: `Tell the story of one device: what is wrong with it, what the case waits for and
until when, what was done, and everything that happened, with times as on the
wall and as seen from now.

` + aboutDevices + `

With --json it is one object: the fields of "curfew cases --json" and, in
addition, risk, seen, unproven, hold (by, until, reason, quiet), pending and
given (the tasks), acts (what is done to the device, each with its stage:
planned, held, approved, begun, accepted, running, provider-done, verified,
failed, timed-out, unknown, called-off or dry-run), effects (what was done and not
taken back), said (the last remark) and timeline: records with at, state, rung and
said, a list of texts.`,
		Example: `  curfew case LT-042
  curfew case contoso/LT-042 --all
  curfew case LT-042 --json | jq .waits`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withQueue(cmd.Context(), func(q *queue) error { return a.tellCase(cmd.Context(), q, args[0], all, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "the whole timeline, not only that of the last time it was at risk")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tellCase(ctx context.Context, q *queue, ref string, all, asJSON bool) error {
	found, err := q.find(ctx, ref)
	if err != nil {
		return err
	}
	c := found[0]
	records, err := q.Timeline(ctx, c.Key)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		c = records[len(records)-1]
	}
	p := a.printer()
	shown := records
	if !all {
		shown = lastEpisode(records)
	}
	if asJSON {
		if err := p.json(q.story(c, shown, p.now)); err != nil {
			return err
		}
		return p.flush()
	}
	s := &teller{p, q.house}
	s.head(c)
	s.sections(c)
	s.timeline(shown, spoken(records)-spoken(shown))
	return p.flush()
}

// lastEpisode are the records since the device was last found at risk.
func lastEpisode(records []events.Case) []events.Case {
	for i := len(records) - 1; i > 0; i-- {
		if records[i-1].Episode != records[len(records)-1].Episode {
			return records[i:]
		}
	}
	return records
}

// spoken counts the records that say what they changed.
func spoken(records []events.Case) int {
	n := 0
	for _, r := range records {
		n += min(1, len(r.Trace))
	}
	return n
}

// A teller writes a case for people.
type teller struct {
	*printer
	house
}

func (s *teller) head(c events.Case) {
	state := s.paint(stateStyle(c.State()), strings.ToUpper(c.State()))
	s.printf("%s  %s", s.paint(bold, deviceName(c)), state)
	switch {
	case c.Open && c.Policy != "":
		s.printf("  policy %s, rung %s", c.Policy, s.rungOf(c))
	case c.Open:
		s.printf("  for a person")
	}
	s.printf("\n")
	s.fact("device", join(", ", strings.TrimSpace(c.Device.OS+" "+c.Device.OSVersion), prefixed("owned by ", c.Device.Owner), prefixed("serial ", c.Device.Serial)))
	s.fact("user", join(", ", c.Device.UserName, c.Device.User))
	s.fact("ids", join(", ", s.tenant(c.Tenant)+"/"+c.Key.Device, prefixed("Intune ", c.Device.IntuneID), prefixed("Defender ", c.Device.DefenderID)))
	if c.Open {
		s.fact("opened", s.when(c.Opened)+", case "+c.ID())
	} else if !c.Closed.IsZero() {
		s.fact("closed", s.when(c.Closed)+", "+cmp.Or(prefixed("by ", c.ClosedBy), "seen healthy for long enough"))
	}
	s.fact("user told", s.when(c.Told))
	if !c.Device.SeenAt.IsZero() {
		s.fact("last seen", join(", ", s.when(c.Device.SeenAt), prefixed("checked in ", s.when(c.Device.LastSync))))
	}
	if s.rules != nil {
		if at := c.ResetDue(*s.rules); !at.IsZero() {
			dry := ""
			if s.conf != nil && s.conf.DryRun {
				dry = "; this is a dry run, so it will only be said"
			}
			if c.Told.IsZero() {
				dry = ", and only once the user was told" + dry
			}
			s.fact("reset", "not before "+s.when(at)+dry)
		}
	}
}

// fact writes one line of the head, if there is anything to say.
func (s *teller) fact(name, text string) {
	if text != "" {
		s.printf("  %s %s\n", s.padded(faint, name, 9), text)
	}
}

func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}

func (s *teller) sections(c events.Case) {
	s.section("What is wrong", s.wrongs(c))
	s.section("Read on", s.alerts(c))
	s.section("What a person must do", s.attention(c))
	s.section("What it waits for", s.waiting(c))
	s.section("Given up; `curfew retry "+s.ref(c)+"` tries again", s.given(c))
	s.section("What was done to the device", s.acts(c))
	s.section("Done, and not taken back", s.effects(c))
	if c.Said != nil {
		s.section("Last remark", []painted{s.paint(plain, c.Said.By+": "+c.Said.Text)})
	}
}

func (s *teller) section(title string, lines []painted) {
	if len(lines) == 0 {
		return
	}
	s.printf("\n%s\n", s.paint(bold, title))
	for _, line := range lines {
		s.printf("  %s\n", line)
	}
}

func (s *teller) wrongs(c events.Case) []painted {
	var out []painted
	if !c.Open {
		return nil
	}
	for _, f := range handlers.Findings(c.Device) {
		out = append(out, s.paint(plain, f.What))
	}
	for _, miss := range c.Device.Missing {
		out = append(out, s.paint(yellow, "could not read "+miss))
	}
	return out
}

func (s *teller) alerts(c events.Case) []painted {
	var out []painted
	for _, a := range c.Device.OpenAlerts() {
		if link := handlers.SafeLink(a.URL); c.Open && link != "" {
			out = append(out, s.paint(plain, join(": ", a.Title, link)))
		}
	}
	return out
}

func (s *teller) attention(c events.Case) []painted {
	var out []painted
	for _, why := range c.Attention {
		out = append(out, s.paint(red, why))
	}
	return out
}

func (s *teller) waiting(c events.Case) []painted {
	var out []painted
	for _, w := range s.waits(c, s.now) {
		if strings.HasPrefix(w.For, "a person: ") {
			continue // has a section of its own
		}
		until := prefixed(": ", s.when(w.Until))
		out = append(out, s.paint(plain, s.local(w.For)+until))
	}
	return out
}

func (s *teller) given(c events.Case) []painted {
	var out []painted
	for _, t := range c.Given {
		out = append(out, s.paint(plain, orderText(t.Order)+" (#"+strconv.Itoa(t.N)+", asked for "+s.when(t.Asked)+"): "+t.Why))
	}
	return out
}

// acts are what is done to the device and how far that came. Only what is verified
// is green.
func (s *teller) acts(c events.Case) []painted {
	var out []painted
	for _, a := range c.Stages() {
		style := plain
		switch a.Stage {
		case events.Verified:
			style = green
		case events.GaveUp, events.TimedOut, events.Unknown:
			style = red
		}
		out = append(out, s.paint(style, join(", ", orderText(a.Order)+": "+string(a.Stage), s.when(a.At), a.Why)))
	}
	return out
}

func (s *teller) effects(c events.Case) []painted {
	var out []painted
	for _, e := range c.Effects {
		o := events.Order{Action: e.Action, Destination: e.Destination}
		how := ""
		if e.Digest {
			how = " in a digest"
		}
		out = append(out, s.paint(plain, join("  ", orderText(o)+how+", "+s.when(e.At)+prefixed(": ", e.Ref), handlers.SafeLink(e.Link))))
	}
	return out
}

// timeline writes what each record changed.
func (s *teller) timeline(records []events.Case, earlier int) {
	zone, _ := s.now.In(s.zone).Zone()
	s.printf("\n%s\n", s.paint(bold, "Timeline, times in "+zone))
	if earlier > 0 {
		s.printf("  %s\n", s.paint(faint, "… and "+count(earlier, "earlier entry")+": add --all"))
	}
	day := ""
	for _, r := range records {
		if len(r.Trace) == 0 {
			continue
		}
		at := r.At.In(s.zone)
		if d := at.Format("Monday, 2 January 2006"); d != day {
			day = d
			s.printf("  %s\n", s.paint(faint, day))
		}
		for i, text := range r.Trace {
			lead := painted(strings.Repeat(" ", 8+2+12+2))
			if i == 0 {
				lead = painted(at.Format("15:04:05")+"  ") + s.padded(faint, s.ago(r.At), 12) + "  "
			}
			s.printf("    %s%s\n", lead, s.paint(traceStyle(text), s.local(text)))
		}
	}
}

// padded paints a text and fills it up with spaces.
func (p *printer) padded(st style, text string, width int) painted {
	return p.paint(st, text) + painted(strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text))))
}

var utcTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b`)

// local rewrites the moments in a text to the reader's clock.
func (s *teller) local(text string) string {
	return utcTime.ReplaceAllStringFunc(text, func(m string) string {
		t, err := time.Parse(time.RFC3339, m)
		if err != nil {
			return m
		}
		return s.clock(t)
	})
}

// traceStyle picks out what a person looks for in a timeline.
func traceStyle(text string) style {
	switch {
	case strings.HasPrefix(text, "a person must help"), strings.Contains(text, " given up: "):
		return red
	case strings.HasPrefix(text, "case "), strings.HasPrefix(text, "by policy"):
		return bold
	case text == "seen healthy", strings.Contains(text, " verified: "):
		return green
	case strings.Contains(text, " put off until "), text == "at risk again":
		return yellow
	}
	return plain
}
