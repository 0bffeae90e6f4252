package mail

import (
	"reflect"
	"regexp"
	"slices"
	"testing"

	"curfew/handlers"
)

// Every language has every phrase, with the same names to fill in.
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
			if e := english.Field(i).String(); s == "" || !slices.Equal(names(s), names(e)) || p.tag != "en" && s == e {
				t.Errorf("%s: %s is %q; in English it is %q", p.tag, field, s, e)
			}
		}
	}
	if !slices.Equal(tags, handlers.Languages()) {
		t.Errorf("mails speak %v, findings %v", tags, handlers.Languages())
	}
}
