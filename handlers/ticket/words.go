package ticket

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"curfew/events"
	"curfew/handlers"
)

// key is what the tickets of a case at a destination carry, so that they are
// found again: 27 letters, digits and hyphens, which no query language minds.
func key(id, destination string) string { return "curfew-" + digest(20, id, destination) }

// digest is n hex digits of a hash of the parts.
func digest(n int, parts ...any) string {
	b, _ := json.Marshal(parts) // what comes in here are texts and lists of them
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:n]
}

// earlier is the id of the device's case before this one, or "".
func earlier(id string) string {
	i := strings.LastIndexByte(id, '/')
	if n, err := strconv.Atoi(id[i+1:]); err == nil && n > 1 {
		return id[:i+1] + strconv.Itoa(n-1)
	}
	return ""
}

// A kind says what a note is for.
type kind string

const (
	opened   kind = "o"
	repeated kind = "r"
	reopened kind = "w"
	resolved kind = "c"
	left     kind = "l" // it would have been resolved, but was left open
	twin     kind = "d" // it is a duplicate
)

// A mark ends every text of ours. It says which task the text is of, so that a
// task that comes again knows what it has done already, and what it said, so that
// the same need not be said again. It is a line of its own, which no text from
// outside can be; see [handlers.Line].
type mark struct {
	kind    kind
	task    string
	content string
}

// alarms reports whether the text says that the device is at risk.
func (m mark) alarms() bool { return m.kind == opened || m.kind == repeated || m.kind == reopened }

var markLine = regexp.MustCompile(`(?m)^\s*Ref\. curfew-([a-z])-([0-9a-f]{16})-([0-9a-f]{8})\s*$`)

func (m mark) String() string { return fmt.Sprintf("Ref. curfew-%s-%s-%s", m.kind, m.task, m.content) }

func newMark(k kind, task string, e Event) mark {
	return mark{k, digest(16, task), digest(8, e.Severity, e.Policy, e.Template, e.Findings, e.Attention)}
}

// marks are those of a ticket's texts, oldest first, each with its text.
func marks(t Ticket) (out []Said, of []mark) {
	for _, s := range t.Notes {
		if all := markLine.FindAllStringSubmatch(s.Text, -1); all != nil {
			m := all[len(all)-1]
			out, of = append(out, s), append(of, mark{kind(m[1]), m[2], m[3]})
		}
	}
	return out, of
}

// Text is all that an event says, as plain lines.
func (e Event) Text() string {
	var b strings.Builder
	say := func(sentence string, values ...string) { b.WriteString(e.Telling.Say(sentence, values...) + "\n") }
	none := func(s string) string { return cmp.Or(s, e.Telling.Say("none")) }
	b.WriteString(e.Summary + "\n")
	findings(&b, e)
	b.WriteString("\n")
	say("Device: %1, serial number %2, %3", none(e.Device.Name), none(e.Device.Serial), e.Device.OS+" "+e.Device.Version)
	say("User: %1 (%2)", none(e.Device.UserName), none(e.Device.User))
	say("Tenant: %1", e.Device.Tenant)
	say("Severity: %1. Policy: %2.", e.Severity, none(e.Policy))
	for i, l := range e.Links {
		if i == 0 {
			b.WriteString("\n")
			say("Links:")
		}
		b.WriteString("- " + l.Text + ": " + l.URL + "\n")
	}
	return b.String()
}

const keptByCurfew = "This ticket is kept by Curfew: it is told of changes, and resolved when the device is proven healthy, unless somebody has changed it by then."

// description is the text of a new ticket.
func description(e Event, old Ticket, m mark) string {
	text := e.Text()
	if old.Ref != "" {
		text += "\n" + e.Telling.Say("This goes on from ticket %1, which was %2. %3", called(old), old.State.String(), old.Link) + "\n"
	}
	return text + "\n" + e.Telling.Say(keptByCurfew) + "\n" + m.String()
}

// Shorten returns a text of at most n characters that still ends in its last
// line, which is the mark.
func Shorten(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	last := []rune("…\n" + text[strings.LastIndexByte(text, '\n')+1:])
	return string(runes[:max(0, n-len(last))]) + string(last)
}

func findings(b *strings.Builder, e Event) {
	list := func(head string, texts []string) {
		for i, text := range texts {
			if i == 0 {
				fmt.Fprintf(b, "\n%s\n", head)
			}
			fmt.Fprintf(b, "- %s\n", text)
		}
	}
	list(e.Telling.Say("What was found:"), e.Findings)
	list(e.Telling.Say("What only a person can help with:"), e.Attention)
}

// note is the text of a note about the case as it is now.
func note(head string, e Event, m mark) string {
	var b strings.Builder
	b.WriteString(head + "\n")
	if m.kind == repeated || m.kind == reopened {
		fmt.Fprintf(&b, "\n%s\n", e.Summary)
		findings(&b, e)
	}
	return b.String() + "\n" + m.String()
}

// called is what people call a ticket.
func called(t Ticket) string {
	if t.Name != "" {
		return handlers.Line(t.Name, 100)
	}
	return handlers.Line(t.Ref, 100)
}

// receipt is what the case keeps of a ticket: what people call it, and the ref.
func receipt(t Ticket) string {
	if t.Name == "" || t.Name == t.Ref {
		return t.Ref
	}
	return handlers.Line(t.Name, 100) + " " + t.Ref
}

// refIn is the ref in a receipt.
func refIn(receipt string) string { return receipt[strings.LastIndexByte(receipt, ' ')+1:] }

// title is the line that a queue shows.
func title(e Event) string {
	if e.Risk() >= events.Low {
		return handlers.Line(fmt.Sprintf("[%s] %s", e.Severity, e.Summary), 250)
	}
	return handlers.Line(e.Summary, 250)
}
