package page_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/page"
)

// A pager that hangs until its time is up, or does what it is told to.
type pager struct {
	hangs bool
	err   error
	calls int
}

func (p *pager) Check() error { return nil }

func (p *pager) Trigger(ctx context.Context, a page.Alert) (string, error) {
	p.calls++
	if p.hangs {
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
		}
		return "", handlers.Unsure(errors.New("no answer"))
	}
	return a.Key, p.err
}

func (p *pager) Resolve(ctx context.Context, a page.Alert) error {
	_, err := p.Trigger(ctx, a)
	return err
}

func order(c events.Case, destination string) events.Task {
	return handlerstest.Task(c, events.Order{Action: events.Page, Destination: destination})
}

// Twenty pages to a pager that hangs keep four workers for a while, and then
// nobody; the other pager is reached at once all along.
func TestADeadPagerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, well := &pager{hangs: true}, &pager{}
		h := &page.Handler{Pagers: map[string]page.Pager{"dead": dead, "well": well}}
		c := handlerstest.Laptop()
		waiting := 0
		for range 20 {
			go func() {
				if _, err := h.Do(t.Context(), c, order(c, "dead")); handlers.Read(err).After == 5*time.Second {
					waiting++
				}
			}()
			synctest.Wait()
		}
		start := time.Now()
		if _, err := h.Do(t.Context(), c, order(c, "well")); err != nil || time.Since(start) > 0 {
			t.Errorf("the other took %v: %v", time.Since(start), err)
		}
		if dead.calls != 4 || waiting != 16 {
			t.Errorf("%d calls hang and %d were sent away", dead.calls, waiting)
		}
		time.Sleep(31 * time.Second)
		start = time.Now()
		_, err := h.Do(t.Context(), c, order(c, "dead"))
		if v := handlers.Read(err); v.After == 0 || v.GiveUp || time.Since(start) > 0 || dead.calls != 4 {
			t.Errorf("it is not left alone: %v after %v, %d calls", err, time.Since(start), dead.calls)
		}
		time.Sleep(time.Minute)
		dead.hangs = false
		if _, err := h.Do(t.Context(), c, order(c, "dead")); err != nil {
			t.Errorf("it is well again: %v", err)
		}
	})
}

// What nobody can tell stays so while the pager is left alone.
func TestAnUnsurePageStaysUnsureWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pager{err: handlers.After(handlers.Unsure(errors.New("no answer")), 0)}
		h := &page.Handler{Pagers: map[string]page.Pager{"night": p}}
		c := handlerstest.Laptop()
		task := order(c, "night")
		task.Unsure = true
		for range 4 {
			if _, err := h.Do(t.Context(), c, task); !handlers.Read(err).Unsure {
				t.Errorf("it is taken for not done: %v", err)
			}
		}
	})
}

func TestAStormOfPagesIsSpreadOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pager{}
		h := &page.Handler{Pagers: map[string]page.Pager{"night": p}}
		c := handlerstest.Laptop()
		for range 1000 {
			_, _ = h.Do(t.Context(), c, order(c, "night"))
		}
		if p.calls != 25 {
			t.Errorf("%d in one go", p.calls)
		}
		for range 60 {
			time.Sleep(time.Second)
			for range 10 {
				_, _ = h.Do(t.Context(), c, order(c, "night"))
			}
		}
		if p.calls < 100 || p.calls > 125 {
			t.Errorf("%d within a minute", p.calls)
		}
	})
}

func TestADestinationThatIsNoneIsNamed(t *testing.T) {
	c := handlerstest.Laptop()
	h := &page.Handler{Pagers: map[string]page.Pager{"night": &pager{}}}
	_, err := h.Do(t.Context(), c, order(c, "day"))
	if err == nil || !handlers.Read(err).GiveUp || !strings.Contains(err.Error(), `no destination is called "day"; the configuration has: night`) {
		t.Errorf("got %v", err)
	}
}

// What a page says in one text has a line for each thing, and no markup.
func TestPlainTextObeysNobody(t *testing.T) {
	a := page.Alert{Summary: "<b>LT-042</b>", Findings: []string{"[click](https://evil.example)", "`x`"}, Key: "contoso/d/1"}
	text := page.Plain(a.Text())
	if strings.ContainsAny(text, "<>[]`*") || len(strings.Split(text, "\n")) != 4 {
		t.Errorf("got %q", text)
	}
}
