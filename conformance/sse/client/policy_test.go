package client_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/reference/embedded"

	reference "github.com/streamgauge/streamgauge/reference/client"
)

// keeping is the reference client with another policy, whose times are scaled.
func keeping(p policy.Policy, scale float64) subject.Starter {
	scaled := p.Scaled(scale)
	return subject.Local(&embedded.Client{Mutate: func(c *reference.Config) { c.Policy = &scaled }})
}

// TestADeclaredPolicyDecides has clients judged by a policy that they keep, and by one that they do not.
func TestADeclaredPolicyDecides(t *testing.T) {
	t.Parallel()
	const scale = 0.02
	exponential, _ := policy.ByName("exponential-1s-30s")
	jittered, _ := policy.ByName("jittered-500ms-30s")
	endless := exponential
	endless.Cap = 0
	asked := subject.Delay{BaseMS: 1000, Factor: 2, CapMS: 30000, Spread: "up", Reset: "on-open", OwnTime: true}
	for _, c := range []struct {
		name   string
		keeps  policy.Policy
		asked  subject.Delay
		misses []string
	}{
		{"the policy itself", exponential, asked, nil},
		{"the jittered one", jittered, subject.Delay{BaseMS: 500, Factor: 2, CapMS: 30000, Jitter: 0.3, Spread: "up", Reset: "on-open", OwnTime: true}, nil},
		{"no cap", endless, asked, []string{"SSE-RECON-011"}},
		{"no growth", policy.Policy{Base: time.Second, Factor: 1}, asked, []string{"SSE-RECON-010", "SSE-RECON-011"}},
		{"never set back", policy.Policy{Base: time.Second, Factor: 2, Cap: 30 * time.Second, Reset: policy.Never}, asked, []string{"SSE-RECON-013"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := client.Options{Backoff: &c.asked, TimeScale: scale, Only: []string{"SSE-RECON-010", "SSE-RECON-011", "SSE-RECON-013"}}
			verdicts, hello, _, err := client.Check(t.Context(), keeping(c.keeps, scale), client.Cases, o)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := hello.Policy.Backoff.BaseMS, c.asked.BaseMS*scale; got != want {
				t.Errorf("judged by a base of %v ms, want %v", got, want)
			}
			for _, v := range verdicts {
				if v.Outcome == conformance.Unknown {
					t.Logf("undecided: %s", describe(v))
					continue
				}
				failed := v.Outcome == conformance.Fail // what it declares it must keep
				if want := slices.Contains(c.misses, v.ID); failed != want || v.Outcome == conformance.Warn {
					t.Error(describe(v))
				}
				if v.Outcome != conformance.Skip && len(v.Delays) < 3 {
					t.Errorf("%s shows %d delays, want those it was judged by", v.ID, len(v.Delays))
				}
			}
		})
	}
}
