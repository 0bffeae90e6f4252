package main

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"curfew/events"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers/ticket"
)

// desks are those of the configuration.
func desks(conf *config, mails graph.Tenants, r *renewals, log *slog.Logger) *ticket.Handler {
	h := &ticket.Handler{Desks: map[string]ticket.Desk{}, Reopen: map[string]time.Duration{}, Languages: languages(conf), Log: log}
	for name, d := range conf.Destinations {
		c := client(d.CA)
		if desk := r.desk(name, d, func() ticket.Desk { return deskOf(conf, d, c, mails) }); desk != nil {
			h.Desks[name] = desk
		}
		if d.Desk != nil {
			h.Reopen[name] = d.Desk.reopenWithin()
		}
	}
	return h
}

// languages are those of the destinations that name one.
func languages(conf *config) map[string]string {
	out := map[string]string{}
	for name, d := range conf.Destinations {
		if d.Language != "" {
			out[name] = d.Language
		}
	}
	return out
}

// answersOf reads back what people do with tickets.
func answersOf(desks *ticket.Handler, j *journal.Journal, log *slog.Logger) *ticket.Answers {
	return &ticket.Answers{
		Handler: desks, Tell: j.Append, Log: log,
		Cases: func(ctx context.Context) iter.Seq2[events.Case, error] { return j.Cases(ctx, "") },
	}
}
