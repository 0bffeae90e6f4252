package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A node is one of the servers.
type node struct {
	Name    string   `json:"name"`
	Client  string   `json:"client"`  // host and port for clients
	Cluster string   `json:"cluster"` // and for the others
	Routes  []string `json:"routes"`  // to the others, by lines that can be cut
	Dir     string   `json:"dir"`
}

func (n *node) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: n.Name, JetStream: true, StoreDir: n.Dir, SyncAlways: true,
		JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 1 << 26, NoSigs: true, NoLog: true,
		LameDuckDuration: time.Second, LameDuckGracePeriod: 100 * time.Millisecond,
	}
	var errs [2]error
	o.Host, o.Port, errs[0] = split(n.Client)
	o.Cluster.Name = "curfew"
	o.Cluster.Host, o.Cluster.Port, errs[1] = split(n.Cluster)
	// What the others would tell each other of this one is a way around the lines.
	o.Cluster.Advertise = "127.0.0.1:1"
	o.Routes = server.RoutesFromStr(strings.Join(n.Routes, ","))
	return o, errors.Join(errs[:]...)
}

func split(address string) (string, int, error) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(p)
	return host, port, err
}

// run serves until ctx ends, and then leaves in order.
func (n *node) run(ctx context.Context) error {
	o, err := n.options()
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	s, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
