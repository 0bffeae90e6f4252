package baseline_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/graph/baseline"
	"curfew/graph/graphtest"
)

func TestATenantGoesAllTheWay(t *testing.T) {
	for _, variant := range []string{"one", "two"} {
		story(t, func(t *testing.T, w *world) {
			w.spec.Access.Variant = variant
			w.reach(baseline.AllEnforced)
			for _, p := range w.tenant.Placed(graphtest.AccessPolicies) {
				want := "enabled"
				if strings.Contains(text(p, "displayName"), "/pilot]") {
					want = "disabled"
				}
				if text(p, "state") != want {
					t.Errorf("%s is %s", text(p, "displayName"), text(p, "state"))
				}
			}
			if s := w.tenant.DeviceSettings(); s["secureByDefault"] != true || s["isScheduledActionEnabled"] != true || s["deviceComplianceCheckinThresholdDays"] != 20.0 {
				t.Errorf("the settings are %v", s)
			}
		})
	}
}

// TestTwiceIsOnce applies a plan again, and a new one, and nothing is written.
func TestTwiceIsOnce(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		p := w.plan(baseline.PilotReport)
		if _, err := w.apply(p); err != nil {
			t.Fatal(err)
		}
		before := len(w.writes())
		for _, again := range []*baseline.Plan{p, w.plan(baseline.PilotReport)} {
			if run, err := w.apply(again); err != nil || len(run.Entries) > 0 {
				t.Errorf("%v, %d entries", err, len(run.Entries))
			}
		}
		if after := w.writes(); len(after) != before {
			t.Errorf("written again: %v", after[before:])
		}
	})
}

// TestACrashAfterEveryWrite lets the machine die after each write, on the way through
// all stages; the next run finishes it, and makes nothing twice.
func TestACrashAfterEveryWrite(t *testing.T) {
	for at, more := 1, true; more; at++ {
		story(t, func(t *testing.T, w *world) {
			w.small()
			w.api.at, w.api.after = at, true
			more = false
			for _, stage := range baseline.Stages() {
				w.gate = &baseline.Gate{To: stage, Passed: true}
				p := w.plan(stage)
				_, err := w.apply(p)
				if err == nil {
					continue
				}
				if !errors.Is(err, errCrash) {
					t.Fatalf("write %d, %v: %v", at, stage, err)
				}
				more, w.api.at = true, 0
				if _, err := w.apply(p); err != nil { // the same plan, as somebody would
					t.Fatalf("write %d, %v, again: %v", at, stage, err)
				}
				w.done(stage)
				w.once(t)
				break
			}
		})
	}
}

// once checks that no mark is there twice.
func (w *world) once(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range []string{graphtest.Templates, graphtest.CompliancePolicies, graphtest.IOSProtections, graphtest.AndroidProtections, graphtest.AccessPolicies} {
		for _, o := range w.tenant.Placed(c) {
			name := text(o, "displayName")
			if seen[name] {
				t.Errorf("%q is there twice", name)
			}
			seen[name] = true
		}
	}
}

// TestAnUnclearEnd: something was made, nobody heard, and lists do not show it yet.
func TestAnUnclearEnd(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		timing := graphtest.DefaultTiming()
		timing.ListLag = 15 * time.Second
		w.tenant.SetTiming(timing)
		w.tenant.Inject(graphtest.Fault{Kind: graphtest.TimedOutButDone, Path: "deviceManagement/deviceCompliancePolicies", Method: http.MethodPost, Times: 1})
		p := w.plan(baseline.PilotReport)
		if _, err := w.apply(p); err == nil || !strings.Contains(err.Error(), "not known") {
			t.Fatal(err)
		}
		if _, err := w.apply(w.plan(baseline.PilotReport)); err != nil {
			t.Fatal(err)
		}
		w.once(t)
		w.done(baseline.PilotReport)
	})
}

func TestAPlanOfATenantThatMoved(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.reach(baseline.PilotReport)
		w.gate = &baseline.Gate{To: baseline.PilotEnforced, Passed: true}
		p := w.plan(baseline.PilotEnforced)
		id := w.find(graphtest.AccessPolicies, "access/desktop/pilot")
		w.tenant.Alter(graphtest.AccessPolicies, id, func(o map[string]any) { o["sessionControls"] = map[string]any{"persistentBrowser": nil} })
		before := len(w.writes())
		if _, err := w.apply(p); !errors.Is(err, baseline.ErrMoved) || !strings.Contains(err.Error(), "access/desktop/pilot") {
			t.Fatal(err)
		}
		if after := w.writes(); len(after) != before {
			t.Errorf("written all the same: %v", after[before:])
		}
	})
}

func (w *world) find(collection, key string) string {
	w.t.Helper()
	for _, o := range w.tenant.Placed(collection) {
		if keyed(o, key) {
			return text(o, "id")
		}
	}
	w.t.Fatalf("there is no %s", key)
	return ""
}

// TestAnUnknownControlStays: what this version has never heard of is neither lost nor
// turned into something else, and what is around the owned properties stays.
func TestAnUnknownControlStays(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.spec.Access.Variant = "one"
		id := w.tenant.Place(graphtest.AccessPolicies, handMade("enabledForReportingButNotEnforced"))
		if p := w.plan(baseline.PilotReport); len(p.Open()) != 1 {
			t.Fatalf("the look-alike is not shown:\n%s", show(p))
		}
		w.spec.Adopt = map[string]string{"access/pilot": id}
		if _, err := w.apply(w.plan(baseline.PilotReport)); err != nil {
			t.Fatal(err)
		}
		w.done(baseline.PilotReport)
		for _, p := range w.tenant.Placed(graphtest.AccessPolicies) {
			b, _ := json.Marshal(p)
			if text(p, "id") == id && (!strings.Contains(string(b), `"riskRemediation"`) || strings.Contains(string(b), "approvedApplication") ||
				strings.Contains(string(b), `"block"`) || !strings.Contains(string(b), "AllTrusted")) {
				t.Errorf("the adopted policy is %s", b)
			}
		}
	})
}

// TestALookAlikeIsNeverWritten while the file does not say so.
func TestALookAlikeIsNeverWritten(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		placeAlike(w)
		before := w.tenant.Placed(graphtest.AccessPolicies)
		w.reach0(baseline.PilotReport)
		if after := w.tenant.Placed(graphtest.AccessPolicies); brief(before[0]) != brief(after[0]) {
			t.Errorf("it was written: %s", brief(after[0]))
		}
		w.spec.Adopt = map[string]string{"notification": "new", "compliance/ios": "new", "access/desktop/pilot": "new"}
		w.reach(baseline.PilotReport)
		w.once2(t)
	})
}

// reach0 applies a plan of which not everything can be done.
func (w *world) reach0(at baseline.Stage) {
	w.t.Helper()
	if _, err := w.apply(w.plan(at)); err != nil {
		w.t.Fatal(err)
	}
	if p := w.plan(at); len(p.Work()) > 0 {
		w.t.Fatalf("something is left to do:\n%s", show(p))
	}
}

func (w *world) once2(t *testing.T) {
	t.Helper()
	if n := len(w.tenant.Placed(graphtest.Templates)); n != 2 {
		t.Errorf("%d templates", n)
	}
}

func TestTheLinkDrops(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.tenant.DropLink(1)
		run, err := w.apply(w.plan(baseline.PilotReport))
		if !errors.Is(err, baseline.ErrLinkDropped) || !strings.Contains(err.Error(), "Advanced features") || len(run.Entries) != 1 {
			t.Fatal(err)
		}
		w.tenant.ConnectDefender() // as the message says
		w.reach(baseline.PilotReport)
	})
	untouched(t, func(t *testing.T, w *world) { // not connected yet: said, and no failure
		w.reach(baseline.PilotReport)
		if !slices.ContainsFunc(w.events, func(e baseline.Event) bool {
			return e.What == baseline.EventSaid && strings.Contains(e.Detail, "Microsoft Intune connection")
		}) {
			t.Errorf("what to click was not said: %v", w.events)
		}
	})
}

// TestALookAlikeThatCameBetween a plan and its apply is not passed over.
func TestALookAlikeThatCameBetween(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		p := w.plan(baseline.PilotReport)
		placeAlike(w)
		if _, err := w.apply(p); !errors.Is(err, baseline.ErrMoved) || !strings.Contains(err.Error(), "notification has a look-alike by now") {
			t.Fatal(err)
		}
	})
}

// TestGroupsOfAnyName are found, and two of one name are not guessed at.
func TestGroupsOfAnyName(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		odd := `R&D + "Ö'Neill" 100%`
		w.tenant.AddUser(graphtest.User{UPN: "eva@contoso.example", Groups: []string{odd}})
		w.spec.Pilot = odd
		w.reach(baseline.PilotReport)
		w.tenant.AddGroup(graphtest.Group{Name: odd, ID: "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22"})
		if p := w.plan(baseline.PilotReport); !p.Refused() || !strings.Contains(show(p), "more than one group") {
			t.Errorf("%s", show(p))
		}
		w.spec.Pilot = "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22" // which is no name
		if p := w.plan(baseline.PilotReport); p.Refused() || len(p.Work()) == 0 {
			t.Errorf("%s", show(p))
		}
	})
}

// TestWhatCannotBeRead is left alone, and said.
func TestWhatCannotBeRead(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.app.Revoke("Policy.Read.All", "DeviceManagementApps.ReadWrite.All")
		p := w.plan(baseline.PilotReport)
		for _, s := range p.Steps {
			if s.Object.Kind == baseline.KindAccess || s.Object.Kind == baseline.KindProtection {
				t.Errorf("%s is planned", s.Object.Key)
			}
		}
		if text := show(p); !p.Blocked() || !strings.Contains(text, "not planned access: it could not be read") || !strings.Contains(text, "Policy.Read.All") {
			t.Error(text)
		}
	})
}
