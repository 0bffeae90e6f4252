package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events"
	"curfew/events/broker"
	"curfew/events/journal"
)

// A worker keeps and serves the journal as `curfew run` does, for tenants in which
// every device is at risk and nobody is at Microsoft.
type worker struct {
	URLs    string `json:"urls"`
	Outside string `json:"outside"`

	Lease time.Duration `json:"lease"`
}

// effects is how much is done about a device that falls ill.
const effects = 2

type always struct{}

func (always) Holds(events.Device) (bool, error) { return true, nil }

func policies() events.Policies {
	return events.Policies{Version: "cluster", List: []events.Policy{{
		Name: "ill", When: always{}, Grace: 24 * time.Hour,
		Ladder: []events.Rung{{Do: []events.Order{{Action: events.Mail, Destination: "user"}, {Action: events.Ticket, Destination: "desk"}}}},
	}}}
}

func (w *worker) run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	b, err := broker.Dial(ctx, broker.Remote{URL: w.URLs}, log)
	if err != nil {
		return err
	}
	o := journal.AtCluster(servers)
	o.Lease = w.Lease
	j, err := openWhenAgreed(ctx, b, o, log)
	if err == nil {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return j.Keep(ctx, policies) })
		for _, a := range []events.Action{events.Look, events.Mail, events.Ticket} {
			g.Go(func() error { return j.Serve(ctx, a, w.do, journal.ServeOptions{}) })
		}
		err = g.Wait()
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, b.Stop(stop))
}

// openWhenAgreed opens the journal as soon as the servers have found each other.
func openWhenAgreed(ctx context.Context, b *broker.Broker, o journal.Options, log *slog.Logger) (*journal.Journal, error) {
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		j, err := journal.Open(try, b.Conn(), o, log)
		cancel()
		if err == nil {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (w *worker) do(ctx context.Context, c events.Case, t events.Task) (events.Fact, error) {
	if t.Action == events.Look {
		now := time.Now().UTC()
		return events.Seen{Task: t.ID, Device: events.Device{Key: c.Key, Threat: "highSeverity", Compliance: "compliant", LastSync: now, SeenAt: now}}, nil
	}
	if t.Unsure {
		n, err := w.ask(ctx, t)
		switch {
		case err != nil:
			return nil, unsure{err}
		case n > 0:
			return events.Done{Task: t.ID, Receipt: "found"}, nil
		}
		return nil, errors.New("it was not done: starting over")
	}
	q := url.Values{"task": {t.ID}, "device": {c.Key.String()}, "action": {string(t.Action)}}
	res, err := w.call(ctx, http.MethodPost, "/do?"+q.Encode())
	if err != nil {
		return nil, unsure{err}
	}
	return events.Done{Task: t.ID, Receipt: "done"}, res.Body.Close()
}

// ask is how often a task was done.
func (w *worker) ask(ctx context.Context, t events.Task) (n int, err error) {
	res, err := w.call(ctx, http.MethodGet, "/done?task="+url.QueryEscape(t.ID))
	if err != nil {
		return 0, err
	}
	return n, errors.Join(json.NewDecoder(res.Body).Decode(&n), res.Body.Close())
}

func (w *worker) call(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.Outside+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = errors.Join(fmt.Errorf("outside: %s", res.Status), res.Body.Close())
	}
	return res, err
}

// unsure marks an error after which nobody knows whether the task was done.
type unsure struct{ error }

func (unsure) Unsure() bool { return true }
