package try

import (
	"context"
	"fmt"
	"slices"
	"time"

	"curfew/handlers/ticket/jira/jiratest"
)

// ticketLife is how a ticket goes from its opening to its end, with somebody in
// between who ends it too early.
func ticketLife(ctx context.Context, s *stage) error {
	l := s.laptop("tailspin", "LT-009", "lena")
	l.happens("BitLocker is turned off", func() { l.t.BreakBitLocker(l.Name) })
	one := func() bool { return len(l.issues()) == 1 }
	is := func(status string) func() bool { return func() bool { return one() && l.issues()[0].Status == status } }
	return steps(
		func() error { return until(ctx, "an issue is opened", is("To Do")) },
		func() error { return still(ctx, 3*time.Second, "one issue, and it waits for somebody", is("To Do")) },
		func() error {
			s.tell.world(s.story, l.t.Name+"/"+l.Name, "a technician resolves the issue without turning it on; Jira posts its webhook")
			key := l.issues()[0].Key
			s.jira.Change(key, jiratest.Ben, func(i *jiratest.Issue) { i.Move("Done") })
			header, body := s.jira.Webhook(s.jiraHook, key, jiratest.Ben)
			return s.deliver(ctx, s.workers[0], "jira", header, body)
		},
		func() error { return until(ctx, "the issue is reopened", is("In Progress")) },
		func() error {
			return until(ctx, "it says why", func() bool { return l.told("reopened") && l.told("BitLocker") })
		},
		func() error {
			l.happens("BitLocker is turned on", func() { l.t.FixBitLocker(l.Name) })
			return until(ctx, "the issue is resolved", is("Done"))
		},
		func() error { return l.changedBy(jiratest.Ben, jiratest.Us, jiratest.Us) },
		func() error {
			return still(ctx, 2*time.Second, "one issue, which stays resolved, and no other ticket", func() bool {
				return is("Done")() && len(l.tickets()) == 0 && len(l.issues()[0].Comments) == 2
			})
		},
	)
}

// issues are those of Jira about it.
func (l *laptop) issues() []jiratest.Issue {
	return slices.DeleteFunc(l.s.jira.Issues(), func(i jiratest.Issue) bool { return !contains(jiratest.Text(i.Text), l.Name) })
}

// told reports whether a comment on an issue about it has these words.
func (l *laptop) told(words string) bool {
	for _, i := range l.issues() {
		for _, c := range i.Comments {
			if c.By == jiratest.Us && contains(jiratest.Text(c.Body), words) {
				return true
			}
		}
	}
	return false
}

// changedBy checks who moved the one issue about it, in order.
func (l *laptop) changedBy(want ...string) error {
	var got []string
	for _, c := range l.issues()[0].Changes {
		got = append(got, c.By)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the issue was moved by %v, and must be by %v", got, want)
	}
	return nil
}
