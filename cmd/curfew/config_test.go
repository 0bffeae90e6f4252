package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updateConfig = flag.Bool("update-config", false, "rewrite the expected problems of testdata/config")

// environment is what tests of the configuration have.
func environment(key string) string {
	return map[string]string{
		"CURFEW_TEST_SECRET":      "0123456789abcdef",
		"CURFEW_TEST_SHORT":       "too short",
		"CURFEW_TEST_ROUTING_KEY": "0123456789abcdef0123456789abcdef",
		"CURFEW_TEST_URL":         "https://desk.example.com/token-that-is-secret",
	}[key]
}

func templates(string) ([]string, error) {
	return []string{"cleared", "last-warning", "noncompliant", "reminder", "threat-found"}, nil
}

func testOptions() loadOptions { return loadOptions{Templates: templates, Getenv: environment} }

// TestConfigFiles loads testdata/config/*.yaml; beside each stands what must be
// said of it. After -update-config, read the difference.
func TestConfigFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			conf, problems := parseConfig(filepath.Base(file), data, testOptions())
			if (conf == nil) != (len(mistakes(problems)) > 0) {
				t.Errorf("a configuration: %v, with %d mistakes", conf != nil, len(mistakes(problems)))
			}
			var got bytes.Buffer
			for _, p := range problems {
				fmt.Fprintln(&got, p)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".problems"
			if *updateConfig {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}
