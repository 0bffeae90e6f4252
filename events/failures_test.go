package events_test

import (
	"go/ast"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faults are those that docs/failures.md must have a row for, by words of it.
var faults = []string{
	"disk is full", "slow disk", "disk is read-only", "clock jumps forward, over due alarms", "clock jumps back an hour",
	"out of file descriptors", "broker is restarted", "broker is gone for an hour", "Graph is down for a day",
	"token endpoint is down", "handler hangs", "handler panics", "handler leaks", "end of a stream's file is damaged",
	"SIGTERM under load", "journal was made by a newer version",
}

var testName = regexp.MustCompile(`^([a-z]+)\.(Test[A-Za-z0-9]+)$`)

// TestFailures: what the paper says happens when something fails is what a test makes
// happen.
func TestFailures(t *testing.T) {
	paper, err := os.ReadFile("../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{} // package.TestName
	for folder, files := range house(t) {
		for _, f := range files {
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && f.test && fn.Recv == nil {
					there[strings.TrimSuffix(f.Name.Name, "_test")+"."+fn.Name.Name] = true
					there[path.Base(folder)+"."+fn.Name.Name] = true
				}
			}
		}
	}
	var rows []string
	for line := range strings.Lines(string(paper)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| What fails") {
			continue
		}
		what := strings.TrimSpace(cells[0])
		rows = append(rows, what)
		if len(cells) != 5 {
			t.Errorf("%q has %d cells. The rule: what fails, what goes on, what is seen, how it ends, and the tests", what, len(cells))
			continue
		}
		for name := range strings.SplitSeq(cells[4], ",") {
			if name = strings.TrimSpace(name); !testName.MatchString(name) || !there[name] {
				t.Errorf("%q names %q, which is no test (any more)", what, name)
			}
		}
	}
	for _, f := range faults {
		if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(strings.ToLower(row), strings.ToLower(f)) }) {
			t.Errorf("docs/failures.md has no row for: %s", f)
		}
	}
}
