package teams_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
	"curfew/handlers/page"
	"curfew/handlers/page/chat/chattest"
	"curfew/handlers/page/pagertest"
	"curfew/handlers/page/teams"
	"curfew/handlers/page/teams/teamstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sig = "canary-signature"

func channel(t testing.TB) (*teamstest.Channel, teams.Channel, *fake.Server) {
	t.Helper()
	c := &teamstest.Channel{Sig: sig}
	s, err := fake.Pipe(c)
	if err != nil {
		t.Fatal(err)
	}
	to := pagertest.Serve(t, s)
	address := to.URL + "/powerautomate/automations/direct/workflows/canary-workflow/triggers/manual/paths/invoke?api-version=1&sig=" + sig
	return c, teams.Channel{URL: address, Client: to.Client}, s
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		c, p, s := channel(t)
		return pagertest.World{
			Pager: p, Calls: &s.Faults, Secrets: []string{sig, "canary-workflow"},
			Alerts: func() []pagertest.Alert {
				var posts [][]string
				for _, p := range c.Posts() {
					posts = append(posts, p.Texts)
				}
				if lost := c.Lost(); len(lost) > 0 {
					posts = append(posts, []string{"lost: " + lost[0]})
				}
				return chattest.Fold(posts)
			},
		}
	})
}

// A night in the channel: a card, another when nobody acts, and that it is over.
func TestWhatTheChannelReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		h := &page.Handler{Pagers: map[string]page.Pager{"techs": p}}
		laptop := handlerstest.Laptop()
		for _, step := range []struct {
			action events.Action
			ref    string
		}{{events.Page, ""}, {events.Page, laptop.ID()}, {events.Resolve, laptop.ID()}} {
			task := handlerstest.Task(laptop, events.Order{Action: step.action, Destination: "techs"})
			task.Ref = step.ref
			if _, err := h.Do(t.Context(), laptop, task); err != nil {
				t.Fatal(err)
			}
		}
		posts := c.Posts()
		if len(posts) != 3 || posts[0].Texts[0] != "At risk: LT-042" || posts[1].Texts[0] != "Still at risk: LT-042" || posts[2].Texts[0] != "Over: LT-042" {
			t.Fatalf("%+v", posts)
		}
		if !slices.Contains(posts[0].Links, "https://security.microsoft.com/alerts/alert-1") || !slices.Contains(posts[0].Texts, "Read on: curfew case "+laptop.Key.Device) {
			t.Errorf("%+v", posts[0])
		}
	})
}

// What attackers and users name does nothing in the channel.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		bad := "[click](https://evil.example) **bold** <at>everyone</at> @here {{DATE(2026-01-01T00:00:00Z)}} \",\"actions\":[{\"type\":\"Action.OpenUrl\"}] \u202e\r\nCase: another"
		laptop := handlerstest.Laptop()
		laptop.Device.Name, laptop.Device.User, laptop.Policy = bad, bad, bad
		laptop.Device.Alerts[0].Title, laptop.Device.Malware[0].Name, laptop.Attention = bad, bad, []string{bad}
		laptop.Device.Alerts[0].URL = "javascript:alert(1)"
		h := &page.Handler{Pagers: map[string]page.Pager{"techs": p}}
		if _, err := h.Do(t.Context(), laptop, handlerstest.Task(laptop, events.Order{Action: events.Page, Destination: "techs"})); err != nil {
			t.Fatal(err)
		}
		posts := c.Posts()
		if len(posts) != 1 || len(posts[0].Markup) > 0 || len(posts[0].Links) > 0 || len(c.Lost()) > 0 {
			t.Fatalf("%+v, lost %v", posts, c.Lost())
		}
		for _, text := range posts[0].Texts {
			for _, raw := range []string{"](", "<at>", "@here", "://", "{{", "\u202e", "\n", "**"} {
				if strings.Contains(text, raw) {
					t.Errorf("%q has %q", text, raw)
				}
			}
		}
	})
}

// A workflow takes four requests a second, and says no more than that.
func TestAThrottledCardComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		c.PerSecond = 4
		h := &page.Handler{Pagers: map[string]page.Pager{"techs": p}}
		laptop := handlerstest.Laptop()
		var err error
		for range 5 {
			_, err = h.Do(t.Context(), laptop, handlerstest.Task(laptop, events.Order{Action: events.Page, Destination: "techs"}))
		}
		if v := handlers.Read(err); v.Status != 429 || v.GiveUp || v.After == 0 {
			t.Errorf("got %v", err)
		}
	})
}

// A signature that counts no more is given up, and said without showing it.
func TestARevokedAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		c.Sig = "another"
		_, err := p.Trigger(t.Context(), page.Alert{Key: "k", Device: "d"})
		if !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "look it up in Teams") || strings.Contains(err.Error(), sig) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	client := handlers.NewClient(handlers.Reach{})
	for want, c := range map[string]teams.Channel{
		"connector":     {URL: "https://contoso.webhook.office.com/webhookb2/x?sig=1", Client: client},
		"November 2025": {URL: "https://prod-01.westeurope.logic.azure.com/workflows/x?sig=1", Client: client},
		"no signature":  {URL: "https://x.environment.api.powerplatform.com:443/workflows/x", Client: client},
		"must be https": {URL: "http://x.example/?sig=1", Client: client},
		"no client":     {URL: "https://x.example/?sig=1"},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	good := teams.Channel{URL: "https://default123.45.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/x/triggers/manual/paths/invoke?api-version=1&sp=y&sv=1.0&sig=z", Client: client}
	if err := good.Check(); err != nil {
		t.Errorf("a good one: %v", err)
	}
}
