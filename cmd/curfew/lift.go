package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"curfew/events"
)

func newLiftCmd(a *app) *cobra.Command {
	s := &saying{}
	cmd := a.sayCmd(s, "lift", "Let a device back onto the network that Curfew has isolated",
		`Let a device back onto the network that Curfew has isolated. Its case goes on, and
the ladder does not isolate it a second time. What a person or Defender itself has
isolated is theirs to lift, in Defender's portal.`,
		`  curfew lift LT-042 --reason "in quarantine VLAN, needs its updates"`,
		func(ctx context.Context, devices []string) error { return a.liftIsolation(ctx, s, devices) })
	reasonFlag(cmd, &s.reason)
	return cmd
}

func (a *app) liftIsolation(ctx context.Context, s *saying, devices []string) error {
	if s.reason != "" {
		var err error
		if s.reason, err = checkText("--reason", s.reason); err != nil {
			return err
		}
	}
	return a.asOperator(ctx, s.by, devices, func(o *operator) word {
		return word{
			refuse: func(c events.Case) error {
				switch {
				case !isolated(c):
					return errors.New("it is not isolated by Curfew; what others isolated is lifted in Defender's portal")
				case lifting(c):
					return errors.New("it is being let back already; `curfew case` shows how far that is")
				}
				return nil
			},
			fact:  func(events.Case) events.Fact { return events.Lifted{By: o.who, Reason: s.reason} },
			heard: func(now, _ events.Case) bool { return lifting(now) || !isolated(now) },
			said: func(events.Case) string {
				return "it is being let back onto the network; `curfew case` shows when it is"
			},
		}
	})
}

// isolated reports whether Curfew has isolated the device, and not let it back.
func isolated(c events.Case) bool {
	return slices.ContainsFunc(c.Effects, func(e events.Effect) bool { return e.Action == events.Isolate })
}

func lifting(c events.Case) bool {
	return slices.ContainsFunc(c.Pending, func(t events.Task) bool { return t.Action == events.Unisolate })
}
