package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/journal"
	"curfew/handlers"
	"curfew/handlers/page"
)

// untold are the cases of the journal, as the digester wants to see them.
type untold struct {
	*journal.Journal
	log *slog.Logger
}

// Waiting leaves out cases that cannot be read: their pages wait until they can.
func (u untold) Waiting(ctx context.Context) iter.Seq2[events.Case, error] {
	return func(yield func(events.Case, error) bool) {
		for c, err := range u.Cases(ctx, "") {
			if errors.Is(err, journal.ErrUnreadable) {
				u.log.Warn("a digest does not tell of a case that cannot be read", "err", err)
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// digester sends the digests that are due.
func (w *worker) digester() *gate.Digester {
	return &gate.Digester{Guard: w.guard, Cases: untold{w.journal, w.log}, Teller: digests{w.conf, w.pagers}, Log: w.log}
}

// digests tell a destination of many cases at once.
type digests struct {
	conf   *config
	pagers *page.Handler
}

// Tell implements [gate.Teller].
func (d digests) Tell(ctx context.Context, x gate.Digest, again bool) (string, error) {
	a := d.alert(x)
	a.Unsure = again
	return d.pagers.Tell(ctx, x.Destination, a)
}

// Over ends the alert of a digest. In a channel, and by mail, that would be one more
// message about nothing.
func (d digests) Over(ctx context.Context, destination string, s gate.Sent, why string) error {
	if x := d.conf.Destinations[destination]; x.Kind == "rota" || channelOf(x) != nil {
		return nil
	}
	return d.pagers.Over(ctx, destination, page.Alert{
		Task: s.Key + "-over", Key: s.Key, Ref: s.Receipt, Asked: s.At, Begun: s.At, Name: "Curfew", State: "over",
		Title: "Over: digest for " + destination, Summary: why, Severity: page.Warning,
	})
}

// alert is a digest as pagers take it.
func (d digests) alert(x gate.Digest) page.Alert {
	house := houseOf(d.conf)
	a := page.Alert{
		Task: x.Key, Key: x.Key, Asked: x.At, Begun: x.At, Tenant: x.Tenant, Name: "Curfew", State: "digest",
		Title:    fmt.Sprintf("Digest for %s: %s", x.Destination, count(x.Cases, "case")),
		Summary:  fmt.Sprintf("%s told together, to spare you the noise: %s", count(x.Cases, "case")+isAre(x.Cases), counted(x.Levels, plainly)),
		Severity: page.SeverityOf(levelOf(x.Worst)), ReadOn: "curfew cases --open",
	}
	a.Findings = []string{"By tenant: " + counted(x.Tenants, house.tenant), "By policy: " + counted(x.Policies, plainly)}
	for _, n := range x.Gravest {
		who := handlers.Line(n.Name, 80)
		if who == "" {
			who = n.Device
		}
		if user := handlers.Line(n.User, 80); user != "" {
			who += " (" + user + ")"
		}
		a.Findings = append(a.Findings, handlers.Line(fmt.Sprintf("%s of %s: %s%s", who, house.tenant(n.Tenant), n.Level, prefixed(", policy ", n.Policy)), 300))
	}
	if len(x.Tenants) == 1 {
		a.ReadOn += " --tenant " + house.tenant(x.Tenant)
	}
	return a
}

func plainly(s string) string { return s }

// counted is a list of counts: "12 high, 30 medium".
func counted(all []gate.Count, name func(string) string) string {
	var parts []string
	for _, c := range all {
		parts = append(parts, fmt.Sprintf("%d %s", c.N, handlers.Line(name(c.What), 80)))
	}
	return strings.Join(parts, ", ")
}
