package events_test

import (
	"fmt"
	"slices"
	"time"

	"curfew/events"
)

// fact makes one of n, about one of the tasks there are.
func (w *walk) fact(kind, which, n int) events.Fact {
	task := w.c.Key.String() + "/0-none"
	if tasks := slices.Concat(w.c.Pending, w.c.Given); len(tasks) > 0 {
		task = tasks[which%len(tasks)].ID
	}
	in := w.now.Add(time.Duration(n-20) * time.Hour)
	switch kind % 21 {
	case 20:
		switch n % 10 {
		case 9:
			return events.Rewound{Since: w.now.Add(-time.Duration(which) * time.Hour)}
		case 7:
			return events.Answered{Action: events.Page, Destination: "oncall", By: "kim", At: w.now, Did: []events.Answer{events.Took, events.Ended}[n%2]}
		case 8:
			return events.Answered{Action: events.Ticket, Destination: "desk", By: "kim", At: w.now, Did: []events.Answer{events.Ended, events.Commented}[n%2]}
		case 0:
			return events.Lifted{By: "ana"}
		case 1:
			return events.Declined{Task: task, By: "an administrator"}
		case 2:
			return events.Held{Task: task, Gate: events.GateMicrosoft, Until: in, Request: fmt.Sprint("code", n%3)}
		case 3:
			return events.Approved{Task: task, By: "ana", Seal: "threat=another"}
		case 4:
			w.d.IntuneID = fmt.Sprint("enrolment", n%3)
		case 5:
			w.d.User, w.d.UserID = "user@contoso.example", "u1"
		default:
			w.d.User, w.d.UserID = "", ""
		}
		return w.sight(task)
	case 18:
		return []events.Fact{
			events.Held{Task: task, Gate: "budget", Reason: "used up", Until: in},
			events.Released{Task: task, By: "ana"},
			events.Denied{Task: task, By: "ana"},
			events.Cancelled{Task: task, By: "ben"},
			events.Tripped{Gate: "breaker", Reason: "40 % of the devices"},
			events.Tripped{Gate: "drift", Reason: "one object", Anew: true}, events.Eased{Gate: "drift", Reason: "it is as it should be"},
			events.Held{Task: task, Gate: events.GateQuiet, Reason: "it is night", Until: in},
			events.Held{Task: task, Gate: events.GateDigest, Reason: "too many", Until: in},
			events.Held{Task: task, Gate: events.GateMaintenance, Reason: "patch night", Until: in},
		}[n%10]
	case 19:
		by := []string{"ana", "ben"}[n%2]
		if t, _ := w.c.Wants(task); t.ID != "" && t.Begun == nil {
			w.given[task+by] = consent{w.now, w.d.Risk()}
		}
		return events.Approved{Task: task, By: by}
	case 0:
		return events.Noticed{}
	case 1, 2, 3:
		w.d.Threat = []events.Threat{"highSeverity", "mediumSeverity", "secured", "unknown", "tomorrow's"}[n%5]
		return w.sight(task)
	case 4:
		w.d.Compliance = []string{"compliant", "noncompliant", "inGracePeriod", "error", "tomorrow's"}[n%5]
		return w.sight(task)
	case 5:
		w.d.LastSync = w.now
		return w.sight(task)
	case 6:
		return w.sight(task)
	case 7, 8, 9:
		if t, out := w.c.Wants(task); w.sane && t.ID != "" && !out {
			return events.Rang{}
		}
		if t, _ := w.c.Wants(task); t.Action == events.Page && n%3 == 0 {
			return events.Done{Task: task, Receipt: fmt.Sprint("R", n), Digest: fmt.Sprint("D", n)}
		}
		return events.Done{Task: task, Receipt: fmt.Sprint("R", n)}
	case 10:
		return events.Failed{Task: task, Reason: "for good"}
	case 11:
		return events.Delayed{Task: task, Until: in, Reason: "later", Unsure: n%2 == 0}
	case 12, 13:
		return events.Begun{Task: task, Attempt: fmt.Sprint(n % 3)}
	case 14:
		return events.Accepted{Task: task, Again: in}
	case 15:
		return []events.Fact{
			events.Acknowledged{By: "ana", Until: in}, events.Snoozed{By: "ana", Until: in},
			events.Retried{Task: task}, events.Noted{By: "ana", Text: "so"},
		}[n%4]
	case 16:
		if n%8 == 0 {
			return events.Closed{By: "ana"}
		}
		w.d.Alerts = []events.Alert{{ID: "a1", Severity: "high", Status: "new", Updated: w.now,
			Investigation: []string{"running", "pendingApproval", "failed", "successfullyRemediated"}[n%4]}}
		return w.sight(task)
	}
	return events.Rang{}
}

// sight is the device as it is, answering a look if one is pending.
func (w *walk) sight(task string) events.Fact {
	w.d.SeenAt = w.now
	for _, t := range w.c.Pending {
		if t.Action == events.Look {
			task = t.ID
		}
	}
	return events.Seen{Device: w.d, Task: task}
}
