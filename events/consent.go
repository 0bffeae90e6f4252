package events

import (
	"slices"
	"strings"
	"time"
)

// GateMicrosoft is the gate of Microsoft's own: Multi Admin Approval, where an
// administrator of the tenant has to approve in Intune's admin center.
const GateMicrosoft = "microsoft_approval"

// tooLong is how long a task may be held before a person hears of it.
const tooLong = 7 * 24 * time.Hour

func (t Task) awaitsMicrosoft() bool { return t.Held != nil && t.Held.Gate == GateMicrosoft }

// weigh lets approvals run out, voids those that were given for a device that is
// not as it was, and drops what was meant for an enrolment that is gone.
func (t *turn) weigh() {
	for _, task := range slices.Clone(t.Pending) {
		if free := task.Begun == nil || task.Accepted != nil; free && t.enrolledAnew(task) {
			t.drop(task, "the device was enrolled anew, as "+t.Device.IntuneID)
			t.attend("%s was called off: the device was enrolled anew", describe(task))
		}
	}
	for i := range t.Pending {
		task := &t.Pending[i]
		if task.Needs == 0 || task.Begun != nil {
			continue
		}
		lost := false
		if risk := t.Device.Risk(); task.Seal != risk {
			if lost = len(task.Approvals) > 0; lost {
				t.say("the approval of %s is void: the device has changed", describe(*task))
			}
			task.Seal, task.Approvals = risk, nil
		}
		still := slices.DeleteFunc(slices.Clone(task.Approvals), func(a Approval) bool { return !t.now.Before(a.At.Add(t.p.approval())) })
		if len(still) < len(task.Approvals) {
			t.say("an approval of %s has run out", describe(*task))
			task.Approvals, lost = slim(still), true
		}
		if lost || len(task.Approvals) < task.Needs && !task.Invited.IsZero() && !t.now.Before(task.Invited.Add(t.p.approval())) {
			t.invite(task.ID)
		}
	}
}

// enrolledAnew reports whether the device has another enrolment now than the one
// a destructive task was asked for.
func (t *turn) enrolledAnew(task Task) bool {
	return task.For != "" && t.Device.IntuneID != "" && !strings.EqualFold(task.For, t.Device.IntuneID)
}

// invite asks by mail everybody who may approve a task, but for the user of the
// device. What was asked before and not sent yet is not asked twice.
func (t *turn) invite(id string) {
	i := t.index(id)
	if i < 0 {
		return
	}
	t.Pending[i].Invited = t.now
	t.write(t.Pending[i], "approve")
}

// write mails those who may approve about a task.
func (t *turn) write(about Task, template string) {
	d := t.Inhabited()
	for _, to := range t.p.Approvers.Of(t.Tenant) {
		waits := func(task Task) bool {
			return task.Ref == about.ID && task.Destination == to && task.Template == template && task.Begun == nil
		}
		if strings.EqualFold(to, d.UserMail) || strings.EqualFold(to, d.User) || slices.ContainsFunc(t.Pending, waits) {
			continue
		}
		t.ask(Order{Action: Mail, Destination: to, Template: template}, 0, about.ID)
	}
}

// awaits keeps what Microsoft calls its request, and tells people: Microsoft
// tells nobody.
func (t *turn) awaits(task *Task, request string) {
	if request == "" || task.Request == request {
		return
	}
	task.Request = request
	about := *task // asking below moves the list
	t.attend("%s waits for an administrator of the tenant, who has to approve request %s in Intune's admin center", describe(about), request)
	t.write(about, "approve-in-intune")
}

// declined gives a task up that the other side's people do not want. They are
// asked about grave things only.
func (t *turn) declined(f Declined) {
	i := t.index(f.Task)
	if i < 0 || !t.Pending[i].Action.Grave() {
		return
	}
	task := t.Pending[i]
	t.drop(task, "declined by "+f.By+because(f.Reason))
	if t.Open {
		t.attend("%s was declined by %s%s", describe(task), f.By, because(f.Reason))
	}
}

// drop gives a task up that will not be done, and that nobody failed at.
func (t *turn) drop(task Task, why string) {
	task.Out, task.After, task.Why = false, "", why
	t.give(task)
	t.ended(task, CalledOff, why)
	t.say("%s %s", describe(task), why)
	t.report(task)
}
