//go:build matrix

package server_test

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/gateway"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// quick are parameters with which a gateway is judged in seconds, also on a busy machine: what the mutants hold back does not come at all.
var quick = map[string]string{
	"SSE-PROXY-001.events": "8", "SSE-PROXY-001.gap": "10ms", "SSE-PROXY-001.added_p99": "1s",
	"SSE-PROXY-002.within": "2s",
	"SSE-PROXY-003.events": "8", "SSE-PROXY-003.gap": "10ms", "SSE-PROXY-003.added_p99": "1s",
	"SSE-PROXY-005.events": "4", "SSE-PROXY-005.gap": "10ms", "SSE-PROXY-005.added_p99": "1s",
	"SSE-PROXY-007.gap": "10ms", "SSE-PROXY-007.within": "1s",
	"SSE-PROXY-008.heartbeat": "500ms", "SSE-PROXY-008.lifetime": "4s",
	"SSE-PROXY-015.grace":   "1s",
	"SSE-PROXY-016.taken":   "48",
	"SSE-PROXY-017.within":  "500ms",
	"SSE-PROXY-018.streams": "100", "SSE-PROXY-018.within": "2s",
}

// startGateway puts a gateway with the given defect, or none, before an origin.
func startGateway(t *testing.T, wrong func(*httputil.ReverseProxy) http.Handler) *server.Subject {
	t.Helper()
	origin, err := server.StartOrigin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(origin.URL())
	if err != nil {
		t.Fatal(err)
	}
	right := gateway.New(behind)
	var handler http.Handler = right
	if wrong != nil {
		handler = wrong(right)
	}
	g, err := gateway.Start("127.0.0.1:0", handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		origin.Close()
		g.Close()
		right.Transport.(*http.Transport).CloseIdleConnections()
	})
	address, err := url.Parse(g.URL() + "/events?topic=a")
	if err != nil {
		t.Fatal(err)
	}
	s := server.NewGateway(address, origin, nil)
	s.Memory = func(context.Context) (uint64, error) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, nil
	}
	return s
}

func judgeGateway(t *testing.T, s *server.Subject, only ...string) []conformance.Verdict {
	t.Helper()
	verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{
		Profile: conformance.ProfileGateway, Only: only,
		Parameter: func(id, name string) (string, bool) { value, ok := quick[id+"."+name]; return value, ok },
	})
	if err != nil {
		t.Error(err)
	}
	return verdicts
}

func describeVerdict(v conformance.Verdict) string {
	text := v.ID + " " + v.Outcome.String() + ": expected " + v.Expected + "; actual " + v.Actual + "; " + v.Reason
	for _, f := range v.Findings {
		text += "\n  " + f.Text + "\n    " + strings.Join(f.Evidence, "\n    ")
	}
	return text
}

// unjudged are those that ask for what a gateway in this process does not have.
var unjudged = []string{"SSE-PROXY-005", "SSE-PROXY-015"}

func TestRightGatewayPassesEverything(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	verdicts := judgeGateway(t, startGateway(t, nil), "PROXY")
	if len(verdicts) != 18 {
		t.Errorf("%d verdicts, want one for each of 18 requirements", len(verdicts))
	}
	for _, v := range verdicts {
		want := conformance.Pass
		if slices.Contains(unjudged, v.ID) {
			want = conformance.Skip
		}
		if v.Outcome != want {
			t.Errorf("want %v: %s", want, describeVerdict(v))
		}
		t.Log(v.ID, v.Outcome, v.Actual)
	}
}

func TestGatewayMutantsFailExactlyWhatTheyBreak(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	// They mostly wait, so more of them at once than there are cores.
	slots := make(chan struct{}, 6)
	var running sync.WaitGroup
	defer running.Wait()
	for _, m := range mutant.Gateways {
		only := []string{"PROXY"}
		if testing.Short() {
			only = m.Kills
		}
		s := startGateway(t, m.Break)
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for _, v := range judgeGateway(t, s, only...) {
				killed := v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
				switch {
				case slices.Contains(m.Kills, v.ID) != killed:
					t.Errorf("%s: killed %v, want %v: %s", m.Name, killed, !killed, describeVerdict(v))
				case killed:
					t.Logf("%s: %s", m.Name, describeVerdict(v))
				case v.Outcome == conformance.Unknown:
					t.Errorf("%s: not judged: %s", m.Name, describeVerdict(v))
				}
			}
		})
	}
}

func TestEveryCoreRequirementOfGatewaysHasAMutant(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requirements {
		killed := slices.ContainsFunc(mutant.Gateways, func(m mutant.Gateway) bool { return slices.Contains(m.Kills, r.ID) })
		if r.Core && r.AppliesTo(conformance.ProfileGateway) && !killed {
			t.Errorf("no mutant breaks %s", r.ID)
		}
	}
}
