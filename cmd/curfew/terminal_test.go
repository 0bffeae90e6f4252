package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// A screen is a terminal that keeps what it is sent.
type screen struct{ bytes.Buffer }

func (*screen) Stat() (os.FileInfo, error) { return screenInfo{}, nil }

type screenInfo struct{ os.FileInfo }

func (screenInfo) Mode() os.FileMode { return os.ModeDevice | os.ModeCharDevice }

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// obeyed finds what a terminal would obey, other than the colours that were meant.
func obeyed(s string) string {
	for _, r := range colour.ReplaceAllString(s, "") {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return string(r)
		}
	}
	return ""
}

// TestNoNameIsObeyed by a terminal: not that of a device, nor that of a user, nor
// an error's text, in any command that shows them, on a terminal or into a file.
func TestNoNameIsObeyed(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		bundle := filepath.Join(t.TempDir(), "bundle.json")
		for _, args := range [][]string{
			{"cases"}, {"cases", "--json"}, {"case", "d66"}, {"case", "d66", "--all", "--json"},
			{"dead", "list"}, {"dead", "list", "--json"}, {"dead", "show", "1"}, {"dead", "show", "1", "--json"},
			{"case", evilName + "?"}, {"case", "x\x1b[2J"}, {"ack", "d66", "--for", "1h", "--by", "\x1b[2J"},
			{"note", "d66", "\x1b]0;title\a"}, {"retry", "d66"}, {"case", "d66"}, {"close", "d66", "-m", "\x1b[2J"},
			{"template", "preview", "threat-found", "--case", "d66"}, {"template", "preview", "threat-found", "--case", "d66", "--html"},
			{"template", "preview", "threat-found", "--case", "d66", "--json"},
			{"evidence", "d66", "--out", bundle, "--force"}, {"evidence", "verify", bundle}, {"evidence", "verify", bundle, "--json"}, {"evidence", "head", "d66"}, {"evidence", "verify", "x\x1b[2J"},
			{"__complete", "case", ""}, {"no\x1b[2Jsuch"}, {"cases", "--no\x1b[2Jsuch"}, {"cases", "--tenant", "\x1b[2J"},
		} {
			var out, errs screen
			w.app(&out, &errs).execute(w.t.Context(), args)
			if bad := obeyed(out.String() + errs.String()); bad != "" {
				t.Errorf("curfew %q lets %q through:\n%q\n%q", args, bad, out.String(), errs.String())
			}
			if strings.Contains(out.String(), "\ncurfew: all is well") {
				t.Errorf("curfew %q lets a name begin a line", args)
			}
		}
	})
}

// TestColours are for people who watch and want them.
func TestColours(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		coloured := func() bool {
			var out screen
			w.app(&out, &out).execute(w.t.Context(), []string{"cases"})
			return strings.Contains(out.String(), "\x1b[31mattention\x1b[0m")
		}
		if !coloured() {
			t.Error("no colours on a terminal")
		}
		w.env["NO_COLOR"] = "1"
		if coloured() {
			t.Error("colours in spite of NO_COLOR")
		}
		delete(w.env, "NO_COLOR")
		w.env["TERM"] = "dumb"
		if coloured() {
			t.Error("colours on a dumb terminal")
		}
		delete(w.env, "TERM")
		if out := w.must("cases"); strings.Contains(out, "\x1b") {
			t.Error("colours in a file")
		}
	})
}

// TestLogsAreNotObeyed whatever is logged, in every format.
func TestLogsAreNotObeyed(t *testing.T) {
	for _, format := range []logFormat{"text", "json"} {
		for _, onScreen := range []bool{true, false} {
			var out bytes.Buffer
			log := newLogger(&out, format, slog.LevelInfo, onScreen)
			log.Info("look\x1b[2J", "name", evilName, "err", errors.New(evilName), "list", []string{evilName}, slog.Group("g", "name", evilName))
			log.With("name", evilName).Warn("again")
			log.Debug("not this")
			if bad := obeyed(out.String()); bad != "" {
				t.Errorf("%s, on a screen %v: %q in %q", format, onScreen, bad, out.String())
			}
			if strings.Count(out.String(), "\n") != 2 || strings.Contains(out.String(), "not this") {
				t.Errorf("%s, on a screen %v: %q", format, onScreen, out.String())
			}
			if onScreen && format == "text" != colour.MatchString(out.String()) {
				t.Errorf("%s, on a screen %v: colours? %q", format, onScreen, out.String())
			}
		}
	}
}

// TestLevelFlag overrides what a command finds right.
func TestLevelFlag(t *testing.T) {
	var errs bytes.Buffer
	a := newApp(func(string) string { return "" }, &errs, &errs)
	if a.logger(slog.LevelWarn).Enabled(t.Context(), slog.LevelInfo) {
		t.Error("info is logged where warnings are enough")
	}
	check(t, a.level.Set("Debug"))
	if !a.logger(slog.LevelWarn).Enabled(t.Context(), slog.LevelDebug) {
		t.Error("--level debug logs no debug lines")
	}
	if a.level.Set("loud") == nil || a.logs.Set("xml") == nil {
		t.Error("unknown levels and formats are taken")
	}
}
