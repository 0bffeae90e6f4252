package try

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"
)

// TestSoak is a short soak, or, with CURFEW_SOAK=30m, a long one; CURFEW_SEED repeats
// one.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("CURFEW_SOAK"), "12s"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("CURFEW_SEED"), "0"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), length+10*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program := theProgram(t)
	r, err := Soak(ctx, SoakOptions{Program: program, Dir: dir, For: length, Seed: seed, Told: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", told)
	for _, wrong := range r.Wrong {
		t.Error(wrong)
	}
	if len(r.Kinds()) != len(kindsOfMishap) {
		t.Errorf("only these things went wrong: %v", r.Kinds())
	}
}

func TestASeedRepeatsThePlan(t *testing.T) {
	if a, b := mishaps(7, time.Hour), mishaps(7, time.Hour); !reflect.DeepEqual(a, b) || len(a) < 100 {
		t.Errorf("%d and %d mishaps", len(a), len(b))
	}
	if reflect.DeepEqual(mishaps(7, time.Hour), mishaps(8, time.Hour)) {
		t.Error("another seed is the same plan")
	}
	if a, b := illnesses(7, time.Hour), illnesses(7, time.Hour); !reflect.DeepEqual(a, b) || len(a) < 1000 {
		t.Errorf("%d and %d illnesses", len(a), len(b))
	}
}

// A leak shows, and coming and going does not.
func TestTrends(t *testing.T) {
	var calm, leak []sample
	for i := range 300 {
		wave := float64(i * 7 % 31)
		calm = append(calm, sample{float64(i), 100 + wave})
		leak = append(leak, sample{float64(i), 100 + wave + float64(i)/10})
	}
	if tr := trendOf("x", "", calm, 10); !tr.OK || tr.Most != 130 {
		t.Errorf("%+v", tr)
	}
	if tr := trendOf("x", "", leak, 10); tr.OK {
		t.Errorf("%+v", tr)
	}
	if tr := trendOf("x", "", leak[:4], 10); tr.OK {
		t.Error("four samples prove something")
	}
}
