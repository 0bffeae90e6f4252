package graphtest

import (
	"testing"
	"time"
)

func TestFilters(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	get := func(path string) any {
		return map[string]any{"name": "O'Brien", "n": 7, "on": true, "at": at, "none": nil}[path]
	}
	for filter, want := range map[string]bool{
		"name eq 'o''brien'":                                 true,
		"name ne 'x' and on eq true":                         true,
		"name eq 'x' or on eq true and n eq 7":               true,
		"(name eq 'x' or on eq true) and n eq 8":             false,
		"not (on eq true)":                                   false,
		"at ge 2026-11-22T10:00:00Z":                         true,
		"at gt 2026-11-22T10:00:00Z":                         false,
		"at lt 2026-11-22T12:00:00.5+01:00":                  true,
		"none eq null":                                       true,
		"none ne null":                                       false,
		"none gt 3":                                          false,
		"startswith(name,'o')":                               true,
		"contains(name, 'rien') and not(contains(name,'z'))": true,
		"": true,
	} {
		e, err := parseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		} else if got := e == nil || e.match(get); got != want {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	for _, filter := range []string{"name", "name eq", "name eq 'x", "name eq 'x' name", "(name eq 'x'", "name is 'x'",
		"concat(name,'x') eq 'y'", "and", "a/any(x eq 1)", "a/any(e: e/x eq 1", ", eq 1", "name eq (", "'x' eq name"} {
		if e, err := parseFilter(filter); err == nil {
			t.Errorf("%s is taken as %v", filter, e)
		}
	}
}

// Whatever a filter says, reading and applying it ends without a panic.
func FuzzFilter(f *testing.F) {
	f.Add("a eq 'x' and (b ne 2 or not contains(c,'y'))")
	f.Add("p/any(e: e/t/x eq 'y')")
	f.Fuzz(func(_ *testing.T, filter string) {
		if e, err := parseFilter(filter); err == nil && e != nil {
			e.match(func(string) any { return "x" })
			visit(e, func(compare) {})
		}
	})
}

// Ids can be turned back into numbers, and kinds are not mixed up.
func TestIDs(t *testing.T) {
	c := NewCloud()
	defer c.Close()
	a, b := c.AddTenant("a", "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11"), c.AddTenant("b", "7c1f9a52-08d4-4b0e-8a56-2f3f5d1c9b22")
	for _, n := range []int{0, 1, 41, 99_999, ownUsers, ownUsers + 7} {
		id := a.guid(idIntune, n)
		if len(id) != 36 {
			t.Errorf("%q is no GUID", id)
		}
		if got, ok := a.number(idIntune, id); !ok || got != n {
			t.Errorf("%d became %d, %v", n, got, ok)
		}
		if _, ok := a.number(idEntra, id); ok {
			t.Error("an Intune id passes for an Entra id")
		}
		if _, ok := b.number(idIntune, id); ok {
			t.Error("an id of one tenant passes in another")
		}
	}
}
