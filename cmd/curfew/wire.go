package main

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/events/gate/actuator"
	"curfew/events/journal"
	"curfew/graph"
	"curfew/handlers"
	"curfew/handlers/investigate"
	"curfew/handlers/isolate"
	"curfew/handlers/look"
	"curfew/handlers/mail"
	"curfew/handlers/neighbours"
	"curfew/handlers/notify"
	"curfew/handlers/page"
	"curfew/handlers/remote"
	"curfew/handlers/reset"
	"curfew/handlers/restore"
	"curfew/handlers/scan"
	"curfew/handlers/sync"
	"curfew/handlers/ticket"
)

// table says who serves each action of the role. This is the program.
func table(conf *config, by clouds, templates *mail.Templates, guard *gate.Guard, act *actuator.Actuator, asks *approvals, desks *ticket.Handler, pagers *page.Handler) map[events.Action]handlers.Func {
	watch, tenants := by.watch, by.act // the identity that reads and tells, and the one that acts on devices
	first, settle := time.Duration(conf.Pace.CheckAfter), time.Duration(conf.Pace.Settle)
	destroy := reset.Handler{
		Devices: witness{tenants}, Intune: lastWord{tenants, guard}, Approvals: requests{tenants}, DryRun: conf.DryRun,
		First: first, Settle: settle,
	}
	defender := machines{tenants, guard}
	cutOff := isolate.Handler{Devices: tenants, Defender: defender, DryRun: conf.DryRun, First: first, Settle: settle}
	remotely := remote.Handler{Intune: tenants, DryRun: conf.DryRun, First: first, Settle: settle}
	all := map[events.Action]handlers.Func{
		events.Look:    look.Handler{Devices: watch}.Do,
		events.Sync:    sync.Handler{Intune: tenants, First: first, Settle: settle}.Do,
		events.Mail:    asks.into(mailer(conf, watch, templates)).Do,
		events.Notify:  notify.Feed{Voice: voice(conf), Teams: watch}.Do,
		events.Push:    notify.Push{Voice: voice(conf), Portal: tenants}.Do,
		events.Ticket:  desks.Do,
		events.Close:   desks.Do,
		events.Page:    pagers.Do,
		events.Resolve: pagers.Do,
		events.Scan:    scan.Handler{Intune: tenants, Defender: defender, First: first, Settle: settle}.Do,
		events.Reset:   destroy.Do,
		events.Retire:  destroy.Do,
		events.Wipe:    destroy.Do,

		events.Isolate:     cutOff.Do,
		events.Unisolate:   cutOff.Do,
		events.Investigate: investigate.Handler{Defender: defender, DryRun: conf.DryRun}.Do,
		events.Lock:        remotely.Do,
		events.Restart:     remotely.Do,
		events.Restore:     restore.Handler{Intune: tenants, Users: tenants}.Do,
		events.Neighbours:  neighbours.Handler{Devices: tenants, Intune: tenants, Slot: guard.ScanSlot, First: first, Settle: settle}.Do,
	}
	for action, do := range all {
		all[action] = guard.Func(do) // the gates are in front of everything
		if actuator.Do(action) {
			all[action] = act.Func(all[action])
		}
	}
	maps.DeleteFunc(all, func(a events.Action, _ handlers.Func) bool { return !conf.Role.does(a) })
	return all
}

func mailer(conf *config, tenants graph.Tenants, templates *mail.Templates) mail.Handler {
	h := writer(conf, templates)
	h.Mailer, h.ResetDue, h.Settle = tenants, due(conf), time.Duration(conf.Pace.Settle)
	h.Speaks = (&tongues{conf: conf, tenants: tenants}).of
	return h
}

// due says when a device will be reset, for its user; nil: nobody is threatened with
// what will not be done.
func due(conf *config) func(events.Case) time.Time {
	if conf.DryRun {
		return nil
	}
	return func(c events.Case) time.Time { return c.ResetDue(conf.Policies) }
}

// voice is how users are told besides by mail.
func voice(conf *config) notify.Voice {
	return notify.Voice{Ask: conf.Mail.Ask, AskIn: askIn(conf), Language: conf.Mail.Language, ResetDue: due(conf), Zone: conf.Mail.Zone}
}

// askIn is whom users may ask, by language in small letters.
func askIn(conf *config) map[string]string {
	out := map[string]string{}
	for language, who := range conf.Mail.AskIn {
		out[strings.ToLower(language)] = who
	}
	return out
}

// writer writes mails as the configuration wants them, and sends none.
func writer(conf *config, templates *mail.Templates) mail.Handler {
	return mail.Handler{
		Templates: templates, Ask: conf.Mail.Ask, AskIn: askIn(conf), Language: conf.Mail.Language, Zone: conf.Mail.Zone,
		Plain: conf.Policies.Plain,
	}
}

func client(roots *x509.CertPool) *http.Client {
	return handlers.NewClient(handlers.Reach{Roots: roots})
}

// templatesOf are the mail templates with those of the configuration's directory.
func templatesOf(dir string) (*mail.Templates, error) {
	if dir == "" {
		return mail.NewTemplates(nil)
	}
	return mail.NewTemplates(os.DirFS(dir))
}

// templateNames are those a rule file may name.
func templateNames(dir string) ([]string, error) {
	ts, err := templatesOf(dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ts.Names(), mail.ForApprovers), nil
}

func tenantOf(t tenantConfig, a authConfig, seenWithin time.Duration) graph.Tenant {
	out := graph.Tenant{
		ID: t.ID, Name: t.Name, Cloud: graph.Cloud(t.Cloud), MailFrom: t.MailFrom, TeamsApp: t.Reach.Teams, SeenWithin: seenWithin, Auth: authOf(a),
		Look: graph.LookOptions{
			SkipSettings: !t.Look.Settings, SkipProtection: !t.Look.Protection, SkipAlerts: !t.Look.Alerts,
			SkipEntra: !t.Look.Entra, SkipUser: !t.Look.User, TimeZone: t.Look.TimeZone, Groups: t.Look.Groups, Tags: t.Look.Tags,
		},
		Defender: t.Defender.endpoint(),
	}
	if e := t.Endpoints; e != nil {
		out.Endpoint = &graph.Endpoint{Graph: e.Graph, Login: e.Login, Scope: e.Scope, CA: e.CA}
	}
	return out
}

// authOf is how an identity proves itself, by its secrets as they are now.
func authOf(a authConfig) graph.Auth {
	out := graph.Auth{
		Client: a.ClientID, Secret: a.ClientSecret.reveal(), TokenFile: a.TokenFile,
		Certificate: []byte(a.Certificate.reveal()), CertificatePassword: []byte(a.CertificatePassword.reveal()),
	}
	if m := a.ManagedIdentity; m != nil {
		out.Managed = &graph.ManagedIdentity{Client: m.ClientID}
	}
	return out
}

// sweepOf makes a tenant's sweep.
func sweepOf(t tenantConfig, c *graph.Client, j *journal.Journal, ids *graph.Directory, log *slog.Logger) *graph.Sweep {
	s := &graph.Sweep{
		Client: c, Sink: j, Cases: known{j}, Marks: marks{j.State()}, Directory: ids,
		Devices: t.Sweep.Devices, Alerts: t.Sweep.Alerts, Entra: t.Sweep.Entra, Log: log,
	}
	if !t.Look.Alerts {
		s.Alerts = -1
	}
	return s
}

// The journal, as package graph wants to see it.
type (
	known struct{ *journal.Journal }
	marks struct{ s *journal.State }
	state struct{ *journal.State }
)

// Known are the devices of a tenant that have a case.
func (k known) Known(ctx context.Context, tenant string) (map[string]struct{}, error) {
	ids, err := k.Journal.Known(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := make(map[string]struct{}, len(ids))
	for id := range ids {
		out[id] = struct{}{}
	}
	return out, nil
}

func (m marks) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	return state{m.s}.Get(ctx, key)
}

func (m marks) Put(ctx context.Context, key string, value []byte) error {
	_, err := m.s.Put(ctx, key, value)
	return err
}

// Get returns nothing for a key that is not there.
func (s state) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	v, rev, err := s.State.Get(ctx, key)
	if errors.Is(err, journal.ErrNoKey) {
		return nil, 0, nil
	}
	return v, rev, err
}
