package try

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"curfew/graph/graphtest"
)

func answered(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-008", "kim")
	l.happens("malware is found, and stays", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
	})
	return steps(
		func() error { return until(ctx, "on-call is paged", func() bool { return len(l.incidents()) == 1 }) },
		func() error {
			s.tell.world(s.story, l.t.Name+"/"+l.Name, "a person acknowledges the page; the pager posts its webhook")
			key := l.incidents()[0].Key
			s.pager.Acknowledge(key)
			header, body := s.pager.Webhook(s.hook, "incident.acknowledged", key, "Kim Berg")
			return s.deliver(ctx, s.workers[0], "oncall", header, body)
		},
		func() error {
			return still(ctx, 5*time.Second, "no reset while somebody is on it", func() bool { return l.resets() == 0 })
		},
		func() error {
			l.happens("they remove the malware", func() { l.t.Heal(l.Name) })
			return until(ctx, "the ticket is closed", l.closed)
		},
		func() error {
			return until(ctx, "the page is resolved", func() bool { return l.incidents()[0].Status == "resolved" })
		},
		func() error { return none("resets and wipes", l.resets()+l.wipes()) },
	)
}

// deliver posts a webhook of a destination to a worker until it is taken: what is
// answered by 429 or 5xx is posted again (PagerDuty docs: webhooks v3, behaviour;
// Jira Cloud docs: webhooks, retries).
func (w *world) deliver(ctx context.Context, wk *worker, destination string, header http.Header, body []byte) error {
	client, err := w.browser()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+wk.listen+"/hooks/"+destination, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header = header
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close() // its status says all
			switch code := res.StatusCode; {
			case code/100 == 2:
				return nil
			case code != http.StatusTooManyRequests && code/100 != 5:
				return fmt.Errorf("the worker answers the webhook of %s with %d", destination, code)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the webhook of %s was never taken: %w", destination, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
