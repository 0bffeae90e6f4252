package restore_test

import (
	"strings"
	"testing"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/restore"
)

const anna = "anna-id"

func laptop() (events.Case, events.Task) {
	c := handlerstest.Laptop()
	c.Device.User = ""
	c.Person = events.Person{User: "anna@contoso.example", UserID: anna}
	t := handlerstest.Task(c, events.Order{Action: events.Restore})
	t.Ref = anna
	return c, t
}

func TestKeepsThePromises(t *testing.T) {
	handlerstest.Run(t, func(testing.TB) handlerstest.World {
		tenant := &handlerstest.Tenant{}
		c, task := laptop()
		return handlerstest.World{
			Do: restore.Handler{Intune: tenant, Users: tenant}.Do, Case: c, Task: task,
			Effects: tenant.Primaries, Calls: &tenant.Writes, Reads: &tenant.Reads,
		}
	})
}

// Who is primary user by now stays it.
func TestNobodyLosesADevice(t *testing.T) {
	for is, want := range map[string]events.Done{
		"":        {Receipt: "anna@contoso.example is the primary user again"},
		"ANNA-ID": {Receipt: "anna@contoso.example is the primary user already", Others: true},
		"ben-id":  {Receipt: "somebody else is the primary user by now, ben-id, and stays it", Others: true},
	} {
		tenant := &handlerstest.Tenant{}
		c, task := laptop()
		if is != "" {
			if err := tenant.SetPrimaryUser(t.Context(), c.Device, is); err != nil {
				t.Fatal(err)
			}
		}
		want.Task = task.ID
		fact, err := restore.Handler{Intune: tenant, Users: tenant}.Do(t.Context(), c, task)
		if fact != want || err != nil {
			t.Errorf("%q: got %#v, %v; want %#v", is, fact, err, want)
		}
		if is == "" {
			is = anna
		}
		if got, err := tenant.PrimaryUser(t.Context(), c.Device); got != is || err != nil {
			t.Errorf("the primary user is %q, %v; want %q", got, err, is)
		}
	}
}

func TestWhoCannotHaveItBack(t *testing.T) {
	for want, change := range map[string]func(*handlerstest.Tenant, *events.Case, *events.Task){
		"anna@contoso.example, whose device it was, is not in Entra any more":  func(tn *handlerstest.Tenant, _ *events.Case, _ *events.Task) { tn.Left = anna },
		"the account of anna@contoso.example, whose device it was, is blocked": func(tn *handlerstest.Tenant, _ *events.Case, _ *events.Task) { tn.Blocked = anna },
		"the account of ben-id, whose":                                         func(tn *handlerstest.Tenant, _ *events.Case, t *events.Task) { t.Ref, tn.Blocked = "ben-id", "ben-id" },
		"nobody knows who":                                                     func(_ *handlerstest.Tenant, _ *events.Case, t *events.Task) { t.Ref = "" },
		"not known to Intune":                                                  func(_ *handlerstest.Tenant, c *events.Case, _ *events.Task) { c.Device.IntuneID = "" },
	} {
		tenant := &handlerstest.Tenant{}
		c, task := laptop()
		change(tenant, &c, &task)
		_, err := restore.Handler{Intune: tenant, Users: tenant}.Do(t.Context(), c, task)
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), want) || len(tenant.Primaries()) > 0 {
			t.Errorf("got %v, %q; want an error that gives up and says %q", err, tenant.Primaries(), want)
		}
	}
}

// Who may not read users restores them all the same; and a question that failed is
// no effect.
func TestQuestionsThatFail(t *testing.T) {
	tenant, deaf := &handlerstest.Tenant{}, &handlerstest.Tenant{}
	deaf.Reads.Fail(-1, fake.Fault{Status: 403})
	c, task := laptop()
	fact, err := restore.Handler{Intune: tenant, Users: deaf}.Do(t.Context(), c, task)
	if _, ok := fact.(events.Done); !ok || err != nil || len(tenant.Primaries()) != 1 {
		t.Errorf("got %#v, %v, %q", fact, err, tenant.Primaries())
	}
	deaf.Reads.Fail(-1, fake.Fault{Status: 504})
	_, err = restore.Handler{Intune: &handlerstest.Tenant{}, Users: deaf}.Do(t.Context(), c, task)
	if v := handlers.Read(err); err == nil || v.Unsure || v.GiveUp {
		t.Errorf("got %v, %+v; want a plain error", err, v)
	}
	task.Unsure = true
	_, err = restore.Handler{Intune: deaf, Users: deaf}.Do(t.Context(), c, task)
	if v := handlers.Read(err); err == nil || !v.Unsure || v.GiveUp {
		t.Errorf("got %v, %+v; want it as unsure as it was", err, v)
	}
}
