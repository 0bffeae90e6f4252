package try

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// A result is how a story went.
type result struct {
	Name    string  `json:"name"`
	About   string  `json:"about,omitempty"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

// A line is one thing that happened, as JSON.
type line struct {
	Seconds float64 `json:"seconds"` // since the beginning
	Story   string  `json:"story,omitempty"`
	Device  string  `json:"device,omitempty"` // tenant/name
	Who     string  `json:"who"`              // world, curfew or try
	What    string  `json:"what"`
}

// A teller writes down what happens, as it happens.
type teller struct {
	mu    sync.Mutex
	out   io.Writer
	json  bool
	color bool
	start time.Time
	cast  map[string]role // by case key
}

type role struct{ story, device string }

func newTeller(o Options) *teller {
	return &teller{out: o.Out, json: o.JSON, color: o.Color, start: time.Now(), cast: map[string]role{}}
}

// belongs says in which story a case plays.
func (t *teller) belongs(key, story, device string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cast[key] = role{story, device}
}

// world tells what happens in the tenants.
func (t *teller) world(story, device, what string) {
	t.write(line{Story: story, Device: device, Who: "world", What: what})
}

// curfew tells what a case's record says.
func (t *teller) curfew(key, what string) {
	t.mu.Lock()
	r, ok := t.cast[key]
	t.mu.Unlock()
	if ok {
		t.write(line{Story: r.story, Device: r.device, Who: "curfew", What: what})
	}
}

func (t *teller) note(format string, args ...any) {
	t.write(line{Who: "try", What: fmt.Sprintf(format, args...)})
}

func (t *teller) ended(r result) {
	verdict := fmt.Sprintf("as it must, in %.1f s", r.Seconds)
	if !r.OK {
		verdict = "WRONG: " + r.Error
	}
	t.write(line{Story: r.Name, Who: "try", What: "the story ended " + verdict})
}

func (t *teller) write(l line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.Seconds = float64(time.Since(t.start).Milliseconds()) / 1000
	if t.json {
		t.encode(l)
		return
	}
	what := strings.Map(printable, l.What)
	switch l.Who {
	case "world":
		what = t.paint("33", "! "+what)
	case "try":
		what = t.paint("1", what)
	}
	fmt.Fprintf(t.out, "%6.1fs  %-10s %-16s %s\n", l.Seconds, l.Story, l.Device, what)
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return '?'
	}
	return r
}

func (t *teller) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *teller) encode(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = fmt.Appendf(nil, `{"ok":false,"error":%q}`, err.Error())
	}
	fmt.Fprintf(t.out, "%s\n", b)
}

// summary closes the evening, and reports whether every story went as it must.
func (t *teller) summary(results []result) bool {
	ok := len(results) > 0
	for _, r := range results {
		ok = ok && r.OK
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.json {
		t.encode(struct {
			OK      bool     `json:"ok"`
			Seconds float64  `json:"seconds"`
			Stories []result `json:"stories"`
		}{ok, time.Since(t.start).Seconds(), results})
		return ok
	}
	fmt.Fprintf(t.out, "\n%-10s %-6s %8s  %s\n", "STORY", "", "SECONDS", "WHAT CURFEW MUST DO")
	for _, r := range results {
		verdict := t.paint("32", "ok    ")
		if !r.OK {
			verdict = t.paint("31", "WRONG ")
		}
		fmt.Fprintf(t.out, "%-10s %s %8.1f  %s\n", r.Name, verdict, r.Seconds, r.About)
		if r.Error != "" {
			fmt.Fprintf(t.out, "%27s%s\n", "", strings.Map(printable, r.Error))
		}
	}
	fmt.Fprintf(t.out, "\n%.0f s in all\n", time.Since(t.start).Seconds())
	return ok
}
