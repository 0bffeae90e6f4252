package desktest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"curfew/handlers"
	"curfew/handlers/ticket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAGoodDeskPasses(t *testing.T) { Run(t, newWorld(0, nil)) }

func TestAGoodDeskWithALateSearchPasses(t *testing.T) { Run(t, newWorld(2*time.Minute, nil)) }

// broken is a desk that breaks a promise by what is set.
type broken struct {
	*desk
	find    func(context.Context, string) ([]ticket.Ticket, error)
	open    func(context.Context, ticket.New) (ticket.Ticket, error)
	comment func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error)
	resolve func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error)
	reopen  func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error)
	read    func(context.Context, string) (ticket.Ticket, error)
}

func (b *broken) Find(ctx context.Context, key string) ([]ticket.Ticket, error) {
	return b.find(ctx, key)
}
func (b *broken) Open(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	return b.open(ctx, n)
}
func (b *broken) Comment(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return b.comment(ctx, t, n)
}
func (b *broken) Resolve(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return b.resolve(ctx, t, n)
}
func (b *broken) Reopen(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
	return b.reopen(ctx, t, n)
}
func (b *broken) Read(ctx context.Context, ref string) (ticket.Ticket, error) {
	return b.read(ctx, ref)
}

// A suite is worth what it refuses. Each desk here breaks one promise, and the
// rule about that promise must say so.
func TestEveryRuleRefusesItsBreach(t *testing.T) {
	for name, tt := range map[string]struct {
		rule string
		want string // in the violation
		lag  time.Duration
		edit func(*broken)
	}{
		"loses the key":       {rule: "opens", want: "an agent sees", edit: func(b *broken) { b.open = edited(b.desk, func(n *ticket.New) { n.Key = "" }) }},
		"says nothing":        {rule: "opens", want: "an agent sees", edit: func(b *broken) { b.open = edited(b.desk, func(n *ticket.New) { n.Text = "see Curfew" }) }},
		"finds everything":    {rule: "opens", want: "by another key", edit: func(b *broken) { b.find = b.everything }},
		"takes us for people": {rule: "opens", want: "it is read as", edit: func(b *broken) { b.read = b.suspicious }},
		"sees no people":      {rule: "opens", want: "changed by a person", edit: func(b *broken) { b.read = b.blind }},
		"reads no notes":      {rule: "repeats", want: "there should be one ticket with 0 notes", edit: func(b *broken) { b.read = b.deaf }},
		"comments twice":      {rule: "repeats", want: "there should be one ticket with 1 notes", edit: func(b *broken) { b.comment = twice(b.desk.Comment) }},
		"opens again by itself": {rule: "lost answer", want: "there should be one ticket", edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if handlers.Read(err).Unsure {
					return b.desk.Open(ctx, n)
				}
				return t, err
			}
		}},
		"hides that its search is late": {rule: "lost answer", want: "there should be one ticket", lag: 2 * time.Minute, edit: func(b *broken) { b.desk.lag = 0 }},
		"calls a lost answer a no": {rule: "lost answer", want: "there should be one ticket", lag: 2 * time.Minute, edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if err != nil {
					err = handlers.Sure(err)
				}
				return t, err
			}
		}},
		"takes no search for none": {rule: "lost answer", want: "something was done again", edit: func(b *broken) {
			b.find = func(ctx context.Context, key string) ([]ticket.Ticket, error) {
				found, err := b.desk.Find(ctx, key)
				if err != nil {
					return nil, nil
				}
				return found, nil
			}
		}},
		"takes a conflict for a success": {rule: "conflict", want: "there should be one ticket", edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if handlers.Read(err).Status == 409 {
					return t, nil
				}
				return t, err
			}
		}},
		"never gives up": {rule: "verdicts", want: "is not given up", edit: func(b *broken) { b.open = b.stubborn }},
		"does not hear Retry-After": {rule: "verdicts", want: "with Retry-After", edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if err != nil && !handlers.Read(err).GiveUp {
					err = errors.New(err.Error())
				}
				return t, err
			}
		}},
		"stumbles over what is gone": {rule: "gone", want: "404", edit: func(b *broken) {
			b.read = func(ctx context.Context, ref string) (ticket.Ticket, error) {
				t, err := b.desk.Read(ctx, ref)
				if t.State == ticket.Gone {
					return t, handlers.GiveUp(errors.New("404 Not Found"))
				}
				return t, err
			}
		}},
		"reads one page":    {rule: "pages", want: "behind 250", edit: func(b *broken) { b.find = b.lastPage }},
		"cannot tell twins": {rule: "twins", want: "the older one", edit: func(b *broken) { b.find = b.newestOnly }},
		"resolves regardless": {rule: "person", want: "a person had changed it", edit: func(b *broken) {
			b.read = b.blind
		}},
		"resolves without a word": {rule: "person", want: "nobody had changed it", edit: func(b *broken) {
			b.resolve = func(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
				n.Text = ""
				return b.desk.Resolve(ctx, t, n)
			}
		}},
		"only says that it resolves": {rule: "person", want: "nobody had changed it", edit: func(b *broken) { b.resolve = b.desk.Comment }},
		"takes all for open":         {rule: "resolved", want: "it was resolved already", edit: func(b *broken) { b.read = b.optimist }},
		"does not reopen":            {rule: "reopens", want: "a day later", edit: func(b *broken) { b.reopen = b.desk.Comment }},
		"opens anew instead": {rule: "reopens", want: "a day later", edit: func(b *broken) {
			b.reopen = func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error) {
				return ticket.Ticket{}, ticket.ErrCannot
			}
		}},
		"reopens what is closed": {rule: "goes on", want: "closed for good", edit: func(b *broken) {
			b.read = func(ctx context.Context, ref string) (ticket.Ticket, error) {
				t, err := b.desk.Read(ctx, ref)
				if t.State == ticket.Closed {
					t.State = ticket.Resolved
				}
				return t, err
			}
		}},
		"forgets what has ended": {rule: "goes on", want: "it does not name ticket", edit: func(b *broken) { b.find = b.openOnly }},
		"obeys markup":           {rule: "hostile text", want: "shows more than text", edit: func(b *broken) { b.open = edited(b.desk, func(n *ticket.New) { n.Text += "\t" }) }},
		"drops what is not ASCII": {rule: "hostile text", want: "did not arrive", edit: func(b *broken) {
			b.open = edited(b.desk, func(n *ticket.New) { n.Title = "a device" })
		}},
		"breaks the title": {rule: "hostile text", want: "a line that is none", edit: func(b *broken) {
			b.open = edited(b.desk, func(n *ticket.New) { n.Title += "\nBcc: all" })
		}},
		"follows a forged ref": {rule: "hostile text", want: "forged ref", edit: func(b *broken) {
			b.read = func(ctx context.Context, ref string) (ticket.Ticket, error) { return b.desk.Read(ctx, cleaned(ref)) }
			b.resolve = func(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
				t.Ref = cleaned(t.Ref)
				return b.desk.Resolve(ctx, t, n)
			}
		}},
		"tries again at once": {rule: "rate limit", want: "requests were made", edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if err != nil {
					return t, handlers.Unsure(errors.New(line(err.Error())))
				}
				return t, err
			}
		}},
		"waits for ever": {rule: "dead desk", want: "held a worker", edit: func(b *broken) { b.desk.api.Client.Timeout = time.Hour }},
		"has an eye of its own": {rule: "thousand", want: "tickets are open", edit: func(b *broken) {
			b.find = func(context.Context, string) ([]ticket.Ticket, error) { return nil, nil }
		}},
		"logs its token": {rule: "verdicts", want: "the secret", edit: func(b *broken) {
			b.open = func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
				t, err := b.desk.Open(ctx, n)
				if err != nil {
					err = fmt.Errorf("%w (token %s)", err, token)
				}
				return t, err
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			world := newWorld(tt.lag, func(d *desk) ticket.Desk {
				b := &broken{d, d.Find, d.Open, d.Comment, d.Resolve, d.Reopen, d.Read}
				tt.edit(b)
				return b
			})
			for _, r := range rules() {
				if r.name != tt.rule {
					continue
				}
				if err := r.check(t, world); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("rule %q says %v; want %q", r.name, err, tt.want)
				}
				return
			}
			t.Errorf("there is no rule %q", tt.rule)
		})
	}
}

// What the broken desks do.

func edited(d *desk, edit func(*ticket.New)) func(context.Context, ticket.New) (ticket.Ticket, error) {
	return func(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
		edit(&n)
		return d.Open(ctx, n)
	}
}

func twice(comment func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error)) func(context.Context, ticket.Ticket, ticket.Note) (ticket.Ticket, error) {
	return func(ctx context.Context, t ticket.Ticket, n ticket.Note) (ticket.Ticket, error) {
		comment(ctx, t, n)
		return comment(ctx, t, n)
	}
}

func cleaned(ref string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.TrimPrefix(ref, "%2e%2e"))
}

func (b *broken) everything(ctx context.Context, key string) ([]ticket.Ticket, error) {
	return b.desk.Find(ctx, strings.TrimSuffix(key, "x"))
}

func (b *broken) suspicious(ctx context.Context, ref string) (ticket.Ticket, error) {
	t, err := b.desk.Read(ctx, ref)
	t.PersonAt = t.OursAt
	return t, err
}

func (b *broken) blind(ctx context.Context, ref string) (ticket.Ticket, error) {
	t, err := b.desk.Read(ctx, ref)
	t.Person, t.PersonAt = "", time.Time{}
	return t, err
}

func (b *broken) deaf(ctx context.Context, ref string) (ticket.Ticket, error) {
	t, err := b.desk.Read(ctx, ref)
	t.Notes = nil
	return t, err
}

func (b *broken) optimist(ctx context.Context, ref string) (ticket.Ticket, error) {
	t, err := b.desk.Read(ctx, ref)
	t.State = ticket.Open
	return t, err
}

func (b *broken) stubborn(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	t, err := b.desk.Open(ctx, n)
	if err != nil {
		err = errors.New("try again")
	}
	return t, err
}

func (b *broken) lastPage(ctx context.Context, key string) ([]ticket.Ticket, error) {
	found, err := b.desk.Find(ctx, key)
	return found[max(0, len(found)-50):], err
}

func (b *broken) newestOnly(ctx context.Context, key string) ([]ticket.Ticket, error) {
	found, err := b.desk.Find(ctx, key)
	return found[max(0, len(found)-1):], err
}

func (b *broken) openOnly(ctx context.Context, key string) ([]ticket.Ticket, error) {
	found, err := b.desk.Find(ctx, key)
	var out []ticket.Ticket
	for _, t := range found {
		if t.State == ticket.Open {
			out = append(out, t)
		}
	}
	return out, err
}
