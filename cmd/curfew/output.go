package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"curfew/handlers"
)

// A printer writes what people and programs read. Whatever text it is given is
// cleaned first: devices, users and alerts may be called anything, and nothing
// of that may reach a terminal as a control sequence.
type printer struct {
	w      *bufio.Writer
	colour bool
	now    time.Time
	zone   *time.Location
}

func (a *app) printer() *printer {
	return &printer{w: bufio.NewWriter(a.stdout), colour: a.colours(a.stdout), now: time.Now(), zone: a.zone}
}

// flush writes out what is left and says whether anything was lost.
func (p *printer) flush() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// longest is how many characters of one text are shown.
const longest = 2000

// clean makes one harmless line of a text.
func clean(s string) string { return handlers.Line(s, longest) }

// cleanBlock does the same for a text of several lines.
func cleanBlock(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		b.WriteString(indent + clean(line) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// A painted text has been cleaned, and may hold colours.
type painted string

// A style is how a text is painted.
type style string

const (
	plain  style = ""
	bold   style = "1"
	faint  style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

func (p *printer) paint(st style, s string) painted {
	s = clean(s)
	if !p.colour || st == plain || s == "" {
		return painted(s)
	}
	return painted("\x1b[" + string(st) + "m" + s + "\x1b[0m")
}

// printf formats like fmt.Printf. Arguments that are text of any kind are
// cleaned unless they are painted; the format must be a constant.
func (p *printer) printf(format string, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		safe[i] = cleaned(arg)
	}
	fmt.Fprintf(p.w, format, safe...)
}

func cleaned(arg any) any {
	switch arg := arg.(type) {
	case painted:
		return string(arg)
	case error, fmt.Stringer:
		return clean(fmt.Sprint(arg))
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return clean(v.String())
	}
	return arg
}

// A cell is a painted text in a table.
type cell struct {
	text string
	style
}

// table writes rows in columns under a heading. Cells but those of the last
// column show at most 40 characters.
func (p *printer) table(heading []string, rows [][]cell) { p.columns(heading, rows, 40) }

// columns is table with another limit.
func (p *printer) columns(heading []string, rows [][]cell, most int) {
	head := make([]cell, len(heading))
	for i, h := range heading {
		head[i] = cell{h, faint}
	}
	rows = append([][]cell{head}, rows...)
	width := make([]int, len(heading))
	for _, row := range rows {
		for i := range row {
			if row[i].text = clean(row[i].text); i < len(heading)-1 {
				row[i].text = handlers.Line(row[i].text, most)
			}
			if row[i].text == "" {
				row[i].text = "-"
			}
			width[i] = max(width[i], utf8.RuneCountInString(row[i].text))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		gap := 0
		for i, c := range row {
			line.WriteString(strings.Repeat(" ", gap) + string(p.paint(c.style, c.text)))
			gap = width[i] - utf8.RuneCountInString(c.text) + 2
		}
		p.printf("%s\n", painted(line.String()))
	}
}

// json writes v as one line of JSON. Characters that a terminal would obey, or
// that hide or turn text, are escaped.
func (p *printer) json(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := p.w.Write(escapeJSON(b.Bytes()))
	return err
}

// escapeJSON escapes characters in JSON that a terminal would obey, or that hide
// or turn text. The line ends stay.
func escapeJSON(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case r == '\n' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r):
			out.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// clock is a moment on the wall clock of whoever reads.
func (p *printer) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, now := t.In(p.zone), p.now.In(p.zone)
	if y, d := t.Year(), t.YearDay(); y == now.Year() && d == now.YearDay() {
		return t.Format("15:04:05")
	} else if y == now.Year() {
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("2 Jan 2006 15:04")
}

// ago says how far off a moment is: "3h12m ago", "in 45m", "now".
func (p *printer) ago(t time.Time) string {
	switch d := t.Sub(p.now); {
	case t.IsZero():
		return ""
	case d > -time.Second && d < time.Second:
		return "now"
	case d < 0:
		return span(-d) + " ago"
	default:
		return "in " + span(d)
	}
}

// when is clock and ago together.
func (p *printer) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.clock(t) + " (" + p.ago(t) + ")"
}

// span writes a length of time by its two largest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = d.Round(time.Second); {
	case d >= 10*day:
		return fmt.Sprintf("%dd", d/day)
	case d >= day:
		return pair(d/day, "d", d%day/time.Hour, "h")
	case d >= time.Hour:
		return pair(d/time.Hour, "h", d%time.Hour/time.Minute, "m")
	case d >= time.Minute:
		return pair(d/time.Minute, "m", d%time.Minute/time.Second, "s")
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func pair(n time.Duration, unit string, m time.Duration, small string) string {
	if m == 0 {
		return fmt.Sprintf("%d%s", n, unit)
	}
	return fmt.Sprintf("%d%s%d%s", n, unit, m, small)
}
