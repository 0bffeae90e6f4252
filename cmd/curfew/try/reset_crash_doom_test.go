package try

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"

	"curfew/graph/graphtest"
)

// A doom is the end of one life of a worker: a kill -9 at one boundary of a reset,
// before a write or call reaches the other side, or after it was carried out and
// before that is heard of. From then on nothing passes to or from the worker, so
// that the world holds what it held at that very moment.
type doom struct {
	kill func()        // returns when the process is gone
	dead chan struct{} // closed then

	mu     sync.Mutex
	ended  bool
	given  map[string]delivery // what the worker has not acknowledged, by reply subject
	await  string              // the reply that says that the fatal write was carried out
	at     string              // the boundary; empty: none
	laptop graphtest.Device    // whose reset it is about
	begun  bool                // the reset was asked for: boundaries count
	told   bool                // what came of it is in the case
	over   bool                // and everything about it is acknowledged: they count no more
	passed []string            // every boundary, in the order of this life
	count  map[string]int
}

func newDoom(kill func()) *doom {
	return &doom{kill: kill, dead: make(chan struct{}), given: map[string]delivery{}, count: map[string]int{}}
}

// arm makes the worker die at a boundary of a laptop's reset.
func (d *doom) arm(at string, laptop graphtest.Device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.laptop = at, laptop
	d.begun, d.told, d.over, d.passed, d.count = false, false, false, nil, map[string]int{}
}

// end ends the life; d.mu is held.
func (d *doom) end() {
	if !d.ended {
		d.ended = true
		go func() {
			d.kill()
			close(d.dead)
		}()
	}
}

// abandon ends a life that is of no use any more.
func (d *doom) abandon() {
	d.mu.Lock()
	d.end()
	d.mu.Unlock()
	<-d.dead
}

// held are the reply subjects of what the worker was given and never settled.
func (d *doom) held() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.given))
}

// boundaries are those that the worker passed.
func (d *doom) boundaries() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.passed)
}

// The two sides of a boundary.
const (
	before = "before "
	after  = "after "
)

// pass notes that the worker is about to write or call something, and names it:
// the same thing again is another boundary.
func (d *doom) pass(what string) (name string) {
	d.count[what]++
	if n := d.count[what]; n > 1 {
		what = fmt.Sprintf("%s #%d", what, n)
	}
	d.passed = append(d.passed, what)
	return what
}

// counts reports whether boundaries count now.
func (d *doom) counts() bool { return d.begun && !d.over }

// says lets a frame of the worker through to the server, or not. A worker that is
// to die finds that nothing goes on.
func (d *doom) says(f *frame) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.await != "" {
		return false
	}
	what := f.write(d.laptop.EntraID, d.given)
	d.follow(what)
	if what != "" && d.counts() {
		name := d.pass(what)
		switch d.at {
		case before + name:
			d.end()
			return false
		case after + name:
			if d.await = f.reply; d.await == "" { // the server says nothing to it, but answers in order
				f.raw, d.await = append(f.raw, "PING\r\n"...), "PONG"
			}
		}
	}
	if string(f.body) != "+WPI" {
		delete(d.given, f.subject)
	}
	d.over = d.over || d.told && !d.inHand()
	return true
}

// hears lets a frame of the server through to the worker, or not. What the server
// gives it counts as given even so: the server knows nothing of its death.
func (d *doom) hears(f *frame) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.HasPrefix(f.reply, "$JS.ACK.") && f.kind() != "" {
		d.given[f.reply] = delivery{f.kind(), f.subject}
	}
	if d.await != "" && (f.subject == d.await || f.verb == d.await) {
		d.end()
	}
	return !d.ended
}

// follow notes how far the reset is by what the worker writes. Its boundaries
// begin where the case asks for it, and end where all who had to do with it have
// said that they are done.
func (d *doom) follow(what string) {
	switch what {
	case "case: reset asked for":
		d.begun = true
	case "case: reset done", "case: reset given up":
		d.told = true
	}
}

// inHand reports whether the reset, or what came of it, is not acknowledged yet.
func (d *doom) inHand() bool {
	for _, g := range d.given {
		if strings.Contains(g.subject, d.laptop.EntraID) && slices.Contains([]string{"task reset", "fact done", "fact failed"}, g.what) {
			return true
		}
	}
	return false
}

// A front stands before the simulated cloud.
type front struct {
	cloud http.Handler
	doom  func() *doom
	sees  func() // a request is about to be carried out
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// ServeHTTP carries a request out, unless its worker dies before, and answers it,
// unless it dies then.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := f.doom()
	name, ok := d.calls(r)
	var answer *httptest.ResponseRecorder
	if ok {
		answer = f.carryOut(r)
		ok = d.answers(name)
	}
	if !ok {
		<-d.dead
	}
	if !ok || answer == nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the worker may be gone
}

// carryOut returns what the cloud answers; nil: it breaks the connection.
func (f *front) carryOut(r *http.Request) (answer *httptest.ResponseRecorder) {
	defer func() {
		if why := recover(); why == http.ErrAbortHandler {
			answer = nil
		} else if why != nil {
			panic(why)
		}
	}()
	f.sees()
	answer = httptest.NewRecorder()
	f.cloud.ServeHTTP(answer, r)
	return answer
}

// calls names a request, and says whether it is to be carried out.
func (d *doom) calls(r *http.Request) (name string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.await != "" {
		return "", false
	}
	if !d.counts() || d.told {
		return "", true
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v1.0/"), "/beta/")
	name = d.pass("call " + r.Method + " " + anyID.ReplaceAllString(path, "*"))
	if d.at == before+name {
		d.end()
		return name, false
	}
	return name, true
}

// answers says whether a request that was carried out is to be answered.
func (d *doom) answers(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name != "" && d.at == after+name {
		d.end()
	}
	return !d.ended && d.await == ""
}
