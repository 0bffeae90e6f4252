package evidence_test

import (
	"strings"
	"testing"
)

// lines cuts a bundle into its lines: one for each thing in it.
func lines(file []byte) []string { return strings.Split(string(file), "\n") }

// Somebody edits the file and computes nothing. It is said once, and where.
func TestForgedByHand(t *testing.T) {
	whole := string(story(t).write(t))
	replace := func(old, by string) func([]string) []string {
		return func(l []string) []string {
			for i, line := range l {
				if strings.Contains(line, old) {
					l[i] = strings.Replace(line, old, by, 1)
					return l
				}
			}
			t.Fatalf("no %s", old)
			return nil
		}
	}
	remove := func(mark string) func([]string) []string {
		return func(l []string) []string {
			for i, line := range l {
				if strings.Contains(line, mark) {
					return append(l[:i:i], l[i+1:]...)
				}
			}
			t.Fatalf("no %s", mark)
			return nil
		}
	}
	const altered = "was altered: its bytes, sequence, time or kind are not those that the bundle was made with"
	for _, c := range []struct {
		name string
		do   func([]string) []string
		want string
	}{
		{"a record", replace(`rules-2\",\"trace`, `rules-3\",\"trace`), "record 3 (sequence 1009, 2026-03-02T09:03:00Z) " + altered},
		{"the last record", replace(`"seq":1024`, `"seq":1025`), "record 7 (sequence 1025, 2026-03-02T09:08:00Z) " + altered},
		{"its time", replace(`"at":"2026-03-02T09:05:00Z"`, `"at":"2026-03-02T09:05:01Z"`), "record 5 (sequence 1015, 2026-03-02T09:05:01Z) " + altered},
		{"a fact", replace(`\"by\":\"kim\"}`, `\"by\":\"eve\"}`), "fact 5 (sequence 128, 2026-03-02T09:04:00Z) " + altered},
		{"its kind", replace(`"kind":"begun"`, `"kind":"noted"`), "fact 6 (sequence 135, 2026-03-02T09:05:00Z) " + altered},
		{"a fact that no record took", replace("504", "505"), "fact 7 (sequence 142, 2026-03-02T09:06:00Z) " + altered},
		{"it is removed", remove(`"kind":"delayed"`), "the bundle was made with 9 facts and has 8: some were removed or inserted"},
		{"a record is removed", remove(`"seq":1012`), "record 4 (sequence 1015, 2026-03-02T09:05:00Z) does not follow record 3 (sequence 1009, 2026-03-02T09:03:00Z): that one was altered, or what was between them was removed"},
		{"a decision", replace(`"rung":4,"open":true,"said"`, `"rung":3,"open":true,"said"`), "decision 2 does not say what the records and facts do: it was altered"},
		{"a decision is removed", remove(`"record":1,`), "decision 1 does not say"},
		{"a result", replace(`"result":"done","receipt"`, `"result":"failed","receipt"`), "task 2 does not say what the records and facts do: it was altered"},
		{"who made it", replace(`"by":"jo"`, `"by":"eve"`), "the bundle was altered: its seal is another"},
		{"when it was made", replace(`"made":"2026-03-03`, `"made":"2026-03-04`), "the bundle was altered: its seal is another"},
		{"how many are kept", replace(`"keeps":1000`, `"keeps":7`), "the bundle was altered: its seal is another"},
		{"the head", replace(`"head":"`, `"head":"0`), "the bundle was made with another last record"},
		{"the seal", replace(`"seal":"`, `"seal":"0`), "the bundle was altered: its seal is another"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verify(t, []byte(strings.Join(c.do(lines([]byte(whole))), "\n")), "")
			if got := says(r); !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 1 && !strings.HasPrefix(c.name, "a decision is") {
				t.Errorf("found %s", got)
			}
		})
	}
}
