package journal

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

// Every kind of fact there is can be stored and read.
func TestEveryKindOfFact(t *testing.T) {
	names, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "fact" && f.Recv != nil {
				kinds = append(kinds, strings.ToLower(f.Recv.List[0].Type.(*ast.Ident).Name))
			}
		}
	}
	slices.Sort(kinds)
	var known []string
	for kind := range readers {
		known = append(known, kind)
	}
	slices.Sort(known)
	if !slices.Equal(kinds, known) || len(kinds) == 0 {
		t.Errorf("package events has %q\nthe journal knows %q", kinds, known)
	}
}

func TestFactsComeBackAsTheyWere(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 123e6, time.UTC)
	for _, f := range []events.Fact{
		events.Noticed{Source: "webhook"},
		events.Seen{Task: "contoso/d1/1-look", Device: events.Device{Key: key("d1"), Name: "LT-042 “ü”", SeenAt: at}},
		events.Begun{Task: "contoso/d1/2-mail", Attempt: "x"},
		events.Delayed{Task: "contoso/d1/2-mail", Until: at, Reason: "503", Unsure: true},
		events.Rang{},
	} {
		m := must(t, of(packFact("fact.0.contoso.d1", f)))
		back := must(t, of(unpackFact(m.Header, m.Data)))
		if diff := cmp.Diff(f, back); diff != "" {
			t.Error(diff)
		}
		if kindOf(back) != strings.ToLower(reflect.TypeOf(f).Name()) || !json.Valid(m.Data) {
			t.Errorf("%s: %s", kindOf(back), m.Data)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{
		{"", 10, ""},
		{"a\r\nb\tc", 10, "a | b | c"},
		{"\n\n", 10, ""},
		{"a\xffb", 10, "a?b"},
		{"äöüäöü", 12, "äöüäöü"},
		{"äöüäöüx", 12, "äöüä..."},
	} {
		if got := oneLine(c.in, c.most); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
