package cluster

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// An outside is what workers act upon. Like an honest vendor it remembers what was
// done by the id of the task, and who is not sure may ask it.
type outside struct {
	s *http.Server
	l net.Listener

	mu    sync.Mutex
	delay time.Duration
	calls map[string]int             // by task
	done  map[string]map[string]bool // by device, the actions
	times map[string]time.Time       // when the last action of a device was done
}

func newOutside(ctx context.Context) (*outside, error) {
	l, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	o := &outside{l: l, calls: map[string]int{}, done: map[string]map[string]bool{}, times: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /do", o.do)
	mux.HandleFunc("GET /done", o.ask)
	o.s = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = o.s.Serve(l) }() // until close
	return o, nil
}

func (o *outside) url() string { return "http://" + o.l.Addr().String() }
func (o *outside) close()      { _ = o.s.Close() } // the workers are gone

func (o *outside) do(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.mu.Lock()
	delay := o.delay
	o.mu.Unlock()
	time.Sleep(delay)
	o.mu.Lock()
	defer o.mu.Unlock()
	device := q.Get("device")
	o.calls[q.Get("task")]++
	if o.done[device] == nil {
		o.done[device] = map[string]bool{}
	}
	o.done[device][q.Get("action")] = true
	o.times[device] = time.Now()
	w.WriteHeader(http.StatusNoContent)
}

func (o *outside) ask(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = json.NewEncoder(w).Encode(o.calls[r.URL.Query().Get("task")]) // whoever does not hear it asks again
}

// slow makes everything take so long.
func (o *outside) slow(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.delay = d
}

// served is when everything was done that a device must have, or zero.
func (o *outside) served(device string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.done[device]) < effects {
		return time.Time{}
	}
	return o.times[device]
}

// doubled are the tasks that were done more than once, and the number of all calls.
func (o *outside) doubled() (tasks []string, calls int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, n := range o.calls {
		if calls += n; n > 1 {
			tasks = append(tasks, id)
		}
	}
	return tasks, calls
}
