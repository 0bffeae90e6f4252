package baseline

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long the link may take to show again after the connector was written.
const (
	linkLooks = 4
	linkPause = 15 * time.Second
)

// ErrLinkDropped is the error of a connector that was connected before it was
// written, and is no longer: a known fault on Microsoft's side.
var ErrLinkDropped = errors.New("the connection between Defender and Intune dropped when the connector was written")

// stillLinked looks whether the connection to Defender survived. One that was not
// open before is no failure of this run: what to click is said.
func (a *applier) stillLinked() error {
	if a.run.Spec.Connector == nil {
		return nil
	}
	r := &reader{ctx: a.ctx, api: a.api, State: a.state}
	for look := 1; ; look++ {
		if err := r.connector(); err != nil {
			return fmt.Errorf("read the connector again: %w", err)
		}
		a.state.Read = time.Now().UTC()
		link := Connection(a.state)
		switch {
		case link.Open:
			return nil
		case !a.linked:
			a.o.Progress(Event{Key: "connector", What: EventSaid, Detail: link.Said + ". " + strings.Join(link.Clicks, " ")})
			return nil
		case look == linkLooks:
			return fmt.Errorf("%w: %s. %s", ErrLinkDropped, link.Said, strings.Join(link.Clicks, " "))
		}
		if !sleep(a.ctx, linkPause) {
			return a.ctx.Err()
		}
	}
}
