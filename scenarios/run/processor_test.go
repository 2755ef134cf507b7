package run_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

func TestTheProcessorTimeOfAProcessGrowsAsItWorks(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	ask, err := run.ObserveProcessor(&scenarios.Target{Observe: scenarios.Observe{PID: os.Getpid()}})
	if err != nil {
		t.Fatal(err)
	}
	before, err := ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for after := before; after <= before; {
		if after, err = ask(t.Context()); err != nil || time.Now().After(deadline) {
			t.Fatalf("%v of processor time after a minute of work, %v before: %v", after, before, err)
		}
	}
}

func TestTheProcessorTimeIsReadFromMetrics(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 12.5\n"))
	}))
	defer server.Close()
	ask, err := run.ObserveProcessor(&scenarios.Target{Observe: scenarios.Observe{Metrics: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t.Context()); err != nil || got != 12500*time.Millisecond {
		t.Errorf("%v %v", got, err)
	}
}

func TestATargetThatCannotBeSeenHasNoProcessorTime(t *testing.T) {
	t.Parallel()
	if ask, err := run.ObserveProcessor(&scenarios.Target{}); ask != nil || err != nil {
		t.Errorf("%v", err)
	}
	ask, err := run.ObserveProcessor(&scenarios.Target{Observe: scenarios.Observe{PID: 1 << 30}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t.Context()); err == nil {
		t.Errorf("a process that is not there used %v", got)
	}
}
