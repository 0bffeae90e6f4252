package oncall_test

import (
	"context"
	"errors"
	"fmt"
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
	"curfew/handlers/page/oncall"
	"curfew/handlers/page/pagertest"
	"curfew/handlers/page/rota"
	"curfew/handlers/page/webhook"
	"curfew/handlers/page/webhook/webhooktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "canary-signing-secret"

// night is anna's first week, then bo's.
func night(people map[string]oncall.Person, m oncall.Mailer) oncall.Pager {
	return oncall.Pager{
		Rota: rota.Rota{Rotations: map[string]rota.Rotation{"night": {
			Zone: time.UTC, Day: time.Monday, Time: 9 * time.Hour, Order: []string{"anna", "bo"}, Start: time.Date(1999, 12, 27, 0, 0, 0, 0, time.UTC),
		}}},
		Rotation: "night", People: people, Mailer: m,
	}
}

func TestKeepsThePromises(t *testing.T) {
	pagertest.Run(t, func(t testing.TB) pagertest.World {
		r := &webhooktest.Receiver{Secret: secret}
		s, err := fake.Pipe(r)
		if err != nil {
			t.Fatal(err)
		}
		to := pagertest.Serve(t, s)
		anna := oncall.Person{Hook: &webhook.Hook{URL: to.URL, Secret: secret, Client: to.Client}}
		return pagertest.World{
			Pager: night(map[string]oncall.Person{"anna": anna, "bo": anna}, nil), Calls: &s.Faults, Secrets: []string{secret},
			Alerts: func() (out []pagertest.Alert) {
				for _, a := range r.Alerts() {
					var texts []string
					for _, e := range a.Events {
						texts = append(append(append(texts, e.Summary, e.Name, e.User, e.Case), e.Findings...), e.Attention...)
					}
					out = append(out, pagertest.Alert{Key: a.Case, Open: a.Open, Pages: a.Pages, Texts: texts})
				}
				return out
			},
		}
	})
}

// A post office delivers mails, unless it is told otherwise.
type post struct {
	mails []string
	keys  map[string]bool
	fails error // of the next mail, which goes out all the same
	blind error // of asking
}

func (p *post) SendMail(_ context.Context, _, to, subject, _, text, key string) error {
	p.mails = append(p.mails, to+" "+subject+"\n"+text)
	if p.keys == nil {
		p.keys = map[string]bool{}
	}
	p.keys[key] = true
	err := p.fails
	p.fails = nil
	return err
}

func (p *post) Sent(_ context.Context, _, key string) (bool, error) { return p.keys[key], p.blind }

func byMail() (*post, oncall.Pager) {
	m := &post{}
	return m, night(map[string]oncall.Person{"anna": {Mail: "anna@contoso.example"}, "bo": {Mail: "bo@contoso.example"}}, m)
}

// Nobody answers: after two pages the next person is woken, and in the end whoever
// was woken last hears that it is over.
func TestANightThatNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := byMail()
		p.NextAfter = 2
		h := &page.Handler{Pagers: map[string]page.Pager{"night": p}}
		c := handlerstest.Laptop()
		ref := ""
		do := func(a events.Action) {
			t.Helper()
			c.Asked++
			task := handlerstest.Task(c, events.Order{Action: a, Destination: "night"})
			task.Ref = ref
			fact, err := h.Do(t.Context(), c, task)
			if err != nil {
				t.Fatal(err)
			}
			ref = fact.(events.Done).Receipt
		}
		for range 5 {
			do(events.Page)
		}
		if ref != c.ID()+" page 5 to anna" {
			t.Errorf("the receipt is %q", ref)
		}
		do(events.Resolve)
		var got []string
		for _, mail := range m.mails {
			subject, _, _ := strings.Cut(mail, ":")
			got = append(got, subject)
		}
		want := "[anna@contoso.example Page 1 anna@contoso.example Page 2 bo@contoso.example Page 3 bo@contoso.example Page 4 anna@contoso.example Page 5 anna@contoso.example Over]"
		if fmt.Sprint(got) != want {
			t.Errorf("got %v", got)
		}
		if first := m.mails[0]; !strings.Contains(first, "curfew ack "+c.Key.Device) || !strings.Contains(first, handlers.Findings(c.Device)[0].What) {
			t.Errorf("it does not say what to do: %s", first)
		}
	})
}

// Whether a mail went out is asked, not guessed; only who cannot ask sends again.
func TestAMailOfWhichNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := byMail()
		m.fails = handlers.Unsure(errors.New("no answer"))
		a := page.Alert{Task: "t-1", Key: "contoso/d/1", Tenant: "contoso", Summary: "ill", Begun: time.Now()}
		if _, err := p.Trigger(t.Context(), a); !handlers.Read(err).Unsure {
			t.Fatalf("got %v", err)
		}
		a.Unsure = true
		if _, err := p.Trigger(t.Context(), a); err != nil || len(m.mails) != 1 {
			t.Errorf("it was sent, and then: %v, %d mails", err, len(m.mails))
		}
		m.keys = nil // the sent items do not show it
		if _, err := p.Trigger(t.Context(), a); !handlers.Read(err).Unsure || handlers.Read(err).After == 0 || len(m.mails) != 1 {
			t.Errorf("too early to tell: %v, %d mails", err, len(m.mails))
		}
		time.Sleep(time.Minute)
		if _, err := p.Trigger(t.Context(), a); err != nil || len(m.mails) != 2 {
			t.Errorf("it was not sent: %v, %d mails", err, len(m.mails))
		}
		m.blind = handlers.GiveUp(errors.New("no permission"))
		if _, err := p.Trigger(t.Context(), a); err != nil || len(m.mails) != 3 {
			t.Errorf("nobody can tell: %v, %d mails", err, len(m.mails))
		}
	})
}

// Who has a webhook and a mail address is woken if one of the two works.
func TestOneWayIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &post{}
		s, err := fake.Pipe(&webhooktest.Receiver{Secret: "another secret of length"})
		if err != nil {
			t.Fatal(err)
		}
		to := pagertest.Serve(t, s)
		p := night(map[string]oncall.Person{"anna": {Mail: "anna@contoso.example", Hook: &webhook.Hook{URL: to.URL, Secret: secret, Client: to.Client}}}, m)
		if _, err := p.Trigger(t.Context(), page.Alert{Task: "t-1", Key: "contoso/d/1", Begun: time.Now()}); err != nil || len(m.mails) != 1 {
			t.Errorf("got %v, %d mails", err, len(m.mails))
		}
	})
}

func TestWhoCannotBeWokenIsSaid(t *testing.T) {
	for want, p := range map[string]oncall.Pager{
		"no rotation":         {Rotation: "day"},
		"neither a mail":      night(map[string]oncall.Person{"anna": {Mail: "a@contoso.example"}}, &post{}),
		"nothing to send":     night(map[string]oncall.Person{"anna": {Mail: "a@contoso.example"}, "bo": {Mail: "b@contoso.example"}}, nil),
		"the webhook of anna": night(map[string]oncall.Person{"anna": {Hook: &webhook.Hook{}}, "bo": {Mail: "b@contoso.example"}}, &post{}),
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
