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

// TestACapFarAboveTheFirstDelayIsSeen tells a client a first delay just short of its cap, so that it need not be waited for in a row.
func TestACapFarAboveTheFirstDelayIsSeen(t *testing.T) {
	t.Parallel()
	declared := policy.Policy{Base: 100 * time.Millisecond, Factor: 2, Cap: 4 * time.Second, Jitter: 0.3, Spread: policy.Up, HonorRetry: true, Reset: policy.OnOpen}
	for _, c := range []struct {
		name string
		does func(*policy.Policy)
		want conformance.Outcome
	}{
		{"keeps it", func(*policy.Policy) {}, conformance.Pass},
		{"has none", func(p *policy.Policy) { p.Cap = 0 }, conformance.Warn},
		{"has another", func(p *policy.Policy) { p.Cap *= 3 }, conformance.Warn},
		{"keeps its own first delay", func(p *policy.Policy) { p.Base = 100 * time.Millisecond }, conformance.Skip},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			subject := subject.Local(&embedded.Client{Policy: &declared, Mutate: func(config *reference.Config) {
				p := *config.Policy
				c.does(&p)
				config.Policy = &p
			}})
			verdicts, _, _, err := client.Check(t.Context(), subject, client.Cases, client.Options{Only: []string{"SSE-RECON-011"}, Parameter: func(id, name string) (string, bool) {
				return "11s", id == "SSE-RECON-011" && name == "wait"
			}})
			if err != nil {
				t.Fatal(err)
			}
			if v := verdicts[0]; v.Outcome != c.want && !undecided(v) {
				t.Errorf("want %v: %s", c.want, describe(v))
			}
		})
	}
}
