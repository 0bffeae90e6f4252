package handlers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"curfew/events"
)

// A Telling is how findings are told to a person. The zero value tells
// everything, in English.
type Telling struct {
	// Language is what the person reads, as a BCP 47 tag: "de-AT". One that is not
	// among [Languages] is told by the nearest that is, and else in English.
	Language string

	// Plain leaves out what a threat or an alert is called, how grave it is and how
	// many there are: only that something harmful was found.
	Plain bool
}

// words are the sentences of findings in one language. What is said between
// percent signs and letters is filled in: see english for what goes where.
type words struct {
	malware   string // its name, and severity
	fix       string // of malware
	alert     string // its title, and severity
	anAlert   string // in place of a title
	severity  string // after the name: the grade
	risk      string // the level
	harmful   string // [Telling.Plain]: malware
	alarmed   string // [Telling.Plain]: an alert, or a reported risk
	unsaid    string // not compliant, and nobody says why
	named     string // the setting's name, and the policy's
	unknown   string // a setting nobody here knows; named follows
	grades    map[string]string
	subjects  map[subject]Finding // named follows What
	calendar  calendar
	reference string // the tag
}

// A calendar is how moments are written.
type calendar struct {
	moment string // {weekday}, {day}, {month}, {year}, {time} and {zone}
	clock  string // {time}, as package time lays it out
	first  string // the first day of a month
	days   string // from Sunday on
	months string
}

// A subject is what settings of compliance policies are about.
type subject string

const (
	encryption subject = "encryption"
	contact    subject = "contact"
	version    subject = "version"
	firewall   subject = "firewall"
	watching   subject = "watching"
	signatures subject = "signatures"
	antivirus  subject = "antivirus"
	danger     subject = "danger"
	startup    subject = "startup"
	password   subject = "password"
	owner      subject = "owner"
)

// vocabulary are the languages that findings are told in, English first.
func vocabulary() []words { return []words{english(), german(), french(), spanish(), dutch()} }

// Languages are the tags of the languages that findings are told in.
func Languages() []string {
	var out []string
	for _, w := range vocabulary() {
		out = append(out, w.reference)
	}
	return out
}

// Widen is a language tag and the wider ones it stands in, in lower case:
// "de-AT" gives "de-at" and "de". What cannot be a tag gives nothing.
func Widen(language string) []string {
	tag := strings.ToLower(strings.ReplaceAll(language, "_", "-"))
	if tag == "" || len(tag) > 35 || strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil
	}
	var out []string
	for tag != "" {
		out = append(out, tag)
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return out
}

func (t Telling) words() words {
	all := vocabulary()
	for _, tag := range Widen(t.Language) {
		if i := slices.IndexFunc(all, func(w words) bool { return w.reference == tag }); i >= 0 {
			return all[i]
		}
	}
	return all[0]
}

// When writes a moment for the person, in a time zone; "" for none.
func (t Telling) When(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	c := t.words().calendar
	at = at.In(zone)
	day := strconv.Itoa(at.Day())
	if day == "1" {
		day = c.first
	}
	return strings.NewReplacer(
		"{weekday}", strings.Fields(c.days)[at.Weekday()], "{day}", day, "{month}", strings.Fields(c.months)[at.Month()-1],
		"{year}", at.Format("2006"), "{time}", at.Format(c.clock), "{zone}", at.Format("MST"),
	).Replace(c.moment)
}

// ZoneOf is the time zone of a device's user, or the other one if theirs is not
// known here.
func ZoneOf(d events.Device, other *time.Location) *time.Location {
	if d.TimeZone != "" && len(d.TimeZone) <= 64 {
		if zone, err := time.LoadLocation(d.TimeZone); err == nil {
			return zone
		}
	}
	return cmp.Or(other, time.UTC)
}

// grade is a severity or a level in the language; as Microsoft writes it if there
// is no word for it.
func (w words) grade(s string) string { return cmp.Or(w.grades[s], s) }

// grave is what follows a name to say how grave it is.
func (w words) grave(severity string) string {
	if events.Severity(severity) <= events.Clear {
		return ""
	}
	return fill(w.severity, w.grade(severity))
}

// fill puts values in the places that are marked %1, %2 and so on. Unlike the
// verbs of fmt, a value that holds such a mark stays as it is.
func fill(sentence string, values ...string) string {
	pairs := make([]string, 0, 2*len(values))
	for i, v := range values {
		pairs = append(pairs, "%"+string(rune('1'+i)), v)
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}
