package readiness_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/graph/baseline/readiness"
)

// hostile are facts in which everybody has a name that means harm.
func hostile() readiness.Facts {
	f := ready()
	f.Scope.Name = `contoso</title><script>alert(1)</script>`
	f.Users[0].UPN = `ana"onmouseover="x@contoso.example`
	f.Devices[0].Name, f.Devices[0].OS = `<img src=https://evil.example/x>`, `Win"dows' x=<svg/onload=alert(1)>`
	f.Devices[0].Compliance, f.Devices[0].Failing = "noncompliant", []readiness.Setting{{Policy: "javascript:alert(1)", Name: "{{.Secret}}"}}
	f.SignIns.Results[`reportOnly<b>Failure`] = 3
	return f
}

func page(t *testing.T, f readiness.Facts, excuses ...readiness.Excuse) string {
	t.Helper()
	var b bytes.Buffer
	if err := judge(f, excuses...).HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHostileNamesAreText(t *testing.T) {
	got := page(t, hostile())
	for _, bad := range []string{"<script", "<img", "onmouseover=\"x", "<svg/onload", "<b>Failure", "https://"} {
		if strings.Contains(strings.ReplaceAll(got, "https://evil.example/x&gt;", ""), bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	if !strings.Contains(got, "&lt;img src=https://evil.example/x&gt;") || !strings.Contains(got, "{{.Secret}}") {
		t.Error("the names are not there as text")
	}
}

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	for _, bad := range []string{"src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "http:", "https:"} {
		if strings.Contains(page(t, ready()), bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
}

// mixed are the facts of a pilot with a bit of everything, two of them excused.
func mixed() (readiness.Facts, []readiness.Excuse) {
	f := ready()
	for i, name := range []string{"LT-3", "LT-4", "LT-5", "MAC-1"} {
		os := "Windows"
		if name == "MAC-1" {
			os = "macOS"
		}
		f.Devices = append(f.Devices, device(name, os, i%2))
	}
	for _, tr := range troubles {
		switch tr.name {
		case "a device fails a setting", "a device without a policy", "a guest", "no licence", "no Company Portal", "a second object in Entra",
			"the policy would have stopped somebody", "too early", "the emergency account is hit":
			tr.do(&f)
		}
	}
	f.Devices[4].Compliance = "inGracePeriod"
	f.Devices[5].LastSync = now.Add(-20 * 24 * time.Hour)
	return f, []readiness.Excuse{
		{Finding: "devices-compliant/id-lt-3", By: "Mo", Reason: "is being replaced on Friday", At: now.Add(-time.Hour), Until: now.Add(48 * time.Hour)},
		{Finding: "users-licensed/u1", By: "Mo", Reason: "ordered", At: now.Add(-time.Hour), Until: now.Add(48 * time.Hour)},
	}
}

// TestGoldenReports keeps what people and programs are shown. UPDATE=1 writes anew.
func TestGoldenReports(t *testing.T) {
	f, excuses := mixed()
	for name, r := range map[string]readiness.Report{"ready": judge(ready()), "mixed": judge(f, excuses...)} {
		var html bytes.Buffer
		if err := r.HTML(&html); err != nil {
			t.Fatal(err)
		}
		j, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".html", html.Bytes())
		golden(t, name+".json", append(j, '\n'))
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (UPDATE=1 go test writes it anew):\n%s", name, diff)
	}
}
