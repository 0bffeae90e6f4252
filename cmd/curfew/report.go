package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"curfew/events/gate"
	"curfew/handlers"
	"curfew/handlers/page"
	"curfew/handlers/page/oncall"
)

// reportConfig is who is told once a week what is hidden.
type reportConfig struct {
	To          []string `json:"to"`
	Destination string   `json:"destination"`
	Tenant      string   `json:"tenant"` // whose mailbox mails come from
	Day         string   `json:"day"`
	Time        string   `json:"time"`
	TimeZone    string   `json:"time_zone"`
	Empty       *bool    `json:"empty"` // whether it comes when nothing is hidden; nil: yes

	TenantID string         `json:"-"`
	Weekday  time.Weekday   `json:"-"`
	Clock    time.Duration  `json:"-"`
	Zone     *time.Location `json:"-"`
}

// report checks who gets the weekly report.
func (c *checker) report(conf *config) {
	r := conf.Report
	if r == nil || !c.whole("/report") {
		return
	}
	if len(r.To) == 0 && r.Destination == "" {
		c.mistake("/report", "nobody gets it: name addresses by to, or a destination of pages")
	}
	mails := len(r.To) > 0
	if r.Destination != "" {
		d, known := conf.Destinations[r.Destination]
		switch {
		case !known && c.written(pointer("/destinations", r.Destination)): // what is wrong with it has been told
		case !known:
			c.mistake("/report/destination", "no destination is called %.64q", r.Destination)
		case isDesk(d.Kind):
			c.mistake("/report/destination", "%s keeps tickets, and this is about no device: name a destination of pages, or addresses by to", r.Destination)
		}
		mails = mails || d.Kind == "rota"
	}
	c.reportFrom(conf, r, mails)
	r.Weekday, r.Clock, r.Zone = time.Monday, 8*time.Hour, conf.Mail.Zone
	for d, name := range weekdays() {
		if name == r.Day {
			r.Weekday = time.Weekday(d)
		}
	}
	if r.Time != "" {
		if r.Clock = clockOf(r.Time); r.Clock == 24*time.Hour {
			c.mistake("/report/time", "no day has 24:00: write 00:00, and the day after")
		}
	}
	if r.TimeZone != "" {
		zone, err := time.LoadLocation(r.TimeZone)
		if err != nil {
			c.mistake("/report/time_zone", "there is no time zone %.64q; names are as in the IANA database: Europe/Berlin", r.TimeZone)
			return
		}
		r.Zone = zone
	}
}

// reportFrom settles from whose mailbox mails come. They name devices of every
// tenant, so nobody but the file may say whose that is.
func (c *checker) reportFrom(conf *config, r *reportConfig, mails bool) {
	if !mails && r.Tenant == "" {
		return
	}
	name := r.Tenant
	if name == "" && len(conf.Tenants) == 1 {
		name = conf.Tenants[0].Name
	}
	if name == "" {
		c.mistake("/report", "it is mailed, and names devices of every tenant: say by tenant whose mailbox it may come from")
		return
	}
	id := tenantIDs(conf)[strings.ToLower(name)]
	for _, t := range conf.Tenants {
		switch {
		case t.ID == "" || t.ID != id:
		case t.MailFrom == "":
			c.mistake("/report", "it is mailed, and tenant %s has no mail_from: name the mailbox that mails come from", t.Name)
		default:
			r.TenantID = id
		}
	}
	if id == "" {
		c.mistake("/report/tenant", "no tenant is called %.64q", name)
	}
}

// A reporter tells what is hidden, once a week.
type reporter struct {
	hiding
	mails  oncall.Mailer
	pagers *page.Handler
}

// weeklies are one for each of those who get the report, so that one who cannot be
// reached costs nobody else theirs, and nobody gets it twice for it.
func (w *worker) weeklies(mails oncall.Mailer) []*gate.Weekly {
	r := w.conf.Report
	if r == nil {
		return nil
	}
	by := reporter{hiding{w.journal, houseOf(w.conf)}, mails, w.pagers}
	var out []*gate.Weekly
	add := func(target string, do func(ctx context.Context, key string, due time.Time, again bool) error) {
		sum := sha256.Sum256([]byte(strings.ToLower(target)))
		id := hex.EncodeToString(sum[:6])
		out = append(out, &gate.Weekly{
			Store: state{w.journal.State()}, Key: "report." + id, Day: r.Weekday, Clock: r.Clock, Zone: r.Zone, Log: w.log,
			Do: func(ctx context.Context, due time.Time, again bool) error {
				return do(ctx, "curfew-report-"+due.In(r.Zone).Format(time.DateOnly)+"-"+id, due, again)
			},
		})
	}
	for _, to := range r.To {
		add("mail "+to, func(ctx context.Context, key string, _ time.Time, again bool) error {
			return by.mail(ctx, to, key, again)
		})
	}
	if r.Destination != "" {
		add("page "+r.Destination, func(ctx context.Context, key string, due time.Time, again bool) error {
			return by.page(ctx, r.Destination, key, due, again)
		})
	}
	return out
}

// mail sends the report, unless it was sent.
func (r reporter) mail(ctx context.Context, to, key string, again bool) error {
	conf := r.conf.Report
	if again {
		sent, err := r.mails.Sent(ctx, conf.TenantID, key)
		switch {
		case err == nil && sent:
			return nil
		case err != nil && !handlers.Read(err).GiveUp: // or nobody may look: then it is sent twice rather than never
			return handlers.Unsure(fmt.Errorf("ask whether the report was sent: %w", err))
		}
	}
	all, err := r.read(ctx)
	if err != nil || len(all) == 0 && conf.Empty != nil && !*conf.Empty {
		return err
	}
	return handlers.Effect(r.mails.SendMail(ctx, conf.TenantID, to, hiddenTitle(all), "", r.text(all), key))
}

// page tells a channel or pager. The key is the week's, by which it folds.
func (r reporter) page(ctx context.Context, destination, key string, due time.Time, again bool) error {
	all, err := r.read(ctx)
	if err != nil || len(all) == 0 && r.conf.Report.Empty != nil && !*r.conf.Report.Empty {
		return err
	}
	a := page.Alert{
		Task: key, Key: key, Asked: due, Begun: due, Unsure: again, Tenant: r.conf.Report.TenantID, Name: "Curfew", State: "report",
		Title: hiddenTitle(all), Summary: "What nobody hears of just now, once a week", Severity: page.Warning, ReadOn: "curfew hidden",
	}
	if len(all) == 0 {
		a.Summary = "Nothing is hidden"
	}
	for _, g := range grouped(all) {
		var some []string
		for _, l := range g[:min(len(g), 3)] {
			some = append(some, handlers.Line(l.What, 60)+prefixed(" until ", r.at(l.Until)))
		}
		more := ""
		if len(g) > 3 {
			more = fmt.Sprintf(" and %d more", len(g)-3)
		}
		a.Findings = append(a.Findings, handlers.Line(fmt.Sprintf("%s (%d): %s%s", g[0].Kind, len(g), strings.Join(some, "; "), more), 300))
	}
	_, err = r.pagers.Tell(ctx, destination, a)
	return err
}

// read is what is hidden. Cases that cannot be read are in the log of whoever keeps them.
func (r reporter) read(ctx context.Context) ([]hiddenLine, error) {
	all, err := r.all(ctx, "", time.Now())
	if all == nil && err != nil {
		return nil, err
	}
	// A window that is to come hides nothing yet.
	if !hides(all) {
		return nil, nil
	}
	return all, nil
}

// hides reports whether any of it is more than a window that is to come.
func hides(all []hiddenLine) bool {
	for _, l := range all {
		if l.Kind != hidNext {
			return true
		}
	}
	return false
}

func hiddenTitle(all []hiddenLine) string {
	n := 0
	for _, l := range all {
		if l.Kind != hidNext {
			n++
		}
	}
	switch n {
	case 0:
		return "Curfew: nothing is hidden"
	case 1:
		return "Curfew: what you are hiding, 1 thing"
	}
	return fmt.Sprintf("Curfew: what you are hiding, %d things", n)
}

// grouped are the lines by their kinds.
func grouped(all []hiddenLine) (out [][]hiddenLine) {
	for _, l := range all {
		if n := len(out); n > 0 && out[n-1][0].Kind == l.Kind {
			out[n-1] = append(out[n-1], l)
		} else {
			out = append(out, []hiddenLine{l})
		}
	}
	return out
}

// mostReported bounds the lines of one kind in a mail.
const mostReported = 100

// text is the report as a mail.
func (r reporter) text(all []hiddenLine) string {
	var b strings.Builder
	if len(all) == 0 {
		return "Nothing is hidden: no case is snoozed, held or closed by hand while its risk stands, and nothing is paused.\n"
	}
	b.WriteString("Of this nobody hears just now, or not all of it:\n")
	for _, g := range grouped(all) {
		fmt.Fprintf(&b, "\n%s (%d)\n", strings.ToUpper(g[0].Kind), len(g))
		for _, l := range g[:min(len(g), mostReported)] {
			what := handlers.Line(l.What, 200)
			if name := cmp.Or(l.TenantName, l.Tenant); name != "" && l.Device != "" {
				what += " of " + name
			}
			parts := []string{what, prefixed("risk ", l.Level), prefixed("by ", handlers.Line(l.By, 100)), prefixed("since ", r.at(l.Since)), prefixed("until ", r.at(l.Until))}
			fmt.Fprintf(&b, "- %s%s\n", join(", ", parts...), prefixed(": ", handlers.Line(l.Why, 300)))
		}
		if n := len(g) - mostReported; n > 0 {
			fmt.Fprintf(&b, "- and %d more\n", n)
		}
	}
	b.WriteString("\nThe same, at any time: curfew hidden\n")
	return b.String()
}

// at is a moment on the clock of those who read the report.
func (r reporter) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.conf.Report.Zone).Format("Mon 2 Jan 2006 15:04 MST")
}
