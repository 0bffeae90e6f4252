package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
)

func newAckCmd(a *app) *cobra.Command {
	s := &saying{}
	cmd := a.sayCmd(s, "ack", "Say that you are on it: the ladder waits until an end you name",
		`Take a case on. Nothing more is done to the device and nobody else is told until
the end you name; then Curfew looks at the device, and the ladder goes on if it
is still at risk. Signs of health still close the case. An end is needed, 30 days
away at most; --lift takes the acknowledgement back.`,
		`  curfew ack LT-042 --for 2h
  curfew ack LT-042 LT-043 --until 18:00
  curfew ack LT-042 --lift`,
		func(ctx context.Context, devices []string) error { return a.hold(ctx, s, devices, false) })
	s.end.flags(cmd)
	cmd.Flags().BoolVar(&s.lift, "lift", false, "let the ladder go on")
	cmd.MarkFlagsMutuallyExclusive("for", "until", "lift")
	cmd.MarkFlagsOneRequired("for", "until", "lift")
	return cmd
}

func newSnoozeCmd(a *app) *cobra.Command {
	s := &saying{}
	cmd := a.sayCmd(s, "snooze", "Hear nothing about a case until an end you name, for a reason you give",
		`Put a case to sleep. Besides what "curfew ack" does, nobody is called when it
turns out that only a person can help. An end and a reason are needed; 30 days
away at most. --lift wakes the case. At the end the device is looked at, and what is
still true is told again: on its ticket, by its pages, and what only a person can do.`,
		`  curfew snooze LT-042 --for 3d --reason "in the post to the repair shop"
  curfew snooze LT-042 --until 2026-03-09 -m "user on leave, device switched off"
  curfew snooze LT-042 --lift`,
		func(ctx context.Context, devices []string) error { return a.hold(ctx, s, devices, true) })
	s.end.flags(cmd)
	reasonFlag(cmd, &s.reason)
	cmd.Flags().BoolVar(&s.lift, "lift", false, "wake the case")
	cmd.MarkFlagsMutuallyExclusive("for", "until", "lift")
	cmd.MarkFlagsOneRequired("for", "until", "lift")
	return cmd
}

// hold acknowledges or snoozes, or takes that back.
func (a *app) hold(ctx context.Context, s *saying, devices []string, quiet bool) error {
	until, err := s.end.time(time.Now(), a.zone)
	if err == nil && quiet && !s.lift {
		s.reason, err = checkText("--reason", s.reason)
	}
	if err != nil {
		return err
	}
	return a.asOperator(ctx, s.by, devices, func(o *operator) word {
		w := word{
			refuse: notOpen("hold back"),
			fact: func(events.Case) events.Fact {
				if quiet {
					return events.Snoozed{By: o.who, Reason: s.reason, Until: until}
				}
				return events.Acknowledged{By: o.who, Until: until}
			},
			heard: func(now, _ events.Case) bool {
				return !now.Open || now.Hold != nil && now.Hold.By == o.who && now.Hold.Quiet == quiet && now.Hold.Until.Equal(until)
			},
			said: func(now events.Case) string {
				if now.Hold == nil {
					return "its case has closed meanwhile"
				}
				return now.State() + " until " + o.p.when(until) + "; then Curfew looks, and the ladder goes on if it is still at risk"
			},
		}
		if s.lift {
			w.refuse = func(c events.Case) error {
				if c.Hold == nil {
					return errors.New("nobody holds its ladder back")
				}
				return nil
			}
			w.heard = func(now, _ events.Case) bool { return now.Hold == nil }
			w.said = func(events.Case) string { return "the ladder goes on; Curfew looks at the device first" }
		}
		return w
	})
}
