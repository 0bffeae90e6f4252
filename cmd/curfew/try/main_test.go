package try

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const programEnv = "CURFEW_TEST_PROGRAM"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "curfew-try-test-")
	if err == nil {
		err = os.Setenv(programEnv, filepath.Join(dir, "curfew"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // what is left is in the way of nobody
	os.Exit(code)
}

// built builds the real thing, once for all tests.
var built = sync.OnceValues(func() (program string, err error) {
	program = os.Getenv(programEnv)
	if out, err := exec.Command("go", "build", "-o", program, "curfew/cmd/curfew").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// theProgram is the curfew binary that plays the workers.
func theProgram(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program
}
