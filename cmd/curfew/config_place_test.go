package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// whenAt makes a file of a policy whose `when` is written like this. The mark §
// stands where a mistake must be shown; it is not part of the file.
func whenAt(t *testing.T, when string) (file string, want position) {
	t.Helper()
	file = "tenants: []\npolicies:\n  - name: threat\n    when: " + when + "\n    ladder: [{do: [sync]}]\n"
	before, after, ok := strings.Cut(file, "§")
	if !ok {
		t.Fatal("no mark in " + when)
	}
	lines := strings.Split(strings.ReplaceAll(before, "\r\n", "\n"), "\n")
	return before + after, position{len(lines), len([]rune(lines[len(lines)-1])) + 1}
}

// TestPlacesInConditions: a mistake inside a condition is shown where it stands
// in the file, however the text is written there.
func TestPlacesInConditions(t *testing.T) {
	for name, when := range map[string]string{
		"plain":                    "device.os == 'x' && device.§thraet > low",
		"plain, on two lines":      "device.os == 'x' &&\n      device.§thraet > low",
		"plain, after a gap":       "device.os == 'x' &&\n\n      device.§thraet > low",
		"double quotes":            `"device.os == 'x' && device.§thraet > low"`,
		"escapes":                  `"device.os == \"x\" && device.name != \"\u00e4\\\\\" && device.§thraet > low"`,
		"escaped white space":      `"device.os == 'x'\n\t&& device.§thraet > low"`,
		"escaped line end":         "\"device.os == 'x' \\\n      && device.§thraet > low\"",
		"double quotes, two lines": "\"device.os == 'x'\n      && device.§thraet > low\"",
		"single quotes":            "'device.os == ''x'' && device.§thraet > low'",
		"block":                    "|\n      device.os == 'x' &&\n        device.§thraet > low",
		"block with blank lines":   "|\n\n      device.os == 'x' &&\n\n        device.§thraet > low",
		"block, stripped":          "|-\n      device.§thraet > low",
		"block, first line":        "|\n      §devce.os == 'x'",
		"block, told indentation":  "|2\n        device.os == 'x' &&\n        device.§thraet > low",
		"block after a comment":    "| # why\n      device.§thraet > low",
		"folded":                   ">\n      device.os == 'x' &&\n      device.§thraet > low",
		"folded, stripped":         ">-\n      device.os == 'x' &&\n        device.name == 'y' &&\n      device.§thraet > low",
		"letters of other scripts": "device.name == 'Ωü日' && device.§thraet > low",
		"anchor":                   "&cond device.§thraet > low",
		"alias":                    "&cond device.os == 'x' && device.§thraet > low\n  - name: b\n    when: *cond\n    ladder: [{do: [sync]}]\n  - name: c\n    when: 'true'",
		"comment of CEL":           "|\n      // not of YAML: \"quotes\"\n      device.§thraet > low",
		"behind the end":           "|\n      device.threat >§\n",
		"the whole condition":      "§device.name",
	} {
		t.Run(name, func(t *testing.T) {
			for _, form := range []string{"\n", "\r\n"} {
				file, want := whenAt(t, when)
				_, problems := parseConfig("x.yaml", []byte("\ufeff"+strings.ReplaceAll(file, "\n", form)), testOptions())
				var got []string
				for _, p := range problems {
					if strings.HasSuffix(p.Path, ".when") {
						got = append(got, fmt.Sprintf("%d:%d", p.Line, p.Column))
					}
				}
				if len(got) == 0 || got[0] != fmt.Sprintf("%d:%d", want.line, want.column) {
					t.Errorf("got %v, want %v in\n%s\n%v", got, want, file, problems)
				}
			}
		})
	}
}

// TestHostileFiles: what is made to be slow or deep ends soon, with a mistake.
func TestHostileFiles(t *testing.T) {
	var wide strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&wide, "k%d: v\n", i)
	}
	for name, file := range map[string]string{
		"too big":         strings.Repeat("# x\n", maxConfig/4+1),
		"brackets":        strings.Repeat("[", 100_000),
		"braces":          strings.Repeat("{a: ", 50_000),
		"dashes":          strings.Repeat("- ", 50_000) + "a",
		"question marks":  strings.Repeat("? ", 20_000) + "a",
		"anchors":         strings.Repeat("&a ", 20_000),
		"tags":            strings.Repeat("!x ", 20_000),
		"indentation":     indented(2000),
		"many keys":       wide.String(),
		"many entries":    "tenants:\n" + strings.Repeat("- x\n", 60_000),
		"an endless text": "name: " + strings.Repeat("x", maxConfig-10),
		"quotes":          strings.Repeat(`"`, 5000),
		"colons":          strings.Repeat(":", 5000),
		"nothing":         "",
		"zero bytes":      strings.Repeat("\x00", 100),
		"a self-alias":    "tenants: &a [*a]\n",
		"a merge of self": "tenants: &a\n  - <<: *a\n",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			conf, problems := parseConfig("x.yaml", []byte(file), testOptions())
			if conf != nil || len(mistakes(problems)) == 0 {
				t.Error("nothing wrong is found")
			}
			if len(problems) > maxProblems+1 {
				t.Errorf("%d problems are told at once", len(problems))
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// FuzzConfig: no file makes the loader panic, and every problem has its place.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"tenants: &a [{name: x}]\npolicies: *a\n",
		"policies:\n  - name: threat\n    when: |\n      device.thraet > low\n    ladder: [{do: [mail: {template: x}, reset]}]\n",
		"nats: {url: \"nats://x\\u0041:4222\", replicas: 2}\n? x\n: y\n",
		"destinations: {desk: {kind: webhook, url: 'http://''x'}}\n---\n<<: 7\n",
	} {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "example.yaml") {
		seed, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		conf, problems := parseConfig("x.yaml", data, testOptions())
		if (conf == nil) != (len(mistakes(problems)) > 0) {
			t.Fatalf("a configuration: %v, problems: %v", conf != nil, problems)
		}
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(data), "\ufeff")), "\n")
		for _, p := range problems {
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 || p.Text == "" {
				t.Fatalf("%+v is not in the file", p)
			}
		}
	})
}
