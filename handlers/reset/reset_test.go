package reset_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/reset"
)

func TestKeepsThePromises(t *testing.T) {
	for _, action := range []events.Action{events.Reset, events.Retire, events.Wipe} {
		t.Run(string(action), func(t *testing.T) {
			handlerstest.Run(t, func(testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Lag: 10 * time.Minute, Takes: 2 * time.Hour}
				c := handlerstest.Laptop()
				return handlerstest.World{
					Do: handler(tenant).Do, Case: c, Task: taskOf(c, action),
					Effects: tenant.Effects, Calls: &tenant.Writes, Reads: &tenant.Reads,
				}
			})
		})
	}
}

func handler(tenant *handlerstest.Tenant) reset.Handler {
	return reset.Handler{Devices: tenant, Intune: tenant, Approvals: tenant}
}

func task(c events.Case) events.Task { return taskOf(c, events.Reset) }

func taskOf(c events.Case, action events.Action) events.Task {
	t := handlerstest.Task(c, events.Order{Action: action})
	t.For = c.Device.IntuneID
	return t
}

// Whatever has eased since the case was decided on, the device is not reset: what
// was seen goes back to be decided on.
func TestLooksALastTime(t *testing.T) {
	for name, change := range map[string]func(*events.Device){
		"threat secured":      func(d *events.Device) { d.Threat = "secured" },
		"threat lower":        func(d *events.Device) { d.Threat = "lowSeverity" },
		"threat unresponsive": func(d *events.Device) { d.Threat = "unresponsive" },
		"threat strange":      func(d *events.Device) { d.Threat = "somethingNew" },
		"compliant":           func(d *events.Device) { d.Compliance = "compliant" },
		"in grace":            func(d *events.Device) { d.Compliance = "inGracePeriod" },
		"malware removed":     func(d *events.Device) { d.Malware = nil },
		"malware quarantined": func(d *events.Device) {
			d.Malware = []events.Malware{{Name: "Trojan:Win32/Example", State: "quarantined"}}
		},
		"alert resolved":   func(d *events.Device) { d.Alerts = []events.Alert{{ID: "alert-1", Status: "resolved"}} },
		"alert remediated": func(d *events.Device) { d.Alerts = []events.Alert{{ID: "alert-1", Investigation: "benign"}} },
		"setting met":      func(d *events.Device) { d.Settings = nil },
		"all of it": func(d *events.Device) {
			*d = events.Device{Key: d.Key, SeenAt: d.SeenAt, IntuneID: d.IntuneID, OS: d.OS, Threat: "secured", Compliance: "compliant"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := &handlerstest.Tenant{Change: change}
			c := handlerstest.Laptop()
			fact, err := handler(tenant).Do(t.Context(), c, task(c))
			seen, ok := fact.(events.Seen)
			if !ok || err != nil || seen.Task != task(c).ID || seen.Device.SeenAt.IsZero() {
				t.Errorf("got %#v, %v; want what the last look saw", fact, err)
			}
			if n := tenant.Effects(); len(n) > 0 {
				t.Errorf("a device that may be healthy was reset: %q", n)
			}
		})
	}
}

// The queue may hold a task for long; the case is asked once more.
func TestACaseThatIsNotOpenResetsNothing(t *testing.T) {
	for name, change := range map[string]func(*events.Case){
		"closed":   func(c *events.Case) { c.Open = false },
		"clearing": func(c *events.Case) { c.Clearing = time.Now() },
	} {
		t.Run(name, func(t *testing.T) {
			tenant := &handlerstest.Tenant{}
			c := handlerstest.Laptop()
			change(&c)
			fact, err := handler(tenant).Do(t.Context(), c, task(c))
			if _, ok := fact.(events.Seen); !ok || err != nil || len(tenant.Effects()) > 0 {
				t.Errorf("got %#v, %v, %q", fact, err, tenant.Effects())
			}
		})
	}
}

// New trouble does not save a device, unless it makes the reset impossible.
func TestMoreRiskDoesNotStopIt(t *testing.T) {
	tenant := &handlerstest.Tenant{Change: func(d *events.Device) {
		d.Threat = "compromised"
		d.Alerts = append(d.Alerts, events.Alert{ID: "alert-2", Severity: "high", Status: "new"})
	}}
	c := handlerstest.Laptop()
	fact, err := handler(tenant).Do(t.Context(), c, task(c))
	if _, ok := fact.(events.Accepted); !ok || err != nil || len(tenant.Effects()) != 1 {
		t.Errorf("got %#v, %v, %q", fact, err, tenant.Effects())
	}
}

// What was meant for an enrolment is not done to the next one.
func TestAnotherEnrolment(t *testing.T) {
	for name, change := range map[string]func(*events.Task, *events.Case){
		"than the task's":          func(*events.Task, *events.Case) {},
		"though the case knows it": func(_ *events.Task, c *events.Case) { c.Device.IntuneID = "intune-043" },
		"than the case's":          func(t *events.Task, _ *events.Case) { t.For = "" },
	} {
		t.Run(name, func(t *testing.T) {
			tenant := &handlerstest.Tenant{Change: func(d *events.Device) { d.IntuneID = "intune-043" }}
			c := handlerstest.Laptop()
			task := task(c)
			change(&task, &c)
			fact, err := handler(tenant).Do(t.Context(), c, task)
			if seen, ok := fact.(events.Seen); !ok || err != nil || seen.Device.IntuneID != "intune-043" || len(tenant.Effects()) > 0 {
				t.Errorf("got %#v, %v, %q", fact, err, tenant.Effects())
			}
		})
	}
}

// Each action has devices of its own.
func TestWhomItIsFor(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*events.Device)
		may    []events.Action
	}{
		"a laptop of the organisation": {func(*events.Device) {}, []events.Action{events.Reset, events.Retire, events.Wipe}},
		"a person's own laptop":        {func(d *events.Device) { d.Owner = "personal" }, []events.Action{events.Reset, events.Retire}},
		"nobody says whose":            {func(d *events.Device) { d.Owner = "" }, []events.Action{events.Reset, events.Retire}},
		"a new kind of owner":          {func(d *events.Device) { d.Owner = "shared" }, []events.Action{events.Reset, events.Retire}},
		"a phone":                      {func(d *events.Device) { d.OS = "Android" }, []events.Action{events.Retire, events.Wipe}},
		"hybrid joined":                {func(d *events.Device) { d.Join = "ServerAd" }, []events.Action{events.Retire, events.Wipe}},
		"Defender's only":              {func(d *events.Device) { d.Agent = "msSense" }, nil},
	} {
		for _, action := range []events.Action{events.Reset, events.Retire, events.Wipe} {
			t.Run(name+"/"+string(action), func(t *testing.T) {
				tenant := &handlerstest.Tenant{Change: tt.change}
				c := handlerstest.Laptop()
				fact, err := handler(tenant).Do(t.Context(), c, taskOf(c, action))
				_, accepted := fact.(events.Accepted)
				if may := slices.Contains(tt.may, action); may != accepted || !may && !handlers.Read(err).GiveUp || len(tenant.Effects()) > len(tt.may) {
					t.Errorf("got %#v, %v, %q; want it done: %v", fact, err, tenant.Effects(), may)
				}
			})
		}
	}
	c := handlerstest.Laptop()
	tenant := &handlerstest.Tenant{}
	if _, err := handler(tenant).Do(t.Context(), c, taskOf(c, events.Scan)); !handlers.Read(err).GiveUp || len(tenant.Effects()) > 0 {
		t.Errorf("a scan: %v, %q", err, tenant.Effects())
	}
}

// A device that is to leave Intune is believed to have left when Intune has twice
// not shown it, and then only if Intune took the call on.
func TestLeftIntune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := handlerstest.Laptop()
		tenant := &handlerstest.Tenant{}
		task := taskOf(c, events.Retire)
		task.Begun = &events.Attempt{ID: "1", At: time.Now()}
		h := handler(tenant)
		fact, err := h.Do(t.Context(), c, task)
		if _, ok := fact.(events.Accepted); !ok {
			t.Fatalf("%#v %v", fact, err)
		}
		time.Sleep(2 * time.Minute) // and it has left
		unsure := task
		unsure.Unsure = true
		if _, err := h.Do(t.Context(), c, unsure); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "a person must look") {
			t.Errorf("nobody had heard that it was accepted: %v", err)
		}
		task.Accepted = &events.Progress{At: time.Now()}
		fact, err = h.Do(t.Context(), c, task)
		first, ok := fact.(events.Accepted)
		if !ok || time.Until(first.Again) < 5*time.Minute {
			t.Fatalf("the first time: %#v %v", fact, err)
		}
		task.Accepted.Receipt = first.Receipt
		fact, err = h.Do(t.Context(), c, task)
		if done, ok := fact.(events.Done); !ok || !strings.Contains(done.Receipt, "it has left") {
			t.Errorf("the second time: %#v %v", fact, err)
		}
		task.Action = events.Reset // is to stay
		if _, err := h.Do(t.Context(), c, task); !handlers.Read(err).GiveUp {
			t.Errorf("a device that was reset is gone: %v", err)
		}
	})
}

func TestWhatMustNotBeReset(t *testing.T) {
	for want, tt := range map[string]struct {
		change func(*events.Device)
		giveUp bool
	}{
		"is for Windows":                   {func(d *events.Device) { d.OS = "iOS" }, true},
		"join type is ServerAd":            {func(d *events.Device) { d.Join = "ServerAd" }, true},
		"join type is Workplace":           {func(d *events.Device) { d.Join = "Workplace" }, true},
		"not known to Intune":              {func(d *events.Device) { d.IntuneID = "" }, true},
		"showed contoso/other":             {func(d *events.Device) { d.Key.Device = "other" }, true},
		"managementState is wipePending":   {func(d *events.Device) { d.Management = "wipePending" }, false},
		"managementState is retirePending": {func(d *events.Device) { d.Management = "retirePending" }, false},
		"could not read malware: 403":      {func(d *events.Device) { d.Missing = []string{"malware: 403"} }, false},
		"did not show alert alert-1":       {func(d *events.Device) { d.Alerts = nil }, false},
	} {
		t.Run(want, func(t *testing.T) {
			tenant := &handlerstest.Tenant{Change: tt.change}
			c := handlerstest.Laptop()
			_, err := handler(tenant).Do(t.Context(), c, task(c))
			if err == nil || !strings.Contains(err.Error(), want) || len(tenant.Effects()) > 0 {
				t.Fatalf("got %v, %q; want %q and no reset", err, tenant.Effects(), want)
			}
			if v := handlers.Read(err); v.GiveUp != tt.giveUp || v.Unsure {
				t.Errorf("%v: got %+v, want give up: %v", err, v, tt.giveUp)
			}
		})
	}
}

// A failed last look is a question that failed, not a reset that may have begun.
func TestALookThatTimesOutIsNotAReset(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	tenant.Reads.Fail(1, fake.Fault{Status: 504})
	c := handlerstest.Laptop()
	_, err := handler(tenant).Do(t.Context(), c, task(c))
	if v := handlers.Read(err); err == nil || v.Unsure || v.GiveUp {
		t.Errorf("got %v, %+v; want a plain error", err, v)
	}
}

func TestDryRunDoesEverythingButTheCall(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	c := handlerstest.Laptop()
	h := handler(tenant)
	h.DryRun = true
	for action, would := range map[events.Action]string{events.Reset: "reset", events.Retire: "retired", events.Wipe: "wiped"} {
		fact, err := h.Do(t.Context(), c, taskOf(c, action))
		want := "dry run: the device would have been " + would + " now; nothing was done"
		if d, ok := fact.(events.Done); !ok || err != nil || !d.Dry || d.Receipt != want || len(tenant.Effects()) > 0 {
			t.Errorf("got %#v, %v, %q", fact, err, tenant.Effects())
		}
	}
	tenant.Change = func(d *events.Device) { d.OS = "macOS" }
	if _, err := h.Do(t.Context(), c, task(c)); err == nil {
		t.Error("a dry run did not notice that the device cannot be reset")
	}
}

// After a crash only Intune's record counts, and it is read for half an hour.
// Whatever it says, there is no second call.
func TestUnsureIsSettledByTheRecord(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(d *events.Device, began time.Time)
		age    time.Duration
		want   string // Done, Accepted, unsure or give up
	}{
		"nothing yet":                {nil, 10 * time.Minute, "unsure"},
		"nothing at all":             {nil, 30 * time.Minute, "give up"},
		"a wipe under way":           {record("wipe", "pending", time.Minute), 10 * time.Minute, "Accepted"},
		"under its other name":       {record("factoryResetKeepEnrollmentData", "active", time.Minute), 10 * time.Minute, "Accepted"},
		"a wipe that is done":        {record("wipe", "done", time.Minute), 2 * time.Hour, "Done"},
		"a wipe that failed":         {record("wipe", "failed", time.Minute), 2 * time.Hour, "give up"},
		"our clock is ahead":         {record("wipe", "pending", -time.Minute), 10 * time.Minute, "Accepted"},
		"a wipe of last week":        {record("wipe", "done", -7*24*time.Hour), 10 * time.Minute, "unsure"},
		"a wipe without a date":      {func(d *events.Device, _ time.Time) { d.Actions = []events.DeviceAction{{Name: "wipe", State: "done"}} }, 40 * time.Minute, "give up"},
		"some other action":          {record("rebootNow", "done", time.Minute), 40 * time.Minute, "give up"},
		"only the management state":  {managed("wipePending"), 10 * time.Minute, "Accepted"},
		"issued":                     {managed("wipeIssued"), 10 * time.Minute, "Accepted"},
		"an earlier wipe's failure?": {managed("wipeFailed"), 10 * time.Minute, "unsure"},
		"this wipe's failure":        {managed("wipeFailed"), 30 * time.Minute, "give up"},
		"cancelled by a person":      {managed("wipeCanceled"), 30 * time.Minute, "give up"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := &handlerstest.Tenant{}
				c := handlerstest.Laptop()
				task := task(c)
				began := time.Now().UTC()
				if tt.change != nil {
					tenant.Change = func(d *events.Device) { tt.change(d, began) }
				}
				task.Begun, task.Unsure = &events.Attempt{ID: "1", At: began}, true
				time.Sleep(tt.age)
				fact, err := handler(tenant).Do(t.Context(), c, task)
				if got := outcome(fact, err); got != tt.want {
					t.Errorf("got %s (%#v, %v), want %s", got, fact, err, tt.want)
				}
				if n := tenant.Effects(); len(n) > 0 {
					t.Errorf("settling called again: %q", n)
				}
			})
		})
	}
}

func outcome(fact events.Fact, err error) string {
	switch v := handlers.Read(err); {
	case v.GiveUp:
		return "give up"
	case v.Unsure:
		return "unsure"
	case err != nil:
		return "plain error"
	}
	if _, ok := fact.(events.Done); ok {
		return "Done"
	}
	return "Accepted"
}

func record(name, state string, started time.Duration) func(*events.Device, time.Time) {
	return func(d *events.Device, began time.Time) {
		d.Actions = []events.DeviceAction{{Name: name, State: state, Started: began.Add(started), Updated: began.Add(started)}}
	}
}

func managed(state string) func(*events.Device, time.Time) {
	return func(d *events.Device, _ time.Time) { d.Management = state }
}

// A device that is never switched on is not waited for for ever.
func TestGivesUpAfterThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &handlerstest.Tenant{Takes: 1000 * time.Hour}
		c := handlerstest.Laptop()
		task := task(c)
		h := handler(tenant)
		began := time.Now()
		task.Begun = &events.Attempt{ID: "1", At: began}
		fact, err := h.Do(t.Context(), c, task)
		asked := 1
		for err == nil {
			again := fact.(events.Accepted).Again
			task.Accepted = &events.Progress{At: began}
			time.Sleep(time.Until(again))
			fact, err = h.Do(t.Context(), c, task)
			asked++
		}
		if took := time.Since(began).Round(time.Minute); took != 72*time.Hour || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "pending") {
			t.Errorf("gave up after %v: %v", took, err)
		}
		if asked > 200 || len(tenant.Effects()) != 1 {
			t.Errorf("asked %d times, effects %q", asked, tenant.Effects())
		}
	})
}
