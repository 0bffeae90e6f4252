package try

import (
	"context"
	"fmt"
	"strings"
	"time"

	"curfew/graph/graphtest"
)

// A story is one thing a customer would ask about.
type story struct {
	name  string
	about string
	play  func(context.Context, *stage) error
}

func stories() []story {
	return []story{
		{"healed", "a threat that Defender's automation heals within grace: a mail, no more", healed},
		{"persists", "a threat that persists: mail, ticket, scan, page, reset, verified, all taken back", persists},
		{"answered", "somebody acknowledges the page: neither the next rung nor a reset, until they have healed it", answered},
		{"ticket", "somebody resolves the ticket in Jira too early: reopened with the proof, and resolved when all is well", ticketLife},
		{"bitlocker", "BitLocker off: mail and ticket, never a scan or a reset", bitlocker},
		{"lost", "a lost notification is found by the sweep", lost},
		{"fifty", "the same notification fifty times: one ticket", fifty},
		{"killed", "the worker killed and restarted in the middle: nothing lost, nothing doubled", killed},
		{"throttled", "two tenants, one throttled: the other is not slowed", throttled},
		{"approved", "a reset that two people have to approve, by a link and by command: held until then, then done, once", approved},
		{"refused", "a reset that must not be (hybrid joined): refused, and a person told", refused},
		{"lying", "a reset reported done that never happened: found out, and a person told", lying},
	}
}

func contains(s, sub string) bool { return strings.Contains(s, sub) }

func healed(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-001", "ana")
	l.happens("malware is found; Defender investigates", func() { l.t.Infect(l.Name, graphtest.Medium) })
	return steps(
		func() error { return until(ctx, "the user is told", func() bool { return l.mails() == 1 }) },
		func() error {
			l.happens("the investigation ends with success", func() { l.t.Remediate(l.Name) })
			return until(ctx, "the user is told that all is well", func() bool { return l.mails() == 2 })
		},
		func() error {
			return still(ctx, 3*time.Second, "no ticket, page, scan or reset", func() bool {
				return len(l.tickets())+len(l.incidents())+l.scans()+l.resets() == 0 && l.mails() == 2
			})
		},
	)
}

func persists(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-002", "ben")
	l.happens("malware is found, and stays", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
	})
	open := func() bool { return len(l.incidents()) == 1 && l.incidents()[0].Status == "triggered" }
	return steps(
		func() error { return until(ctx, "the user is told", func() bool { return l.mails() == 1 }) },
		func() error { return until(ctx, "a ticket is opened", func() bool { return len(l.tickets()) == 1 }) },
		func() error { return until(ctx, "the laptop is scanned", func() bool { return l.scans() == 1 }) },
		func() error { return until(ctx, "on-call is paged", open) },
		func() error { return until(ctx, "the laptop is reset", func() bool { return l.resets() == 1 }) },
		func() error { return until(ctx, "the ticket is closed", l.closed) },
		func() error {
			return until(ctx, "the page is resolved", func() bool { return l.incidents()[0].Status == "resolved" })
		},
		func() error {
			return until(ctx, "the user is told that all is well", func() bool { return l.mails() == 2 })
		},
		func() error {
			return still(ctx, 2*time.Second, "each of them once, and no factory wipe", func() bool {
				return len(l.tickets()) == 1 && len(l.incidents()) == 1 && l.scans() == 1 && l.resets() == 1 && l.wipes() == 0 && l.mails() == 2
			})
		},
	)
}

func bitlocker(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-003", "cleo")
	l.happens("BitLocker is turned off", func() { l.t.BreakBitLocker(l.Name) })
	nothing := func() bool { return l.scans()+l.resets()+l.wipes()+len(l.incidents()) == 0 }
	return steps(
		func() error { return until(ctx, "the user is told", func() bool { return l.mails() == 1 }) },
		func() error { return until(ctx, "a ticket is opened", func() bool { return len(l.tickets()) == 1 }) },
		func() error { return still(ctx, 10*time.Second, "no scan, reset or page", nothing) },
		func() error {
			l.happens("BitLocker is turned on", func() { l.t.FixBitLocker(l.Name) })
			return until(ctx, "the ticket is closed", l.closed)
		},
		func() error {
			return until(ctx, "the user is told that all is well", func() bool { return l.mails() == 2 })
		},
		func() error { return still(ctx, time.Second, "no scan, reset or page", nothing) },
	)
}

func lost(ctx context.Context, s *stage) error {
	l := s.laptop("litware", "LT-004", "dora") // a tenant of its own: no other story may notify there
	lift := l.t.Inject(graphtest.Fault{Kind: graphtest.Lost})
	defer lift()
	l.happens("malware is found; the notification is lost", func() { l.t.Infect(l.Name, graphtest.High) })
	return steps(
		func() error {
			return until(ctx, "the sweep finds it and the user is told", func() bool { return l.mails() == 1 })
		},
		func() error {
			l.happens("the malware is removed; that notification is lost too", func() { l.t.Heal(l.Name) })
			return until(ctx, "the user is told that all is well", func() bool { return l.mails() == 2 })
		},
		func() error {
			for _, d := range l.t.Deliveries() {
				if d.Kind == "change" && d.Status == 202 {
					return fmt.Errorf("a notification arrived after all, at %v", d.At)
				}
			}
			return nil
		},
	)
}

func fifty(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-005", "emil")
	l.happens("malware is found, and Graph says so fifty times", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
		for range 49 {
			l.t.Notify(l.Name)
		}
	})
	return steps(
		func() error { return until(ctx, "a ticket is opened", func() bool { return len(l.tickets()) > 0 }) },
		func() error {
			l.happens("the malware is removed", func() { l.t.Heal(l.Name) })
			return until(ctx, "the ticket is closed", l.closed)
		},
		func() error {
			return until(ctx, "the user is told that all is well", func() bool { return l.mails() >= 2 })
		},
		func() error {
			return still(ctx, time.Second, "one ticket, opened once, and two mails", func() bool {
				t := l.tickets()
				return len(t) == 1 && l.mails() == 2 && len(t[0].Events) > 0
			})
		},
	)
}

func killed(ctx context.Context, s *stage) error {
	wk := s.workers[1]
	var all []*laptop
	for i := range 4 {
		all = append(all, s.laptop("northwind", fmt.Sprintf("NW-00%d", i+1), fmt.Sprintf("user%d", i+1)))
	}
	each := func(ok func(*laptop) bool) func() bool {
		return func() bool {
			for _, l := range all {
				if !ok(l) {
					return false
				}
			}
			return true
		}
	}
	some := func(ok func(*laptop) bool) func() bool {
		return func() bool { return !each(func(l *laptop) bool { return !ok(l) })() }
	}
	crash := func() error {
		s.tell.world(s.story, "northwind", "the worker is killed (SIGKILL) and started again")
		wk.kill()
		if err := wk.start(ctx); err != nil {
			return err
		}
		return wk.ready(ctx, 30*time.Second)
	}
	for _, l := range all {
		l.happens("malware is found, and stays", func() {
			l.t.Infect(l.Name, graphtest.Medium)
			l.t.Investigate(l.Name, "failed")
		})
	}
	return steps(
		func() error { return until(ctx, "a user is told", some(func(l *laptop) bool { return l.mails() > 0 })) },
		crash,
		func() error {
			return until(ctx, "every user is told", each(func(l *laptop) bool { return l.mails() > 0 }))
		},
		func() error {
			return until(ctx, "a ticket is opened", some(func(l *laptop) bool { return len(l.tickets()) > 0 }))
		},
		crash,
		func() error {
			return until(ctx, "every laptop has a ticket and was scanned", each(func(l *laptop) bool { return len(l.tickets()) > 0 && l.scans() > 0 }))
		},
		func() error {
			for _, l := range all {
				l.happens("the malware is removed", func() { l.t.Heal(l.Name) })
			}
			return until(ctx, "a ticket is closed", some((*laptop).closed))
		},
		crash,
		func() error { return until(ctx, "every ticket is closed", each((*laptop).closed)) },
		func() error {
			return until(ctx, "every user is told that all is well", each(func(l *laptop) bool { return l.mails() >= 2 }))
		},
		func() error {
			return still(ctx, time.Second, "each of everything once", each(func(l *laptop) bool {
				return l.mails() == 2 && len(l.tickets()) == 1 && l.scans() == 1 && l.resets()+l.wipes() == 0
			}))
		},
	)
}

func approved(ctx context.Context, s *stage) error {
	l := s.laptop("woodgrove", "WG-001", "hugo")
	lead := "lead@" + l.t.Domain
	browser, err := s.browser()
	if err != nil {
		return err
	}
	defer browser.CloseIdleConnections()
	l.happens("malware is found, and stays", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
	})
	unreset := func() bool { return l.resets() == 0 }
	return steps(
		func() error { return until(ctx, "the user is told", func() bool { return l.mails() == 1 }) },
		func() error {
			return until(ctx, "a person is asked by a ticket", func() bool { return len(l.tickets()) == 1 })
		},
		func() error {
			return until(ctx, "a person is asked by a mail", func() bool { return l.invitation(lead) != "" })
		},
		func() error {
			s.tell.world(s.story, l.t.Name+"/"+l.Name, "a mail scanner opens the link five times")
			for range 5 {
				if _, err := open(ctx, browser, l.invitation(lead), nil); err != nil {
					return err
				}
			}
			return still(ctx, 2*time.Second, "no reset without approval", unreset)
		},
		func() error {
			s.tell.world(s.story, l.t.Name+"/"+l.Name, "a person opens the link, reads the page and allows it")
			return allow(ctx, browser, l.invitation(lead))
		},
		func() error { return still(ctx, 2*time.Second, "no reset by one of two", unreset) },
		func() error {
			s.tell.world(s.story, l.t.Name+"/"+l.Name, "another person runs `curfew approve "+l.Name+"`")
			return s.workers[0].command(ctx, "approve", l.Name)
		},
		func() error { return until(ctx, "the laptop is reset", func() bool { return l.resets() == 1 }) },
		func() error { return until(ctx, "the ticket is closed", l.closed) },
		func() error {
			return still(ctx, time.Second, "one reset, and no factory wipe", func() bool { return l.resets() == 1 && l.wipes() == 0 })
		},
	)
}

func refused(ctx context.Context, s *stage) error {
	l := s.join("contoso", "LT-006", "iris", graphtest.HybridJoined)
	l.happens("malware is found, and stays", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
	})
	return steps(
		func() error { return until(ctx, "on-call is paged", func() bool { return len(l.incidents()) == 1 }) },
		func() error {
			return until(ctx, "a person is told that the reset is refused", func() bool { return l.asked("reset") })
		},
		func() error { return none("resets and wipes", l.resets()+l.wipes()) },
		func() error {
			l.happens("a technician removes the malware", func() { l.t.Heal(l.Name) })
			return until(ctx, "the ticket is closed", l.closed)
		},
		func() error { return none("resets and wipes", l.resets()+l.wipes()) },
	)
}

func lying(ctx context.Context, s *stage) error {
	l := s.laptop("contoso", "LT-007", "jan")
	l.t.Next(l.Name, "wipe", graphtest.Lies)
	l.happens("malware is found, and stays", func() {
		l.t.Infect(l.Name, graphtest.High)
		l.t.Investigate(l.Name, "failed")
	})
	asked := func() bool { return len(l.t.Actions(l.Name)) > 0 && l.wiped() }
	return steps(
		func() error { return until(ctx, "a reset is asked for", asked) },
		func() error {
			return until(ctx, "a person is told that it did not happen", func() bool { return l.asked("reported done") })
		},
		func() error { return none("tickets closed although the risk is there", b2i(l.closed())) },
		func() error { return none("resets that happened", l.resets()) },
		func() error {
			l.happens("a technician removes the malware", func() { l.t.Heal(l.Name) })
			return until(ctx, "the ticket is closed", l.closed)
		},
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func throttled(ctx context.Context, s *stage) error {
	busy := s.laptop("fabrikam", "FB-001", "finn")
	calm := s.laptop("adatum", "AD-001", "gina")
	s.tell.world(s.story, "fabrikam", "Graph answers 429 to everything, Retry-After 120 s")
	lift := busy.t.Throttle("", 0, 120*time.Second)
	defer lift()
	busy.happens("malware is found", func() { busy.t.Infect(busy.Name, graphtest.High) })
	for range 20 {
		busy.t.Notify(busy.Name)
	}
	start := time.Now()
	calm.happens("malware is found", func() { calm.t.Infect(calm.Name, graphtest.High) })
	return steps(
		func() error {
			return until(ctx, "the user of the calm tenant is told", func() bool { return calm.mails() == 1 })
		},
		func() error {
			took := time.Since(start)
			s.tell.world(s.story, "adatum", fmt.Sprintf("its user was told after %.1f s", took.Seconds()))
			if took > 20*time.Second {
				return fmt.Errorf("the calm tenant was slowed: its user was told after %v", took.Round(time.Millisecond))
			}
			return none("mails in the throttled tenant", busy.mails())
		},
		func() error {
			calm.happens("the malware is removed", func() { calm.t.Heal(calm.Name) })
			return until(ctx, "the user is told that all is well", func() bool { return calm.mails() == 2 })
		},
		func() error { return none("mails in the throttled tenant", busy.mails()) },
	)
}
