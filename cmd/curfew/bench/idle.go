package bench

import (
	"context"
	"time"
)

// idle measures a worker that has nothing to do: one tenant, its own queue, no
// case.
func idle(ctx context.Context, r *Rig) ([]Figure, error) {
	var figures []Figure
	err := r.worker(ctx, plan{Tenants: 1, Sweep: time.Hour, Rules: patient}, func(w *worker) error {
		if _, err := w.start(ctx, 30*time.Second); err != nil {
			return err
		}
		settled := time.Now().Add(r.Size.Settle)
		if err := until(ctx, 30*time.Second, "the subscription is made", w.subscribed); err != nil {
			return err
		}
		time.Sleep(time.Until(settled))
		from, err := w.takes()
		if err != nil {
			return err
		}
		start := time.Now()
		time.Sleep(r.Size.Idle)
		to, err := w.takes()
		figures = []Figure{
			below("idle worker: memory", to.resident, "MB", 0, 90),
			below("idle worker: of one core", 100*float64(to.cpu-from.cpu)/float64(time.Since(start)), "%", 0, 1),
		}
		return err
	})
	return figures, err
}
