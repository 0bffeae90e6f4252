package main

import (
	"context"
	"errors"
)

// The exit codes. They are documented by exitCodes and do not change.
const (
	exitFine        = 0
	exitFailed      = 1
	exitWrong       = 2
	exitNotFound    = 3
	exitNoWorker    = 4
	exitInterrupted = 130 // as a shell reports a command that SIGINT ended
)

const exitCodes = `What curfew's exit codes mean:

    0  it worked
    1  it was tried and did not work; the message says why
    2  the configuration or the command line is wrong; nothing was done
    3  what was asked for is not there: no such device, dead letter or template
    4  no worker or no queue can be reached
  130  it was interrupted (Ctrl-C, or SIGTERM)

When several devices are named, each is tried; the code is that of the first
one that did not work.

"curfew run" that is told to stop ends with 0 once it has stopped in order.
"curfew baseline plan" and "curfew baseline drift" end with 2 if something is to be
done, and with 1 if they could not tell; "curfew baseline rollout status" ends with 1
if something stands in the way.
"curfew doctor" ends with 1 if it has found something wrong, and with 2 also if a
tenant could not be asked.`

// An exit is an error that has an exit code of its own.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string { return e.err.Error() }
func (e exit) Unwrap() error { return e.err }

// wrong marks an error in what was asked for: the configuration or the command line.
func wrong(err error) error { return exit{exitWrong, err} }

// notFound marks an error about something that is not there.
func notFound(err error) error { return exit{exitNotFound, err} }

// noWorker marks an error about a queue that cannot be reached.
func noWorker(err error) error { return exit{exitNoWorker, err} }

// codeOf is the exit code for what a command returned. Of joined errors the
// first one with a code of its own counts.
func codeOf(ctx context.Context, err error) int {
	var e exit
	switch {
	case err == nil:
		return exitFine
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return exitInterrupted
	case errors.As(err, &e):
		return e.code
	}
	return exitFailed
}
