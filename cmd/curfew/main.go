// Command curfew watches the devices of Microsoft 365 tenants and sees those at
// risk through: it tells the user, opens a ticket, scans the device, pages
// somebody and in the end resets it; and takes everything back when the device
// is healthy again.
//
// `curfew run` is the worker. Every other command either needs no worker, or
// connects to the queue of a running one. `curfew help` lists them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end. The second finds its default
	// meaning restored, and kills.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
