package notify_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"curfew/events"
	"curfew/handlers"
	"curfew/handlers/handlerstest"
	"curfew/handlers/notify"
)

func texts(tenant *handlerstest.Tenant) func() []string {
	return func() (out []string) {
		for _, s := range tenant.Said() {
			out = append(out, s.Title, s.Text)
		}
		return out
	}
}

func TestBothKeepThePromises(t *testing.T) {
	for name, action := range map[string]events.Action{"teams": events.Notify, "portal": events.Push} {
		t.Run(name, func(t *testing.T) {
			handlerstest.Run(t, func(testing.TB) handlerstest.World {
				tenant := &handlerstest.Tenant{Devices: []events.Device{handlerstest.Phone("iOS", "phone-1")}}
				c := handlerstest.Laptop()
				w := handlerstest.World{
					Do: notify.Feed{Teams: tenant}.Do, Case: c, Task: handlerstest.Task(c, events.Order{Action: action}),
					Effects: tenant.Effects, Texts: texts(tenant), Calls: &tenant.Writes,
				}
				if action == events.Push {
					w.Do, w.Reads = notify.Push{Portal: tenant}.Do, &tenant.Reads
					w.Effects = func() []string { // what a phone says twice was said once
						var out []string
						for _, s := range tenant.Said() {
							if !slices.Contains(out, s.To) {
								out = append(out, s.To)
							}
						}
						return out
					}
				}
				return w
			})
		})
	}
}

// What a user reads, in the language and the time zone that are theirs: which
// device, where to read on, until when, whom to ask, and never what was found.
func TestWhatUsersRead(t *testing.T) {
	due := time.Date(2026, 3, 1, 23, 4, 0, 0, time.UTC)
	says := map[string][]string{
		"en": {"needs your attention", "reset on Monday, 2 March 2026 at 00:04 CET", "in order again"},
		"de": {"Aufmerksamkeit", "Montag, 2. März 2026 um 00:04 Uhr (CET)", "wieder in Ordnung"},
		"fr": {"attention", "lundi 2 mars 2026 à 00 h 04 (CET)", "rentré dans l’ordre"},
		"es": {"atención", "lunes, 2 de marzo de 2026, a las 00:04 h (CET)", "vuelve a estar en orden"},
		"nl": {"aandacht", "maandag 2 maart 2026 om 00:04 uur (CET)", "weer in orde"},
	}
	for _, language := range handlers.Languages() {
		tenant := &handlerstest.Tenant{}
		c := handlerstest.Laptop()
		c.Device.Language, c.Device.TimeZone = language, "Europe/Berlin"
		f := notify.Feed{Teams: tenant, Voice: notify.Voice{Ask: "extension 100", ResetDue: func(events.Case) time.Time { return due }}}
		over := c
		over.Open = false
		for i, k := range []events.Case{c, over} {
			task := handlerstest.Task(k, events.Order{Action: events.Notify})
			task.ID += string(rune('a' + i))
			if _, err := f.Do(t.Context(), k, task); err != nil {
				t.Fatal(err)
			}
		}
		said := tenant.Said()
		risk, well := said[0], said[1]
		for _, want := range []string{says[language][0], says[language][1], "LT-042", "extension 100", c.ID()} {
			if !strings.Contains(risk.Title+"\n"+risk.Text, want) {
				t.Errorf("%s: no %q in %q %q", language, want, risk.Title, risk.Text)
			}
		}
		if !strings.Contains(well.Title, says[language][2]) || !strings.Contains(well.Text, "LT-042") {
			t.Errorf("%s: the end is %q %q", language, well.Title, well.Text)
		}
		for _, s := range said {
			if strings.ContainsAny(s.Title+s.Text, "{}") || strings.Contains(s.Text, "Trojan") || len([]rune(s.Title)) > 50 || len([]rune(s.Text)) > 500 {
				t.Errorf("%s: %q %q", language, s.Title, s.Text)
			}
		}
		// What Teams shows of it says which device, and where to read on.
		if begin := string([]rune(risk.Text)[:150]); !strings.Contains(begin, "LT-042") || !strings.Contains(strings.ToLower(begin), "mail") && !strings.Contains(begin, "correo") {
			t.Errorf("%s: Teams shows %q", language, begin)
		}
	}
}

// Whom a push goes to: the phone that the case is about, or the phone of its user
// that was heard of last; never to a laptop, and never to one that sleeps.
func TestWhichPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, young, other := handlerstest.Phone("Android", "old"), handlerstest.Phone("iPadOS", "young"), handlerstest.Phone("macOS", "mac")
		old.LastSync = old.LastSync.Add(-48 * time.Hour)
		gone := handlerstest.Phone("iOS", "gone")
		gone.LastSync = gone.LastSync.Add(-60 * 24 * time.Hour)
		refuses := handlerstest.Phone("Android", "plain-1")
		for _, tt := range []struct {
			name string
			of   []events.Device
			os   string
			want string
		}{
			{"the younger", []events.Device{old, young, other, gone}, "Windows", "young"},
			{"the next, if one cannot", []events.Device{refuses, old}, "Windows", "old"},
			{"nobody, if none can", []events.Device{refuses}, "Windows", ""},
			{"nobody, without one", []events.Device{other, gone}, "macOS", ""},
			{"itself", []events.Device{young}, "ios", "intune-042"},
		} {
			tenant := &handlerstest.Tenant{Devices: tt.of}
			c := handlerstest.Laptop()
			c.Device.OS = tt.os
			fact, err := notify.Push{Portal: tenant}.Do(t.Context(), c, handlerstest.Task(c, events.Order{Action: events.Push}))
			done, ok := fact.(events.Done)
			said := tenant.Said()
			if !ok || err != nil || (tt.want == "") != strings.HasPrefix(done.Receipt, "nobody was told") || (tt.want == "") != (len(said) == 0) {
				t.Errorf("%s: %+v, %v, %v", tt.name, fact, err, said)
			} else if tt.want != "" && !strings.HasSuffix(said[0].To, tt.want) {
				t.Errorf("%s: it went to %s", tt.name, said[0].To)
			}
		}
	})
}

// Who cannot be told is no failure: it is one way of several.
func TestNobodyToTell(t *testing.T) {
	tenant := &handlerstest.Tenant{Left: "anna"}
	c := handlerstest.Laptop()
	c.Device.UserID = "anna"
	task := handlerstest.Task(c, events.Order{Action: events.Notify})
	fact, err := notify.Feed{Teams: tenant}.Do(t.Context(), c, task)
	if done, ok := fact.(events.Done); err != nil || !ok || !strings.Contains(done.Receipt, "does not have the app") {
		t.Errorf("%+v, %v", fact, err)
	}
	c.Device.User, c.Device.UserID = "", ""
	for _, do := range []handlers.Func{notify.Feed{Teams: tenant}.Do, notify.Push{Portal: tenant}.Do} {
		if fact, err := do(t.Context(), c, task); err != nil || !strings.Contains(fact.(events.Done).Receipt, "nobody was told") {
			t.Errorf("%+v, %v", fact, err)
		}
	}
	task.Unsure, task.Tries = true, 3
	c = handlerstest.Laptop()
	tenant.Devices = []events.Device{handlerstest.Phone("iOS", "phone")}
	if fact, err := (notify.Push{Portal: tenant}).Do(t.Context(), c, task); err != nil || !strings.Contains(fact.(events.Done).Receipt, "often enough") {
		t.Errorf("%+v, %v", fact, err)
	}
}
