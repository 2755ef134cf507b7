// Package shims tests the adapters that are worked examples.
package shims_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
)

// passes the self-test, but for what the client of the example cannot do.
func passes(t *testing.T, start subject.Starter, cannot ...string) {
	t.Helper()
	results, err := selftest.Run(t.Context(), start, nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]string{}
	for _, r := range results {
		if r.Problem != "" {
			failed[r.Name] = r.Problem
		}
	}
	for _, name := range cannot {
		if failed[name] == "" {
			t.Errorf("%s passes by now", name)
		}
		delete(failed, name)
	}
	for name, problem := range failed {
		t.Errorf("%s: %s", name, problem)
	}
}

func TestTheGoShimIsRight(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "adapter")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./go").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	passes(t, subject.Program(program), "echo of 1 MiB") // go-sse has a limit of 64 KiB
}

func TestThePythonShimIsRight(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	passes(t, subject.Program("python3", "-B", "python/adapter.py"))
}

func TestTheNodeShimIsRight(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip(err)
	}
	// The package that it adapts is among those of the clients that others wrote.
	packages, err := filepath.Abs("../../peers/clients/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(packages, "eventsource")); err != nil {
		t.Skipf("%v: cd conformance/peers/clients && npm ci", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Skip(err) // a system without such links
	}
	passes(t, subject.Program("node", filepath.Join(dir, "adapter.mjs")))
}
