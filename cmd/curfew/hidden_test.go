package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"curfew/events"
	"curfew/events/gate"
	"curfew/handlers"
	"curfew/handlers/page"
)

// reporting is the configuration of the tests with a report and a window.
const reporting = `report: {to: [kim@contoso.example, lee@contoso.example], destination: oncall, tenant: contoso, day: sunday, time: "08:00"}
maintenance:
  - {rule: "FREQ=DAILY;BYHOUR=11", from: 2000-01-01, until: 2040-01-01, for: 2h, reason: patch day, silence: notices, tenants: [contoso]}
  - {rule: "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2", from: 2000-01-01, until: 2040-01-01, for: 4h, reason: patch night}
`

// configured has commands read the configuration of the tests with more to it.
func (w *ward) configured(more string) *config {
	w.t.Helper()
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(w.t, err)
	file := filepath.Join(w.t.TempDir(), "curfew.yaml")
	check(w.t, os.WriteFile(file, append(text, more...), 0o600))
	w.env["CURFEW_CONFIG"] = file
	conf, problems := loadConfig(file, testOptions())
	if conf == nil {
		w.t.Fatal(problems)
	}
	return conf
}

// hide tells the stories of what nobody hears of: it is noon when it returns.
func (w *ward) hide() {
	w.fill()
	w.must("snooze", "contoso/LT-042", "--for", "3d", "--reason", "in the post to the repair shop")
	w.must("ack", "D66", "--for", "20d")
	closed := w.admit(contoso, "d44", "LT-044", "cy@contoso.example")
	closed.d.Threat = "mediumSeverity"
	closed.look()
	w.must("close", "LT-044", "--reason", "test machine")
	w.must("close", "fabrikam/lt-042", "--reason", "test machine, too")
	held := w.admit(contoso, "d7", "LT-007", "flo@contoso.example")
	held.d.Threat = "highSeverity"
	held.look()
	held.tell(events.Held{Task: held.begin(events.Mail).ID, Gate: gate.GateMaintenance, Reason: "a maintenance window is open until Sat 13:00 CET: patch day", Until: time.Now().Add(time.Hour)})
	ps := gate.Pauses{Store: state{w.j.State()}}
	check(w.t, ps.Set(w.t.Context(), gate.Pause{Tenant: fabrikam, Action: events.Reset, By: "kim", Reason: "checking a policy", At: time.Now().UTC()}))
}

// TestHidden: whatever is kept from people is listed, with who, why and until when,
// and what heals is not.
func TestHidden(t *testing.T) {
	inWard(t, func(w *ward) {
		w.configured(reporting)
		if got := w.must("hidden", "--tenant", "fabrikam"); strings.Count(got, "\n") != 4 || !strings.Contains(got, "patch night") {
			w.t.Errorf("nothing but the window to come is hidden: %q", got)
		}
		w.hide()
		golden(w.t, "hidden.txt", w.must("hidden"))
		moments := regexp.MustCompile(`\.\d+Z"`) // commands look now and then whether they were heard
		golden(w.t, "hidden.jsonl", moments.ReplaceAllString(w.must("hidden", "--json"), `Z"`))
		if got := w.must("hidden", "--tenant", "fabrikam"); strings.Contains(got, "LT-0") || !strings.Contains(got, "checking a policy") || !strings.Contains(got, "test machine, too") {
			w.t.Errorf("of one tenant: %s", got)
		}
		for line := range strings.Lines(w.must("hidden", "--json")) {
			var l hiddenLine
			check(w.t, json.Unmarshal([]byte(line), &l))
			if l.Kind == hidLong {
				w.t.Error("it was acknowledged just now, and not for long: ", line)
			}
		}
		time.Sleep(25 * time.Hour)
		if got := w.must("hidden"); !strings.Contains(got, hidLong) {
			w.t.Errorf("after a day it is for long: %s", got)
		}
		w.fails(exitNotFound, "no tenant is called", "hidden", "--tenant", "adatum")
	})
}

// A mailbox keeps the mails that are sent by it.
type mailbox struct {
	mu   sync.Mutex
	sent []string // tenant, addressee, subject, text
	keys map[string]bool
	fail func(n int) error // of the nth call
	n    int
}

func (m *mailbox) SendMail(_ context.Context, tenant, to, subject, _, text, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	err := error(nil)
	if m.fail != nil {
		err = m.fail(m.n)
	}
	if err == nil || handlers.Read(err).Unsure {
		m.sent = append(m.sent, strings.Join([]string{tenant, to, subject, text}, "\n"))
		m.keys[key] = true
	}
	return err
}

func (m *mailbox) Sent(_ context.Context, _, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[key], nil
}

// channel is a pager that folds by the key.
type channel struct {
	mu  sync.Mutex
	got map[string]page.Alert
}

func (c *channel) Check() error { return nil }

func (c *channel) Trigger(_ context.Context, a page.Alert) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[a.Key] = a
	return a.Key, nil
}

func (c *channel) Resolve(context.Context, page.Alert) error { return nil }

// TestReport: two workers tell everybody once a week what is hidden, whatever goes
// wrong with the first attempt, and in one line that nothing is.
func TestReport(t *testing.T) {
	inWard(t, func(w *ward) {
		conf := w.configured(reporting)
		w.hide()
		box, chat := &mailbox{keys: map[string]bool{}}, &channel{got: map[string]page.Alert{}}
		box.fail = func(n int) error {
			switch n {
			case 1:
				return handlers.Unsure(errors.New("timeout")) // and it was sent
			case 2:
				return errors.New("503")
			}
			return nil
		}
		ctx, stop := context.WithCancel(w.t.Context())
		var wg sync.WaitGroup
		for range 2 {
			worker := &worker{conf: conf, log: quiet, journal: w.j, pagers: &page.Handler{Pagers: map[string]page.Pager{"oncall": chat}}}
			for _, r := range worker.weeklies(box) {
				wg.Go(func() { _ = r.Run(ctx) })
			}
		}
		time.Sleep(22 * time.Hour) // until ten on Sunday
		box.mu.Lock()
		if len(box.sent) != 2 {
			w.t.Errorf("%d mails: %q", len(box.sent), box.sent)
		}
		golden(w.t, "report.txt", strings.SplitN(box.sent[0], "\n", 3)[2])
		for _, m := range box.sent {
			if !strings.HasPrefix(m, contoso+"\n") {
				w.t.Errorf("it was sent by another tenant's mailbox: %q", m)
			}
		}
		box.mu.Unlock()
		chat.mu.Lock()
		if len(chat.got) != 1 {
			w.t.Errorf("%+v", chat.got)
		}
		for _, a := range chat.got {
			golden(w.t, "report-card.txt", fmt.Sprintln(a.Title)+a.Text()+"\n")
		}
		chat.mu.Unlock()
		stop()
		wg.Wait()
	})
}

// TestReportOfNothing comes in one line, or not at all.
func TestReportOfNothing(t *testing.T) {
	for more, mails := range map[string]int{"": 1, ", empty: false": 0} {
		inWard(t, func(w *ward) {
			conf := w.configured("report: {to: [kim@contoso.example], tenant: contoso, day: sunday, time: \"08:00\"" + more + "}\n")
			box := &mailbox{keys: map[string]bool{}}
			ctx, stop := context.WithCancel(w.t.Context())
			defer stop()
			worker := &worker{conf: conf, log: quiet, journal: w.j}
			for _, r := range worker.weeklies(box) {
				go func() { _ = r.Run(ctx) }()
			}
			time.Sleep(24 * time.Hour)
			box.mu.Lock()
			defer box.mu.Unlock()
			if len(box.sent) != mails || mails > 0 && !strings.Contains(box.sent[0], "Nothing is hidden") {
				w.t.Errorf("%q", box.sent)
			}
		})
	}
}

func TestReportMistakes(t *testing.T) {
	text, err := os.ReadFile("testdata/cli/curfew.yaml")
	check(t, err)
	for written, want := range map[string]string{
		"{}":                          "nobody gets it",
		"{destination: oncal}":        `report.destination: no destination is called "oncal"`,
		"{destination: desk}":         "desk keeps tickets",
		"{to: [kim]}":                 "a mail address",
		"{to: [kim@contoso.example]}": "say by tenant whose mailbox",
		"{to: [kim@contoso.example], tenant: adatum}":            `no tenant is called "adatum"`,
		"{destination: oncall, day: someday}":                    "report.day",
		"{destination: oncall, time: \"8\"}":                     "a time such as 07:30",
		"{destination: oncall, time: \"24:00\"}":                 "no day has 24:00",
		"{destination: oncall, time_zone: Berlin}":               `no time zone "Berlin"`,
		"{destination: oncall, when: FREQ=WEEKLY}":               `unknown key "when"`,
		"{to: [kim@contoso.example], tenant: contoso, empty: 1}": "true or false",
	} {
		conf, problems := parseConfig("x.yaml", append(append([]byte{}, text...), "report: "+written+"\n"...), testOptions())
		if conf != nil || !strings.Contains(fmt.Sprint(problems), want) || strings.Contains(fmt.Sprint(problems), "x.yaml:1:1") {
			t.Errorf("%s: %v", written, problems)
		}
	}
}
