package cluster

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

const partEnv = "CURFEW_TEST_PART"

func TestMain(m *testing.M) {
	if os.Getenv(partEnv) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Part(ctx, os.Stdin); err != nil {
		panic(err)
	}
}

// TestNothingIsLostOrDoubled while everything dies once, and is restarted in turn.
func TestNothingIsLostOrDoubled(t *testing.T) {
	r, err := Run(t.Context(), Options{
		Command: []string{os.Args[0]}, Env: []string{partEnv + "=1"}, Dir: t.TempDir(), Rounds: 1, Brief: true, Rate: 4,
		Lease: 3 * time.Second, Told: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Lost > 0 || r.Doubled > 0 || r.Mixed > 0 || len(r.Wrong) > 0 {
		t.Error(r.Wrong)
	}
	if r.Devices < 80 || r.Remarks < 50 || r.Effects < 2*r.Devices || len(r.Blows) < 6 {
		t.Error("that was too little to prove anything")
	}
}
