package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCasesAreListed by how much they need a person, as a table and as JSON.
func TestCasesAreListed(t *testing.T) {
	inWard(t, func(w *ward) {
		if out := w.must("cases"); out != "There are no such cases.\n" {
			t.Errorf("an empty journal: %q", out)
		}
		w.fill()
		golden(t, "cases.txt", w.must("cases"))
		golden(t, "cases-open-contoso.txt", w.must("cases", "--open", "--tenant", "Contoso"))
		golden(t, "cases.jsonl", w.must("cases", "--json"))

		var names []string
		for line := range strings.Lines(w.must("cases", "--all", "--json")) {
			var c caseLine
			check(t, json.Unmarshal([]byte(line), &c))
			names = append(names, c.Name)
		}
		if len(names) != 5 || names[4] != "PC-001" {
			t.Errorf("with --all also PC-001, which was never at risk, and last: %q", names)
		}
	})
}

// TestCaseTellsTheStory of a device, whatever a person calls it.
func TestCaseTellsTheStory(t *testing.T) {
	inWard(t, func(w *ward) {
		w.fill()
		golden(t, "case-climbing.txt", w.must("case", "contoso/LT-042"))
		golden(t, "case-climbing.json", w.must("case", "d42", "--json"))
		golden(t, "case-attention.txt", w.must("case", "D66"))
		golden(t, "case-rest.txt", w.must("case", "intune-d44"))
		for _, name := range []string{"5cg1234xyz", contoso + "/d42", "CONTOSO/lt-042", strings.Repeat("a", 40)} {
			if out := w.must("case", name); !strings.HasPrefix(out, "LT-042  OPEN") {
				t.Errorf("%s is %q", name, out)
			}
		}
		w.fails(exitNotFound, "did you mean LT-042 or LT-044 or lt-042?", "case", "LT-04")
		w.fails(exitNotFound, "`curfew cases --all` lists", "case", "nothing like it")
		w.fails(exitNotFound, "there are: contoso, fabrikam", "case", "adatum/LT-042")
		w.fails(exitWrong, "contoso/d42 of anna@contoso.example, fabrikam/d99 of zoe@fabrikam.example", "case", "lt-042")
	})
}
