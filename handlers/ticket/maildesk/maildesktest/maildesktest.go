// Package maildesktest is a help desk that makes tickets of mails, and the mailbox
// that they are sent from. It keeps the rules that matter to who writes such
// mails; each is cited where it is kept.
package maildesktest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Desk is a help desk's mailbox. It must not be copied once used.
type Desk struct {
	// ByHeaders makes it file a mail with those that its headers name (RFC 5322,
	// 3.6.4: In-Reply-To and References).
	ByHeaders bool
	// ByToken makes it file a mail with those that have the same token in their
	// subject. No desk does so by itself; somebody has set a rule.
	ByToken bool

	mu      sync.Mutex
	tickets []Ticket
}

// A Ticket is one as agents see it.
type Ticket struct {
	To       string // the address that it was sent to
	Subject  string // of the first mail
	Mails    []Mail
	Commands []string // what a mail has told the desk to do
}

// A Mail is one that arrived.
type Mail struct {
	Tenant, To, Subject, Text        string
	MessageID, InReplyTo, References string // empty: the mail server's own
}

// Tickets are all that were made, oldest first.
func (d *Desk) Tickets() []Ticket {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tickets)
}

var (
	token   = regexp.MustCompile(`\[#[a-z0-9-]+\]`)
	command = regexp.MustCompile(`(?m)\A(?:\s*#\w+[^\n]*\n?)+`)
)

// Receive files a mail. One whose Message-ID it has seen is dropped: the id is that
// of one mail (RFC 5322, 3.6.4). Lines that begin with # at the top are commands
// (Zendesk support docs: mail API, 2025).
func (d *Desk) Receive(m Mail) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := -1
	for n, t := range d.tickets {
		for _, old := range t.Mails {
			switch {
			case m.MessageID != "" && old.MessageID == m.MessageID:
				return
			case d.ByHeaders && old.MessageID != "" && (m.InReplyTo == old.MessageID || slices.Contains(strings.Fields(m.References), old.MessageID)),
				d.ByToken && token.MatchString(m.Subject) && token.FindString(m.Subject) == token.FindString(old.Subject):
				at = n
			}
		}
	}
	if at < 0 {
		at = len(d.tickets)
		d.tickets = append(d.tickets, Ticket{To: m.To, Subject: m.Subject})
	}
	t := &d.tickets[at]
	t.Mails = append(t.Mails, m)
	if c := command.FindString(m.Text); c != "" {
		t.Commands = append(t.Commands, c)
	}
}

// A Mailbox sends to one desk, as Graph does: every call is one more mail, and the
// sent ones show up late (Graph docs: user sendMail).
type Mailbox struct {
	Desk *Desk
	Lag  time.Duration

	mu   sync.Mutex
	sent map[string]time.Time
}

// SendMail sends a mail without headers of its own.
func (b *Mailbox) SendMail(_ context.Context, tenant, to, subject, _, text, key string) error {
	b.send(Mail{Tenant: tenant, To: to, Subject: subject, Text: text}, key)
	return nil
}

func (b *Mailbox) send(m Mail, key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent == nil {
		b.sent = map[string]time.Time{}
	}
	b.sent[key] = time.Now()
	b.Desk.Receive(m)
}

// Sent reports whether a mail with that key shows.
func (b *Mailbox) Sent(_ context.Context, _, key string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.sent[key]
	return ok && time.Since(at) >= b.Lag, nil
}

// Deliver sends a mail with headers.
func (b *Mailbox) Deliver(m Mail, key string) { b.send(m, key) }
