package main

import (
	"context"
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
						text := []string{"closed", "it opens again if another risk shows"}
						for _, w := range o.q.waits(now, time.Now()) {
							text = append(text, w.For)
						}
						return strings.Join(text, "; ")
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
			seen, err := now, error(nil)
			if task, pending := pendingLook(now); pending {
				seen, err = o.q.await(ctx, now.Key, wait, func(c events.Case) bool { return !c.Looked.Before(task.Asked) })
			}
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
	look, _ := split(c.Pending)
	if len(look) == 0 {
		return events.Task{}, false
	}
	return look[0], true
}
