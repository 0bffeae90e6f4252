package events

import (
	"slices"
	"time"
)

// judge decides, when the device was seen, whether the case opens, goes on under
// another policy, or closes.
func (t *turn) judge() {
	if !t.saw {
		return
	}
	t.weigh() // what was allowed for another risk than this counts no more
	risk, unclear := t.p.match(t.Device)
	strange := append(t.Device.Strange(), unclear...)
	waived := t.Waived != "" && t.Waived == t.Device.Risk()
	if !waived {
		t.Waived = ""
	}
	t.mark()
	switch now := t.p.named(t.Policy); {
	case !t.Open && waived:
		return
	case !t.Open && risk < len(t.p.List):
		t.open(risk)
		t.persists()
	case !t.Open && len(strange) > 0:
		t.open(len(t.p.List))
		t.fades(risk, strange)
	case !t.Open:
	case risk < now:
		t.move(risk)
	case risk == now && risk < len(t.p.List):
		t.persists()
	default:
		t.fades(risk, strange)
	}
	t.Shown = t.Open && risk < len(t.p.List) && risk == t.p.named(t.Policy)
	for _, s := range strange {
		t.attend("%s, which this version does not know", s)
	}
	if t.Open && t.Device.AwaitsActionCenter() {
		t.attend("an investigation waits for approval in Defender's Action center")
	}
	t.mark()
	t.restore()
}

// open begins a case, or takes it up again.
func (t *turn) open(policy int) {
	if policy < len(t.p.List) {
		t.callOff(allWell)
	}
	again := t.Episode > 0 && !t.Closed.IsZero() && policy < len(t.p.List) && t.now.Sub(t.Closed) <= t.p.List[policy].ReopenWithin
	if again {
		t.keepOpen()
	} else {
		t.Episode++
		t.Effects = nil // the closing tasks carry what they need
		t.Acts = nil
	}
	t.Open, t.Opened, t.ClosedBy, t.ClosedFor, t.Waived = true, t.now, "", "", ""
	t.Bad, t.Attention, t.Hold, t.Woken = nil, nil, nil, nil
	verb := "opened"
	if again {
		verb = "reopened"
	}
	t.start(policy)
	t.say("case %s %s", verb, by(t.Policy))
}

// allWell reports whether a task tells a user that all is well: in a case that has
// closed nothing else is left to tell.
func allWell(task Task) bool {
	return task.Rung == 0 && task.Ref == "" && (task.Action == Mail || task.Action == Notify || task.Action == Push)
}

// keepOpen calls off the taking back of what is still open outside: the same
// case needs it again.
func (t *turn) keepOpen() {
	for _, task := range slices.Clone(t.Pending) {
		// What an earlier case left open outside is not this one's, and nobody else
		// knows of it any more.
		if task.Action.takesBack() && task.Begun == nil && task.Case == t.ID() {
			t.strike(task.ID)
			t.say("%s called off", describe(task))
		}
	}
	for i := range t.Effects {
		t.Effects[i].Back = false
	}
}

// start puts the case at the foot of a policy's ladder.
func (t *turn) start(policy int) {
	t.Policy = ""
	if policy < len(t.p.List) {
		t.Policy = t.p.List[policy].Name
	}
	t.Rung, t.Since, t.Told, t.Clearing, t.Unproven = 0, t.now, time.Time{}, time.Time{}, nil
	t.Mailed, t.Reached = time.Time{}, time.Time{}
}

// move puts the case under another policy: a graver one at once, a lesser one
// when the graver is proven to be over. What was not begun is called off.
func (t *turn) move(policy int) {
	from := t.Policy
	t.callOff(func(task Task) bool { return task.Rung > 0 })
	if policy > t.p.named(from) {
		t.Bad = nil
	}
	t.start(policy)
	t.say("%s, no longer %s", by(t.Policy), by(from))
	t.persists() // as it would be found if it were seen once more
}

func by(policy string) string {
	if policy == "" {
		return "for a person"
	}
	return "by policy " + policy
}

// persists notes that the risk is still there.
func (t *turn) persists() {
	t.Unproven = nil
	t.keepIn()
	t.disprove()
	if !t.Clearing.IsZero() {
		t.Clearing = time.Time{}
		t.say("at risk again")
	}
	patience := t.policy().ClearFor
	for _, e := range t.Effects {
		switch {
		case e.Action != Reset:
		case t.Device.LastSync.Before(e.At):
			t.sync() // only what it shows after a check-in says whether the reset happened
		case t.Device.LastSync.After(e.At) && t.now.Sub(e.At) > patience:
			t.attend("the reset is reported done, but the device has checked in since and is still at risk")
		}
	}
}

// fades notes that the risk is not seen any more, and ends it if that is proven
// and has lasted.
func (t *turn) fades(risk int, strange []string) {
	t.Unproven = append(t.unproven(risk == len(t.p.List)), strange...)
	if len(t.Unproven) > 0 {
		t.Clearing = time.Time{}
		t.hasten()
		return
	}
	if t.Clearing.IsZero() {
		t.Clearing = t.Device.SeenAt
		t.say("seen healthy")
	}
	if t.Device.SeenAt.Before(t.cleared()) {
		return
	}
	t.verified()
	if risk < len(t.p.List) {
		t.move(risk)
	} else {
		t.close("by proof", true)
	}
}

// The doubts that a check-in can end.
const (
	silent       = "the device has not checked in since the case opened"
	notCompliant = "the compliance state is "
	infected     = "malware is active"
)

// unproven says why the device cannot be called healthy. Health is proof: what
// was bad must be seen good, by a complete look, on a device that has checked in
// since. Under a lesser policy compliance may still be bad.
func (t *turn) unproven(wholly bool) []string {
	var why []string
	for _, m := range t.Device.Missing {
		why = append(why, "could not read "+m)
	}
	for _, s := range t.Bad {
		switch {
		case s == ThreatState && t.Device.Threat.Level() != Clear:
			why = append(why, "the threat state is "+string(t.Device.Threat))
		case s == Compliance && wholly && t.Device.Compliance != "compliant":
			why = append(why, notCompliant+t.Device.Compliance)
		case s == MalwareLeft && len(t.Device.ActiveMalware()) > 0:
			why = append(why, infected)
		case s == AlertsOpen && t.Device.alarming():
			why = append(why, "alerts are open")
		}
	}
	if i := t.isolation(); i >= 0 && t.Effects[i].Back {
		why = append(why, "the device may still be isolated")
	}
	if !t.Device.LastSync.After(t.Opened) {
		why = append(why, silent)
	}
	return why
}

// mark remembers which signals were bad while the case is open.
func (t *turn) mark() {
	pol := t.policy()
	if pol == nil {
		return
	}
	note := func(s Signal, bad bool) {
		if bad && !slices.Contains(t.Bad, s) && (len(pol.About) == 0 || slices.Contains(pol.About, s)) {
			t.Bad = append(t.Bad, s)
		}
	}
	note(ThreatState, t.Device.Threat.Level() >= Informational)
	note(Compliance, t.Device.Compliance == "noncompliant" || t.Device.Compliance == "inGracePeriod")
	note(MalwareLeft, len(t.Device.ActiveMalware()) > 0)
	note(AlertsOpen, t.Device.alarming())
}

// close ends the case: what was not begun is called off and what was done is
// taken back. Who was told is told again, but only if it is well.
func (t *turn) close(how string, well bool) {
	told := !t.Told.IsZero()
	t.callOff(func(Task) bool { return true })
	t.say("case closed %s", how)
	if well {
		t.bid(t.Policy, told)
		t.recall()
	}
	t.Open, t.Closed = false, t.now
	t.Hold, t.Woken, t.Bad, t.Attention, t.Unproven, t.Again = nil, nil, nil, nil, nil, false
	t.Shown = false
	t.Rung, t.Since, t.Told, t.Clearing, t.Synced = 0, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.Mailed, t.Reached = time.Time{}, time.Time{}
	for _, e := range slices.Clone(t.Effects) {
		t.undo(e)
	}
	t.Effects = slices.DeleteFunc(t.Effects, func(e Effect) bool {
		return !slices.ContainsFunc(t.Pending, func(task Task) bool { return takesBack(task, e) })
	})
}
