package rules

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

var (
	seen   = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	laptop = events.Device{
		Key: events.Key{Tenant: "6f2b1c9e-0a4d-4f7b-9c55-2f6f0f1a7d10", Device: "d1"}, Name: "LT-042",
		OS: "Windows", OSVersion: "10.0.22631.3007", Owner: "company", User: "ada@contoso.example", Compliance: "compliant",
		Groups: []string{"Finance"}, Threat: "secured", Join: "AzureAd", Management: "managed",
		LastSync: seen.Add(-50 * time.Hour), SeenAt: seen,
	}
)

// with changes a copy of the laptop.
func with(change func(*events.Device)) events.Device {
	d := laptop
	change(&d)
	return d
}

func TestConditionsOnDevices(t *testing.T) {
	threat := func(s events.Threat) events.Device { return with(func(d *events.Device) { d.Threat = s }) }
	alert := func(a events.Alert) events.Device {
		return with(func(d *events.Device) { d.Alerts = []events.Alert{a} })
	}
	malware := func(m events.Malware) events.Device {
		return with(func(d *events.Device) { d.Malware = []events.Malware{m} })
	}
	const risky = `device.threat >= medium || device.malware.exists(m, m.active) || device.alerts.exists(a, a.open && a.severity >= high)`
	for _, tt := range []struct {
		name, condition string
		device          events.Device
		want            bool
	}{
		{"healthy", risky, laptop, false},
		{"nothing reported", risky, threat(""), false},
		{"partner unresponsive", risky, threat("unresponsive"), false},
		{"low", risky, threat("lowSeverity"), false},
		{"medium", risky, threat("mediumSeverity"), true},
		{"compromised is above high", "device.threat > high", threat("compromised"), true},
		{"nothing is below clear", "device.threat < clear", threat("unknown"), true},
		{"levels in a list", "device.threat in [low, high]", threat("highSeverity"), true},
		{"malware still there", risky, malware(events.Malware{Name: "x", State: "actionFailed"}), true},
		{"malware gone", risky, malware(events.Malware{Name: "x", State: "removed"}), false},
		{"severe malware", "device.malware.exists(m, m.severity == compromised)", malware(events.Malware{State: "removed", Severity: "severe"}), true},
		{"high alert", risky, alert(events.Alert{Severity: "high", Status: "new"}), true},
		{"medium alert", risky, alert(events.Alert{Severity: "medium", Status: "new"}), false},
		{"resolved alert", risky, alert(events.Alert{Severity: "high", Status: "resolved"}), false},
		{"alert that automation healed", risky, alert(events.Alert{Severity: "high", Status: "new", Investigation: "successfullyRemediated"}), false},
		{"bitlocker", `device.settings.exists(s, s.name.contains("BitLocker") && s.state == "nonCompliant")`,
			with(func(d *events.Device) {
				d.Settings = []events.Setting{{Policy: "Windows", Name: "RequireBitLocker", State: "nonCompliant"}}
			}), true},
		{"group", `"Finance" in device.groups`, laptop, true},
		{"pattern", `device.name.matches("^lt-") || device.name.matches("(?i)^lt-")`, laptop, true},
		{"versions are numbers", `version(device.os_version) < version("10.0.9000")`, laptop, false},
		{"versions of other lengths", `version(device.os_version) >= version("10.0")`, laptop, true},
		{"two days since the last sync", "device.hours_since_sync >= 50 && device.hours_since_sync < 51", laptop, true},
		{"a user", "has(device.user)", laptop, true},
		{"no user", "has(device.user)", with(func(d *events.Device) { d.User = "" }), false},
		{"never synced", "has(device.hours_since_sync)", with(func(d *events.Device) { d.LastSync = time.Time{} }), false},
		{"other things", `device.owner == "company" && device.join == "AzureAd" && device.management != "wipePending" && !device.investigating`, laptop, true},
		{"several lines", "device.os == 'Windows' &&\n  // phones are somebody else's\n  device.threat == clear", laptop, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Compile(tt.condition)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Holds(tt.device); got != tt.want || err != nil {
				t.Errorf("%s: got %v, %v", tt.condition, got, err)
			}
			if c.String() != tt.condition {
				t.Errorf("String is %q", c)
			}
		})
	}
}

// TestStrangeValues proves that a value Microsoft adds one day makes no
// comparison true, neither a straight one nor by negation.
func TestStrangeValues(t *testing.T) {
	const tomorrows = "unknownFutureValue"
	devices := map[string]events.Device{
		"threat":     with(func(d *events.Device) { d.Threat = tomorrows }),
		"compliance": with(func(d *events.Device) { d.Compliance = tomorrows }),
		"owner":      with(func(d *events.Device) { d.Owner = tomorrows }),
		"management": with(func(d *events.Device) { d.Management = tomorrows }),
		"alert": with(func(d *events.Device) {
			d.Alerts = []events.Alert{{ID: "1", Severity: tomorrows, Status: tomorrows, Investigation: tomorrows, Source: tomorrows, Class: tomorrows, Remediation: tomorrows, Verdict: tomorrows}}
		}),
		"malware": with(func(d *events.Device) {
			d.Malware = []events.Malware{{Name: "x", Severity: tomorrows, State: tomorrows}}
		}),
		"setting": with(func(d *events.Device) { d.Settings = []events.Setting{{Policy: "p", Name: "n", State: tomorrows}} }),
	}
	for _, tt := range [][2]string{
		{"threat", "device.threat >= nothing"}, {"threat", "device.threat < compromised"}, {"threat", "device.threat <= compromised"},
		{"threat", "device.threat == clear"}, {"threat", "device.threat != clear"}, {"threat", "!(device.threat == clear)"},
		{"threat", "!(device.threat >= low)"}, {"threat", "!(device.threat in [clear])"}, {"threat", "device.threat > clear ? true : true"},
		{"threat", "[device.threat] != [clear]"}, {"threat", "!has(device.threat)"},
		{"threat", "device.os == 'Windows' && device.threat != clear"},
		{"compliance", `device.compliance != "compliant"`}, {"compliance", `!(device.compliance in ["compliant", "inGracePeriod"])`},
		{"compliance", `!device.compliance.startsWith("comp")`}, {"compliance", "device.compliance.size() > 1"},
		{"owner", `device.owner != "personal"`}, {"management", `device.management != "wipePending"`},
		{"alert", "device.alerts.exists(a, a.severity >= nothing)"}, {"alert", "device.alerts.exists(a, a.severity < high)"},
		{"alert", "device.alerts.exists(a, a.open)"}, {"alert", "!device.alerts.all(a, a.open)"}, {"alert", "device.alerts.exists(a, !a.open)"},
		{"alert", "!device.alerts.exists(a, a.open)"}, {"alert", "device.alerts.filter(a, a.severity != high).size() > 0"},
		{"alert", `device.alerts.exists(a, a.status != "resolved")`}, {"alert", `device.alerts.exists(a, a.investigation != "running")`},
		{"alert", `device.alerts.exists(a, a.source != "unknown")`}, {"alert", `device.alerts.exists(a, a.verdict != "malicious")`},
		{"alert", `device.alerts.exists(a, a.remediation != "active")`}, {"alert", `device.alerts.exists(a, a.classification != "falsePositive")`},
		{"alert", "device.alerts[0].severity != high"}, {"alert", "device.alerts.exists_one(a, a.severity != high)"},
		{"malware", "device.malware.exists(m, m.active)"}, {"malware", "!device.malware.all(m, m.active)"},
		{"malware", "device.malware.exists(m, !m.active)"}, {"malware", `device.malware.exists(m, m.state != "removed")`},
		{"malware", "device.malware.map(m, m.severity) != [high]"},
		{"setting", `device.settings.exists(s, s.state != "compliant")`},
	} {
		c, err := Compile(tt[1])
		if err != nil {
			t.Errorf("%s: %v", tt[1], err)
			continue
		}
		got, err := c.Holds(devices[tt[0]])
		if got {
			t.Errorf("%s holds for a device with a strange %s", tt[1], tt[0])
		}
		if err == nil && tt[1] != "!has(device.threat)" {
			t.Errorf("%s is not unclear for a device with a strange %s", tt[1], tt[0])
		} else if err != nil && !strings.Contains(err.Error(), tomorrows) {
			t.Errorf("%s: the error does not name the value: %v", tt[1], err)
		}
	}
}

// TestStrangeBesideClear: what is settled without the strange value is settled.
func TestStrangeBesideClear(t *testing.T) {
	d := with(func(d *events.Device) { d.Threat, d.OS = "new", "macOS" })
	for text, want := range map[string]bool{
		`device.os == "Windows" && device.threat != clear`:    false,
		`device.os == "macOS" || device.threat != clear`:      true,
		`device.alerts.exists(a, a.open && a.severity > low)`: true,
	} {
		c, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		d.Alerts = []events.Alert{{Severity: "new", Status: "resolved"}, {Severity: "high", Status: "new"}}
		if got, err := c.Holds(d); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestMistakesInConditions(t *testing.T) {
	long := strings.Repeat("a", maxRegexp+1)
	for _, tt := range []struct {
		text string
		at   int
		want string // part of the first mistake
	}{
		{"", 0, "empty"},
		{" \n", 0, "empty"},
		{strings.Repeat("a", MaxCondition+1), 0, "at most 4096"},
		{`device.threat >= "medium"`, 14, "levels are written without quotes"},
		{`device.threat == 3`, 14, "level with a number"},
		{`device.malware.exists(m, m.severity == "high")`, 36, "without quotes"},
		{`device.threat.rank`, 14, "a level has no fields"},
		{`device.threat`, 0, "is a level, not a yes or no"},
		{`device.name`, 0, "is a text, not a yes or no"},
		{`device.threta > low`, 7, "a device has no field threta; did you mean threat?"},
		{`device.alerts.exists(a, a.sevrity > low)`, 26, "an alert has no field sevrity; did you mean severity?"},
		{`device.alerts.open`, 14, "a list has no fields"},
		{`devce.threat > low`, 0, "unknown name devce; did you mean device?"},
		{`device.threat > medum`, 16, "unknown name medum; did you mean medium?"},
		{`threat > low`, 0, "unknown name threat: write device.threat"},
		{`device.name.startWith("LT")`, 21, "no function startWith; did you mean startsWith?"},
		{`device.name.startsWith(1)`, 22, "startsWith does not work with a number"},
		{`device.os = "Windows"`, 10, `"=" does not belong here: write ==`},
		{`device.threat > low and true`, 20, "write &&"},
		{`device.threat > low &&`, 22, "ends too early"},
		{`(device.threat > low`, 20, "ends too early"},
		{`device.os == "Windows`, 13, "does not belong here"},
		{`device.os_version >= "10"`, 0, "letter by letter"},
		{`version(device.os_version) >= "10"`, 27, `write version("…") on both sides`},
		{`version(device.os_version) >= version("ten")`, 38, "not a version"},
		{`device.compliance == "nonCompliant"`, 21, `compliance is never "nonCompliant"; did you mean noncompliant?`},
		{`"nonCompliant" == device.compliance`, 0, "did you mean noncompliant?"},
		{`device.compliance in ["compliant", "broken"]`, 35, "there are: unknown, compliant"},
		{`device.alerts.exists(a, a.status == "open")`, 36, "status is never"},
		{`device.os == "windows"`, 13, `writes this os "Windows"`},
		{`device.tenant == "contoso"`, 17, "tenants"},
		{`device.name.matches("(")`, 20, "missing closing )"},
		{`device.name.matches(device.user)`, 20, "must be a text in quotes"},
		{`device.name.matches("` + long + `")`, 20, "at most 200"},
		{`device.name.matches("(a{1000}){1000}")`, 20, "invalid repeat"},
		{`device.alerts[0] == device.alerts[1]`, 13, "as a whole"},
		{`device.alerts == []`, 0, "as a whole"},
		{`alert{}.open`, 5, "cannot make an alert"},
		{`dyn(device.threat) == 3`, 3, "no function dyn"},
		{`timestamp("2026-01-01T00:00:00Z") > timestamp("2026-01-01T00:00:00Z")`, 9, "no function timestamp"},
		{`device.alerts.exists(a, device.alerts.exists(b, device.alerts.exists(c, a.id == b.id && b.id == c.id)))`, 68, "2 deep"},
		{`device.name in ["a", 1]`, 21, "expected a text here, found a number"},
		{"device.os == \"Windows\" &&\n  device.thraet > low", 35, "did you mean threat?"},
		{`device.alerts.exists(ü, ü.open)`, 21, "does not belong here"},
	} {
		t.Run("", func(t *testing.T) {
			_, err := Compile(tt.text)
			var ms Mistakes
			if !errors.As(err, &ms) {
				t.Fatalf("%.80s: %v", tt.text, err)
			}
			if ms[0].At != tt.at || !strings.Contains(ms[0].Text, tt.want) {
				t.Errorf("%.80s\ngot  %d %s\nwant %d %s", tt.text, ms[0].At, ms[0].Text, tt.at, tt.want)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Compile(`device.threta > low || device.alerts.exists(a, a.sevrity > 3) || devce.os == "x"`)
	var ms Mistakes
	if errors.As(err, &ms); len(ms) != 3 {
		t.Errorf("got %v", err)
	}
}

// TestCost: a condition on a device with absurdly many alerts ends, unclear.
func TestCost(t *testing.T) {
	c, err := Compile(`device.alerts.all(a, device.alerts.all(b, a.title != b.title || a.id == b.id))`)
	if err != nil {
		t.Fatal(err)
	}
	d := laptop
	for i := range 3000 {
		d.Alerts = append(d.Alerts, events.Alert{ID: fmt.Sprint(i), Title: fmt.Sprint(i)})
	}
	if got, err := c.Holds(d); got || err == nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	c, err := Compile(`device.threat >= medium && device.name.matches("^LT") && device.alerts.exists(a, a.open)`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				d, want := laptop, (i+j)%2 == 0
				if want {
					d.Threat, d.Alerts = "highSeverity", []events.Alert{{Status: "new"}}
				}
				if got, err := c.Holds(d); got != want || err != nil {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestReads(t *testing.T) {
	c, err := Compile(`"x" in device.groups || device.alerts.exists(a, a.threat == "y")`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.reads, []string{"groups", "alerts"}); diff != "" || !c.Reads("groups") || c.Reads("threat") {
		t.Error(diff)
	}
}

// FuzzCompile: no text makes the compiler panic, and mistakes are in the text.
func FuzzCompile(f *testing.F) {
	f.Add(`device.os == "Windows" && (device.threat >= medium || device.malware.exists(m, m.active))`)
	f.Add(`device.threta > "low" and [1, "a"].map(x, x)`)
	f.Add("device.alerts.exists(a, a.open) ? 1 : ü")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Compile(text)
		if ms, ok := errors.AsType[Mistakes](err); ok {
			for _, m := range ms {
				if m.At < 0 || m.At > utf8.RuneCountInString(text) || m.Text == "" {
					t.Fatalf("%q: %+v", text, m)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Holds(laptop); got && err != nil {
			t.Fatalf("%q holds with an error: %v", text, err)
		}
		if got, _ := c.Holds(laptop); got && c.never() {
			t.Fatalf("%q holds but can never", text)
		}
	})
}
