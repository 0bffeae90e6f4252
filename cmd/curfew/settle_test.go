package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/gate/actuator"
	"curfew/events/journal"
	"curfew/graph/graphtest"
	"curfew/handlers/page"
)

// TestSettlingCallsNothing: a watcher that was taken over may say of a task that it
// was accepted, or may have been done, and so get it past the re-check. For no
// action does its handler call anything then.
func TestSettlingCallsNothing(t *testing.T) {
	d := newDuo(t)
	l, k := d.laptop("LT-001")
	conf, problems := loadConfig(d.file(roleAct), loadOptions{Templates: templateNames, Getenv: environment})
	if conf == nil {
		t.Fatal(problems)
	}
	b, err := broker.Dial(t.Context(), conf.NATS.remote(), quiet)
	check(t, err)
	defer func() { check(t, b.Stop(context.WithoutCancel(t.Context()))) }()
	j, err := journal.Open(t.Context(), b.Conn(), journal.Options{}, quiet)
	check(t, err)
	by, err := cloudsOf(conf)
	check(t, err)
	defer by.Close()
	asks, err := approvalsOf(conf, by.watch, quiet)
	check(t, err)
	acts := table(conf, by, nil, guardOf(conf, j, quiet), actuatorOf(conf, by, quiet), asks, desks(conf, nil, nil, quiet), &page.Handler{})
	for _, a := range events.Actions() {
		if (acts[a] != nil) != actuator.Do(a) {
			t.Errorf("%s is done by the wrong process", a)
		}
	}
	c := events.Case{Key: k, Open: true, Policy: "threat", Rung: 9, Shown: true, Told: time.Now().Add(-99 * time.Hour), Opened: time.Now().Add(-100 * time.Hour)}
	c.Device = events.Device{Key: k, IntuneID: l.ID, OS: "Windows", Threat: "highSeverity", User: "ana@contoso.example", SeenAt: time.Now()}
	reads := 0
	for action, do := range acts {
		for name, change := range map[string]func(*events.Task){
			"accepted":              func(t *events.Task) { t.Accepted = &events.Progress{At: time.Now().Add(-50 * time.Hour)} },
			"accepted just now":     func(t *events.Task) { t.Accepted = &events.Progress{At: time.Now()} },
			"unsure":                func(t *events.Task) { t.Unsure = true },
			"unsure, and long over": func(t *events.Task) { t.Unsure, t.Begun.At = true, time.Now().Add(-50*time.Hour) },
			"accepted and unsure":   func(t *events.Task) { t.Unsure, t.Accepted = true, &events.Progress{At: time.Now().Add(-time.Hour)} },
		} {
			task := events.Task{
				ID: k.String() + "/7-" + string(action), Order: events.Order{Action: action, Kind: "full", Scope: "user"}, Out: true,
				Rung: 1, Policy: "threat", For: l.ID, Ref: "someone", Request: "a request", Asked: time.Now().Add(-60 * time.Hour),
				Begun: &events.Attempt{ID: "attempt", At: time.Now().Add(-time.Minute)}, Approvals: []events.Approval{{By: "kim"}},
			}
			change(&task)
			f, err := do(t.Context(), c, task)
			for _, r := range d.tenant.Requests() {
				if r.Method == http.MethodGet {
					reads++
				} else if !strings.Contains(r.Path, "/oauth2/") {
					t.Errorf("%s, %s: %s %s, and came to %#v, %v", action, name, r.Method, r.Path, f, err)
				}
			}
			d.tenant.Forget()
		}
	}
	if reads < len(acts) {
		t.Errorf("%d reads: nothing was asked, which proves nothing", reads)
	}
	if n := d.tenant.Happened(l.Name, graphtest.AutopilotReset); n > 0 {
		t.Errorf("%d resets", n)
	}
}
