package events_test

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestTopLevel: what `ls` shows is the table of contents.
func TestTopLevel(t *testing.T) {
	rooms := []string{
		"cmd", "events", "graph", "handlers", "docs",
		"go.mod", "go.sum", "Dockerfile", "docker-compose.yml", "LICENSE", "NOTICE", "README.md",
	}
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ignored)) {
		rooms = append(rooms, strings.Trim(strings.TrimSpace(line), "/"))
	}
	found, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !strings.HasPrefix(f.Name(), ".") && !matches(rooms, f.Name()) {
			t.Errorf("%s lies at the top level. The rule: code lives in cmd, events, graph and handlers, papers in docs", f.Name())
		}
	}
}

// TestLicense: the terms come with the code.
func TestLicense(t *testing.T) {
	text, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Apache License", "Version 2.0", "END OF TERMS AND CONDITIONS"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("LICENSE does not say %q: it has to be the Apache License 2.0, whole", want)
		}
	}
}

// TestFolderNames: a folder is named after what it is about, so that there is
// one place to look and no place for leftovers.
func TestFolderNames(t *testing.T) {
	bare := []string{"internal", "pkg", "util", "utils", "common", "shared", "helper", "helpers", "misc", "models", "types", "base"}
	for folder := range house(t) {
		for name := range strings.SplitSeq(folder, "/") {
			if slices.Contains(bare, name) {
				t.Errorf("%s: %q says nothing. The rule: a package is named after what it provides", folder, name)
			}
		}
	}
}

// TestPackageComments: each package says once what it is, what it guarantees and
// what may not be assumed.
func TestPackageComments(t *testing.T) {
	for folder, files := range house(t) {
		var said []string
		for _, f := range files {
			if f.test || f.Doc == nil {
				continue
			}
			said = append(said, f.path)
			start := "Package " + f.Name.Name + " "
			if f.Name.Name == "main" {
				start = "Command " + path.Base(folder) + " "
			}
			if !strings.HasPrefix(f.Doc.Text(), start) {
				t.Errorf("%s: the package comment must start with %q, as go doc expects", f.path, start)
			}
		}
		if len(said) != 1 {
			t.Errorf("%s has %d package comments %v. The rule: one, in one place", folder, len(said), said)
		}
	}
}

// TestFileLength: a file can be read in one go.
func TestFileLength(t *testing.T) {
	const most = 400
	for _, files := range house(t) {
		for _, f := range files {
			if !f.test && f.lines > most {
				t.Errorf("%s has %d lines. The rule: about 300, never over %d; split it by what it is about", f.path, f.lines, most)
			}
		}
	}
}

// TestNoGlobals: nothing happens before main, and nothing that changes is shared
// behind the backs of those who use it. Tables, patterns and errors that stay as
// they were written are welcome.
func TestNoGlobals(t *testing.T) {
	for _, files := range house(t) {
		vars := map[string]bool{}
		for _, f := range files {
			for _, decl := range f.Decls {
				if f.test {
					continue
				}
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has a func init. The rule: nothing runs before main, so that the order of things can be read", f.path)
				}
				for _, name := range varNames(decl) {
					vars[name] = true
				}
				if mutable(decl) {
					t.Errorf("%s has a package variable made to change (a lock, an atomic, a channel). The rule: state belongs to a value that somebody made and passed on", f.path)
				}
			}
		}
		for _, f := range files {
			for _, name := range changed(f.File, vars) {
				t.Errorf("%s changes the package variable %s. The rule: package variables stay as they were written; even a test that swaps one hides what depends on it", f.path, name)
			}
		}
	}
}

func varNames(decl ast.Decl) (names []string) {
	if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.VAR {
		for _, spec := range gen.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// mutable reports whether a package variable is of a kind that is only good for
// changing.
func mutable(decl ast.Decl) (found bool) {
	gen, ok := decl.(*ast.GenDecl)
	if !ok || gen.Tok != token.VAR {
		return false
	}
	ast.Inspect(gen, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ChanType:
			found = true
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") && !strings.HasPrefix(n.Sel.Name, "Once") {
				found = true
			}
		}
		return !found
	})
	return found
}

// changed returns those package variables of vars that the functions of a file
// assign to, count up, empty or take the address of.
func changed(f *ast.File, vars map[string]bool) (names []string) {
	hit := func(x ast.Expr) {
		for {
			switch inner := x.(type) {
			case *ast.IndexExpr:
				x = inner.X
			case *ast.SelectorExpr:
				x = inner.X
			case *ast.StarExpr:
				x = inner.X
			case *ast.ParenExpr:
				x = inner.X
			case *ast.Ident:
				if inner.Name != "_" && vars[inner.Name] && (inner.Obj == nil || f.Scope.Lookup(inner.Name) == inner.Obj) {
					names = append(names, inner.Name)
				}
				return
			default:
				return
			}
		}
	}
	for _, decl := range f.Decls {
		if _, ok := decl.(*ast.FuncDecl); !ok {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, left := range n.Lhs {
						hit(left)
					}
				}
			case *ast.IncDecStmt:
				hit(n.X)
			case *ast.UnaryExpr:
				if _, row := n.X.(*ast.IndexExpr); n.Op == token.AND && !row { // the row of a table is read in place
					hit(n.X)
				}
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, name.Name) {
					hit(n.Args[0])
				}
			}
			return true
		})
	}
	return names
}
