package neighbours

import (
	"fmt"
	"strings"
	"time"

	"curfew/events"
	"curfew/handlers"
)

// maxReceipt is how much is said of all devices together, in characters.
const maxReceipt = 1000

// How a receipt says of a device what the record may not show yet.
const (
	askedAfter   = " asked after "
	unclearAfter = " perhaps asked after "
	refusedFor   = " refused: "
)

// progress is the receipt of a task that goes on, for people and for [round.recall].
func (r *round) progress() string {
	asked, done := 0, 0
	var each []string
	for _, n := range r.near {
		text := n.label + " to come"
		switch {
		case n.refused != "":
			text = n.label + refusedFor + n.refused
		case n.state != "":
			text = n.label + " " + n.state
		case n.unclear:
			text = n.label + unclearAfter + minutes(n.noted)
		case n.noted > 0:
			text = n.label + askedAfter + minutes(n.noted)
		}
		if n.state != "" || n.noted > 0 && !n.unclear {
			asked++
		}
		if n.state == "done" {
			done++
		}
		each = append(each, text)
	}
	s := fmt.Sprintf("%d of %d asked, %d done: %s", asked, len(r.near), done, strings.Join(each, "; "))
	if len(r.skipped) > 0 {
		s += fmt.Sprintf("; %d skipped", len(r.skipped))
	}
	return handlers.Line(s, maxReceipt)
}

// minutes are at least one: none would be not asked.
func minutes(d time.Duration) string {
	return fmt.Sprintf("%dm", max(1, int(d.Round(time.Minute).Minutes())))
}

// recall takes up what the last round said of each device.
func (r *round) recall() {
	if r.Accepted == nil {
		return
	}
	_, list, _ := strings.Cut(r.Accepted.Receipt, ": ")
	for entry := range strings.SplitSeq(list, "; ") {
		for _, n := range r.near {
			if rest, ok := strings.CutPrefix(entry, n.label); ok {
				n.recall(rest)
			}
		}
	}
}

func (n *neighbour) recall(said string) {
	if why, ok := strings.CutPrefix(said, refusedFor); ok {
		n.refused = why
		return
	}
	for _, verb := range []string{askedAfter, unclearAfter} {
		after, ok := strings.CutPrefix(said, verb)
		if d, err := time.ParseDuration(after); ok && err == nil && d > 0 {
			n.noted, n.unclear = d, verb == unclearAfter
		}
	}
}

// result is the receipt of a task that is over.
func (r *round) result(whose string) string {
	var each []string
	for _, n := range r.near {
		text := n.label + " "
		switch {
		case n.refused != "":
			text += "not asked (" + n.refused + ")"
		case n.final:
			text += n.state
		case n.state != "":
			text += "not finished (" + n.state + ")"
		case n.noted == 0:
			text += "not asked (no time left)"
		default:
			text += "not heard of"
		}
		if l := n.Threat.Level(); l >= events.Low {
			text += " (at risk: " + l.String() + ")"
		}
		each = append(each, text)
	}
	s := "devices of " + whose + ": "
	switch {
	case len(each) > 0:
		s += strings.Join(each, ", ")
	default:
		s += "no other to scan"
	}
	if len(r.skipped) > 0 {
		s += "; skipped: " + strings.Join(r.skipped, ", ")
	}
	return handlers.Line(s, maxReceipt)
}

// reason is an error in a few words, without what divides a list.
func reason(err error) string {
	return strings.NewReplacer("; ", ", ", "(", "", ")", "").Replace(handlers.Line(err.Error(), 60))
}
