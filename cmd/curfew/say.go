package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
)

// longestText is how much a person can say at once.
const longestText = 1000

// A saying is a command by which an operator speaks about cases, and its flags.
type saying struct {
	by, reason string
	end        end
	lift       bool
}

// sayCmd makes a command about one or more devices.
func (a *app) sayCmd(s *saying, use, short, long, example string, run func(ctx context.Context, devices []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use + " DEVICE...", Short: short, Example: example,
		Long:              long + "\n\n" + aboutDevices,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeDevices,
		RunE:              func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args) },
	}
	byFlag(cmd, &s.by)
	return cmd
}

func byFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "by", "", "your `NAME`, if the account does not say who you are; it is recorded beside the account")
}

func reasonFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVarP(to, "reason", "m", "", "why, for whoever reads the case later")
}

// checkText bounds what a person says.
func checkText(flag, text string) (string, error) {
	line := clean(text)
	switch {
	case line == "":
		return "", wrong(fmt.Errorf("say why: %s \"...\"; it is what others will read in the case", flag))
	case len([]rune(line)) > longestText:
		return "", wrong(fmt.Errorf("%s has %d characters; at most %d are kept", flag, len([]rune(line)), longestText))
	}
	return line, nil
}

// notOpen refuses what makes sense only while a case is open.
func notOpen(what string) func(events.Case) error {
	return func(c events.Case) error {
		if !c.Open {
			return fmt.Errorf("its case is closed, so there is nothing to %s", what)
		}
		return nil
	}
}

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
away at most. --lift wakes the case.`,
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

func newCloseCmd(a *app) *cobra.Command {
	s := &saying{}
	cmd := a.sayCmd(s, "close", "End a case by hand; tickets and pages are taken back",
		`End a case that you know to be over. Its ticket is closed and its page resolved.
The case opens again as soon as the device shows another risk than it shows now.
A reason is needed. A device that is healthy needs no hand: its case closes by
itself.`,
		`  curfew close LT-042 --reason "scrapped, see asset list"`,
		func(ctx context.Context, devices []string) error {
			reason, err := checkText("--reason", s.reason)
			if err != nil {
				return err
			}
			return a.asOperator(ctx, s.by, devices, func(o *operator) word {
				return word{
					refuse: notOpen("close"),
					fact:   func(events.Case) events.Fact { return events.Closed{By: o.who, Reason: reason} },
					heard:  func(now, _ events.Case) bool { return !now.Open },
					said: func(now events.Case) string {
						text := "closed; it opens again if another risk shows"
						for _, w := range o.q.waits(now, time.Now()) {
							text += "; " + w.For
						}
						return text
					},
				}
			})
		})
	reasonFlag(cmd, &s.reason)
	return cmd
}

func newNoteCmd(a *app) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "note DEVICE TEXT...",
		Short: "Write a remark into a case's timeline",
		Long: `Write a remark into a case's timeline, for whoever reads it next. It changes
nothing else. Do not write secrets: remarks are kept.

` + aboutDevices,
		Example:           `  curfew note LT-042 called the user, who will restart it tonight`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.completeDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := checkText("the remark", strings.Join(args[1:], " "))
			if err != nil {
				return err
			}
			return a.asOperator(cmd.Context(), by, args[:1], func(o *operator) word {
				note := events.Noted{By: o.who, Text: text}
				return word{
					refuse: func(events.Case) error { return nil },
					fact:   func(events.Case) events.Fact { return note },
					heard:  func(now, _ events.Case) bool { return now.Said != nil && *now.Said == note },
					said:   func(events.Case) string { return "noted" },
				}
			})
		},
	}
	byFlag(cmd, &by)
	return cmd
}

func newLookCmd(a *app) *cobra.Command {
	s := &saying{}
	var wait time.Duration
	cmd := a.sayCmd(s, "look", "Look at a device now, rather than when it is due",
		`Ask for a look at a device, and wait a while for what it shows. Whatever follows
from that follows by the rules, as always.`,
		`  curfew look LT-042
  curfew look LT-042 --wait 0`,
		func(ctx context.Context, devices []string) error {
			return a.asOperator(ctx, s.by, devices, func(o *operator) word { return o.look(ctx, wait) })
		})
	cmd.Flags().DurationVar(&wait, "wait", 20*time.Second, "how long to wait for what the look shows")
	return cmd
}

func (o *operator) look(ctx context.Context, wait time.Duration) word {
	return word{
		refuse: func(events.Case) error { return nil },
		fact:   func(events.Case) events.Fact { return events.Noticed{Source: "operator " + o.who} },
		heard: func(now, before events.Case) bool {
			_, pending := pendingLook(now)
			return pending || now.Looked.After(before.Looked)
		},
		said: func(now events.Case) string {
			asked := time.Now()
			if task, pending := pendingLook(now); pending {
				asked = task.Asked
			}
			seen, err := o.q.await(ctx, now.Key, wait, func(c events.Case) bool { return !c.Looked.Before(asked) })
			if err != nil {
				text := "a look is asked for"
				if task, pending := pendingLook(seen); pending {
					status, until := taskStatus(seen, task)
					text += ", " + status + prefixed(": ", o.p.when(until))
				}
				return text + "; `curfew case` shows what it finds"
			}
			return "looked: " + seen.Device.Risk() + "; the case is " + seen.State()
		},
	}
}

func pendingLook(c events.Case) (events.Task, bool) {
	for _, t := range c.Pending {
		if t.Action == events.Look {
			return t, true
		}
	}
	return events.Task{}, false
}

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
	if tried == 0 {
		return fmt.Errorf("%s: nothing was given up%s", deviceName(c), cmp.Or(map[bool]string{true: fmt.Sprintf(" under number %d", n)}[n != 0], ""))
	}
	return errors.Join(errs...)
}

func given(c events.Case, id string) bool {
	for _, t := range c.Given {
		if t.ID == id {
			return true
		}
	}
	return false
}
