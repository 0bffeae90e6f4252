package handlers

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every sentence comes in every language, with the same values in it.
func TestEverySentenceComesInEveryLanguage(t *testing.T) {
	values := func(s string) []string {
		return slices.Sorted(slices.Values(regexp.MustCompile(`%\d`).FindAllString(s, -1)))
	}
	all := translations()
	if len(all) < 50 {
		t.Errorf("there are only %d", len(all))
	}
	for english, in := range all {
		for _, language := range Languages()[1:] {
			said := in[language]
			if said == "" || said == english && english != "Tenant: %1" || !slices.Equal(values(said), values(english)) {
				t.Errorf("%q in %s is %q", english, language, said)
			}
		}
		if len(in) != len(Languages())-1 || strings.Contains(english, "\n") {
			t.Errorf("%q comes in %v", english, in)
		}
	}
	if got := (Telling{Language: "de-AT"}).Say("Found: %1", "%2"); got != "Befund: %2" {
		t.Errorf("%q", got)
	}
	if got := (Telling{Language: "pl"}).Say("Found: %1", "x") + (Telling{Language: "de"}).Say("What nobody translated: %1", "y"); got != "Found: xWhat nobody translated: y" {
		t.Errorf("%q", got)
	}
}
