package server_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// TestMain runs more tests at once than there are processors: they wait more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// inFull has the tests run every variant and every case instead of a choice of them.
var inFull = os.Getenv("STREAMGAUGE_MATRIX") != ""

// checkup is what a check said, and whether this machine was up to it.
type checkup struct {
	verdicts []conformance.Verdict
	pressed  bool // timers were late
}

// lateTimers is from which lateness on (p99, milliseconds) an unknown verdict is this machine's.
const lateTimers = 25

func pressed(h conformance.Health) bool {
	return max(h.LagP99, h.HeldUp(0, 0).Seconds()*1000) > lateTimers
}

// judge runs cases against a subject. What stays unknown is judged up to two times more, by itself.
func judge(t *testing.T, s *server.Subject, o server.Options) checkup {
	t.Helper()
	var c checkup
	for round := range 3 {
		verdicts, health, err := server.Check(t.Context(), s, server.Cases, o)
		if err != nil {
			t.Error(err)
			return c
		}
		c.pressed = c.pressed || pressed(health)
		if round == 0 {
			c.verdicts = verdicts
		}
		o.Only, o.Parallel = nil, 1
		for _, v := range verdicts {
			c.verdicts[slices.IndexFunc(c.verdicts, func(before conformance.Verdict) bool { return before.ID == v.ID })] = v
			if v.Outcome == conformance.Unknown {
				o.Only = append(o.Only, v.ID)
			}
		}
		if len(o.Only) == 0 {
			break
		}
	}
	return c
}

// of is the verdict on one requirement.
func (c checkup) of(t *testing.T, id string) conformance.Verdict {
	t.Helper()
	i := slices.IndexFunc(c.verdicts, func(v conformance.Verdict) bool { return v.ID == id })
	if i < 0 {
		t.Errorf("%s was not judged", id)
		return conformance.Verdict{ID: id}
	}
	return c.verdicts[i]
}

// must compares each verdict with what it must be. One that is unknown because this machine is busy has the test skipped, in the end.
func (c checkup) must(t *testing.T, be func(v conformance.Verdict) bool) {
	t.Helper()
	var undecided []string
	for _, v := range c.verdicts {
		switch {
		case be(v):
		case v.Outcome == conformance.Unknown && (c.pressed || strings.Contains(v.Reason, "too busy")):
			undecided = append(undecided, words(v))
		default:
			t.Error(words(v))
		}
	}
	if len(undecided) > 0 && !t.Failed() {
		t.Skip("this machine was too busy: " + strings.Join(undecided, "\n"))
	}
}

// allIsWell holds for what is not held against a subject.
func allIsWell(v conformance.Verdict) bool { return !accused(v) && v.Outcome != conformance.Unknown }

func accused(v conformance.Verdict) bool {
	return v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
}

func words(v conformance.Verdict) string {
	text := fmt.Sprintf("%s is %v: want %s, got %s; %s", v.ID, v.Outcome, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += "\n\t" + f.Text + "\n\t\t" + strings.Join(f.Evidence, "\n\t\t")
	}
	return text
}

// together runs all at once, more than there are processors: checks wait more than they work.
func together[T, R any](of map[string]T, run func(one T) R) map[string]R {
	var mu sync.Mutex
	var running sync.WaitGroup
	results := map[string]R{}
	for name, one := range of {
		running.Go(func() {
			result := run(one)
			mu.Lock()
			defer mu.Unlock()
			results[name] = result
		})
	}
	running.Wait()
	return results
}
