package handlers

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"curfew/events"
)

var places = regexp.MustCompile(`%\d`)

// marks are the places of a sentence that are filled in, sorted: languages may
// turn their order around.
func marks(s string) []string { return slices.Sorted(slices.Values(places.FindAllString(s, -1))) }

// flat are all sentences of a language by what they are for.
func flat(w words) map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			out[v.Type().Field(i).Name] = f.String()
		}
	}
	for grade, s := range w.grades {
		out["grade "+grade] = s
	}
	for of, f := range w.subjects {
		out["what "+string(of)], out["fix "+string(of)] = f.What, f.Fix
	}
	return out
}

// Every language says everything, and nothing more, with the same places to fill
// in, and in its own words.
func TestEveryLanguageHasEverySentence(t *testing.T) {
	want := flat(english())
	for _, w := range vocabulary() {
		got := flat(w)
		for name, e := range want {
			s, ok := got[name]
			switch {
			case !ok || (s == "") != (e == ""):
				t.Errorf("%s: %q reads %q; in English it is %q", w.reference, name, s, e)
			case !slices.Equal(marks(s), marks(e)):
				t.Errorf("%s: %q has the places %v, and in English %v", w.reference, name, marks(s), marks(e))
			case w.reference != "en" && s == e && e != "" && !strings.HasPrefix(name, "grade"):
				t.Errorf("%s: %q is English: %q", w.reference, name, s)
			case strings.HasPrefix(name, "what") && strings.HasSuffix(s, "."), strings.HasPrefix(name, "fix") && s != "" && !strings.HasSuffix(s, "."):
				t.Errorf("%s: %q: what is wrong goes without a full stop, and what to do with one: %q", w.reference, name, s)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s has sentences that English has not: %v", w.reference, slices.Sorted(maps.Keys(got)))
		}
	}
	for _, k := range known() {
		if english().subjects[k.of].What == "" {
			t.Errorf("nothing is said about %q", k.of)
		}
	}
	if n := len(known()); n != len(english().subjects) {
		t.Errorf("%d subjects are recognised, and something is said about %d", n, len(english().subjects))
	}
}

func TestWhichLanguage(t *testing.T) {
	d := events.Device{Settings: []events.Setting{{Policy: "p", Name: "BitLockerEnabled"}}}
	for tag, want := range map[string]string{
		"de": "nicht verschlüsselt", "de-AT": "nicht verschlüsselt", "de_ch": "nicht verschlüsselt", "DE-Latn-LI": "nicht verschlüsselt",
		"fr-CA": "pas chiffré", "es-419": "no está cifrado", "nl-BE": "niet versleuteld",
		"en-GB": "not encrypted", "pl-PL": "not encrypted", "": "not encrypted", "../de": "not encrypted", "den": "not encrypted",
		strings.Repeat("de-", 100): "not encrypted",
	} {
		got := Telling{Language: tag}.Findings(d)
		if len(got) != 1 || !strings.Contains(got[0].What, want) || got[0].Fix == "" {
			t.Errorf("%q: %+v, want %q", tag, got, want)
		}
	}
	if got := Languages(); !slices.Equal(got, []string{"en", "de", "fr", "es", "nl"}) {
		t.Errorf("the languages are %v", got)
	}
}

// Who is told plainly does not read what a threat is called, in any language.
func TestPlainFindingsNameNothing(t *testing.T) {
	d := events.Device{
		Threat:   "highSeverity",
		Malware:  []events.Malware{{Name: "Trojan:Win32/Secret", Severity: "severe", State: "active"}, {Name: "Spy:Secret", State: "active"}},
		Alerts:   []events.Alert{{ID: "1", Title: "Secret theft of data", Threat: "Secret", Severity: "high", Status: "new"}},
		Settings: []events.Setting{{Policy: "Baseline", Name: "FirewallEnabled"}},
	}
	for _, language := range Languages() {
		plain, full := Telling{language, true}.Findings(d), Telling{language, false}.Findings(d)
		if len(plain) != 3 || len(full) != 5 || plain[0].Fix == "" || plain[2] != full[4] {
			t.Errorf("%s: %+v\n%+v", language, plain, full)
		}
		w := Telling{Language: language}.words()
		for _, f := range plain {
			for _, secret := range []string{"Secret", w.grades["high"], w.grades["severe"]} {
				if strings.Contains(f.What, secret) {
					t.Errorf("%s: %q says %q", language, f.What, secret)
				}
			}
		}
	}
	d = events.Device{Threat: "lowSeverity"}
	if got := (Telling{Plain: true}).Findings(d); len(got) != 1 {
		t.Errorf("a risk without an alert: %+v", got)
	}
}

// A name that looks like a place stays what it is.
func TestNamesAreNotFilledIn(t *testing.T) {
	d := events.Device{Malware: []events.Malware{{Name: "%2 %s %1", Severity: "high", State: "active"}}}
	if got := Findings(d)[0].What; got != "Malicious software is on the device: “%2 %s %1”, severity high" {
		t.Errorf("got %q", got)
	}
}
