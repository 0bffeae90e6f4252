package baseline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Options say how a plan is applied.
type Options struct {
	By        string      // who does it
	Log       Log         // never nil
	Previous  *Run        // the tenant's last run; nil: there was none
	Approvals Approvals   // nil: what needs a second administrator fails
	Progress  func(Event) // nil: nobody watches
}

// ErrMoved is the error of a plan that is no longer about the tenant as it is.
var ErrMoved = errors.New("the tenant is not as it was when this was planned; plan again")

// Apply carries a plan out: exactly it, or not at all if the tenant moved since it
// was made. It stops at the first failure; the run says what was done, is never
// nil once something may have been written, and another Apply finishes the rest.
func Apply(ctx context.Context, api API, p *Plan, o Options) (*Run, error) {
	a, err := newApplier(ctx, api, p.Tenant, p.Spec, o)
	if err != nil {
		return nil, err
	}
	fresh, err := a.settled(p)
	if err != nil {
		return nil, err
	}
	if fresh.Refused() {
		return nil, fmt.Errorf("the plan is refused: %s", refusals(fresh.Notes))
	}
	resumes := o.Previous != nil && o.Previous.Plan == p.Digest()
	if moved := movedSince(p, fresh, resumes, a.ids); len(moved) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrMoved, strings.Join(moved, "; "))
	}
	a.run.Plan, a.run.Stage = p.Digest(), p.Stage
	return a.all(p, fresh)
}

// refusals are why a plan may not be applied.
func refusals(notes []Note) string {
	var all []string
	for _, n := range notes {
		if n.Refuse {
			all = append(all, n.About+": "+n.Text)
		}
	}
	return strings.Join(all, "; ")
}

// movedSince is what differs between what was planned and what would be planned
// now. What needs nothing any more does not count. Of a plan that broke off, and of
// an object that only Curfew makes, what is left may be less than was planned, and
// never more.
func movedSince(was, now *Plan, resumes bool, ids map[string]string) (moved []string) {
	for _, step := range now.Steps {
		if step.Action == Nothing {
			continue
		}
		i := slices.IndexFunc(was.Steps, func(s Step) bool { return s.Object.Key == step.Object.Key })
		switch {
		case i < 0:
			moved = append(moved, step.Object.Key+" is not in the plan")
		case step.Action == Undecided && was.Steps[i].Action != Undecided && was.Steps[i].Action != Nothing:
			moved = append(moved, step.Object.Key+" has a look-alike by now")
		case step.Action == Undecided:
		case was.Steps[i].Action == Nothing || was.Steps[i].Action == Undecided:
			moved = append(moved, step.Object.Key+" was planned to be left as it is")
		case step.Action == was.Steps[i].Action && step.Seen == was.Steps[i].Seen && len(step.Changes) == len(was.Steps[i].Changes) && within(step.Changes, was.Steps[i].Changes, ids):
		case (resumes || was.Steps[i].Action == Create) && within(step.Changes, was.Steps[i].Changes, ids):
		default:
			moved = append(moved, step.Object.Key+" has changed")
		}
	}
	return moved
}

// within reports whether all of some changes are among others.
func within(some, all []Change, ids map[string]string) bool {
	return !slices.ContainsFunc(some, func(c Change) bool {
		return !slices.ContainsFunc(all, func(other Change) bool {
			return c.Path == other.Path && canon(resolve(c.To, ids)) == canon(resolve(other.To, ids))
		})
	})
}

// An applier is one run under way.
type applier struct {
	ctx    context.Context // it lives as long as one Apply or Undo
	api    API
	o      Options
	state  *State
	ids    map[string]string // of objects that others refer to
	run    *Run
	n, of  int
	linked bool // Defender was connected before
}

func newApplier(ctx context.Context, api API, tenant string, spec Spec, o Options) (*applier, error) {
	state, err := Read(ctx, api, tenant, spec)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	now := time.Now().UTC()
	return &applier{
		ctx: ctx, api: api, o: o, state: state, ids: state.ids(spec), linked: Connection(state).Open,
		run: &Run{ID: now.Format("20060102-150405.000"), Tenant: tenant, By: o.By, Spec: spec, Began: now},
	}, nil
}

// Between a request that made something and a list that shows it, some time may
// pass; so it is looked for again before it is made again.
const (
	lookAgain = 4
	lagPause  = 10 * time.Second
)

// settled is what would be planned now, once an earlier run's creations whose end
// is not known have had their time to show.
func (a *applier) settled(p *Plan) (*Plan, error) {
	for look := 1; ; look++ {
		fresh := NewPlan(p.Spec, a.state, p.Stage, p.Gate)
		doubt := a.o.Previous != nil && slices.ContainsFunc(fresh.Steps, func(s Step) bool {
			return s.Action == Create && slices.ContainsFunc(a.o.Previous.Entries, func(e Entry) bool {
				return e.Object.Key == s.Object.Key && e.Action == Create && e.Approval == ""
			})
		})
		if recent := doubt && time.Since(a.o.Previous.Began) < time.Hour; !recent || look == lookAgain {
			return fresh, nil
		}
		a.o.Progress(Event{What: EventSaid, Detail: "an earlier run made something that does not show; looking again before it is made again"})
		if !sleep(a.ctx, lagPause) {
			return nil, a.ctx.Err()
		}
		if err := a.reread(); err != nil {
			return nil, err
		}
	}
}

func (a *applier) reread() (err error) {
	a.state, err = Read(a.ctx, a.api, a.run.Tenant, a.run.Spec)
	if err == nil {
		a.ids = a.state.ids(a.run.Spec)
	}
	return err
}

// all does the steps in their order.
func (a *applier) all(planned, fresh *Plan) (*Run, error) {
	work := planned.Work()
	a.of = len(work)
	for _, was := range work {
		a.n++
		i := slices.IndexFunc(fresh.Steps, func(s Step) bool { return s.Object.Key == was.Object.Key })
		if i < 0 || fresh.Steps[i].Action == Nothing {
			a.say(was, EventAlready, "")
			continue
		}
		if err := a.step(fresh.Steps[i]); err != nil {
			return a.end(err)
		}
	}
	return a.end(a.verify())
}

func (a *applier) say(s Step, what, detail string) {
	a.o.Progress(Event{N: a.n, Of: a.of, Key: s.Object.Key, Name: s.Object.Name, Action: s.Action, What: what, Detail: detail})
}

// step does one step, recorded before and after.
func (a *applier) step(s Step) error {
	a.say(s, EventBegins, "")
	a.run.Entries = append(a.run.Entries, Entry{Object: s.Object, Action: s.Action, ID: s.ID, Changes: s.Changes})
	err := a.save()
	if err == nil {
		err = a.write(s, &a.run.Entries[len(a.run.Entries)-1])
	}
	if err == nil {
		a.run.Entries[len(a.run.Entries)-1].Done = true
		err = a.save()
	}
	if err == nil && s.Object.Kind == KindConnector {
		err = a.stillLinked()
	}
	if err != nil {
		a.say(s, EventFailed, err.Error())
		return fmt.Errorf("%s: %w", s.Object.Key, err)
	}
	a.say(s, EventDone, "")
	return nil
}

func (a *applier) save() error {
	// A run that is called off is recorded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), time.Minute)
	defer cancel()
	if err := a.o.Log.Save(ctx, *a.run); err != nil {
		return fmt.Errorf("record what is done: %w", err)
	}
	return nil
}

// end closes the record.
func (a *applier) end(err error) (*Run, error) {
	a.run.Ended = time.Now().UTC()
	if err != nil {
		a.run.Trouble = err.Error()
	}
	return a.run, errors.Join(err, a.save())
}

// write makes the requests of one step.
func (a *applier) write(s Step, e *Entry) error {
	o := s.Object
	changes := make([]Change, 0, len(s.Changes))
	for _, c := range s.Changes {
		c.To = resolve(c.To, a.ids)
		changes = append(changes, c)
	}
	if strings.Contains(canon(changes), `"@notification"`) {
		return errors.New("the notification that it sends is not there")
	}
	have := a.state.held(o, s.ID)
	if s.Action == Create {
		r := creation(o, changes)
		if o.Kind == KindAccess {
			if err := guard(a.state, nil, r.body.(map[string]any), false); err != nil {
				return err
			}
		}
		made, err := a.send(s, e, r)
		if err != nil {
			return err
		}
		e.ID = made.ID()
		if err := a.save(); err != nil {
			return err
		}
	} else if b := body(o, have, changes); b != nil {
		if o.Kind == KindAccess {
			if err := guard(a.state, have, b, a.run.Undoes != ""); err != nil {
				return err
			}
		}
		if _, err := a.send(s, e, request{method: http.MethodPatch, path: entity(o, s.ID), body: b}); err != nil {
			return err
		}
	}
	a.ids[o.Key] = e.ID
	for _, r := range followUps(o, e.ID, have, changes, s.Action == Create) {
		if _, err := a.send(s, e, r); err != nil {
			return err
		}
	}
	return nil
}

// held is the object that a step is about, as it was read.
func (s *State) held(o Object, id string) Raw {
	if o.Kind == KindConnector || o.Kind == KindSettings {
		return s.marked(o.Kind, o.Key)
	}
	for _, r := range s.of(o.Kind) {
		if id != "" && r.ID() == id {
			return r
		}
	}
	return nil
}

// send makes one request, and gets a second administrator's approval where the
// tenant wants one.
func (a *applier) send(s Step, e *Entry, r request) (Raw, error) {
	b, err := json.Marshal(r.body)
	if err != nil {
		return nil, err
	}
	if r.body == nil {
		b = nil
	}
	answer, err := ask(a.ctx, a.api, r.method, r.path, nil, b)
	if needsApproval(err) {
		answer, err = a.approved(s, e, r, b, err)
	}
	if isGone(err) && r.method == http.MethodDelete {
		err = nil
	}
	if isUnsure(err) {
		return nil, fmt.Errorf("whether it was done is not known; apply again, which looks first: %w", err)
	}
	if err != nil || !r.makes {
		return nil, err
	}
	var made Raw
	if err := json.Unmarshal(answer, &made); err != nil || made.ID() == "" {
		return nil, errors.New("it was made, and the answer does not say its id; apply again, which finds it by its mark")
	}
	return made, nil
}

// verify reads once more, and is content when all that was written is there.
func (a *applier) verify() error {
	if len(a.run.Entries) == 0 {
		return nil
	}
	var left []string
	for look := 1; look <= lookAgain; look++ {
		if look > 1 && !sleep(a.ctx, lagPause/2) {
			return a.ctx.Err()
		}
		if err := a.reread(); err != nil {
			return err
		}
		if left = a.left(); len(left) == 0 {
			return a.stillLinked()
		}
	}
	return fmt.Errorf("written, and Microsoft does not show it: %s; plan again in a while", strings.Join(left, "; "))
}

// left is what was written and does not show.
func (a *applier) left() (left []string) {
	for _, e := range a.run.Entries {
		var at []string
		for _, c := range Diff(e.Object, a.state.held(e.Object, cmp.Or(e.ID, e.Object.Key)), a.ids) {
			at = append(at, c.Path)
		}
		if len(at) > 0 {
			left = append(left, e.Object.Key+" ("+strings.Join(at, ", ")+")")
		}
	}
	return left
}
