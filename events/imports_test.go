package events_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	pure       = "the language, the case machine and the rules are pure: nothing in them can block, read a clock or fail halfway"
	queue      = "the queue knows facts, cases and tasks; it never sees Graph, a vendor or a handler"
	gates      = "a gate decides about values and reaches what is kept through an interface of its own: it sees neither the queue, nor Graph, nor a handler"
	microsoft  = "all that is said to Microsoft is said in graph, which never sees the queue"
	handler    = "a handler is given a case and a task and returns a fact: it sees neither the queue, nor Graph's SDK, nor another handler, and declares what it needs of them as an interface"
	pretender  = "what stands in for a cloud is a server on its own, for tests and `curfew try`"
	outside    = "`curfew try` plays Microsoft and the vendors and watches a worker from outside, as an operator would"
	measured   = "`curfew bench` measures the real parts, each beside the bare one that it is made of"
	everything = "main ties everything together and keeps the SDKs of others out of sight"
)

// arrows is the drawing of the house: each package, what its code may import
// beyond the standard library, and why no more. Short names of other modules are
// in modules. A package that is not here, or is here no longer, fails the test.
var arrows = []struct{ pkg, may, why string }{
	{"events", "", pure},
	{"events/rules", "events cel", pure},
	{"events/evidence", "events", pure},
	{"events/dwell", "events", pure},
	{"events/gate", "events rrule", gates},
	{"events/gate/actuator", "events", gates},
	{"events/gate/link", "events x", gates},
	{"events/broker", "nats nats-server x", queue},
	{"events/journal", "events events/evidence nats otel x", queue},
	{"events/backup", "events events/journal nats nats-archive compress", "what is copied is whole streams: whoever copies a journal knows the queue and its form of snapshots, but no server"},

	{"graph", "events msgraph azure otel x", microsoft},
	{"graph/baseline/rollout", "graph/baseline graph/baseline/readiness", "a step of a rollout is made of what is planned and what was judged, and of nothing else"},
	{"graph/baseline/verify", "graph/baseline graph/baseline/readiness", "what a device goes through is watched through an interface of the baseline's"},
	{"graph/baseline/drift", "graph/baseline", "what differs is a function of a plan"},
	{"graph/baseline/doctor", "graph/baseline graph/baseline/readiness", "what people get stuck on is found in what was read, through an interface of its own"},
	{"graph/baseline/readiness", "x", "whether a tenant is ready is judged by a function of values, and read through an interface of its own"},
	{"graph/baseline", "", "a baseline is planned by functions of values, and reaches a tenant through an interface of its own: it sees neither Graph's SDK nor the queue"},
	{"graph/graphtest", "", pretender},

	{"handlers", "events x", handler},
	{"handlers/investigate", "events handlers", handler},
	{"handlers/isolate", "events handlers", handler},
	{"handlers/look", "events handlers", handler},
	{"handlers/mail", "events handlers", handler},
	{"handlers/neighbours", "events handlers", handler},
	{"handlers/notify", "events handlers", handler},
	{"handlers/page", "events handlers", handler},
	{"handlers/page/rota", "", pure},
	{"handlers/page/oncall", "handlers handlers/page handlers/page/rota handlers/page/webhook", handler},
	{"handlers/page/hook", "events handlers handlers/sign x", "a door hears what people do and appends a fact, through an interface of its own: it sees neither the queue nor Graph"},
	{"handlers/page/pagerduty", "events handlers handlers/page handlers/page/hook pagerduty", handler},
	{"handlers/page/opsgenie", "events handlers handlers/page handlers/page/hook", handler},
	{"handlers/page/opsgenie/opsgenietest", "", pretender},
	{"handlers/page/goalert", "events handlers handlers/page handlers/page/hook", handler},
	{"handlers/page/goalert/goalerttest", "", pretender},
	{"handlers/page/grafana", "events handlers handlers/page handlers/page/hook", handler},
	{"handlers/page/grafana/grafanatest", "", pretender},
	{"handlers/page/chat", "handlers handlers/page", handler},
	{"handlers/page/chat/chattest", "handlers/page/pagertest", "who reads a channel sees alerts, as the suite of pagers does"},
	{"handlers/page/shoutrrr", "handlers handlers/page handlers/page/chat shoutrrr", handler},
	{"handlers/page/slack", "handlers handlers/page handlers/page/chat", handler},
	{"handlers/page/slack/slacktest", "", pretender},
	{"handlers/page/teams", "handlers handlers/page handlers/page/chat", handler},
	{"handlers/page/teams/teamstest", "", pretender},
	{"handlers/page/webhook", "handlers handlers/page handlers/sign", handler},
	{"handlers/page/webhook/webhooktest", "handlers/page/webhook handlers/sign", pretender},
	{"handlers/page/pagertest", "events handlers handlers/page handlers/handlerstest handlers/handlerstest/fake", "the suite of pagers asks the same of every vendor, so it knows none"},
	{"handlers/remote", "events handlers", handler},
	{"handlers/reset", "events handlers", handler},
	{"handlers/restore", "events handlers", handler},
	{"handlers/scan", "events handlers", handler},
	{"handlers/sync", "events handlers", handler},
	{"handlers/sign", "", handler},
	{"handlers/ticket", "events handlers handlers/sign", handler},
	{"handlers/handlerstest", "events handlers handlers/handlerstest/fake cmp", "the conformance suite asks the same of every handler, so it knows none"},
	{"handlers/handlerstest/fake", "", pretender},
	{"handlers/page/pagetest", "handlers/handlerstest/fake", pretender},
	{"handlers/ticket/tickettest", "handlers/ticket handlers/handlerstest/fake", pretender},
	{"handlers/ticket/autotask", "handlers handlers/ticket", handler},
	{"handlers/ticket/autotask/autotasktest", "", pretender},
	{"handlers/ticket/connectwise", "handlers handlers/ticket", handler},
	{"handlers/ticket/connectwise/connectwisetest", "", pretender},
	{"handlers/ticket/halopsa", "handlers handlers/ticket", handler},
	{"handlers/ticket/halopsa/halopsatest", "", pretender},
	{"handlers/ticket/servicenow", "handlers handlers/ticket", handler},
	{"handlers/ticket/servicenow/servicenowtest", "", pretender},
	{"handlers/ticket/jira", "handlers handlers/ticket", handler},
	{"handlers/ticket/jira/jiratest", "", pretender},
	{"handlers/ticket/zendesk", "handlers handlers/ticket", handler},
	{"handlers/ticket/zendesk/zendesktest", "", pretender},
	{"handlers/ticket/freshservice", "handlers handlers/ticket", handler},
	{"handlers/ticket/freshservice/freshservicetest", "", pretender},
	{"handlers/ticket/maildesk", "handlers handlers/ticket", handler},
	{"handlers/ticket/maildesk/maildesktest", "", pretender},
	{"handlers/ticket/desktest", "events handlers handlers/ticket handlers/handlerstest handlers/handlerstest/fake", "the suite of desks asks the same of every vendor, so it knows none"},

	{"cmd/curfew/vault", "azure", "all that is said to Key Vault is said in vault, which sees nothing but addresses and secrets"},
	{"cmd/curfew/metrics", "prometheus", "metrics are numbers that were handed over: whoever scrapes them waits for nobody"},
	{"cmd/curfew/try", "events events/broker events/journal graph/graphtest handlers/handlerstest/fake handlers/*/*test handlers/ticket/jira/jiratest nats x", outside},
	{"cmd/curfew/cluster", "events events/broker events/journal nats nats-server x", "a cluster is tried with its real parts, each a process of its own, and Microsoft has no part in it"},
	{"cmd/curfew/bench", "cmd/curfew/try events events/broker events/journal graph graph/graphtest nats x", measured},
	{"cmd/curfew", "cmd/curfew/bench cmd/curfew/cluster cmd/curfew/metrics cmd/curfew/try cmd/curfew/vault events events/* events/gate/* graph graph/* graph/baseline/* handlers handlers/* handlers/*/* nats x cobra jsonschema otel otel-sdk tint yaml", everything},
}

// inTests is what the tests of a package may import besides what its code may,
// itself, any …test package and the testing modules.
var inTests = map[string]string{
	"handlers/page/oncall": "events",
	"events/backup":        "events/broker events/evidence nats-server",
	"events/broker":        "nats-server",
	"events/gate":          "events/broker events/journal events/rules nats-server",
	"events/journal":       "events/broker events/rules nats-server",
	"graph":                "azure",
	"graph/baseline":       "graph",

	"graph/baseline/readiness": "graph",
	"graph/baseline/rollout":   "graph",
	"graph/baseline/doctor":    "graph",
	"graph/baseline/verify":    "graph",
	"graph/graphtest":          "azure",
	"cmd/curfew":               "nats-server otlp",

	"handlers/handlerstest/fake":   "handlers",
	"handlers/ticket/autotask":     "events",
	"handlers/ticket/connectwise":  "events",
	"handlers/ticket/halopsa":      "events",
	"handlers/ticket/jira":         "events",
	"handlers/ticket/servicenow":   "events",
	"handlers/ticket/zendesk":      "events",
	"handlers/ticket/freshservice": "events",
	"handlers/ticket/maildesk":     "events",
	"handlers/page/shoutrrr":       "events",
	"handlers/page/slack":          "events",
	"handlers/page/teams":          "events",
}

// modules are the other people's modules that we use, by their names in arrows.
// The test of the arrows is where a new one is let in, and to whom.
var modules = map[string]string{
	"github.com/nats-io/nats.go":            "nats",
	"github.com/nats-io/nkeys":              "nats",
	"github.com/nats-io/nuid":               "nats",
	"github.com/nats-io/nats-server":        "nats-server",
	"github.com/microsoftgraph":             "msgraph",
	"github.com/microsoft":                  "msgraph", // kiota, which the SDK is made of
	"github.com/Azure":                      "azure",
	"github.com/PagerDuty":                  "pagerduty",
	"github.com/google/cel-go":              "cel",
	"github.com/nicholas-fedor/shoutrrr":    "shoutrrr",
	"github.com/teambition/rrule-go":        "rrule",
	"github.com/goccy/go-yaml":              "yaml",
	"github.com/santhosh-tekuri/jsonschema": "jsonschema",
	"github.com/lmittmann/tint":             "tint",
	"github.com/prometheus/client_golang":   "prometheus",
	"go.opentelemetry.io/otel":              "otel", // its API; the SDK and the exporter are modules of their own
	"go.opentelemetry.io/otel/trace":        "otel",
	"go.opentelemetry.io/otel/sdk":          "otel-sdk",
	"go.opentelemetry.io/otel/exporters":    "otel-sdk",
	"go.opentelemetry.io/proto/otlp":        "otlp",
	"google.golang.org/protobuf":            "otlp",
	"github.com/spf13":                      "cobra",
	"golang.org/x":                          "x",
	"github.com/google/go-cmp":              "cmp",
	"pgregory.net/rapid":                    "rapid",
	"go.uber.org/goleak":                    "goleak",

	"github.com/nats-io/nats-server/v2/server/archive": "nats-archive", // the form of snapshots, without the server
	"github.com/klauspost/compress":                    "compress",
}

// TestArrows keeps the imports pointing the way that the README draws them.
func TestArrows(t *testing.T) {
	folders := house(t)
	for _, a := range arrows {
		if folders[a.pkg] == nil {
			t.Errorf("the table of arrows has %s, which is no package (any more): remove its line", a.pkg)
		}
	}
	for name, files := range folders {
		row := -1
		for i, a := range arrows {
			if a.pkg == name {
				row = i
			}
		}
		if row < 0 {
			t.Errorf("package %s is not in the table of arrows: say there what it may import, and why no more", name)
			continue
		}
		for _, f := range files {
			may := strings.Fields(arrows[row].may)
			if f.test {
				may = append(may, strings.Fields(inTests[name])...)
				may = append(may, name, "cmp", "rapid", "goleak", "*test", "*/*test", "*/*/*test", "*/*/*/*test", "*/*test/*")
			}
			for _, spec := range f.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				short, known := shortName(imported)
				if short == "" && (f.test || arrows[row].why != pure || !impure(imported)) {
					continue
				}
				if !known {
					t.Errorf("%s imports %s, of a module that nobody was allowed to import yet: if we need it, add it to modules and to this package's line", f.path, imported)
				} else if short == "" || !matches(may, short) {
					t.Errorf("%s imports %s. The rule: %s", f.path, imported, arrows[row].why)
				}
			}
		}
	}
}

// TestPureToTheBottom follows the imports of the pure packages through the
// libraries they use.
func TestPureToTheBottom(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "curfew/events", "curfew/events/rules").Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		switch dep {
		case "net", "net/http", "os/exec", "database/sql", "crypto/tls":
			t.Errorf("events or events/rules depends on %s. The rule: %s. `go list -deps` shows by which way", dep, pure)
		}
	}
}

// shortName returns the name in arrows of what is imported, empty for the
// standard library, and whether it is known.
func shortName(imported string) (short string, known bool) {
	if rest, ours := strings.CutPrefix(imported, "curfew/"); ours {
		return rest, true
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "", true
	}
	for prefix := imported; prefix != "."; prefix = path.Dir(prefix) {
		if name, ok := modules[prefix]; ok {
			return name, true
		}
	}
	return imported, false
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}

// impure reports whether a package of the standard library can block, or makes a
// result depend on more than the arguments.
func impure(std string) bool {
	first, _, _ := strings.Cut(std, "/")
	switch first {
	case "context", "database", "log", "net", "os", "plugin", "runtime", "sync", "syscall", "testing":
		return true
	}
	return std == "math/rand" || std == "math/rand/v2" || std == "crypto/rand"
}

// A source is one Go file of the house.
type source struct {
	*ast.File
	path  string // from the top, with slashes
	test  bool
	lines int
}

// house parses every Go file below the top, for whatever system it is, and
// returns them by package folder.
func house(t *testing.T) map[string][]source {
	t.Helper()
	top, folders, set := "..", map[string][]source{}, token.NewFileSet()
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		base := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != top && (base == "testdata" || strings.HasPrefix(base, ".")):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(base) != ".go":
			return nil
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		short = filepath.ToSlash(short)
		folder := path.Dir(short)
		folders[folder] = append(folders[folder], source{f, short, strings.HasSuffix(base, "_test.go"), set.File(f.FileStart).LineCount()})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 5 {
		t.Fatalf("only %d packages found: the test looks in the wrong place", len(folders))
	}
	return folders
}
