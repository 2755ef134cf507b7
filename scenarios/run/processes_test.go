package run

import (
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/streamgauge/streamgauge/scenarios"
)

// TestATargetBesideTheHarnessIsFound by the port at which it listens; one on another machine has no process here.
func TestATargetBesideTheHarnessIsFound(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		t.Skip("this system has no /proc")
	}
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	of := func(address string) ([]int, bool) {
		target, err := scenarios.ParseTarget([]byte("name: a\nsubscribe: {url: '"+address+"/events/{{.Stream}}'}"), scenarios.Source{})
		if err != nil {
			t.Fatal(err)
		}
		return processesOn(target)()
	}
	if pids, known := of(server.URL); !known || !slices.Contains(pids, os.Getpid()) {
		t.Errorf("%v %v, want %d", pids, known, os.Getpid())
	}
	if pids, known := of("http://192.0.2.1:8080"); !known || len(pids) > 0 {
		t.Errorf("on another machine: %v %v", pids, known)
	}
	if pids, known := of("http://127.0.0.1:1"); known || len(pids) > 0 {
		t.Errorf("nobody that can be seen: %v %v", pids, known)
	}
}
