package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"curfew/events"
)

func newRetryCmd(a *app) *cobra.Command {
	s := &saying{}
	var n int
	cmd := a.sayCmd(s, "retry", "Try again what was given up",
		`Try the tasks again that were given up for a device, or only the one with
--task. Mend first what made them fail: "curfew case DEVICE" says what that was.
Their dead letters go.`,
		`  curfew retry LT-042
  curfew retry LT-042 --task 7`,
		func(ctx context.Context, devices []string) error {
			return a.withQueue(ctx, func(q *queue) error {
				found, err := q.find(ctx, devices...)
				if err != nil {
					return err
				}
				o := &operator{a, q, a.operator(q.house, s.by), a.printer()}
				var errs []error
				for _, c := range found {
					errs = append(errs, o.retry(ctx, c, n))
				}
				return errors.Join(append(errs, o.p.flush())...)
			})
		})
	cmd.Flags().IntVar(&n, "task", 0, "only the task with this `NUMBER`, as the case shows it")
	return cmd
}

// retry tries the given-up tasks of a case again, or only number n.
func (o *operator) retry(ctx context.Context, c events.Case, n int) error {
	var errs []error
	tried := 0
	for _, t := range c.Given {
		if n != 0 && t.N != n {
			continue
		}
		tried++
		what := orderText(t.Order) + fmt.Sprintf(" (#%d)", t.N)
		errs = append(errs, o.say(ctx, c, word{
			refuse: func(events.Case) error {
				if t.Rung > 0 && !c.Open {
					return fmt.Errorf("%s is not tried again: its case is closed", what)
				}
				return nil
			},
			fact:  func(events.Case) events.Fact { return events.Retried{Task: t.ID, By: o.who} },
			heard: func(now, _ events.Case) bool { return !given(now, t.ID) },
			said:  func(events.Case) string { return what + " is tried again" },
		}))
		if errs[len(errs)-1] == nil {
			errs = append(errs, o.q.dropLetters(ctx, t))
		}
	}
	switch {
	case tried == 0 && n != 0:
		return fmt.Errorf("%s: nothing was given up under number %d", deviceName(c), n)
	case tried == 0:
		return fmt.Errorf("%s: nothing was given up", deviceName(c))
	}
	return errors.Join(errs...)
}

func given(c events.Case, id string) bool {
	return slices.ContainsFunc(c.Given, func(t events.Task) bool { return t.ID == id })
}
