// Package cluster puts workers on a cluster of three NATS servers, all processes of
// their own, loads them, and lets parts of it die: a server, a worker, both, the
// connections between the servers, and everything in turn while it is restarted.
//
// What it proves, or says was not so:
//
//   - Every partition is served, and those of what died are served again in time.
//   - What was acknowledged is not lost, and what is done outside is done once.
//   - The facts of a device are taken in the order in which they were appended.
//
// And it measures how much more some workers do than one, beside what the bare
// cluster stores.
//
// What may not be assumed: that three servers and three workers on one machine are
// as fast as on six. They share its cores and its disk.
package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say how a cluster is tried.
type Options struct {
	Command []string // how a part of it is run: with this, and what it is on its standard input; see [Part]
	Env     []string // in addition to this process's
	Dir     string   // where everything lies, on the disk in question

	Rounds  int           // how often everything dies
	Brief   bool          // only what is worst: a server and a worker die at once, and are restarted at once
	Rate    int           // devices a second that fall ill meanwhile
	Measure time.Duration // how long each rate is measured; 0: none is
	Lease   time.Duration // see [journal.Options]; 0: as `curfew run` has it

	Told io.Writer // what is going on; nil: nobody wants to know
}

// A part is what one process is. One of them is set.
type part struct {
	Node   *node   `json:"node,omitempty"`
	Worker *worker `json:"worker,omitempty"`
}

// Part is the whole life of a process that is a part: it reads from r what it is, and
// lives until ctx ends or there is no more to read, for then its parent is gone.
func Part(ctx context.Context, r io.Reader) error {
	d := json.NewDecoder(r)
	var p part
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("cluster: what this process is to be: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r) // until its end
		cancel()
	}()
	defer cancel()
	switch {
	case p.Node != nil:
		return p.Node.run(ctx)
	case p.Worker != nil:
		return p.Worker.run(ctx)
	}
	return errors.New("cluster: this process is to be nothing")
}

// A process runs a part, and can be killed and started again.
type process struct {
	o    Options
	name string
	part part

	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{}
}

func (p *process) start() error {
	spec, err := json.Marshal(p.part)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(p.o.Dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), p.o.Command[0], p.o.Command[1:]...) // it ends by end, or with this process
	cmd.Env = append(os.Environ(), p.o.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.stdin, p.exited = cmd, in, make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, or says in its log why it ended
		close(p.exited)
	}()
	_, err = in.Write(append(bytes.TrimSpace(spec), '\n'))
	return err
}

// end ends it by a signal: as a power cut does, or in order.
func (p *process) end(how syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(how) // it may have ended already
	select {
	case <-p.exited:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	p.cmd = nil
}

// A cluster is three servers with cuttable lines between them, and workers.
type cluster struct {
	o       Options
	nodes   []*process
	workers []*process
	lines   [][]*line // from each server to each other
	out     *outside
	urls    string
}

const servers = 3

func build(ctx context.Context, o Options) (c *cluster, err error) {
	c = &cluster{o: o}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.out, err = newOutside(ctx); err != nil {
		return nil, err
	}
	var clients, routes []string
	for range servers {
		client, err := free(ctx)
		if err != nil {
			return nil, err
		}
		route, err := free(ctx)
		if err != nil {
			return nil, err
		}
		clients, routes = append(clients, client), append(routes, route)
	}
	c.urls = "nats://" + strings.Join(clients, ",nats://")
	for i := range servers {
		n := &node{Name: fmt.Sprint("n", i+1), Client: clients[i], Cluster: routes[i], Dir: filepath.Join(o.Dir, fmt.Sprint("node", i+1))}
		c.lines = append(c.lines, make([]*line, servers))
		for j := range servers {
			if i == j {
				continue
			}
			if c.lines[i][j], err = newLine(ctx, routes[j]); err != nil {
				return nil, err
			}
			n.Routes = append(n.Routes, "nats://"+c.lines[i][j].address())
		}
		c.nodes = append(c.nodes, &process{o: o, name: n.Name, part: part{Node: n}})
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// addWorker starts one more.
func (c *cluster) addWorker() error {
	w := &process{o: c.o, name: fmt.Sprint("w", len(c.workers)+1), part: part{Worker: &worker{URLs: c.urls, Outside: c.out.url(), Lease: c.o.Lease}}}
	c.workers = append(c.workers, w)
	return w.start()
}

// isolate cuts a server off from the others, or lets it back.
func (c *cluster) isolate(i int, cut bool) {
	for j := range servers {
		if j != i {
			c.lines[i][j].cut(cut)
			c.lines[j][i].cut(cut)
		}
	}
}

func (c *cluster) close() {
	var g errgroup.Group
	for _, p := range append(append([]*process{}, c.workers...), c.nodes...) {
		g.Go(func() error { p.end(syscall.SIGKILL); return nil })
	}
	_ = g.Wait() // there are no errors
	for _, row := range c.lines {
		for _, l := range row {
			if l != nil {
				l.close()
			}
		}
	}
	if c.out != nil {
		c.out.close()
	}
}

// free finds an address nobody listens at.
func free(ctx context.Context) (string, error) {
	l, err := listen(ctx)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// listen opens any free port of this machine.
func listen(ctx context.Context) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
}
