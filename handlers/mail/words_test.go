package mail

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"curfew/handlers"
)

// Every language has every phrase, with the same names to fill in, and each month
// and day of the week.
func TestEveryLanguageHasEveryPhrase(t *testing.T) {
	names := func(s string) []string {
		return slices.Sorted(slices.Values(regexp.MustCompile(`\{\w+\}`).FindAllString(s, -1)))
	}
	var tags []string
	english := reflect.ValueOf(spoken()[0])
	for _, p := range spoken() {
		tags = append(tags, p.tag)
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			field, s := v.Type().Field(i).Name, v.Field(i).String()
			if e := english.Field(i).String(); s == "" || !slices.Equal(names(s), names(e)) || p.tag != "en" && s == e && field != "first" && field != "clock" {
				t.Errorf("%s: %s is %q; in English it is %q", p.tag, field, s, e)
			}
		}
		if d, m := strings.Fields(p.days), strings.Fields(p.months); len(d) != 7 || len(m) != 12 {
			t.Errorf("%s has %d days and %d months", p.tag, len(d), len(m))
		}
	}
	if !slices.Equal(tags, handlers.Languages()) {
		t.Errorf("mails speak %v, findings %v", tags, handlers.Languages())
	}
}

// A month has its name, and a moment without one is not written.
func TestMoments(t *testing.T) {
	for _, p := range spoken() {
		for m := time.January; m <= time.December; m++ {
			at := time.Date(2026, m, 12, 9, 5, 0, 0, time.UTC)
			got := p.when(at, time.UTC)
			if !strings.Contains(got, strings.Fields(p.months)[m-1]) || !strings.Contains(got, "12") || !strings.Contains(strings.ReplaceAll(got, " h ", ":"), "09:05") || !strings.Contains(got, strings.Fields(p.days)[at.Weekday()]) || strings.ContainsAny(got, "{}") {
				t.Errorf("%s: %q", p.tag, got)
			}
		}
		if got := p.when(time.Time{}, time.UTC); got != "" {
			t.Errorf("%s: %q", p.tag, got)
		}
	}
}
