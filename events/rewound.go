package events

import "time"

// rewind is the attempt of which nobody knows whether it was made: it may have
// been, after the backup that the case comes from.
const rewind = "rewound"

// rewound takes in that the case is as old as a backup. Whatever it waits for may
// have been done since, and so may every rung that comes due: the other side's record
// has to be read before anything is done, and what is done only once and is not found
// there is a person's.
func (t *turn) rewound(f Rewound) {
	since := f.Since.UTC()
	if rest := !t.Open && len(t.Pending) == 0; rest || t.Doubt.Equal(since) {
		return
	}
	t.Doubt = since
	t.say("restored from a backup of %s: what was done since is not known, and is looked for before anything is done", since.Format(time.RFC3339))
	for i := range t.Pending {
		task := &t.Pending[i]
		t.doubt(task)
		task.Out, task.Next = false, t.now // the queue is empty
	}
}

// doubt marks a task that may have been done in the time nobody remembers.
func (t *turn) doubt(task *Task) {
	if t.Doubt.IsZero() || !task.Action.Effect() || task.Accepted != nil {
		return
	}
	if task.Begun == nil || task.Begun.At.After(t.Doubt) { // it was taken anew, and is older than it looks
		task.Begun = &Attempt{ID: rewind, At: t.Doubt}
	}
	task.Unsure = true
}

// newlyDoubted reports whether a task counts as begun only because it is doubted, and
// went into the queue at this very moment: nobody can have had it in hand yet.
func (t *turn) newlyDoubted(task Task) bool {
	return task.Begun.ID == rewind && task.Next.Equal(t.now.Add(recheck))
}
