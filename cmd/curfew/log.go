package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/lmittmann/tint"
)

// A logFormat is how log lines are written: "text" or "json".
type logFormat string

// String, Set and Type make it a flag.
func (f *logFormat) String() string { return string(*f) }

// Type is shown in the help text.
func (f *logFormat) Type() string { return "json|text" }

// Set takes the flag's value.
func (f *logFormat) Set(s string) error {
	if s != "json" && s != "text" {
		return fmt.Errorf("it is json or text")
	}
	*f = logFormat(s)
	return nil
}

// logger writes to stderr as the flags want it. A command that answers a
// question stays silent below least; --level overrides that.
func (a *app) logger(least slog.Level) *slog.Logger {
	if a.level != "" {
		least = a.level.level()
	}
	return newLogger(a.stderr, a.logs, least, a.colours(a.stderr))
}

// newLogger makes a logger that cannot be made to write control characters to a
// terminal, whatever devices and users are called.
func newLogger(w io.Writer, format logFormat, least slog.Level, colour bool) *slog.Logger {
	switch {
	case format == "json":
		return slog.New(slog.NewJSONHandler(jsonLines{w}, &slog.HandlerOptions{Level: least}))
	case colour:
		// With colours on, tint passes escape sequences in values through (seen in
		// v1.2.1), so values are cleaned before it gets them.
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: least, ReplaceAttr: cleanAttr}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: least}))
}

// jsonLines writes JSON that a terminal does not obey.
type jsonLines struct{ io.Writer }

func (w jsonLines) Write(b []byte) (int, error) {
	if _, err := w.Writer.Write(escapeJSON(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// cleanAttr takes control characters out of whatever is logged.
func cleanAttr(groups []string, at slog.Attr) slog.Attr {
	if len(groups) == 0 && (at.Key == slog.LevelKey || at.Key == slog.TimeKey || at.Key == slog.SourceKey) {
		return at
	}
	switch at.Value.Kind() {
	case slog.KindString, slog.KindAny:
		return slog.String(at.Key, clean(at.Value.String()))
	}
	return at
}

// silent is above every level.
const silent = slog.Level(100)

// A logLevel is one of slog's levels by name, or "" for the command's own.
type logLevel string

func (l *logLevel) String() string { return string(*l) }

// Type is shown in the help text.
func (l *logLevel) Type() string { return "debug|info|warn|error" }

// Set takes the flag's value.
func (l *logLevel) Set(s string) error {
	switch s = strings.ToLower(s); s {
	case "debug", "info", "warn", "error":
		*l = logLevel(s)
		return nil
	}
	return fmt.Errorf("it is debug, info, warn or error")
}

func (l logLevel) level() slog.Level {
	switch l {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
