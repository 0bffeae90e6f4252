package link

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"curfew/events"
)

// A Stake is one thing that whoever approves a task should know before.
type Stake struct {
	What string // "last check-in"
	Text string
}

// Stakes say what a task takes, for good or for a while. Key is what is known of
// the device's BitLocker recovery key, or ""; when writes a moment.
func Stakes(c events.Case, t events.Task, key string, when func(time.Time) string) []Stake {
	d := c.Inhabited()
	user := "not known"
	if d.User != "" {
		user = join(d.UserName, d.User)
		if t.Action.Destructive() {
			user += "; the device will be nobody's afterwards"
		}
	}
	seen := "not known"
	if !d.LastSync.IsZero() {
		seen = when(d.LastSync)
	}
	out := []Stake{{"what is lost", loses(t.Action)}, {"primary user", user}, {"last check-in", seen}}
	if t.Action.Destructive() {
		out = append(out,
			Stake{"BitLocker key", cmp.Or(key, "whether it is escrowed is not known")},
			Stake{"open files", "not known: what is not synchronised elsewhere is lost"})
	}
	return out
}

func loses(a events.Action) string {
	switch a {
	case events.Isolate:
		return "the device's connections to everything but Defender, until somebody lets it back"
	case events.Retire:
		return "the organisation's data, apps and settings on the device, and its management, for good"
	case events.Wipe:
		return "everything on the device and its enrolment, for good"
	}
	return "the user's files, apps and settings on the device, for good"
}

// Deed is what a task would do, as a phrase that begins a sentence.
func Deed(a events.Action) string {
	switch a {
	case events.Reset:
		return "Reset (Autopilot Reset)"
	case events.Isolate:
		return "Isolate from the network"
	case events.Retire:
		return "Retire"
	case events.Wipe:
		return "Wipe (factory reset)"
	}
	return strings.ToUpper(string(a[:min(1, len(a))])) + string(a[min(1, len(a)):])
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// Same reports whether two names may mean one person: accounts of machines are
// often the part of the mail address before the @.
func Same(a, b string) bool {
	return a != "" && b != "" && (strings.EqualFold(a, b) || isLocal(a, b) || isLocal(b, a))
}

func isLocal(name, address string) bool {
	local, _, ok := strings.Cut(address, "@")
	return ok && strings.EqualFold(name, local)
}

// Own reports whether somebody is the user of the case's device, or last was.
func Own(c events.Case, who string) bool {
	d := c.Device
	for _, name := range []string{d.User, d.UserMail, c.Person.User, c.Person.Mail} {
		if Same(who, name) {
			return true
		}
	}
	return false
}

// Approved is the approval by which somebody has approved the task already, under
// this name or another one that may be theirs.
func Approved(t events.Task, who string) (events.Approval, bool) {
	for _, a := range t.Approvals {
		if Same(a.By, who) {
			return a, true
		}
	}
	return events.Approval{}, false
}

// line makes one line of at most n characters of a text from outside, without
// what is not seen but changes what is.
func line(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
