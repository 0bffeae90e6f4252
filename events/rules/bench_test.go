package rules

import (
	"testing"
)

// BenchmarkHolds asks the condition of a policy about a device with alerts, as
// every look does.
func BenchmarkHolds(b *testing.B) {
	c, err := Compile(sound().When)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := c.Holds(laptop); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkCompile reads the rules anew, as every start does.
func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, problems := (Rules{Policies: []Policy{sound()}}).Compile(names); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
