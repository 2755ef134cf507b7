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

// quickly shortens what a check waits for on purpose.
func quickly(id, name string) (string, bool) {
	value, ok := map[string]string{"SSE-HBC-004.silence": "5s", "SSE-HTTPC-029.connect_timeout": "6s"}[id+"."+name]
	return value, ok
}

func missed(v conformance.Verdict) bool {
	return v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
}

// busyLag is a timer's lateness, in milliseconds, beyond which waits of tens of them cannot be told apart.
const busyLag = 8

// TestCorrectButUnusualClientsPass is the false alarm's control: what few clients do and all may is not blamed.
func TestCorrectButUnusualClientsPass(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for _, u := range mutant.UnusualClients {
		c := &embedded.Client{Mutate: u.Client, Policy: u.Policy}
		for _, capability := range u.Without {
			c.Without = append(c.Without, subject.Capability(capability))
		}
		var earned []string
		for _, may := range u.May {
			earned = append(earned, may.ID)
		}
		running.Go(func() { innocent(t, u.Name, c, u.Concerns, earned) })
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
		undecided := v.Outcome == conformance.Unknown && !strings.Contains(v.Reason, "busy") && max(health.LagP99, health.HeldUp(0, 0).Seconds()*1000) <= busyLag
		return slices.Contains(but, v.ID) || !missed(v) && !undecided
	})
}
