package events_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"curfew/events"
)

var update = flag.Bool("update", false, "rewrite the stories; then review the difference")

// TestStories replays testdata/*.story. A line says how much later it is and
// which fact arrives; the indented lines under it are what Step made of it:
// what it says, the tasks that go into the queue, and when it wakes.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func replay(t *testing.T, story string) string {
	t.Helper()
	s := newScene()
	var out bytes.Buffer
	for line := range strings.Lines(story) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "\t") {
			continue
		}
		fmt.Fprintln(&out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		wait, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(wait)
		if words[1] == "policy" {
			s.p = map[string]events.Policies{"two": twoPeople, "contained": contained, "answered": answeredFor, "reached": reached()}[words[2]]
			continue
		}
		if words[1] == "tenant" {
			s.c.Key = events.TenantKey("contoso")
			continue
		}
		s.play(t, &out, words[1:])
	}
	return out.String()
}

// A scene is one story under way.
type scene struct {
	now time.Time
	p   events.Policies
	c   events.Case
	d   events.Device
}

func newScene() *scene {
	key := events.Key{Tenant: "contoso", Device: "d1"}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return &scene{
		p:   policies,
		now: now,
		c:   events.Case{Key: key},
		d:   events.Device{Key: key, Threat: "secured", Compliance: "compliant", LastSync: now.Add(-time.Hour)},
	}
}

func (s *scene) play(t *testing.T, out *bytes.Buffer, words []string) {
	t.Helper()
	before := s.c
	var tasks []events.Task
	fact := s.fact(t, words)
	s.c, tasks = events.Step(s.c, fact, s.p, s.now)
	if !cmp.Equal(before, s.c) {
		for _, line := range s.c.Trace {
			fmt.Fprintf(out, "\t%s\n", line)
		}
	}
	for _, task := range tasks {
		again := ""
		if task.Sent > 1 {
			again = " again"
		}
		fmt.Fprintf(out, "\t-> %d %s%s\n", task.N, order(task), again)
	}
	switch {
	case !s.c.WakeAt.IsZero():
		fmt.Fprintf(out, "\t%s, wakes in %v\n", s.c.State(), s.c.WakeAt.Sub(s.now))
	default:
		fmt.Fprintf(out, "\t%s\n", s.c.State())
	}
	// A case survives the journal.
	b, err := json.Marshal(s.c)
	if err != nil {
		t.Fatal(err)
	}
	var back events.Case
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.c, back); diff != "" {
		t.Error("the case is another one after a round trip through JSON:", diff)
	}
}

func order(t events.Task) string {
	return strings.Join(strings.Fields(fmt.Sprint(t.Action, " ", t.Kind, " ", t.Via, " ", t.Scope, " ", t.Destination, " ", t.Template, " ", t.Ref)), " ")
}

// fact reads one. A task is named by its number.
func (s *scene) fact(t *testing.T, w []string) events.Fact {
	t.Helper()
	arg := func(i int) string {
		if i < len(w) {
			return w[i]
		}
		return ""
	}
	rest := func(i int) string { return strings.Join(w[min(i, len(w)):], " ") }
	in := func(i int) time.Time {
		d, err := time.ParseDuration(arg(i))
		if err != nil {
			t.Fatal(w, err)
		}
		return s.now.Add(d)
	}
	switch w[0] {
	case "noticed":
		return events.Noticed{Source: "story"}
	case "alerted":
		return events.Alerted{Alert: alert(w[1], s.now)}
	case "seen":
		return events.Seen{Device: s.look(t, w[1:]), Task: s.looking()}
	case "looked":
		return events.Seen{Device: s.look(t, w[2:]), Task: s.task(arg(1))}
	case "begun":
		return events.Begun{Task: s.task(arg(1)), Attempt: arg(2)}
	case "accepted":
		return events.Accepted{Task: s.task(arg(1)), Again: in(2)}
	case "done":
		return events.Done{Task: s.task(arg(1)), Receipt: rest(2)}
	case "told": // together with others
		return events.Done{Task: s.task(arg(1)), Receipt: "receipt of the digest", Digest: arg(2)}
	case "others":
		return events.Done{Task: s.task(arg(1)), Receipt: rest(2), Others: true}
	case "microsoft":
		return events.Held{Task: s.task(arg(1)), Until: in(2), Gate: events.GateMicrosoft, Reason: "an administrator has to approve", Request: arg(3)}
	case "declined":
		return events.Declined{Task: s.task(arg(1)), By: "an administrator", Reason: rest(2)}
	case "answered": // what, where, who, did
		return events.Answered{Action: events.Action(arg(1)), Destination: arg(2), By: arg(3), Did: events.Answer(arg(4)), At: s.now}
	case "lifted":
		return events.Lifted{By: "ana", Reason: rest(1)}
	case "linked":
		return events.Approved{Task: s.task(arg(1)), By: arg(2), Link: arg(3), Seal: rest(4)}
	case "dry":
		return events.Done{Task: s.task(arg(1)), Receipt: rest(2), Dry: true}
	case "delayed":
		return events.Delayed{Task: s.task(arg(1)), Until: in(2), Reason: rest(3)}
	case "unsure":
		return events.Delayed{Task: s.task(arg(1)), Until: in(2), Reason: rest(3), Unsure: true}
	case "failed":
		return events.Failed{Task: s.task(arg(1)), Reason: rest(2)}
	case "rang":
		return events.Rang{}
	case "acknowledged":
		return events.Acknowledged{By: "ana", Until: in(1)}
	case "snoozed":
		return events.Snoozed{By: "ana", Until: in(1), Reason: rest(2)}
	case "held":
		return events.Held{Task: s.task(arg(1)), Until: in(2), Gate: arg(3), Reason: rest(4)}
	case "tripped":
		return events.Tripped{Gate: arg(1), Reason: rest(2)}
	case "approved":
		return events.Approved{Task: s.task(arg(1)), By: arg(2)}
	case "denied":
		return events.Denied{Task: s.task(arg(1)), By: arg(2), Reason: rest(3)}
	case "released":
		return events.Released{Task: s.task(arg(1)), By: arg(2)}
	case "cancelled":
		return events.Cancelled{Task: s.task(arg(1)), By: arg(2), Reason: rest(3)}
	case "closed":
		return events.Closed{By: "ana", Reason: rest(1)}
	case "retried":
		return events.Retried{Task: s.task(arg(1)), By: "ana"}
	case "rewound": // how long ago the backup was made
		return events.Rewound{Since: in(1)}
	case "noted":
		return events.Noted{By: "ana", Text: rest(1)}
	}
	t.Fatalf("unknown fact %q", w[0])
	return nil
}

// task is the id of the task with that number, pending or not.
func (s *scene) task(n string) string {
	for _, task := range append(s.c.Pending, s.c.Given...) {
		if strconv.Itoa(task.N) == n {
			return task.ID
		}
	}
	return s.c.Key.String() + "/" + n + "-gone"
}

func (s *scene) looking() string {
	for _, task := range s.c.Pending {
		if task.Action == events.Look {
			return task.ID
		}
	}
	return ""
}

// look is the device as it was, but for what the words say.
func (s *scene) look(t *testing.T, words []string) events.Device {
	t.Helper()
	s.d.SeenAt, s.d.Missing = s.now, nil
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		switch k {
		case "threat":
			s.d.Threat = events.Threat(v)
		case "compliance":
			s.d.Compliance = v
		case "user":
			s.d.User, s.d.UserID, s.d.UserMail = v, "", ""
			if v != "" {
				s.d.UserID, s.d.UserMail = "id-of-"+v, v
			}
		case "enrolled":
			s.d.IntuneID = v
		case "bitlocker":
			s.d.Settings = nil
			if v == "off" {
				s.d.Settings = []events.Setting{{Policy: "Windows", Name: "BitLocker", State: "nonCompliant"}}
			}
		case "malware":
			name, state, _ := strings.Cut(v, ":")
			s.d.Malware = []events.Malware{{Name: name, State: state}}
		case "alert":
			s.d.Alerts = []events.Alert{alert(v, s.now)}
		case "sync":
			s.d.LastSync = s.now
		case "missing":
			s.d.Missing = []string{v}
		case "ago":
			d, err := time.ParseDuration(v)
			if err != nil {
				t.Fatal(err)
			}
			s.d.SeenAt = s.now.Add(-d)
		default:
			t.Fatalf("unknown property %q", k)
		}
	}
	return s.d
}

// alert reads "id:severity:status:investigation".
func alert(s string, now time.Time) events.Alert {
	f := append(strings.Split(s, ":"), "", "", "")
	return events.Alert{ID: f[0], Title: "Suspicious " + f[0], Severity: f[1], Status: f[2], Investigation: f[3], Updated: now}
}
