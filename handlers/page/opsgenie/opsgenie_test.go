package opsgenie_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
	"curfew/handlers/page/opsgenie"
	"curfew/handlers/page/opsgenie/opsgenietest"
	"curfew/handlers/page/pagertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "canary-genie-key"

// account is an Opsgenie in memory and an integration of it.
func account(t testing.TB) (*opsgenietest.Opsgenie, opsgenie.Integration, *fake.Server) {
	t.Helper()
	o := &opsgenietest.Opsgenie{Key: key, Lag: 300 * time.Millisecond}
	s, err := fake.Pipe(o)
	if err != nil {
		t.Fatal(err)
	}
	to := pagertest.Serve(t, s)
	return o, opsgenie.Integration{Key: key, Base: to.URL, Client: to.Client}, s
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		o, i, s := account(t)
		return pagertest.World{
			Pager: i, Calls: &s.Faults, Secrets: []string{key},
			Alerts: func() (out []pagertest.Alert) {
				for _, a := range o.Alerts() {
					texts := append([]string{a.Message, a.Entity}, strings.Split(a.Description, "\n")...)
					for _, d := range a.Details {
						texts = append(texts, d)
					}
					out = append(out, pagertest.Alert{Key: opsgenie.Key(a.Alias), Open: a.Open, Pages: a.Count, Texts: texts})
				}
				return out
			},
		}
	})
}

func do(t *testing.T, i opsgenie.Integration, ref string, edit func(*events.Case)) error {
	t.Helper()
	c := handlerstest.Laptop()
	edit(&c)
	task := handlerstest.Task(c, events.Order{Action: events.Page, Destination: "night"})
	task.Ref = ref
	h := &page.Handler{Pagers: map[string]page.Pager{"night": i}}
	_, err := h.Do(t.Context(), c, task)
	return err
}

// A create that is folded changes nothing, so the text is brought up to date.
func TestAPageThatComesAgainSaysWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, i, _ := account(t)
		if err := do(t, i, "", func(*events.Case) {}); err != nil {
			t.Fatal(err)
		}
		if err := do(t, i, handlerstest.Laptop().ID(), func(c *events.Case) { c.Attention = []string{"nobody has answered"} }); err != nil {
			t.Fatal(err)
		}
		if got := o.Alerts(); len(got) != 1 || got[0].Count != 2 || !strings.Contains(got[0].Description, "nobody has answered") {
			t.Errorf("got %+v", got)
		}
	})
}

// 202 is not done: a disabled integration takes everything and does nothing.
func TestWhatWasTakenAndNotDoneIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, i, _ := account(t)
		o.Disabled = true
		err := do(t, i, "", func(*events.Case) {})
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "Integration is disabled") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhatIsNotProcessedYetComesBackUnsure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, i, _ := account(t)
		o.Lag = time.Hour
		err := do(t, i, "", func(*events.Case) {})
		if v := handlers.Read(err); err == nil || v.GiveUp || !v.Unsure || v.After == 0 {
			t.Errorf("got %v, %+v", err, v)
		}
	})
}

func TestAKeyOfAnotherRegionIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, i, _ := account(t)
		i.Key = "of another region"
		err := do(t, i, "", func(*events.Case) {})
		if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "other region") || strings.Contains(err.Error(), i.Key) {
			t.Errorf("got %v", err)
		}
	})
}

// What is shown as HTML in places holds no tags, and a cut message stays text.
func TestAMessageHasNoMarkup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, i, _ := account(t)
		if err := do(t, i, "", func(c *events.Case) { c.Device.Name = "<img src=x onerror=alert(1)>" }); err != nil {
			t.Fatal(err)
		}
		if a := o.Alerts()[0]; strings.ContainsAny(a.Message+a.Description, "<>[") {
			t.Errorf("got %q, %q", a.Message, a.Description)
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	for want, i := range map[string]opsgenie.Integration{
		"API key is empty": {Client: handlers.NewClient(handlers.Reach{})},
		"must be https":    {Key: key, Base: "http://api.example", Client: handlers.NewClient(handlers.Reach{})},
		"no client":        {Key: key},
	} {
		if err := i.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
