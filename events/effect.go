package events

import "slices"

// effect remembers what was done outside, and takes it back at once if the case
// has closed meanwhile.
func (t *turn) effect(task Task, f Done) {
	same := func(e Effect) bool { return e.Destination == task.Destination && e.Action == task.Action }
	switch task.Action {
	case Mail:
		if task.Rung > 0 && t.Open {
			t.Mailed = t.now
		}
		switch {
		case task.Rung == 0:
		case !t.Open && t.ClosedBy == "":
			t.bid(task.Policy, true)
		case !t.Open:
		case t.Told.IsZero() && task.Policy == t.Policy:
			t.Told = t.now
		}
	case Ticket, Page, Scan, Isolate, Reset, Retire, Wipe:
		e := Effect{Action: task.Action, Destination: task.Destination, Ref: f.Receipt, Link: f.Link, At: t.now}
		if task.Action == Ticket || task.Action == Page {
			e.Order = task.Order
		}
		if e.Digest = f.Digest != ""; e.Digest {
			e.Ref, e.Link = "", "" // those are the digest's
		}
		if i := slices.IndexFunc(t.Effects, same); i >= 0 {
			if e.Ref == "" {
				e.Ref, e.Link = t.Effects[i].Ref, t.Effects[i].Link
				e.Digest = e.Digest && t.Effects[i].Digest
			}
			e.Order.Repeat = max(e.Order.Repeat, t.Effects[i].Order.Repeat)
			e.Heard, e.Left, e.Gap = t.Effects[i].Heard, t.Effects[i].Left, t.Effects[i].Gap
			if e.Left > 0 {
				e.Next = t.now.Add(e.Gap)
			}
			t.Effects[i] = e
		} else {
			if n := min(task.Repeat, mostRepeats); n > 0 {
				e.Left, e.Gap, e.Next = n, t.p.gap(), t.now.Add(t.p.gap())
			}
			t.Effects = append(t.Effects, e)
		}
		if !t.Open {
			t.undo(e)
		}
	case Close, Resolve:
		t.forget(task)
	case Unisolate:
		t.forget(task)
		t.sync() // what it missed, it hears now
	case Restore:
		t.sync()
		if !t.Open {
			t.forget(task)
		}
	}
}

// how says how a task was done.
func how(f Done) string {
	switch {
	case f.Digest != "":
		return "told in a digest"
	case f.Others:
		return "done elsewhere"
	}
	return "done"
}
