package baseline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Undo takes back what a run did: properties get the values that they had, and what
// the run made is deleted. It is refused as a whole if anything of it was changed
// since, and it does not take the last emergency account out of a policy that is
// not off. What it did is a run of its own.
func Undo(ctx context.Context, api API, r Run, o Options) (*Run, error) {
	if r.Undone != "" {
		return nil, fmt.Errorf("run %s was taken back already, by %s", r.ID, r.Undone)
	}
	a, err := newApplier(ctx, api, r.Tenant, r.Spec, o)
	if err != nil {
		return nil, err
	}
	a.run.Undoes, a.run.Stage = r.ID, r.Stage
	var steps []Step
	var moved []string
	for _, e := range slices.Backward(r.Entries) {
		step, why := a.reverse(e)
		if why != "" {
			moved = append(moved, e.Object.Key+" "+why)
		} else if len(step.Changes) > 0 || step.Action == Delete {
			steps = append(steps, step)
		}
	}
	if len(moved) > 0 {
		return nil, fmt.Errorf("%w: %s; what was changed since is not taken back", ErrMoved, strings.Join(moved, "; "))
	}
	return a.back(steps)
}

// reverse is the step that takes an entry back, or why there is none. A run that
// broke off may have made some of the changes only: those that show are taken back.
func (a *applier) reverse(e Entry) (Step, string) {
	s := Step{Object: e.Object, Action: Update, ID: e.ID}
	have := a.state.held(e.Object, e.ID)
	if have == nil && e.ID == "" {
		have = a.state.marked(e.Object.Kind, e.Object.Key)
	}
	if have == nil {
		if e.Action == Create {
			return s, ""
		}
		return s, "is not there any more"
	}
	for _, c := range e.Changes {
		now, to := asJSON(current(c.Path, have)), resolve(c.To, a.ids)
		switch {
		case same(c.Path, now, to):
			s.Changes = append(s.Changes, Change{Path: c.Path, From: to, To: c.From})
		case !e.Done && same(c.Path, now, c.From), e.Action == Create && !e.Done && isPart(c.Path):
		default:
			return s, "has changed since (" + c.Path + ")"
		}
	}
	if e.ID = have.ID(); e.Action == Create && e.Object.Kind != KindConnector {
		s.Action, s.ID = Delete, have.ID()
	} else if e.Action == Create { // a connector is switched off, not deleted
		s.Changes = nil
	}
	return s, ""
}

// back does the steps of an undo.
func (a *applier) back(steps []Step) (*Run, error) {
	a.of = len(steps)
	for _, s := range steps {
		a.n++
		a.say(s, EventBegins, "")
		a.run.Entries = append(a.run.Entries, Entry{Object: s.Object, Action: s.Action, ID: s.ID, Changes: s.Changes})
		e := &a.run.Entries[len(a.run.Entries)-1]
		err := a.save()
		switch {
		case err != nil:
		case s.Action == Delete:
			_, err = a.send(s, e, request{method: http.MethodDelete, path: entity(s.Object, s.ID)})
		default:
			err = a.write(s, e)
		}
		if err == nil {
			e.Done = true
			err = a.save()
		}
		if err == nil && s.Object.Kind == KindConnector {
			err = a.stillLinked()
		}
		if err != nil {
			a.say(s, EventFailed, err.Error())
			return a.end(fmt.Errorf("%s: %w", s.Object.Key, err))
		}
		a.say(s, EventDone, "")
	}
	if len(steps) == 0 {
		return a.end(errors.New("there is nothing of it left to take back"))
	}
	return a.end(nil)
}
