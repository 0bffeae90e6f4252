package desktest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/handlerstest/fake"
)

// nasty are names that somebody gave a device or an alert, in the languages of
// the desks: HTML, Markdown, wiki markup, JSON, JQL, encoded queries, OData,
// templates and headers. Each begins with what must be readable.
func nasty() []string {
	const readable = "Ünï-漢字-😀"
	var out []string
	for _, bad := range []string{
		`<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b>`,
		`[click](https://evil.example/) ![x](https://evil.example/x.png) **bold** @everyone`,
		`[click|https://evil.example/] !https://evil.example/x.png! [~admin] {color:red}red{color} {noformat}{code}h1. {html}`,
		`[code]<img src=x onerror=alert(1)>[/code] [Code]<a href="https://evil.example">x</a>[/Code]`,
		`"},"priority":{"name":"Lowest"},"x":{"y":"`,
		`" OR labels is not EMPTY OR summary ~ "x`,
		`^ORcorrelation_idISNOTEMPTY^state=7 javascript:gs.log(1)`,
		`' or 1 eq 1 or title ne '") or closedFlag=false or ("`,
		`{{.Event}} ${7*7} #{7*7} <%= 7*7 %> $(reboot)`,
		"\r\nBcc: all@example.com\r\n\r\n\x00\u202e\xff",
	} {
		out = append(out, readable+bad)
	}
	return out
}

func hostile(ctx context.Context, fresh func() *stage) error {
	for _, name := range nasty() {
		s := fresh()
		_, victim, err := begin(ctx, s)
		if err != nil {
			return err
		}
		c := handlerstest.Laptop()
		c.Key.Device = "another"
		c.Device.Key = c.Key
		d := &c.Device
		d.Name, d.Serial, d.UserName, d.User, d.OSVersion = name, name, name, name, name
		d.Alerts[0].Title = name
		d.Malware[0].Name = name
		c.Attention = []string{name}
		c.Policy = name
		l := s.live(&c)
		task := l.task(events.Ticket)
		task.Case = `x" OR labels is not EMPTY^ORactive=true' or 1 eq 1/` + name + `/7`
		task.ID += name
		for range 2 {
			if _, err := l.finish(ctx, task); err != nil {
				return fmt.Errorf("named %q: %w", name, err)
			}
			task.ID, task.N = task.ID+"+", task.N+1
			c.Attention = append(c.Attention, name)
			time.Sleep(2 * time.Hour)
		}
		all := s.Tickets()
		if len(all) != 2 || len(all[0].Texts) != len(victim.Texts) {
			return fmt.Errorf("named %q, it reached the ticket of another case: %+v", name, all)
		}
		if err := readable(all[1], name); err != nil {
			return err
		}
		end := l.task(events.Close) // a ref that somebody has forged reaches no other ticket
		for _, ref := range []string{"../" + victim.Ref, victim.Ref + "?x=y", "x^ORnumber=" + victim.Ref, `x" OR 1=1`, "x/../../" + victim.Ref, "%2e%2e/" + victim.Ref} {
			end.Ref = strings.ReplaceAll(ref, " ", "+")
			l.call(ctx, end) // given up or gone, both are right
		}
		if t := s.Tickets()[0]; t.State != victim.State || len(t.Texts) != len(victim.Texts) {
			return fmt.Errorf("a forged ref reached the ticket of another case: %+v", t)
		}
	}
	return nil
}

// readable checks a ticket that is about a name from outside.
func readable(t Ticket, name string) error {
	text := t.Title + "\n" + strings.Join(t.Texts, "\n")
	switch {
	case len(t.Texts) != 2:
		return fmt.Errorf("named %q, it has %d texts: %+v", name, len(t.Texts), t)
	case len(t.Markup) > 0:
		return fmt.Errorf("named %q, it shows more than text: %q", name, t.Markup)
	case !strings.Contains(t.Title, "Ünï-漢字-😀"), strings.Count(text, "Ünï-漢字-😀") < 6:
		return fmt.Errorf("the name %q did not arrive: %q", name, text)
	case strings.ContainsAny(text, "\r\x00\u202e\ufffd"), strings.Contains(text, "\nBcc:"), strings.Contains(t.Title, "\n"):
		return fmt.Errorf("control characters arrived, or a line that is none: %q", text)
	case strings.Contains(name, "<script>") && !strings.Contains(text, "<script>"):
		return fmt.Errorf("an agent cannot read what the name %q is: %q", name, text)
	}
	return nil
}

func rateLimit(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	l := s.laptop()
	s.writes.Fail(1, fake.Fault{Status: 429, RetryAfter: "600"})
	if _, err := l.call(ctx, l.task(events.Ticket)); err == nil {
		return errors.New("status 429 is no error")
	}
	before, start := s.count(), time.Now()
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			c := handlerstest.Laptop()
			c.Key.Device = fmt.Sprintf("device-%d", i)
			c.Device.Key = c.Key
			_, errs[i] = s.live(&c).do(ctx, events.Ticket)
		})
	}
	time.Sleep(595*time.Second - time.Since(start))
	if n := s.count() - before; n > 0 {
		return fmt.Errorf("the desk asked for 10 minutes, and %d requests were made in them", n)
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if n := len(s.open()); n != len(errs) {
		return fmt.Errorf("%d cases have %d tickets", len(errs), n)
	}
	return nil
}

func deadDesk(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	s.all.Fail(-1, fake.Fault{Hang: true})
	var waited time.Duration
	for i := range 40 {
		c := handlerstest.Laptop()
		c.Key.Device = fmt.Sprintf("device-%d", i)
		c.Device.Key = c.Key
		start := time.Now()
		l := s.live(&c)
		if _, err := l.call(ctx, l.task(events.Ticket)); err == nil || handlers.Read(err).GiveUp {
			return fmt.Errorf("the desk does not answer, and task %d ends with %v", i, err)
		}
		waited += time.Since(start)
	}
	if waited > 3*time.Minute {
		return fmt.Errorf("40 tasks for a desk that does not answer held a worker for %v", waited)
	}
	s.all.Heal()
	time.Sleep(6 * time.Minute)
	_, err := s.laptop().do(ctx, events.Ticket)
	return err
}

func thousand(ctx context.Context, fresh func() *stage) error {
	s := fresh()
	workers := []life{s.laptop(), s.laptop()}
	workers[1].by = s.newWorker()
	s.storm(true)
	var wg sync.WaitGroup
	errs := make([]error, 1000)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i := range errs {
		wg.Go(func() {
			l := workers[i%2]
			t := handlerstest.Task(*l.Case, order(events.Ticket))
			t.ID = fmt.Sprintf("%s/%d-ticket", l.Key, i)
			if _, errs[i] = l.play(ctx, t); errs[i] != nil {
				cancel() // the others need not go on
			}
		})
	}
	wg.Wait()
	s.storm(false)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	open, all := len(s.open()), len(s.Tickets())
	if open != 1 || all > len(workers) { // of workers that do not know of each other, each may make one
		return fmt.Errorf("%d tickets are open, of %d", open, all)
	}
	return nil
}
