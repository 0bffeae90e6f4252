package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"curfew/events"
	"curfew/events/journal"
)

// aboutDevices is said by every command that takes devices.
const aboutDevices = `DEVICE is the device's name, its id in Entra or in Intune, its serial number, or
TENANT/DEVICE with the tenant's name or id in front. A name that several devices
have is refused; the message lists them.`

// find returns the cases of the devices that refs name, in that order. The error
// says of every ref that names none, or more than one, what is wrong.
func (q *queue) find(ctx context.Context, refs ...string) ([]events.Case, error) {
	s := &search{q: q, refs: make([]sought, len(refs))}
	for i, ref := range refs {
		if err := s.seek(i, ref); err != nil {
			return nil, err
		}
	}
	for c, err := range q.Cases(ctx, s.tenant()) {
		switch {
		case errors.Is(err, journal.ErrUnreadable):
			s.unreadable = append(s.unreadable, err)
		case err != nil:
			return nil, err
		default:
			s.offer(c)
		}
	}
	return s.result()
}

// A search goes through the cases once for all refs.
type search struct {
	q          *queue
	refs       []sought
	names      []string // of all devices, for a hint
	unreadable []error
}

// A sought is one ref and what it may mean.
type sought struct {
	ref, tenant, device string // tenant: an id, or empty for any
	found               []events.Case
}

func (s *search) seek(i int, ref string) error {
	w := sought{ref: ref, device: strings.TrimSpace(ref)}
	if tenant, device, ok := strings.Cut(w.device, "/"); ok {
		id, err := s.q.knownTenant(tenant)
		if err != nil {
			return err
		}
		w.tenant, w.device = id, device
	}
	if w.device == "" {
		return wrong(fmt.Errorf("%q names no device", ref))
	}
	s.refs[i] = w
	return nil
}

// tenant is the only one that has to be searched, or "" for all.
func (s *search) tenant() string {
	for _, w := range s.refs {
		if w.tenant != s.refs[0].tenant {
			return ""
		}
	}
	return s.refs[0].tenant
}

func (s *search) offer(c events.Case) {
	if len(s.names) < 50_000 && c.Device.Name != "" {
		s.names = append(s.names, clean(c.Device.Name))
	}
	for i := range s.refs {
		w := &s.refs[i]
		if (w.tenant == "" || w.tenant == c.Tenant) && is(c, w.device) {
			w.found = append(w.found, c)
		}
	}
}

// is reports whether a device is called name.
func is(c events.Case, name string) bool {
	d := c.Device
	return slices.ContainsFunc([]string{c.Key.Device, d.Name, clean(d.Name), d.IntuneID, d.DefenderID, d.EntraID, d.Serial}, func(s string) bool {
		return s != "" && strings.EqualFold(s, name)
	})
}

func (s *search) result() ([]events.Case, error) {
	var out []events.Case
	var errs []error
	for _, w := range s.refs {
		switch len(w.found) {
		case 1:
			out = append(out, w.found[0])
		case 0:
			errs = append(errs, s.missing(w))
		default:
			errs = append(errs, s.ambiguous(w))
		}
	}
	return out, errors.Join(errs...)
}

func (s *search) missing(w sought) error {
	for _, err := range s.unreadable {
		if strings.Contains(err.Error(), w.device) {
			return err
		}
	}
	var near []string
	slices.Sort(s.names)
	for _, name := range slices.Compact(s.names) {
		a, b := strings.ToLower(name), strings.ToLower(w.device)
		if len(near) < 5 && (strings.Contains(a, b) || strings.Contains(b, a) || len(b) > 3 && strings.HasPrefix(a, b[:len(b)-1])) {
			near = append(near, name)
		}
	}
	hint := "Curfew has not heard of it yet, or it is spelled differently: `curfew cases --all` lists the devices it knows"
	if len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return notFound(fmt.Errorf("no device is called %q; %s", w.ref, hint))
}

func (s *search) ambiguous(w sought) error {
	var each []string
	for _, c := range w.found {
		who := clean(c.Device.User)
		each = append(each, s.q.tenant(c.Tenant)+"/"+c.Key.Device+prefixed(" of ", who))
	}
	slices.Sort(each)
	if len(each) > 10 {
		each = append(each[:10], "…")
	}
	return wrong(fmt.Errorf("%q is the name of %d devices; say which: %s", w.ref, len(w.found), strings.Join(each, ", ")))
}

// hurry is how long completion may take: nobody waits for it.
const hurry = 2 * time.Second

// completeDevices offers the names of the devices that a running worker knows.
func (a *app) completeDevices(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), hurry)
	defer cancel()
	var out []string
	// Without a worker there is nothing to offer, and nobody to tell.
	_ = a.withQueue(ctx, func(q *queue) error {
		for c, err := range q.Cases(ctx, "") {
			if errors.Is(err, journal.ErrUnreadable) {
				continue
			} else if err != nil {
				return err
			}
			name := deviceName(c)
			if c.Episode > 0 && !strings.ContainsAny(name, " \t") && strings.HasPrefix(strings.ToLower(name), strings.ToLower(typed)) && !slices.Contains(args, name) {
				out = append(out, cobra.CompletionWithDesc(name, clean(c.State()+prefixed(", ", c.Device.User))))
			}
		}
		return nil
	})
	slices.Sort(out)
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeDevice is completeDevices for commands that take one device first.
func (a *app) completeDevice(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeDevices(cmd, args, typed)
}

// completeTenants offers the tenants of the configuration.
func (a *app) completeTenants(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	h, err := a.house(a.logger(silent))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return h.tenantNames(), cobra.ShellCompDirectiveNoFileComp
}
