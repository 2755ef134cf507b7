package client_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// tolerable are verdicts that an unusual client earns by what it declares.
var tolerable = map[string][]string{
	"comes-back-after-a-short-fixed-delay": {"SSE-RECON-012"}, // it has no jitter, and says so
}

// concerned are the areas in which an unusual client could be taken for a wrong one.
var concerned = map[string][]string{
	"reads-a-byte-at-a-time":               {"SSE-PARSE", "SSE-API-004", "SSE-API-011", "SSE-HTTPC-021", "SSE-HTTPC-022", "SSE-HTTPC-023", "SSE-HBC-005"},
	"sends-extra-headers":                  {"SSE-HTTPC", "SSE-RECON-015", "SSE-RECON-021"},
	"comes-back-after-a-short-fixed-delay": {"SSE-RECON", "SSE-API", "SSE-HTTPC"},
	"reports-no-comments":                  {"SSE-HBC", "SSE-PARSE-006", "SSE-PARSE-041"},
	"reports-no-open":                      {"SSE-API", "SSE-RECON-001", "SSE-HTTPC-013"},
}

// TestCorrectButUnusualClientsPass is the false alarm's control: what few clients do and all may is not blamed.
func TestCorrectButUnusualClientsPass(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for _, u := range mutant.UnusualClients {
		if *onlyMutant != "" && u.Name != *onlyMutant {
			continue
		}
		c := &embedded.Client{Mutate: u.Client, Policy: u.Policy}
		for _, capability := range u.Without {
			c.Without = append(c.Without, subject.Capability(capability))
		}
		only := concerned[u.Name]
		if *areas == "all" || len(only) == 0 {
			only = nil
		}
		running.Go(func() { innocent(t, u.Name, c, only, tolerable[u.Name]) })
	}
	running.Wait()
}

// TestReferenceClientPassesAsABrowser judges it by the rules of HTML.
func TestReferenceClientPassesAsABrowser(t *testing.T) {
	t.Parallel()
	only := []string{"SSE-API", "SSE-HTTPC", "SSE-RECON", "SSE-PARSE-007", "SSE-PARSE-008", "SSE-PARSE-033"}
	innocent(t, "the reference client as a browser", &embedded.Client{Browser: true}, only, nil)
}

// innocent checks that nothing is missed. What seems to be, beside all other cases, is judged once more by itself; what a busy machine
// left undecided is allowed.
func innocent(t *testing.T, name string, c subject.Client, only, but []string) {
	t.Helper()
	accused := accusations(t, c, only, but)
	if len(accused) == 0 {
		return
	}
	only = nil
	for _, v := range accused {
		t.Logf("%s, to be judged once more: %s", name, describe(v))
		only = append(only, v.ID)
	}
	for _, v := range accusations(t, c, only, but) {
		t.Errorf("%s: %s", name, describe(v))
	}
}

func accusations(t *testing.T, c subject.Client, only, but []string) []conformance.Verdict {
	t.Helper()
	verdicts, _, health, err := client.Check(t.Context(), subject.Local(c), client.Cases, client.Options{Parameter: quickly, Only: only})
	if err != nil {
		t.Error(err)
	}
	return slices.DeleteFunc(verdicts, func(v conformance.Verdict) bool {
		undecided := v.Outcome == conformance.Unknown && !strings.Contains(v.Reason, "busy") && health.LagP99 <= busyLag
		return slices.Contains(but, v.ID) || !missed(v) && !undecided
	})
}
