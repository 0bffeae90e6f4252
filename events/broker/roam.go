package broker

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
)

// How a server of a cluster is looked after.
const (
	roamEvery = 2 * time.Second // and so long for one answer
	roamAfter = 2               // answers missed of one that has answered before
	roamTired = 5               // of one that has not: perhaps none does, and perhaps it is cut off
	// roamSilence is how long another server has not been heard of that is lost: they
	// tell each other every second that they are there (nats-server 2.15, hbInterval).
	roamSilence = 4 * time.Second
)

// roamAsk is a question that every journal asks anyway, so that whoever may use one
// may ask it; that there is no such stream is an answer too.
const roamAsk = "$JS.API.STREAM.INFO.KV_STATE"

// roam leaves a server that has lost the others for one that has not, until the
// connection is closed. A server that is cut off keeps its clients, and can do nothing
// for them.
func roam(ctx context.Context, nc *nats.Conn, gone <-chan struct{}, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for at, missed, well := "", 0, false; ; {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		if is := nc.ConnectedServerId(); is != at {
			at, missed, well = is, 0, false
		}
		if !nc.IsConnected() || len(nc.Servers()) < 2 {
			continue
		}
		if answers(ctx, nc, every) {
			missed, well = 0, true
			continue
		}
		if missed++; missed < roamAfter || !well && missed < roamTired {
			continue
		}
		at = "" // it may be the only one that can be reached
		log.Warn("this NATS server does not answer for the cluster any more, trying another", "server", nc.ConnectedServerName())
		if err := nc.ForceReconnect(); err != nil {
			log.Warn("leaving a NATS server", "err", err)
		}
	}
}

// answers reports whether the server speaks for the cluster. One that has lost it says
// nothing, or that JetStream is not available just now (503), or that it knows of no
// leader.
func answers(ctx context.Context, nc *nats.Conn, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, roamAsk, nil)
	return err == nil && speaks(m.Data)
}

// speaks reports whether an answer is that of a server that has the others. A leader
// that has lost them takes itself for one for another ten seconds, but says how long it
// has not heard of them.
func speaks(answer []byte) bool {
	type replica struct {
		Active time.Duration `json:"active"` // since it was heard of; 0: it was not yet
	}
	var is struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
		Cluster *struct {
			Leader   string    `json:"leader"`
			Replicas []replica `json:"replicas"`
		} `json:"cluster"`
	}
	switch {
	case json.Unmarshal(answer, &is) != nil, is.Error.Code == http.StatusServiceUnavailable:
		return false
	case is.Cluster == nil:
		return true
	case is.Cluster.Leader == "":
		return false
	}
	lost := 0
	for _, r := range is.Cluster.Replicas {
		if r.Active > roamSilence {
			lost++
		}
	}
	return lost <= len(is.Cluster.Replicas)/2
}
