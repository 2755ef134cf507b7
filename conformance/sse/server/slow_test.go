package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// started is the reference broker, with its configuration changed.
func started(t *testing.T, change func(c *broker.Config)) *server.Subject {
	t.Helper()
	config := embedded.Config()
	change(&config)
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Subject()
}

// TestEveryDeclaredSlowPolicyIsRight: a policy is a choice, and each of them is kept by the reference broker.
func TestEveryDeclaredSlowPolicyIsRight(t *testing.T) {
	t.Parallel()
	for _, policy := range broker.SlowPolicies {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			s := started(t, func(c *broker.Config) {
				c.SlowPolicy, c.BlockTimeout, c.Queue, c.PublishRate = policy, time.Second, 32, 0
			})
			few := func(_, name string) (string, bool) { return "3", name == "overflow_mib" }
			only := []string{"SSE-SLOW-004", "SSE-SLOW-005"}
			if inFull {
				only = append(only, "SSE-SLOW-006", "SSE-SLOW-008", "SSE-SLOW-009")
			}
			judge(t, s, server.Options{Only: only, Parameter: few}).must(t, allIsWell)
		})
	}
}

// TestRotationIsJudgedWhenItsAgeIsKnown has the broker end its connections, at ages that differ.
func TestRotationIsJudgedWhenItsAgeIsKnown(t *testing.T) {
	t.Parallel()
	s := started(t, func(c *broker.Config) { c.SessionMaxAge = 2 * time.Second })
	judge(t, s, server.Options{Only: []string{"SSE-DRAIN-006"}}).must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Pass })
}

// TestAQueueThatHoldsItAllIsNoUnknown has the broker keep more than is published: its policy was never asked for, which is nobody's fault,
// and the flag that would ask is told whole.
func TestAQueueThatHoldsItAllIsNoUnknown(t *testing.T) {
	t.Parallel()
	s := started(t, func(c *broker.Config) { c.SlowPolicy, c.Queue, c.PublishRate = broker.Drop, 100_000, 0 })
	one := func(_, name string) (string, bool) { return "1", name == "overflow_mib" }
	judge(t, s, server.Options{Only: []string{"SSE-SLOW-004"}, Parameter: one}).must(t, func(v conformance.Verdict) bool {
		return v.Outcome == conformance.Skip && strings.Contains(v.Reason, "--set SSE-SLOW-004.overflow_mib=4 publishes more")
	})
}

// TestAQuickPublishIsJudgedHoweverLateTheDelivery has every event take 150 ms to its subscribers, which is no publisher that is held up: one
// by one, those messages would take a minute.
func TestAQuickPublishIsJudgedHoweverLateTheDelivery(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(mutant.Unusual, func(o mutant.Odd) bool { return o.Name == "has-a-long-way" })
	s := started(t, mutant.Unusual[i].Broker)
	some := func(_, name string) (string, bool) { return "5", name == "overflow_mib" }
	only := []string{"SSE-SLOW-002"}
	if inFull {
		only = append(only, "SSE-SLOW-001")
	}
	judge(t, s, server.Options{Only: only, Parameter: some}).must(t, allIsWell)
}

// TestACodingLeavesTheLoadItsSize has a broker that compresses for whoever does not refuse it: text that repeats itself would leave nothing
// that has to wait for a reader.
func TestACodingLeavesTheLoadItsSize(t *testing.T) {
	t.Parallel()
	i := slices.IndexFunc(mutant.Unusual, func(o mutant.Odd) bool { return o.Name == "compresses-unless-refused" })
	s := started(t, mutant.Unusual[i].Broker)
	only := []string{"SSE-SLOW-007"}
	if inFull {
		only = mutant.Unusual[i].Asked
	}
	judge(t, s, server.Options{Only: only}).must(t, func(v conformance.Verdict) bool {
		return v.Outcome == conformance.Pass || v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "buffers of both ends may hold") // a busy machine is asked for less
	})
}
