package main

import (
	"log/slog"
	"net/http"

	"curfew/events/journal"
	"curfew/handlers/page/goalert"
	"curfew/handlers/page/grafana"
	"curfew/handlers/page/hook"
	"curfew/handlers/page/opsgenie"
	"curfew/handlers/page/pagerduty"
)

// doorsOf hears what people do with pages at the pagers that have a hook secret,
// what changes at the desks that have one, and leaves the rest to next.
func doorsOf(conf *config, j *journal.Journal, nudge func(desk string, hint []byte), r *renewals, next http.Handler, log *slog.Logger) http.Handler {
	doors := &hook.Handler{Doors: map[string]hook.Reader{}, Cases: j, Sink: j, Log: log}
	for name, d := range conf.Destinations {
		door := r.reader(name, d, func() hook.Reader {
			if desk := doorOfDesk(name, d, nudge); desk != nil {
				return desk
			}
			return readerOf(d)
		})
		if door != nil {
			doors.Doors[name] = door
		}
	}
	if len(doors.Doors) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hook.Is(r.URL.Path) {
			doors.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readerOf reads what the vendor of a destination posts, or is nil.
func readerOf(d destinationConfig) hook.Reader {
	s := d.HookSecret.reveal()
	if s == "" {
		return nil
	}
	switch d.Kind {
	case "pagerduty":
		return &pagerduty.Hook{Secret: s}
	case "opsgenie", "jsm":
		return opsgenie.Hook{Token: s}
	case "goalert":
		return goalert.Hook{Token: s}
	case "grafana":
		return grafana.Hook{Token: s}
	case "page-webhook", "rota":
		return hook.Signed{Secret: s}
	}
	return nil
}
