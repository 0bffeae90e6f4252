package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"curfew/events"
)

// TestDeadLetters are listed with the device's name, shown with all they hold,
// replayed and dropped.
func TestDeadLetters(t *testing.T) {
	inWard(t, func(w *ward) {
		w.expect(w.must("dead", "list"), "There are no dead letters.\n")
		w.expect(w.must("dead", "replay", "--all"), "There are no dead letters.\n")
		w.fill()
		golden(t, "dead.txt", w.must("dead", "list"))
		attempt := regexp.MustCompile(`"id": "[0-9A-Za-z]{22}"`)
		golden(t, "dead-show.txt", attempt.ReplaceAllString(w.must("dead", "show", "1"), `"id": "…"`))
		var l letterLine
		check(t, json.Unmarshal([]byte(w.must("dead", "show", "1", "--json")), &l))
		var task events.Task
		check(t, json.Unmarshal(l.Data, &task))
		if l.ID != 1 || l.Name != evilName || l.TenantName != "contoso" || l.Kind != "mail" || task.Template != "threat-found" {
			t.Errorf("%+v %+v", l, task)
		}

		w.fails(exitNotFound, "there is no dead letter 7", "dead", "show", "7")
		w.fails(exitNotFound, "there is no dead letter 7", "dead", "replay", "7")
		w.fails(exitNotFound, "there is no dead letter 7", "dead", "drop", "7")
		w.fails(exitWrong, `"one" is not the number`, "dead", "show", "one")
		w.fails(exitWrong, "or --all", "dead", "drop")
		w.fails(exitWrong, "or --all", "dead", "replay", "1", "--all")

		w.expect(w.must("dead", "replay", "1", "--by", "Kim"), "dead letter 1: replayed\n")
		evil := &patient{w, events.Key{Tenant: contoso, Device: "d66"}, events.Device{}}
		evil.task(events.Mail) // is asked for again
		if got := w.said("d66"); !strings.HasPrefix(got, "Kim (jo) tries again: mail threat-found") {
			t.Error(got)
		}
		w.giveUp(events.Mail, "again in vain")
		w.expect(w.must("dead", "drop", "--all"), "dead letter 2: dropped\n")
		w.expect(w.must("dead", "list", "--json"), "")
		time.Sleep(time.Second)
		if c := evil.settled(); len(c.Given) != 1 || c.Given[0].Why != "again in vain" {
			t.Errorf("a dropped letter changes nothing about its case: %+v", c.Given)
		}
	})
}

// TestJournalSaysWhatItTakes, family by family.
func TestJournalSaysWhatItTakes(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		out := w.must("journal")
		for _, family := range []string{"FACTS ", "CASES ", "TASKS ", "DEAD ", "KV_STATE "} {
			if !strings.Contains(out, "\n"+family) {
				t.Errorf("no %s in\n%s", family, out)
			}
		}
		for line := range strings.Lines(w.must("journal", "--json")) {
			var u struct {
				Family          string
				Messages, Bytes uint64
			}
			check(t, json.Unmarshal([]byte(line), &u))
			if u.Family == "DEAD" && (u.Messages != 1 || u.Bytes == 0) {
				t.Errorf("%+v", u)
			}
		}
	})
}
