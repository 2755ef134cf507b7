//go:build matrix

package server_test

import (
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// TestEveryDeclaredSlowPolicyIsRight: a policy is a choice, and each of them is kept by the reference broker.
func TestEveryDeclaredSlowPolicyIsRight(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	for _, policy := range broker.SlowPolicies {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			verdicts := checked(t, func(c *broker.Config) {
				c.SlowPolicy, c.BlockTimeout = policy, time.Second
			}, "SSE-SLOW-004", "SSE-SLOW-005", "SSE-SLOW-006", "SSE-SLOW-008", "SSE-SLOW-009")
			for _, v := range verdicts {
				if missed(v) || v.Outcome == conformance.Unknown {
					t.Error(describe(v))
				}
			}
		})
	}
}

// TestRotationIsJudgedWhenItsAgeIsKnown has the broker end its connections, at ages that differ.
func TestRotationIsJudgedWhenItsAgeIsKnown(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	config := embedded.Config()
	config.SessionMaxAge = 2 * time.Second
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{
		Only:      []string{"SSE-DRAIN-006"},
		Parameter: func(_, name string) (string, bool) { return "2s", name == "max_age" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 1 || verdicts[0].Outcome != conformance.Pass {
		t.Errorf("got %+v, want one pass", verdicts)
	}
}
