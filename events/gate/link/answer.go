package link

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"curfew/events"
)

// answering is one invitation that somebody has opened.
type answering struct {
	*Handler
	inv Invitation
	key events.Key
}

// A standing is how an invitation stands in view of its case.
type standing struct {
	c events.Case
	t events.Task

	status int    // of the page
	why    string // why it cannot be answered (any more); "": it can
	full   bool   // it has all approvals that it needs; it can only be forbidden
}

func (a answering) read(ctx context.Context) (events.Case, error) {
	ctx, cancel := context.WithTimeout(ctx, readsIn)
	defer cancel()
	c, _, err := a.Cases.Case(ctx, a.key)
	if err != nil {
		return c, fmt.Errorf("link: read the case: %w", err)
	}
	return c, nil
}

// judge says how the invitation stands.
func (a answering) judge(c events.Case) standing {
	s := standing{c: c, status: http.StatusOK}
	no := func(status int, why string) standing { s.status, s.why = status, why; return s }
	byID := func(t events.Task) bool { return t.ID == a.inv.Task }
	i := slices.IndexFunc(c.Pending, byID)
	if i < 0 {
		if i = slices.IndexFunc(c.Given, byID); i >= 0 {
			return no(http.StatusGone, "This was given up"+prefixed(": ", line(c.Given[i].Why, maxReason))+". There is nothing left to approve.")
		}
		return no(http.StatusGone, "This is over: it was done, or called off. There is nothing left to approve.")
	}
	s.t = c.Pending[i]
	mine, approved := Approved(s.t, a.inv.Addressee)
	switch {
	case s.t.Needs == 0:
		return no(http.StatusGone, "This needs nobody's approval.")
	case a.May != nil && !a.May(c.Tenant, a.inv.Addressee):
		return no(http.StatusForbidden, a.inv.Addressee+" is not among those who may approve (any more).")
	case Own(c, a.inv.Addressee):
		return no(http.StatusForbidden, "This is the device of "+a.inv.Addressee+": somebody else has to approve.")
	case s.t.Begun != nil:
		return no(http.StatusConflict, "This has begun, and can no longer be approved or forbidden here.")
	case approved:
		return no(http.StatusConflict, fmt.Sprintf("%s has approved it, on %s. It has %d of the %d approvals that it needs; each must be another person's. To forbid it after all, run `curfew deny %s`.",
			mine.By, a.when(mine.At), len(s.t.Approvals), s.t.Needs, s.t.ID))
	case slices.Contains(s.t.Links, a.inv.ID):
		return no(http.StatusGone, "This link was used, and what it said counts no longer: it has run out, or the device has changed since. Whoever may approve was asked again by a new mail.")
	}
	s.full = len(s.t.Approvals) >= s.t.Needs
	return s
}

// post takes an answer.
func (a answering) post(w http.ResponseWriter, r *http.Request) {
	said, status, why := form(w, r)
	if status != 0 {
		a.say(w, status, "Nothing was recorded", why)
		return
	}
	c, err := a.read(r.Context())
	if err != nil {
		a.unavailable(w, err)
		return
	}
	s := a.judge(c)
	switch {
	case s.why != "":
		a.show(w, r, s, "")
	case said.seal != sealOf(s.t.Seal):
		s.status = http.StatusConflict
		a.show(w, r, s, "The device has changed since the page was shown, so nothing was recorded. Read how it is now, and decide anew.")
	case said.allow && s.full:
		s.status = http.StatusConflict
		a.show(w, r, s, "It has all the approvals that it needs. Nothing was recorded.")
	default:
		a.record(w, r, s, said)
	}
}

// record stores an answer, and says what came of it.
func (a answering) record(w http.ResponseWriter, r *http.Request, s standing, said answer) {
	var fact events.Fact = events.Denied{Task: s.t.ID, By: a.inv.Addressee, Reason: said.reason, Link: a.inv.ID}
	if said.allow {
		f := events.Approved{Task: s.t.ID, By: a.inv.Addressee, Seal: s.t.Seal, Link: a.inv.ID, Given: time.Now().UTC().Truncate(time.Second)}
		f.Sig = a.Signer.Sign(f)
		fact = f
	}
	ctx, cancel := context.WithTimeout(r.Context(), readsIn)
	err := a.Sink.Append(ctx, a.key, fact, "")
	cancel()
	if err != nil {
		a.log().Error("an answer by link was not recorded, or nobody knows", "invitation", a.inv.ID, "err", err)
		a.say(w, http.StatusServiceUnavailable, "It is not certain that this was recorded", "Open the link again in a minute: it shows whether your answer has arrived, and can be used again if not.")
		return
	}
	a.log().Info("an answer by link", "invitation", a.inv.ID, "task", a.inv.Task, "by", a.inv.Addressee, "allows", said.allow)
	now, ok := a.await(r.Context(), s.t, said)
	switch {
	case !ok:
		a.say(w, http.StatusAccepted, "Not confirmed yet", "Your answer was stored, but no worker has taken it up so far. It counts as soon as one does. Open the link again in a minute: it shows whether it has.")
	case !said.allow:
		a.outcome(w, r, a.judge(now), "Forbidden", "It is recorded that "+a.inv.Addressee+" forbids this.")
	default:
		a.approved(w, r, a.judge(now))
	}
}

// approved says what came of an approval that the case has taken up.
func (a answering) approved(w http.ResponseWriter, r *http.Request, s standing) {
	mine, ok := Approved(s.t, a.inv.Addressee)
	switch {
	case ok && slices.Contains(s.t.Links, a.inv.ID) && len(s.t.Approvals) < s.t.Needs:
		s.status = http.StatusOK
		a.outcome(w, r, s, "Recorded", fmt.Sprintf("It is recorded that %s allows this: %d of %d. Another person has to approve too, before %s.",
			mine.By, len(s.t.Approvals), s.t.Needs, a.when(mine.At.Add(a.valid()))))
	case ok && slices.Contains(s.t.Links, a.inv.ID):
		s.status = http.StatusOK
		a.outcome(w, r, s, "Recorded", fmt.Sprintf("It is recorded that %s allows this: %d of %d. It goes on as soon as every other gate lets it, before %s.",
			mine.By, len(s.t.Approvals), s.t.Needs, a.when(mine.At.Add(a.valid()))))
	default: // it came too late, or for a device that is not the same any more
		s.status = http.StatusConflict
		a.show(w, r, s, "While your answer was on its way, somebody else's was taken, or the device changed. Yours does not count.")
	}
}

// await waits until the case shows what became of an answer.
func (a answering) await(ctx context.Context, was events.Task, said answer) (events.Case, bool) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.Patience, patience))
	defer cancel()
	for {
		c, err := a.read(ctx)
		if err == nil && taken(c, was, a.inv, said) {
			return c, true
		}
		select {
		case <-ctx.Done():
			return c, false
		case <-time.After(pollEvery):
		}
	}
}

// taken reports whether a case shows that an answer was taken up, or came too late.
func taken(c events.Case, was events.Task, inv Invitation, said answer) bool {
	i := slices.IndexFunc(c.Pending, func(t events.Task) bool { return t.ID == was.ID })
	switch {
	case i < 0:
		return true
	case !said.allow:
		return c.Pending[i].Begun != nil
	}
	t := c.Pending[i]
	return slices.Contains(t.Links, inv.ID) || t.Begun != nil || t.Seal != was.Seal || len(t.Approvals) >= t.Needs
}

func (a answering) unavailable(w http.ResponseWriter, err error) {
	a.log().Error("a link cannot be shown", "invitation", a.inv.ID, "err", err)
	w.Header().Set("Retry-After", "30")
	a.say(w, http.StatusServiceUnavailable, "The case cannot be read just now", "Open the link again in a minute. Nothing was recorded.")
}

func (h *Handler) valid() time.Duration { return cmp.Or(max(h.Valid, 0), 24*time.Hour) }

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
