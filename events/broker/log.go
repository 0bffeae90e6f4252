package broker

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// A serverLog takes the lines of an embedded server. Warnings and errors go to
// the log, the rest only where debugging is on.
type serverLog struct {
	log   *slog.Logger
	fatal atomic.Pointer[string] // why the server gave up, if it did
	alarm chan struct{}          // gets a token when something is wrong
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}

func (l *serverLog) Warnf(format string, v ...any) {
	l.log.Warn(fmt.Sprintf(format, v...))
	l.ring()
}

func (l *serverLog) Errorf(format string, v ...any) {
	l.log.Error(fmt.Sprintf(format, v...))
	l.ring()
}

func (l *serverLog) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.log.Error(s)
	l.fatal.CompareAndSwap(nil, &s)
	l.ring()
}

func (l *serverLog) ring() {
	select {
	case l.alarm <- struct{}{}:
	default:
	}
}
