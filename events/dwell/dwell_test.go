package dwell_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
	"curfew/events/dwell"
)

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// look is the record after a look.
func look(minutes int, threat, compliance, access string) events.Case {
	k := events.Key{Tenant: "t", Device: "d"}
	return events.Case{Key: k, At: at(minutes), Device: events.Device{
		Key: k, Name: "LT-042", SeenAt: at(minutes), Threat: events.Threat(threat), Compliance: compliance, Access: access,
	}}
}

const (
	granted   = events.AccessGranted
	rescinded = events.AccessRescinded
)

func oneRound(t *testing.T, records ...events.Case) dwell.Round {
	t.Helper()
	all := dwell.Rounds(records)
	if len(all) != 1 {
		t.Fatalf("%d rounds: %+v", len(all), all)
	}
	return all[0]
}

func TestARoundIsMeasuredByItsLooks(t *testing.T) {
	r := oneRound(t,
		look(0, "secured", "compliant", granted),
		look(10, "highSeverity", "compliant", granted),
		look(15, "highSeverity", "inGracePeriod", granted),
		look(22, "highSeverity", "noncompliant", granted),
		look(30, "highSeverity", "noncompliant", rescinded),
		look(90, "secured", "noncompliant", rescinded),
		look(95, "secured", "compliant", rescinded),
		look(99, "secured", "compliant", granted),
		look(200, "secured", "compliant", granted),
	)
	want := dwell.Round{
		Key: events.Key{Tenant: "t", Device: "d"}, Name: "LT-042",
		Threat:       dwell.Moment{At: at(10), After: at(0)},
		NonCompliant: dwell.Moment{At: at(22), After: at(15)},
		Rescinded:    dwell.Moment{At: at(30), After: at(22)},
		Clear:        dwell.Moment{At: at(95), After: at(90)},
		Back:         dwell.Moment{At: at(99), After: at(95)},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	d, ok := r.Delay(dwell.Exposed)
	if want := (dwell.Delay{Took: 20 * time.Minute, Least: 12 * time.Minute, Most: 30 * time.Minute}); !ok || d != want {
		t.Errorf("exposed for %+v, want %+v", d, want)
	}
}

func TestARecordWithoutANewLookTellsNothing(t *testing.T) {
	told := look(20, "highSeverity", "noncompliant", rescinded)
	told.Device.SeenAt = at(10) // a task was done; nobody looked
	r := oneRound(t, look(10, "highSeverity", "compliant", granted), told)
	if r.NonCompliant.Seen() || r.Rescinded.Seen() {
		t.Errorf("%+v", r)
	}
}

func TestAShortPeaceIsNotTheEnd(t *testing.T) {
	r := oneRound(t,
		look(0, "highSeverity", "noncompliant", rescinded),
		look(5, "secured", "compliant", rescinded),
		look(10, "mediumSeverity", "noncompliant", rescinded),
		look(20, "secured", "compliant", rescinded),
		look(25, "secured", "compliant", granted),
	)
	if r.Clear.At != at(20) || r.Back.At != at(25) {
		t.Errorf("clear %v, back %v", r.Clear, r.Back)
	}
}

func TestSilenceAfterAThreatIsNotHealth(t *testing.T) {
	r := oneRound(t, look(0, "highSeverity", "noncompliant", rescinded), look(5, "unresponsive", "compliant", granted))
	if r.Clear.Seen() || r.Ended() {
		t.Errorf("%+v", r)
	}
}

func TestADeviceMayGoRoundTwice(t *testing.T) {
	all := dwell.Rounds([]events.Case{
		look(0, "highSeverity", "noncompliant", rescinded),
		look(5, "secured", "compliant", granted),
		look(50, "secured", "compliant", granted),
		look(60, "lowSeverity", "compliant", granted),
		look(61, "secured", "compliant", granted),
	})
	if len(all) != 2 || !all[0].Ended() || !all[1].Ended() || all[1].Rescinded.Seen() {
		t.Errorf("%+v", all)
	}
}

func TestWhatWasNotReadIsSaid(t *testing.T) {
	r := oneRound(t, look(0, "highSeverity", "noncompliant", ""), look(5, "secured", "compliant", ""))
	if !r.Unrecorded || r.Rescinded.Seen() {
		t.Errorf("%+v", r)
	}
}

func TestStrangeValuesBeginNothing(t *testing.T) {
	if all := dwell.Rounds([]events.Case{look(0, "cosmicSeverity", "compliant", granted), look(1, "", "unknown", "")}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestFiguresAreDelaysThatWereMeasured(t *testing.T) {
	var rounds []dwell.Round
	for i := 1; i <= 20; i++ {
		rounds = append(rounds, dwell.Round{Threat: dwell.Moment{At: at(0)}, Rescinded: dwell.Moment{At: at(i), After: at(i - 1)}})
	}
	rounds = append(rounds, dwell.Round{Threat: dwell.Moment{At: at(0)}}) // still exposed: no delay yet
	for _, f := range dwell.Figures(rounds) {
		switch f.Hop {
		case dwell.Exposed:
			want := dwell.Figure{Hop: f.Hop, Count: 20, P50: 10 * time.Minute, P95: 19 * time.Minute, Most: 20 * time.Minute, Within: time.Minute}
			if diff := cmp.Diff(want, f); diff != "" {
				t.Error(diff)
			}
		default:
			if f.Count != 0 {
				t.Errorf("%+v", f)
			}
		}
	}
}
