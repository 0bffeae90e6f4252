package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// show starts what is seen from outside.
func (w *worker) show(ctx context.Context, g *errgroup.Group, a *admin) {
	if o := w.watcher; o != nil {
		o.journal, o.guard, o.subs, o.clouds, o.webhook, o.admin = w.journal, w.guard, w.subs, w.clouds, w.webhook, a
		g.Go(func() error { return o.run(ctx) })
	}
	if h := w.conf.Heartbeat; h != nil {
		beat := &heartbeat{
			url: h.URL, every: time.Duration(h.Every), client: client(nil), log: w.log,
			ready: func(ctx context.Context) health { return a.examine(ctx, a.Ready) },
		}
		if w.watcher != nil {
			beat.metrics = w.watcher.metrics
		}
		g.Go(func() error { return beat.run(ctx) })
	}
}
