package reset_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
)

const code = "aabb1234-5678-4012-abcd-ef0123456789"

// A clerk answers questions about requests.
type clerk struct {
	status  string
	expires time.Time
	err     error
}

func (c clerk) ApprovalState(context.Context, string, string) (string, time.Time, error) {
	return c.status, c.expires, c.err
}

func (c clerk) FindApproval(context.Context, string, string) (string, error) { return "", c.err }

// said is what came of a task in a few words.
func said(fact events.Fact, err error) string {
	switch f := fact.(type) {
	case events.Held:
		return "held (" + f.Request + "): " + f.Reason
	case events.Declined:
		return "declined by " + f.By + ": " + f.Reason
	case nil:
		return outcome(fact, err) + ": " + err.Error()
	}
	return fmt.Sprintf("%T", fact)
}

// What a request says decides, whatever it says.
func TestWhatARequestSays(t *testing.T) {
	refused := handlers.GiveUp(errors.New("403: DeviceManagementRBAC.Read.All is missing"))
	for name, tt := range map[string]struct {
		clerk         clerk
		held          time.Duration // for how long Microsoft has held the task
		asked, unsure string        // what comes of it: to be asked again; ended unclear, and no trace of it
		calls         int
	}{
		"needsApproval":   {asked: "held (" + code + "): request " + code + " waits for an administrator", unsure: "held (" + code + "): request " + code + " waits"},
		"approved":        {asked: "events.Accepted", unsure: "held (" + code + "): request " + code + " is approved, and was not carried out yet", calls: 1},
		"completed":       {asked: "events.Accepted", unsure: "events.Accepted"},
		"rejected":        {asked: "declined by an administrator of the tenant: request " + code + " was rejected", unsure: "declined by an administrator"},
		"cancelled":       {asked: "declined by an administrator of the tenant: request " + code + " was withdrawn", unsure: "declined by an administrator"},
		"expired":         {asked: "declined by Intune: request " + code + " has expired", unsure: "declined by Intune"},
		"notFound":        {held: 2 * time.Hour, asked: "declined by Intune: it does not know request " + code, unsure: "give up: "},
		"not found yet":   {clerk: clerk{status: "notFound"}, asked: "held (" + code + "): Intune does not show request", unsure: "give up: "},
		"deferred":        {asked: "held (" + code + `): Intune says that request ` + code + ` is "deferred"`, unsure: "give up: "},
		"":                {asked: `is "", which this version`, unsure: "give up: "},
		"may not be read": {clerk: clerk{err: refused}, asked: "DeviceManagementRBAC.Read.All is missing", unsure: "give up: "},
		"cannot be read":  {clerk: clerk{err: errors.New("503")}, asked: "plain error: ", unsure: "unsure: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.clerk == (clerk{}) {
					tt.clerk.status = name
				}
				tenant := &handlerstest.Tenant{}
				h := handler(tenant)
				h.Approvals = tt.clerk
				c := handlerstest.Laptop()
				task := task(c)
				task.Request = code
				task.Held = &events.Holding{Gate: events.GateMicrosoft, Since: time.Now().Add(-tt.held)}
				fact, err := h.Do(t.Context(), c, task)
				if got := said(fact, err); !strings.Contains(got, tt.asked) {
					t.Errorf("got %q, want %q", got, tt.asked)
				}
				if got := tenant.Effects(); len(got) != tt.calls {
					t.Errorf("called: %q", got)
				}

				tenant = &handlerstest.Tenant{}
				h.Devices, h.Intune = tenant, tenant
				task.Begun, task.Unsure = &events.Attempt{ID: "1", At: time.Now()}, true
				time.Sleep(time.Minute) // too early to say, but for who knows
				fact, err = h.Do(t.Context(), c, task)
				if got := said(fact, err); name != "completed" && !strings.HasPrefix(got, "unsure: ") {
					t.Errorf("a minute after an unclear end: %q", got)
				}
				time.Sleep(time.Hour)
				fact, err = h.Do(t.Context(), c, task)
				if got := said(fact, err); !strings.Contains(got, tt.unsure) {
					t.Errorf("after an unclear end: got %q, want %q", got, tt.unsure)
				}
				if got := tenant.Effects(); len(got) > 0 {
					t.Errorf("called again: %q", got)
				}
			})
		})
	}
}

// It asks often at first and seldom later, and is there when the request ends.
func TestHowOftenItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &handlerstest.Tenant{}
		c := handlerstest.Laptop()
		task := task(c)
		task.Request = code
		for held, want := range map[time.Duration]time.Duration{
			0: 5 * time.Minute, 2 * time.Hour: 30 * time.Minute, 60 * time.Hour: time.Hour, 71*time.Hour + 50*time.Minute: 10*time.Minute + time.Second,
		} {
			task.Held = &events.Holding{Gate: events.GateMicrosoft, Since: time.Now().Add(-held)}
			h := handler(tenant)
			h.Approvals = clerk{status: "needsApproval", expires: time.Now().Add(72*time.Hour - held)}
			fact, err := h.Do(t.Context(), c, task)
			if f, ok := fact.(events.Held); !ok || time.Until(f.Until) != want {
				t.Errorf("held for %v: %#v, %v; want to ask again in %v", held, fact, err, want)
			}
		}
	})
}

// A secretary reads what is asked for.
type secretary struct{ justification *string }

func (s secretary) Ask(_ context.Context, _ events.Action, _ events.Device, justification, _ string) error {
	*s.justification = justification
	return nil
}

// What administrators read is bounded, on one line, and begins with the task.
func TestJustification(t *testing.T) {
	tenant := &handlerstest.Tenant{}
	c := handlerstest.Laptop()
	c.Device.Name = "LT\r\n\x1b[31m-042\u202e\xff"
	for range 100 {
		c.Device.Malware = append(c.Device.Malware, events.Malware{Name: strings.Repeat("ä", 200), State: "active"})
	}
	var got string
	h := handler(tenant)
	h.Intune = secretary{&got}
	if _, err := h.Do(t.Context(), c, task(c)); err != nil {
		t.Fatal(err)
	}
	begins := "Curfew task " + task(c).ID + ": Autopilot Reset of device LT [31m-042 of Anna Bauer, by policy threat, because of: "
	if n := utf8.RuneCountInString(got); !strings.HasPrefix(got, begins) || n > 1000 || n < 500 || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x1b\u202e") {
		t.Errorf("%d characters: %q", n, got)
	}
}
