package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"curfew/events/broker"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/graph/graphtest"
)

const (
	offeredRate = 500 // POSTs a second
	fleet       = 10_000
)

// webhookSingle posts one notification at a time: as fast as 16 connections bring
// the answers, and then at a steady rate. Each is a fact about a device that the
// index knows, and on the disk before it is answered.
func webhookSingle(ctx context.Context, r *Rig) ([]Figure, error) {
	var figures []Figure
	err := r.webhook(ctx, func(h *hook) error {
		var got float64
		raw, err := r.beside(ctx, syncPublish, func() (err error) {
			got, err = h.flat(ctx, publishers, r.Size.Load, func(n int) []byte { return h.body(n, 1) })
			return err
		})
		if err != nil {
			return err
		}
		figures = append(figures, rate("webhook, one notification per POST, 16 connections", got, raw, 0.6, 0))
		var took []time.Duration
		bare, err := r.beside(ctx, bareAnswer, func() (err error) {
			took, err = h.offered(ctx, publishers, offeredRate, r.Size.Load, func(n int) []byte { return h.body(n, 1) })
			return err
		})
		if err != nil {
			return err
		}
		figures = append(figures, below("webhook, 99 % of answers at 500 POSTs a second", ms(quantile(took, 0.99)), "ms", bare, 100))
		return nil
	})
	return figures, err
}

// webhookMany posts a hundred notifications at a time, on four connections.
func webhookMany(ctx context.Context, r *Rig) ([]Figure, error) {
	const many = 100
	var figures []Figure
	err := r.webhook(ctx, func(h *hook) error {
		var got float64
		raw, err := r.beside(ctx, pipelinedPublish, func() (err error) {
			got, err = h.flat(ctx, 4, r.Size.Load, func(n int) []byte { return h.body(n, many) })
			return err
		})
		if err == nil {
			figures = append(figures, rate("webhook, 100 notifications per POST", many*got, raw, 0.6, 0))
		}
		return err
	})
	return figures, err
}

// A hook is a webhook on a socket, in front of a journal.
type hook struct {
	target
	sub graphtest.Subscription
}

// webhook lends one with a live subscription.
func (r *Rig) webhook(ctx context.Context, use func(*hook) error) error {
	return r.journal(ctx, func(_ *broker.Broker, j *journal.Journal) error {
		cloud := graphtest.NewCloud()
		defer cloud.Close()
		tenant, client, err := oneTenant(cloud)
		if err != nil {
			return err
		}
		defer client.Close()
		subs := &graph.Subscriptions{
			Client: client, State: kept{j.State()}, Nudges: &graph.Nudges{State: kept{j.State()}},
			URL: "https://bench.example", Resources: []graph.Resource{{Path: resource}},
		}
		ids := &graph.Directory{}
		for i := range fleet {
			ids.Learn(tenantID, graph.KindManagedDevice, intuneID(i), deviceKey(i).Device)
		}
		front := &graph.Webhook{Sink: j, Subscriptions: []*graph.Subscriptions{subs}, Index: ids}
		cloud.DeliverBy(graphtest.InProcess(front))
		sub, err := subscribed(ctx, subs, tenant)
		if err != nil {
			return err
		}
		return r.serve(ctx, cloud, front, graph.NotificationsPath, http.StatusAccepted, func(t target) error {
			if err := use(&hook{target: t, sub: sub}); err != nil {
				return err
			}
			return nudgedBy(front)
		})
	})
}

// nudgedBy is an error if the webhook did not take all of it as facts.
func nudgedBy(h *graph.Webhook) error {
	st := h.Stats()
	if st.Nudges > 0 || st.Noticed != st.Accepted || st.Noticed == 0 {
		return fmt.Errorf("the webhook has taken what was posted for something else: %+v", st)
	}
	return nil
}

// subscribed runs subs until there is a subscription.
func subscribed(ctx context.Context, subs *graph.Subscriptions, t *graphtest.Tenant) (graphtest.Subscription, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	g, running := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(running)
	g.Go(func() error { return subs.Run(running) })
	var made []graphtest.Subscription
	for len(made) == 0 && running.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		made = t.Subscriptions()
	}
	stop()
	if err := g.Wait(); err != nil {
		return graphtest.Subscription{}, err
	}
	if len(made) == 0 {
		return graphtest.Subscription{}, errors.New("no subscription was made")
	}
	return made[0], nil
}

// body is the n-th body, of so many notifications about one device after another.
func (h *hook) body(n, many int) []byte {
	b := []byte(`{"value":[`)
	for i := range many {
		if i > 0 {
			b = append(b, ',')
		}
		id := intuneID((n*many + i) % fleet)
		b = fmt.Appendf(b, `{"id":"n-%d-%d","subscriptionId":"%s","subscriptionExpirationDateTime":"%s","clientState":"%s","changeType":"updated",`+
			`"resource":"%s/%s","tenantId":"%s","resourceData":{"@odata.type":"#Microsoft.Graph.managedDevice","@odata.id":"%s/%s","id":"%s","@odata.etag":"W/\"%d\""}}`,
			n, i, h.sub.ID, h.sub.Expires.Format(time.RFC3339), h.sub.ClientState, resource, id, tenantID, resource, id, id, n)
	}
	return append(b, `]}`...)
}

func intuneID(i int) string { return fmt.Sprintf("9a7e1f20-0000-4000-8000-%012d", i) }

// serve puts a handler on loopback, as the worker's webhook is served, with a
// certificate of the cloud's.
func (r *Rig) serve(ctx context.Context, cloud *graphtest.Cloud, h http.Handler, path string, want int, use func(target) error) error {
	dir, err := os.MkdirTemp(r.dir, "tls-")
	if err != nil {
		return err
	}
	cert, key, err := cloud.Issue("127.0.0.1")
	if err != nil {
		return err
	}
	front := graph.WebhookServer{Handler: h, CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	if err := errors.Join(os.WriteFile(front.CertFile, cert, 0o600), os.WriteFile(front.KeyFile, key, 0o600)); err != nil {
		return err
	}
	s, err := front.Server()
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() error { return s.ServeTLS(l, "", "") })
	err = use(target{addr: l.Addr().String(), path: path, trust: trusting(cloud), want: want})
	err = errors.Join(err, s.Close())
	if ended := g.Wait(); !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, os.RemoveAll(dir))
}
