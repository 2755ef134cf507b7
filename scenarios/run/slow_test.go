package run_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
)

// oneLoop is a server in which each publish is written to all subscribers in turn, so that one that cannot be written to stops everybody.
// Its sockets have the kernel's own buffers.
func oneLoop(t *testing.T) *scenarios.Target { return oneLoopIn(t, "") }

// oneLoopIn is oneLoop whose streams are all in a content coding: gzip, or none.
func oneLoopIn(t *testing.T, coding string) *scenarios.Target {
	t.Helper()
	var mu sync.Mutex
	writers := map[http.ResponseWriter]func(data []byte){}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			data, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			for _, write := range writers {
				write(data)
			}
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		write := func(data []byte) { fmt.Fprintf(w, "data: %s\n\n", data) }
		if coding != "" {
			w.Header().Set("Content-Encoding", coding)
			z := gzip.NewWriter(w)
			write = func(data []byte) {
				fmt.Fprintf(z, "data: %s\n\n", data)
				_ = z.Flush()
			}
		}
		w.(http.Flusher).Flush()
		mu.Lock()
		writers[w] = func(data []byte) {
			write(data)
			w.(http.Flusher).Flush()
		}
		mu.Unlock()
		<-r.Context().Done()
		mu.Lock()
		delete(writers, w)
		mu.Unlock()
	}))
	t.Cleanup(server.Close)
	target, err := scenarios.ParseTarget(fmt.Appendf(nil, "name: a\nsubscribe: {url: %[1]s}\npublish: {url: %[1]s, body: '{{.Data}}', payload: line}", server.URL), scenarios.Source{})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func slowConsumers(t *testing.T, set ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.LoadScenario("slow-consumers", nil, append([]string{
		"load.streams=1", "load.subscribers=12", "load.slow.share=10%", "load.ramp.over=200ms", "load.publish.rate=60/s", "load.reconnect.base=50ms",
		"duration=5s", "settle=3s",
	}, set...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOneBlockedWriteThatStopsEverybodyIsFound(t *testing.T) {
	t.Parallel()
	for range 3 {
		o := do(t, t.Context(), scenarios.NewPlan(slowConsumers(t), oneLoop(t), 1))
		v := verdict(t, o, "bystanders.latency_p99")
		if v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "too busy") {
			continue
		}
		if v.Outcome != conformance.Fail {
			t.Errorf("%s %s: %s (%s); effects %+v", v.ID, v.Outcome, v.Actual, v.Reason, o.Run.Effects)
		}
		return
	}
	t.Skip("this machine was too busy")
}

func TestASlowReaderProvesThatTheTargetHadToWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size   string
		enough bool
	}{"much is owed": {"8KiB", true}, "all fits into the kernel's buffers": {"160B", false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := do(t, t.Context(), scenarios.NewPlan(slowConsumers(t, "load.publish.size="+c.size), nil, 1))
			if e := o.Run.Effects; len(e) != 1 || e[0].Enough != c.enough || e[0].Planned != 1 || c.enough && !strings.Contains(e[0].Seen, "beyond what the kernels hold") {
				t.Errorf("effects are %+v", e)
			}
			v := verdict(t, o, "bystanders.latency_p99")
			if unproven := v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "fits into the buffers of kernels"); v.Outcome == conformance.Pass && !c.enough || unproven && c.enough {
				t.Errorf("%s %s (%s)", v.ID, v.Outcome, v.Reason)
			}
		})
	}
}

// TestWhatShrinksProvesNoWait has a server that compresses, unasked: what is owed to a slow reader is several times what has to be sent, and
// that may fit into the buffers of kernels.
func TestWhatShrinksProvesNoWait(t *testing.T) {
	t.Parallel()
	o := do(t, t.Context(), scenarios.NewPlan(slowConsumers(t, "load.publish.size=1KiB"), oneLoopIn(t, "gzip"), 1))
	if e := o.Run.Effects; len(e) != 1 || e[0].Enough {
		t.Errorf("effects are %+v", e)
	}
}
