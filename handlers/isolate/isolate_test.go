package isolate_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/isolate"
)

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		tenant, defender := &handlerstest.Tenant{}, &handlerstest.Defender{Lag: 3 * time.Minute, Takes: 20 * time.Minute}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: isolate.Handler{Devices: tenant, Defender: defender}.Do, Case: c, Task: task(c, events.Isolate),
			Effects: defender.Effects, Calls: &defender.Writes, Reads: &defender.Reads,
		}
	})
}

func TestLettingBackKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		defender := &handlerstest.Defender{Lag: 3 * time.Minute, Takes: 20 * time.Minute, Past: past("Isolate Succeeded ours")}
		c := handlerstest.Laptop()
		return handlerstest.World{
			Do: isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: defender}.Do, Case: c, Task: task(c, events.Unisolate),
			Effects: defender.Effects, Calls: &defender.Writes, Reads: &defender.Reads,
		}
	})
}

func task(c events.Case, a events.Action) events.Task {
	t := handlerstest.Task(c, events.Order{Action: a})
	if a == events.Unisolate {
		t.Ref = "ours"
	}
	return t
}

// past is a record, the oldest first: type, status and id of each.
func past(entries ...string) (out []handlerstest.MachineAction) {
	for _, e := range entries {
		f := strings.Fields(e)
		at := time.Now().UTC().Add(-time.Hour)
		out = append(out, handlerstest.MachineAction{MachineAction: handlers.MachineAction{
			Type: f[0], Status: f[1], ID: f[2], By: "attack disruption", Created: at, Updated: at,
		}})
	}
	return out
}

// outcome is what came of a task, and how often Defender was asked for something.
func outcome(fact events.Fact, err error, df *handlerstest.Defender) string {
	n := fmt.Sprintf(", asked %d times", len(df.Actions()))
	switch f := fact.(type) {
	case events.Done:
		return fmt.Sprintf("done %s%s%s", f.Receipt, map[bool]string{true: ", by others"}[f.Others], map[bool]string{true: ", dry"}[f.Dry]) + n
	case events.Accepted:
		return "accepted " + f.Receipt + n
	case events.Seen:
		return "seen" + n
	}
	v := handlers.Read(err)
	return fmt.Sprintf("give up %v, unsure %v, in %v: %v", v.GiveUp, v.Unsure, v.After, err) + n
}

// Nothing is isolated that may be healthy, or that somebody else isolated.
func TestAsksBeforeItIsolates(t *testing.T) {
	secured := func(d *events.Device) { d.Threat = "secured" }
	for name, tt := range map[string]struct {
		record []string
		change func(*events.Device)
		dry    bool
		want   string
	}{
		"nothing speaks against it":      {nil, nil, false, "accepted Isolate: Defender says Pending, asked 1 times"},
		"the threat has gone":            {nil, secured, false, "seen, asked 0 times"},
		"attack disruption was quicker":  {[]string{"Isolate Succeeded a1"}, nil, false, "done isolated by attack disruption at 1999-12-31T23:00:00Z, by others, asked 0 times"},
		"Curfew did, in an earlier rung": {[]string{"Isolate Succeeded ours"}, nil, false, "done ours, asked 0 times"},
		"it was lifted since":            {[]string{"Isolate Succeeded a1", "Unisolate Succeeded a2"}, nil, false, "accepted Isolate: Defender says Pending, asked 1 times"},
		"it is being lifted":             {[]string{"Isolate Succeeded a1", "Unisolate Pending a2"}, nil, false, "accepted Isolate: Defender says Pending, asked 1 times"},
		"lifting it failed":              {[]string{"Isolate Succeeded a1", "Unisolate TimeOut a2"}, nil, false, "done isolated by attack disruption at 1999-12-31T23:00:00Z, by others, asked 0 times"},
		"somebody's came to nothing":     {[]string{"Isolate Failed a1"}, nil, false, "accepted Isolate: Defender says Pending, asked 1 times"},
		"somebody's is under way":        {[]string{"Isolate InProgress a1"}, nil, false, "accepted Isolate: Defender says InProgress, asked 0 times"},
		"a scan is none of its business": {[]string{"RunAntiVirusScan Succeeded a1"}, nil, false, "accepted Isolate: Defender says Pending, asked 1 times"},
		"a dry run":                      {nil, nil, true, "done dry run: the device would have been isolated now; nothing was done, dry, asked 0 times"},
		"a dry run sees that, too":       {[]string{"Isolate Succeeded a1"}, secured, true, "seen, asked 0 times"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				df := &handlerstest.Defender{Past: past(tt.record...)}
				c := handlerstest.Laptop()
				c.Effects = []events.Effect{{Action: events.Isolate, Ref: "ours"}}
				h := isolate.Handler{Devices: &handlerstest.Tenant{Change: tt.change}, Defender: df, DryRun: tt.dry}
				fact, err := h.Do(t.Context(), c, task(c, events.Isolate))
				if got := outcome(fact, err, df); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// What is isolated is noted by Defender's id for it, and how it can end.
func TestHowAnIsolationEnds(t *testing.T) {
	for ends, want := range map[string]string{
		"Succeeded": "done action-1",
		"Failed":    "give up true, unsure false, in 0s: isolate: Isolate: Defender says Failed at 2000-01-01T00:05:00Z",
		"TimeOut":   "give up true, unsure false, in 0s: isolate: Isolate: Defender gave up waiting for the device at 2000-01-01T00:05:00Z",
		"Cancelled": "give up true, unsure false, in 0s: isolate: Isolate: Defender says Cancelled at 2000-01-01T00:05:00Z",
		"Paused":    "give up true, unsure false, in 0s: isolate: Isolate is not done after 24h0m0s; Defender's record says: Paused",
	} {
		t.Run(ends, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				df := &handlerstest.Defender{Takes: 5 * time.Minute, Ends: []string{ends}}
				c := handlerstest.Laptop()
				fact, err := follow(t, isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}, c, task(c, events.Isolate))
				if got, want := outcome(fact, err, df), want+", asked 1 times"; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
}

// follow does a task until it is more than accepted.
func follow(t *testing.T, h isolate.Handler, c events.Case, task events.Task) (events.Fact, error) {
	t.Helper()
	task.Begun = &events.Attempt{ID: "1", At: time.Now().UTC()}
	for range 1000 {
		fact, err := h.Do(t.Context(), c, task)
		a, more := fact.(events.Accepted)
		if !more {
			return fact, err
		}
		if task.Accepted == nil {
			task.Accepted = &events.Progress{At: time.Now().UTC(), Receipt: a.Receipt}
		}
		time.Sleep(time.Until(a.Again))
	}
	t.Fatal("it is followed for ever")
	return nil, nil
}

// Where somebody else's isolation fails, a person has to ask for Curfew's own: an
// accepted task does not pass the gates again.
func TestSomebodyElsesFailureIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		df := &handlerstest.Defender{Past: past("Isolate InProgress a1")}
		c := handlerstest.Laptop()
		task := task(c, events.Isolate)
		task.Begun = &events.Attempt{ID: "1", At: time.Now().UTC()}
		task.Accepted = &events.Progress{At: time.Now().UTC()}
		h := isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}
		time.Sleep(time.Minute)
		df.Past[0].Status, df.Past[0].Updated = "Failed", time.Now()
		fact, err := h.Do(t.Context(), c, task)
		if got := outcome(fact, err, df); !strings.HasPrefix(got, "give up true") || !strings.Contains(got, "came to nothing: Defender says Failed; try again") || !strings.HasSuffix(got, "asked 0 times") {
			t.Error(got)
		}
		df.Past[0].Status = "Succeeded"
		fact, err = isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}.Do(t.Context(), c, task)
		if got := outcome(fact, err, df); got != "done Isolate by attack disruption at 2000-01-01T00:01:00Z, by others, asked 0 times" {
			t.Error(got)
		}
	})
}

// Letting a device back goes by what the record says is so.
func TestLetsBack(t *testing.T) {
	for name, tt := range map[string]struct {
		record []string
		ref    string
		want   string
	}{
		"it is isolated":               {[]string{"Isolate Succeeded ours"}, "ours", "accepted Unisolate: Defender says Pending, asked 1 times"},
		"nobody knows by which action": {[]string{"Isolate Succeeded ours"}, "", "accepted Unisolate: Defender says Pending, asked 1 times"},
		"a person was quicker":         {[]string{"Isolate Succeeded ours", "Unisolate Succeeded a2"}, "ours", "done a2 by attack disruption at 1999-12-31T23:00:00Z, asked 0 times"},
		"a person is at it":            {[]string{"Isolate Succeeded ours", "Unisolate Pending a2"}, "ours", "accepted Unisolate: Defender says Pending, asked 0 times"},
		"a person failed":              {[]string{"Isolate Succeeded ours", "Unisolate Failed a2"}, "ours", "accepted Unisolate: Defender says Pending, asked 1 times"},
		"a reset made a new machine":   {nil, "ours", "done Defender's record shows no isolation of the machine, asked 0 times"},
		"others isolated it too":       {[]string{"Isolate Succeeded ours", "Isolate Succeeded a2"}, "ours", "done it was isolated again by attack disruption at 1999-12-31T23:00:00Z, which is theirs to lift, asked 0 times"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				df := &handlerstest.Defender{Past: past(tt.record...)}
				c := handlerstest.Laptop()
				task := task(c, events.Unisolate)
				task.Ref = tt.ref
				fact, err := isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df, DryRun: true}.Do(t.Context(), c, task)
				if got := outcome(fact, err, df); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// A device that fails to come back is asked again, for a week; then a person is
// told what to do, and not only that it failed.
func TestLettingBackIsTriedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		df := &handlerstest.Defender{Takes: time.Hour, Past: past("Isolate Succeeded ours"), Ends: []string{"TimeOut", "Failed", "Cancelled"}}
		c := handlerstest.Laptop()
		fact, err := follow(t, isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}, c, task(c, events.Unisolate))
		if got := outcome(fact, err, df); !strings.HasPrefix(got, "done action-4 by curfew") || !strings.HasSuffix(got, "asked 4 times") {
			t.Error(got)
		}

		df = &handlerstest.Defender{Takes: 30 * 24 * time.Hour, Past: past("Isolate Succeeded ours")}
		began := time.Now()
		_, err = follow(t, isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}, c, task(c, events.Unisolate))
		if took := time.Since(began); took != 7*24*time.Hour {
			t.Errorf("it gave up after %v", took)
		}
		says(t, err, "a person has to let it back", "Devices > LT-042 > Release from isolation", "not let back after 168h0m0s")
	})
}

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v; want an error that gives up and says %q", err, part)
		}
	}
}

// What Defender refuses for good, a person has to do, and is told how.
func TestWhatDefenderRefuses(t *testing.T) {
	c := handlerstest.Laptop()
	for name, fail := range map[string]func(*handlerstest.Defender){
		"to do":   func(df *handlerstest.Defender) { df.Writes.Fail(-1, fake.Fault{Status: 403}) },
		"to show": func(df *handlerstest.Defender) { df.Reads.Fail(-1, fake.Fault{Status: 403}) },
	} {
		t.Run(name, func(t *testing.T) {
			df := &handlerstest.Defender{Past: past("Isolate Succeeded ours")}
			fail(df)
			_, err := isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}.Do(t.Context(), c, task(c, events.Unisolate))
			says(t, err, "a person has to let it back", "403")
			df.Past = nil
			_, err = isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}.Do(t.Context(), c, task(c, events.Isolate))
			says(t, err, "isolate: ", "403")
		})
	}
}

// An isolation that has not reached the device yet is waited for: taken back before
// it is there, it would come after all.
func TestLetsBackWhatIsNotIsolatedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		df := &handlerstest.Defender{Past: past("Isolate Pending ours", "Unisolate Succeeded a2")}
		c := handlerstest.Laptop()
		task := task(c, events.Unisolate)
		task.Begun = &events.Attempt{ID: "1", At: time.Now()}
		h := isolate.Handler{Devices: &handlerstest.Tenant{}, Defender: df}
		expect := func(want string) {
			t.Helper()
			fact, err := h.Do(t.Context(), c, task)
			if got := outcome(fact, err, df); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			task.Accepted = &events.Progress{At: time.Now()}
		}
		expect("accepted Isolate: Defender says Pending, asked 0 times")
		time.Sleep(time.Hour)
		df.Past[0].Status, df.Past[0].Updated = "Succeeded", time.Now()
		expect("accepted Unisolate: Defender says Pending, asked 1 times")
		df.Past[0].Status = "Failed"
		time.Sleep(time.Hour)
		expect("done action-1 by curfew at 2000-01-01T01:01:00Z, asked 1 times")
	})
}
