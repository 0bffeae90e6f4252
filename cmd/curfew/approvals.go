package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"curfew/events"
	"curfew/events/gate/link"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
	"curfew/handlers/mail"
)

// approvals are how people are asked, and how they answer.
type approvals struct {
	conf   *config
	signer *link.Signer // nil: there is no key, so nothing is signed
	keys   *escrow
}

// approvalsOf reads the key of a role, and makes it if it is this one's to make.
func approvalsOf(conf *config, tenants preflightReader, log *slog.Logger) (*approvals, error) {
	a := &approvals{conf: conf, keys: &escrow{tenants: tenants, log: log}}
	file, demanded := conf.keyFile()
	var err error
	switch {
	case !conf.Role.watches():
		if a.signer, err = link.OpenKey(file); errors.Is(err, fs.ErrNotExist) && !demanded {
			log.Warn("there is no key for approvals, so none can be checked, and nothing that needs one is done", "file", file)
			return a, nil
		}
	case demanded, conf.NATS == nil, conf.links():
		a.signer, err = link.LoadKey(file)
	}
	if err != nil {
		return nil, wrong(fmt.Errorf("approvals.key_file: %w", err))
	}
	return a, nil
}

// counts says which approvals count: nil, every one; or those that were signed
// and have not run out.
func (a *approvals) counts() func(events.Task, events.Approval) bool {
	if _, demanded := a.conf.keyFile(); !demanded {
		return nil
	}
	return a.signed
}

// signed reports whether an approval is proven.
func (a *approvals) signed(t events.Task, given events.Approval) bool {
	return a.signer != nil && a.signer.Fresh(t, given, time.Now(), a.validFor())
}

// validFor is how long an approval counts, and a link can be used.
func (a *approvals) validFor() time.Duration {
	if v := a.conf.Policies.Approval; v > 0 {
		return v
	}
	return 24 * time.Hour
}

// mayApprove reports whether somebody is (still) asked in a tenant.
func (a *approvals) mayApprove(tenant, who string) bool {
	return slices.ContainsFunc(a.conf.Policies.Approvers.Of(tenant), func(x string) bool { return strings.EqualFold(x, who) })
}

// front answers links, and leaves the rest to the webhook.
func (a *approvals) front(j *journal.Journal, webhook http.Handler, log *slog.Logger) http.Handler {
	if a.signer == nil || !a.conf.links() {
		return webhook
	}
	pages := &link.Handler{
		Signer: a.signer, Cases: j, Sink: j, Log: log,
		May: a.mayApprove, Tenant: a.tenant, Findings: findings, Key: a.keys.about, Valid: a.validFor(), Zone: a.conf.Mail.Zone,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if link.Is(r.URL.Path) {
			pages.ServeHTTP(w, r)
			return
		}
		webhook.ServeHTTP(w, r)
	})
}

// into gives the handler of mails what invitations need.
func (a *approvals) into(h mail.Handler) mail.Handler {
	h.Tenant, h.Stakes, h.Key = a.tenant, stakes, a.keys.about
	if a.signer != nil && a.conf.links() {
		h.Invite = func(task, addressee, invitation string) (string, time.Time) {
			expires := time.Now().Add(a.validFor()).Truncate(time.Second)
			return a.conf.PublicURL + link.Path + a.signer.Mint(task, addressee, invitation, expires), expires
		}
	}
	return h
}

func (a *approvals) tenant(id string) string { return houseOf(a.conf).tenant(id) }

func stakes(c events.Case, t events.Task, key string, when func(time.Time) string) (out []mail.Stake) {
	for _, s := range link.Stakes(c, t, key, when) {
		out = append(out, mail.Stake(s))
	}
	return out
}

// findings are what is wrong with a device, in words.
func findings(d events.Device) (out []string) {
	for _, f := range handlers.Findings(d) {
		out = append(out, f.What)
	}
	return out
}

// exampleInvite stands for a link where there is only an example.
func exampleInvite(string, string, string) (string, time.Time) {
	return "https://curfew.example.com" + link.Path + "example", time.Now().Add(24 * time.Hour)
}

// A preflightReader asks Microsoft what should be known of a device.
type preflightReader interface {
	Preflight(ctx context.Context, d events.Device) ([]graph.Check, error)
}

// An escrow knows whether devices' recovery keys are kept. It asks seldom, for
// anybody who has a link can make it ask.
type escrow struct {
	tenants preflightReader
	log     *slog.Logger

	mu    sync.Mutex
	known map[events.Key]keptWord
}

// A keptWord is an answer, which is empty if there was none.
type keptWord struct {
	text string
	at   time.Time
}

// How long an answer is good, how long one may take, and how many are kept.
const (
	escrowFor    = 10 * time.Minute
	escrowWithin = 3 * time.Second
	escrowMost   = 1000
)

// about is what is known of a device's key, or "".
func (e *escrow) about(ctx context.Context, c events.Case) string {
	now := time.Now()
	e.mu.Lock()
	have, ok := e.known[c.Key]
	e.mu.Unlock()
	if ok && now.Sub(have.at) < escrowFor {
		return have.text
	}
	text := e.ask(ctx, c)
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, t := range e.known {
		if now.Sub(t.at) >= escrowFor {
			delete(e.known, k)
		}
	}
	if e.known == nil || len(e.known) >= escrowMost {
		e.known = map[events.Key]keptWord{}
	}
	e.known[c.Key] = keptWord{text, now}
	return text
}

func (e *escrow) ask(ctx context.Context, c events.Case) string {
	ctx, cancel := context.WithTimeout(ctx, escrowWithin)
	defer cancel()
	checks, err := e.tenants.Preflight(ctx, c.Device)
	if err != nil {
		e.log.Info("whether the recovery key is kept is not known", "device", c.Key.String(), "err", err)
		return ""
	}
	for _, k := range checks {
		if k.Name == graph.CheckKey {
			return map[graph.Verdict]string{graph.Yes: "kept: ", graph.No: "not kept: "}[k.Verdict] + k.Reason
		}
	}
	return ""
}
