package slack_test

import (
	"slices"
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
	"curfew/handlers/page/chat/chattest"
	"curfew/handlers/page/pagertest"
	"curfew/handlers/page/slack"
	"curfew/handlers/page/slack/slacktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const path = "/services/T00000000/B00000000/canaryCanaryCanary"

func channel(t testing.TB) (*slacktest.Channel, slack.Channel, *fake.Server) {
	t.Helper()
	c := &slacktest.Channel{Path: path}
	s, err := fake.Pipe(c)
	if err != nil {
		t.Fatal(err)
	}
	to := pagertest.Serve(t, s)
	return c, slack.Channel{URL: to.URL + path, Client: to.Client}, s
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		c, p, s := channel(t)
		return pagertest.World{
			Pager: p, Calls: &s.Faults, Secrets: []string{"canaryCanaryCanary"},
			Alerts: func() []pagertest.Alert {
				var posts [][]string
				for _, p := range c.Posts() {
					posts = append(posts, append(p.Texts, p.Notice))
				}
				return chattest.Fold(posts)
			},
		}
	})
}

// do pages the channel for a case, or tells it that all is over.
func do(t *testing.T, p slack.Channel, c events.Case, action events.Action, ref string) error {
	t.Helper()
	task := handlerstest.Task(c, events.Order{Action: action, Destination: "techs"})
	task.Ref = ref
	_, err := (&page.Handler{Pagers: map[string]page.Pager{"techs": p}}).Do(t.Context(), c, task)
	return err
}

// A night in the channel: a card, another when nobody acts, and that it is over.
func TestWhatTheChannelReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		laptop := handlerstest.Laptop()
		for _, ref := range []string{"", laptop.ID()} {
			if err := do(t, p, laptop, events.Page, ref); err != nil {
				t.Fatal(err)
			}
		}
		if err := do(t, p, laptop, events.Resolve, laptop.ID()); err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, post := range c.Posts() {
			titles = append(titles, post.Texts[0])
		}
		if !slices.Equal(titles, []string{"At risk: LT-042", "Still at risk: LT-042", "Over: LT-042"}) {
			t.Fatalf("%v", titles)
		}
		first := c.Posts()[0]
		if !slices.Contains(first.Links, "https://security.microsoft.com/alerts/alert-1") || !slices.Contains(first.Texts, "Read on: curfew case "+laptop.Key.Device) || !strings.HasPrefix(first.Notice, "At risk: LT-042 – LT-042") {
			t.Errorf("%+v", first)
		}
	})
}

// What attackers and users name mentions nobody and leads nowhere.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		bad := "<!here> <!channel> <@U012345> <https://evil.example|click> @channel &lt;!here&gt; https://evil.example \"}],\"x\":[ \u202e\r\nCase: another"
		laptop := handlerstest.Laptop()
		laptop.Device.Name, laptop.Device.User, laptop.Policy = bad, bad, bad
		laptop.Device.Alerts[0].Title, laptop.Device.Malware[0].Name, laptop.Attention = bad, bad, []string{bad}
		laptop.Device.Alerts[0].URL = "http://evil.example"
		if err := do(t, p, laptop, events.Page, ""); err != nil {
			t.Fatal(err)
		}
		post := c.Posts()[0]
		if len(post.Markup) > 0 || len(post.Links) > 0 {
			t.Errorf("%+v", post)
		}
		for _, text := range append(post.Texts, post.Notice) {
			for _, raw := range []string{"<!", "<@", "@channel", "://", "\u202e"} {
				if strings.Contains(text, raw) {
					t.Errorf("%q has %q", text, raw)
				}
			}
		}
	})
}

// What Slack says about a webhook that works no more reaches whoever must mend it;
// its rate limit says when to come back.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		laptop := handlerstest.Laptop()
		c.PerSecond = 1
		if err := do(t, p, laptop, events.Page, ""); err != nil {
			t.Fatal(err)
		}
		if v := handlers.Read(do(t, p, laptop, events.Page, "")); v.Status != 429 || v.GiveUp || v.After < time.Second {
			t.Errorf("too fast: %+v", v)
		}
		c.Archived = true
		if err := do(t, p, laptop, events.Page, ""); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "channel_is_archived") || !strings.Contains(err.Error(), "make a new one") {
			t.Errorf("archived: %v", err)
		}
		c.Path = "/services/another"
		if err := do(t, p, laptop, events.Page, ""); !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), "no_service") || strings.Contains(err.Error(), "canary") {
			t.Errorf("revoked: %v", err)
		}
	})
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	client := handlers.NewClient(handlers.Reach{})
	for want, c := range map[string]slack.Channel{
		"must be https": {URL: "http://hooks.slack.com" + path, Client: client},
		"no client":     {URL: "https://hooks.slack.com" + path},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := (slack.Channel{URL: "https://hooks.slack.com" + path, Client: client}).Check(); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// A channel reads in the language that is configured for it.
func TestAChannelReadsItsLanguage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, _ := channel(t)
		h := &page.Handler{Pagers: map[string]page.Pager{"techs": p}, Languages: map[string]string{"techs": "fr"}}
		laptop := handlerstest.Laptop()
		for _, action := range []events.Action{events.Page, events.Resolve} {
			task := handlerstest.Task(laptop, events.Order{Action: action, Destination: "techs"})
			if _, err := h.Do(t.Context(), laptop, task); err != nil {
				t.Fatal(err)
			}
		}
		first, last := strings.Join(c.Posts()[0].Texts, "\n"), c.Posts()[1].Texts[0]
		for _, want := range []string{"Exposé : LT-042", "Appareil : LT-042", "Un logiciel malveillant", "Dossier : " + laptop.ID()} {
			if !strings.Contains(first, want) {
				t.Errorf("no %q in %s", want, first)
			}
		}
		if last != "Terminé : LT-042" {
			t.Errorf("the end is %q", last)
		}
	})
}
