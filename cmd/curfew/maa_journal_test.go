package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph/graphtest"
	"curfew/handlers"
)

// A worker with the real journal files the request, dies with its code, finds it
// again, dies once more when it has made the approved call, and finds out that it has.
func TestApprovalSurvivesTwoDeaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, events.Reset, graphtest.Device{}, true)
		defer o.cloud.Close()
		b, err := broker.Embed(t.Context(), broker.Embedded{Dir: t.TempDir(), DontListen: true}, quiet)
		check(t, err)
		j, err := journal.Open(t.Context(), b.Conn(), journal.Options{Partitions: 2, Pulse: 30 * time.Second, Lease: 4 * time.Second}, quiet)
		check(t, err)
		o.guard.Store, o.guard.Sink = state{j.State()}, j
		rules := o.rules()
		rules.List[0].Grace, rules.List[0].Ladder[1].After = time.Minute, time.Minute

		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		serve := func(ctx context.Context, wg *sync.WaitGroup, action events.Action, do handlers.Func) {
			wg.Go(func() { check(t, j.Serve(ctx, action, do, journal.ServeOptions{})) })
		}
		wg.Go(func() { check(t, j.Keep(ctx, func() events.Policies { return rules })) })
		for action, do := range o.do {
			if action != events.Reset {
				serve(ctx, &wg, action, do)
			}
		}
		defer func() {
			cancel()
			wg.Wait()
			check(t, b.Stop(context.WithoutCancel(t.Context())))
		}()
		task := func() (c events.Case, task events.Task) {
			synctest.Wait()
			c, _, err := j.Case(ctx, o.laptop.Key)
			check(t, err)
			for _, p := range c.Pending {
				if p.Action == events.Reset {
					task = p
				}
			}
			return c, task
		}
		until := func(what string, so func(events.Task) bool) {
			t.Helper()
			for range 30 * 60 {
				if _, task := task(); so(task) {
					return
				}
				time.Sleep(time.Second)
			}
			c, task := task()
			t.Fatalf("it is not so that %s: state %s, task %+v, held %+v", what, c.State(), task, task.Held)
		}
		// die begins the task and makes its call, and nobody hears what came of it.
		die := func(attempt string) {
			t.Helper()
			until("it is in the queue", func(task events.Task) bool { return task.Out })
			_, is := task()
			check(t, j.Append(ctx, o.laptop.Key, events.Begun{Task: is.ID, Attempt: attempt}, ""))
			until("it has begun", func(task events.Task) bool { return task.Begun != nil })
			c, is := task()
			_, err := o.do[events.Reset](ctx, c, is)
			check(t, err)
		}
		// live serves until something is so.
		live := func(what string, so func(events.Task) bool) {
			t.Helper()
			ctx, cancel := context.WithCancel(ctx)
			var wg sync.WaitGroup
			serve(ctx, &wg, events.Reset, o.do[events.Reset])
			defer wg.Wait()
			defer cancel()
			until(what, so)
		}

		check(t, j.Append(ctx, o.laptop.Key, events.Noticed{Source: "sweep"}, ""))
		die("the one that filed the request")
		filed := o.tenant.Approvals()
		live("it waits for that request", func(task events.Task) bool {
			return task.Held != nil && task.Held.Gate == events.GateMicrosoft && len(filed) == 1 && task.Request == filed[0].Code
		})
		if c, _ := task(); c.State() != "awaiting_microsoft_approval" {
			t.Error("the state is ", c.State())
		}
		o.calls(0)
		o.tenant.Approve(filed[0].Code)
		die("the one that made the call")
		o.calls(1)
		live("the call is known to have been made", func(task events.Task) bool { return task.Accepted != nil })
		o.calls(1)
		if n := len(o.tenant.Approvals()); n != 1 {
			t.Errorf("%d requests were filed", n)
		}
	})
}
