package main

import (
	"strings"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/graph"
	"curfew/graph/graphtest"
)

// An administrator approves: the device is called once, with what was approved, and
// those who may approve were told, for Microsoft tells nobody.
func TestApprovedInIntune(t *testing.T) {
	for action, kind := range map[events.Action]string{
		events.Reset: graphtest.AutopilotReset, events.Retire: "retire", events.Wipe: graphtest.FullWipe,
	} {
		t.Run(string(action), func(t *testing.T) {
			inOffice(t, action, graphtest.Device{}, func(t *testing.T, o *office) {
				code := o.waits()
				asked := o.tenant.Approvals()
				task, _ := o.task()
				if len(asked) != 1 || asked[0].Code != code {
					t.Fatalf("requests: %+v", asked)
				}
				for _, want := range []string{"Curfew task " + task.ID + ": ", laptopName, "ana", "policy threat", "Wacatac"} {
					if !strings.Contains(asked[0].Justification, want) {
						t.Errorf("the justification does not say %q: %q", want, asked[0].Justification)
					}
				}
				o.pass(20 * time.Hour) // it asks now and then, and files nothing more
				if again := o.waits(); again != code || len(o.tenant.Approvals()) != 1 {
					t.Errorf("now it waits for %s; there are %d requests", again, len(o.tenant.Approvals()))
				}
				if task, _ := o.task(); !strings.Contains(task.Held.Reason, "until "+asked[0].Expires.Format(time.RFC3339)) {
					t.Errorf("held because %s; it expires at %v", task.Held.Reason, asked[0].Expires)
				} else if left := time.Until(task.Next); left > time.Hour+time.Minute {
					t.Errorf("it asks again in %v", left)
				}
				o.tenant.Approve(code)
				o.done()
				if got := o.tenant.Happened(laptopName, kind); got != 1 {
					t.Errorf("%s happened %d times", kind, got)
				}
				if told := strings.Join(o.mails, ", "); strings.Count(told, "approve-in-intune to kim@contoso.example") != 1 {
					t.Errorf("mails: %s", told)
				}
			})
		})
	}
}

// No is an answer, and so is none.
func TestNotApprovedInIntune(t *testing.T) {
	for name, story := range map[string]struct {
		tell func(o *office, code string)
		want string
	}{
		"rejected":                {func(o *office, code string) { o.tenant.Reject(code) }, "declined by an administrator of the tenant: request"},
		"withdrawn when approved": {func(o *office, code string) { o.tenant.Approve(code); o.tenant.Cancel(code) }, "was withdrawn"},
		"expired":                 {func(*office, string) {}, "declined by Intune: request"},
		"approved too late": {func(o *office, code string) {
			o.rests = true
			o.pass(71 * time.Hour)
			o.tenant.Approve(code)
			o.pass(2 * time.Hour)
			o.rests = false
		}, "has expired"},
		"forgotten": {func(o *office, code string) {
			o.rests = true
			o.pass(32 * 24 * time.Hour)
			o.rests = false
		}, "does not know request"},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
				code := o.waits()
				story.tell(o, code)
				o.declined(story.want, code)
				if c := o.laptop; len(c.Attention) == 0 {
					t.Error("nobody was told")
				}
			})
		})
	}
}

// A request that ends is seen to have ended soon after: the waiting does not grow
// beyond its end.
func TestExpiryIsNoticedInTime(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		o.waits()
		end := o.tenant.Approvals()[0].Expires
		o.pass(time.Until(end.Add(-10 * time.Minute)))
		o.waits()
		o.pass(12 * time.Minute)
		if _, pending := o.task(); pending {
			t.Error("two minutes after its end it still waits")
		}
	})
}

const wipePath = "deviceManagement/managedDevices/*/wipe"

// The reply with the code is lost, or the worker dies before it has written it down:
// the request is found again by what it says.
func TestALostCode(t *testing.T) {
	fault := func(kind graphtest.Kind) func(*office) {
		return func(o *office) {
			o.tenant.Inject(graphtest.Fault{Kind: kind, Method: "POST", Path: wipePath, Times: 1})
		}
	}
	for name, lose := range map[string]func(o *office){
		"504":     fault(graphtest.TimedOutButDone),
		"cut off": fault(graphtest.CutOffButDone),
		"died":    func(o *office) { o.die(true) },
		"died, and lists fail for hours": func(o *office) {
			o.die(true)
			o.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "deviceManagement/operationApprovalRequests", For: 5 * time.Hour})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
				lose(o)
				code := o.waits()
				if n := len(o.tenant.Approvals()); n != 1 {
					t.Errorf("%d requests were filed", n)
				}
				o.tenant.Approve(code)
				o.done()
			})
		})
	}
}

// A call that ended unclear, and became neither an action nor a request, is for a
// person: nobody else can tell.
func TestNoTraceOfACall(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		o.tenant.Inject(graphtest.Fault{Kind: graphtest.TimedOut, Method: "POST", Path: wipePath, Times: 1})
		o.declined("cannot tell whether wipe was started")
		if n := len(o.tenant.Approvals()); n != 0 {
			t.Errorf("%d requests were filed", n)
		}
	})
}

// Whatever happens between the approval and the answer to the call: one call.
func TestTheApprovedCallEndsUnclear(t *testing.T) {
	fault := func(kind graphtest.Kind) func(*office) {
		return func(o *office) {
			o.tenant.Inject(graphtest.Fault{Kind: kind, Method: "POST", Path: wipePath, Times: 1, RetryAfter: time.Minute})
		}
	}
	for name, befall := range map[string]func(o *office){
		"died after the call":  func(o *office) { o.die(true); o.calls(1) },
		"died before the call": func(o *office) { o.die(false); o.calls(0) },
		"504, and it was done": fault(graphtest.TimedOutButDone),
		"504, and it was not":  fault(graphtest.TimedOut),
		"cut off, and done":    fault(graphtest.CutOffButDone),
		"cut off, and not":     fault(graphtest.CutOff),
		"throttled":            fault(graphtest.Throttled),
		"no state for hours": func(o *office) {
			o.die(true)
			o.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "deviceManagement/operationApprovalRequests", For: 5 * time.Hour})
		},
		"no record for hours": func(o *office) {
			o.die(true)
			o.tenant.Inject(graphtest.Fault{Kind: graphtest.Unavailable, Path: "deviceManagement/managedDevices", For: 5 * time.Hour})
		},
		"a device that is off": func(o *office) {
			o.tenant.Offline(laptopName)
			o.die(true)
			o.pass(5 * time.Hour)
			o.calls(1)
			o.tenant.Online(laptopName)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
				code := o.waits()
				o.tenant.Approve(code)
				befall(o)
				o.done()
				if n := len(o.tenant.Approvals()); n != 1 {
					t.Errorf("%d requests were filed", n)
				}
			})
		})
	}
}

// Intune's record shows nothing of the call, not even after it had the time to. The
// request knows: its code was used.
func TestARequestIsAWitness(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		code := o.waits()
		o.tenant.Approve(code)
		o.tenant.Next(laptopName, "wipe", graphtest.Vanishes)
		o.tenant.SetRules(graphtest.Rules{HideResults: true})
		o.die(true)
		o.rests = true
		o.pass(2 * time.Hour)
		o.rests = false
		o.pass(time.Minute)
		if task, pending := o.task(); !pending || task.Accepted == nil || !strings.Contains(task.Accepted.Receipt, "completed request "+code) {
			t.Errorf("pending %v, task %+v", pending, task)
		}
		o.until("it is given up", func() bool { _, pending := o.task(); return !pending })
		o.calls(1)
	})
}

// A request about the device is open already, by somebody else: the task waits for
// its end, and then files its own.
func TestAnothersRequestIsOpen(t *testing.T) {
	for name, end := range map[string]func(o *office, code string){
		"rejected": func(o *office, code string) { o.tenant.Reject(code) },
		"expires":  func(*office, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
				o.tenant.AddApp(othersApp, officeSecret, append(graphtest.AllRoles(), graphtest.ActingRoles()...)...)
				d := o.tenant.Device(laptopName)
				err := o.reach(othersApp).RetireWith(t.Context(), events.Device{Key: o.laptop.Key, IntuneID: d.ID}, graph.Approval{Justification: "it is to be sold"})
				if err == nil {
					t.Fatal("it was not asked to be approved")
				}
				theirs := o.tenant.Approvals()[0].Code
				o.until("it waits for somebody else", func() bool { t, _ := o.task(); return t.Held != nil })
				task, _ := o.task()
				if task.Request != "" || task.Held.Gate != events.GateMicrosoft || !strings.Contains(task.Held.Reason, "by somebody else or for another action") {
					t.Errorf("held: %+v, request %q", task.Held, task.Request)
				}
				end(o, theirs)
				ours := o.waits()
				if ours == theirs || len(o.tenant.Approvals()) != 2 {
					t.Errorf("it waits for %s of %+v", ours, o.tenant.Approvals())
				}
				o.tenant.Approve(ours)
				o.done()
			})
		})
	}
}

// A person called the task off and wants it after all. Its request is still open, and
// is the one that counts.
func TestTriedAgainWhileItsRequestIsOpen(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		code := o.waits()
		task, _ := o.task()
		o.say(events.Cancelled{Task: task.ID, By: "kim"})
		o.pass(time.Hour)
		o.say(events.Retried{Task: task.ID, By: "kim"})
		if task, pending := o.task(); !pending || task.Request != "" {
			t.Fatalf("pending %v, request %q", pending, task.Request)
		}
		if again := o.waits(); again != code || len(o.tenant.Approvals()) != 1 {
			t.Errorf("it waits for %s; requests: %+v", again, o.tenant.Approvals())
		}
		o.tenant.Approve(code)
		o.done()
	})
}

// The device heals while an administrator thinks about it: the approval is of no
// use, and nothing is called. The last look alone sees to that.
func TestHealedWhileItWaited(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		code := o.waits()
		o.guard.Preflight = gate.Preflight{}
		o.tenant.Heal(laptopName)
		o.tenant.Approve(code)
		o.until("the case has closed", func() bool { return !o.laptop.Open })
		o.pass(24 * time.Hour)
		o.calls(0)
		if got := o.tenant.Approvals()[0].Status; got != "approved" {
			t.Errorf("the request is %s", got)
		}
	})
}

// The worker dies with the approval in its hands, and the device heals before
// another one finds out that nothing was called: then nothing is.
func TestHealedAfterAnUnclearEnd(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		o.tenant.Approve(o.waits())
		o.die(false)
		o.rests = true
		o.tenant.Heal(laptopName)
		o.say(events.Noticed{Source: "sweep"})
		o.until("the case has closed", func() bool { return !o.laptop.Open })
		o.rests = false
		o.declined("declined by Curfew: the case has closed")
		if c := o.laptop; c.State() != "rest" || len(c.Attention) > 0 {
			t.Errorf("state %s, attention %q", c.State(), c.Attention)
		}
	})
}

// What is paused stays so, whoever approves it at Microsoft.
func TestPausedWhileItWaited(t *testing.T) {
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		code := o.waits()
		ps := gate.Pauses{Store: o.store}
		check(t, ps.Set(t.Context(), gate.Pause{Action: events.Reset, By: "kim", Reason: "wrong policy", At: time.Now()}))
		o.tenant.Approve(code)
		o.pass(12 * time.Hour)
		o.calls(0)
		if task, _ := o.task(); task.Held == nil || task.Held.Gate != gate.GatePause || task.Request != code {
			t.Errorf("held: %+v, request %q", task.Held, task.Request)
		}
		for _, who := range []string{"kim", "lee"} {
			_, _, err := ps.Lift(t.Context(), "", events.Reset, who, time.Now())
			check(t, err)
		}
		o.done()
	})
}

// An app that may not read requests cannot know what became of one; the case says
// which permission is missing, and goes on when somebody grants it.
func TestRequestsThatMayNotBeRead(t *testing.T) {
	const permission = "DeviceManagementRBAC.Read.All"
	inOffice(t, events.Reset, graphtest.Device{}, func(t *testing.T, o *office) {
		o.app.Revoke(permission)
		code := o.waits()
		o.tenant.Approve(code)
		o.pass(3 * time.Hour)
		if task, _ := o.task(); task.Held == nil || !strings.Contains(task.Held.Reason, permission) {
			t.Errorf("held: %+v", task.Held)
		}
		o.calls(0)
		o.app.Grant(permission)
		o.done()
	})
}

// Only what belongs to the organisation is wiped; retiring leaves a person's own
// things alone.
func TestWhoseDeviceItIs(t *testing.T) {
	inOffice(t, events.Wipe, graphtest.Device{Owner: "personal", OS: "iOS"}, func(t *testing.T, o *office) {
		o.declined(`owner is "personal"`)
		if n := len(o.tenant.Approvals()); n != 0 {
			t.Errorf("%d requests were filed", n)
		}
	})
	inOffice(t, events.Retire, graphtest.Device{Owner: "personal", OS: "iOS"}, func(t *testing.T, o *office) {
		o.tenant.RequireApproval(officeApp) // this app may do without
		o.done()
	})
}
