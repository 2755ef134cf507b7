package compare_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
)

func outcomeOf(old []compare.Run, latest compare.Run) conformance.Outcome {
	return compare.Result(compare.Do(old, latest, compare.Options{Tolerance: 0.1}), latest).Outcome
}

// counts are the outcomes of many comparisons, each of some runs with one of its own.
func counts(old, latest target, olds, seconds, pairs int) map[conformance.Outcome]int {
	before := make([]compare.Run, pairs+olds)
	for i := range before {
		before[i] = old.run(uint64(i%pairs), seconds)
	}
	found := map[conformance.Outcome]int{}
	for i := range pairs {
		found[outcomeOf(before[i:i+olds], latest.run(1_000_000+uint64(i), seconds))]++
	}
	return found
}

// pairs are enough to see one false alarm in a hundred.
const pairs = 200

// some are enough where all of them have one outcome.
const some = 40

// fewer is how many comparisons there are with several old runs: each is as many comparisons by itself, and has fewer false alarms.
func fewer(olds int) int { return max(pairs/olds/olds, 10) }

func TestEqualRunsRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ olds, seconds int }{{1, 5}, {1, 20}, {2, 20}, {3, 20}, {6, 10}} {
		n := fewer(c.olds)
		found := counts(busy, busy, c.olds, c.seconds, n)
		t.Logf("%d old runs of %d s: %v", c.olds, c.seconds, found)
		if found[conformance.Fail] > n/100 {
			t.Errorf("%d old runs of %d s: %d false alarms in %d comparisons", c.olds, c.seconds, found[conformance.Fail], n)
		}
	}
}

func TestAFifthMoreLatencyRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	slower := busy
	slower.p50, slower.p99 = 1.2*busy.p50, 1.2*busy.p99
	for _, c := range []struct{ olds, seconds int }{{1, 20}, {2, 20}, {10, 20}} {
		n := fewer(c.olds)
		found := counts(busy, slower, c.olds, c.seconds, n)
		t.Logf("%d old runs of %d s: %v", c.olds, c.seconds, found)
		if found[conformance.Fail] < n {
			t.Errorf("%d old runs of %d s: of %d regressions %d were told", c.olds, c.seconds, n, found[conformance.Fail])
		}
	}
}

func TestOneLostEventRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	lossy := busy
	lossy.lost = 1
	for _, seconds := range []int{1, 5, 20} {
		if found := counts(busy, lossy, 1, seconds, some); found[conformance.Fail] < some {
			t.Errorf("runs of %d s: of %d lost events %d were told", seconds, some, found[conformance.Fail])
		}
	}
}

// Chance is not what 20,000 single deliveries would leave of it: these differ by far more than that.
func TestPausesAreNoRegression(t *testing.T) {
	t.Parallel()
	paused := busy
	paused.pauses, paused.memory, paused.wander = 0.3, 0.5, 0.1
	if found := counts(paused, paused, 1, 20, pairs); found[conformance.Fail] > pairs/100 {
		t.Errorf("%d false alarms in %d comparisons", found[conformance.Fail], pairs)
	}
}

func TestOnlyOneEndOfTheLatencyIsEnough(t *testing.T) {
	t.Parallel()
	tail := busy
	tail.p99 = 2 * busy.p99
	quiet := busy
	quiet.pauses, tail.pauses = 0, 0
	if found := counts(quiet, tail, 1, 20, some); found[conformance.Fail] < some {
		t.Errorf("of %d doubled tails %d were told", some, found[conformance.Fail])
	}
}
