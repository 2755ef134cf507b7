package check_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

func seriesOf(t *testing.T, all []conformance.Series, name string) []conformance.Sample {
	t.Helper()
	for _, s := range all {
		if s.Name == name {
			return s.Values
		}
	}
	t.Fatalf("no series %s", name)
	return nil
}

var nothing = conformance.Sample(math.NaN())

// at goes to a time, which must be ahead.
func (w *world) at(t time.Duration) { w.now = t - tick }

// TestATimelineTellsWhatHappenedInWhichSecond plays a run of seven seconds: a loss of connection at 2 s, a message lost at 3 s.
func TestATimelineTellsWhatHappenedInWhichSecond(t *testing.T) {
	t.Parallel()
	cfg := config(2, 1, 1, 1)
	cfg.Duration = time.Minute
	cfg.Steps = []check.Step{{Name: "reset", Subscribers: 1, Text: "{at: 2s, fault: reset, share: 50%}"}, {Name: "restart"}}
	w := newWorld(cfg)
	w.connectAll()
	first, second := w.subs[0], w.subs[1]
	for _, late := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond} {
		w.at(time.Second)
		w.publish(0, 0)
		w.at(time.Second + late)
		w.flush()
	}
	w.at(2 * time.Second)
	w.observe(history.Observation{Kind: history.FaultBegin, Subscriber: -1, Step: 0})
	w.sub(second, history.Observation{Kind: history.FaultBite, Step: 0})
	w.disconnect(second, history.CauseFault)
	w.at(3*time.Second + 10*time.Millisecond)
	lost := w.publish(0, 0)
	w.receive(first, first.next(), 0)
	w.at(4*time.Second + 500*time.Millisecond)
	w.connect(second)
	w.at(5 * time.Second)
	second.queue = nil // the target forgets what second missed
	w.publish(0, 0)
	w.flush()
	w.observe(history.Observation{Kind: history.FaultBegin, Subscriber: -1, Step: 1})
	w.disconnect(first, history.CauseReset)
	w.disconnect(second, history.CauseReset)
	w.at(5*time.Second + 700*time.Millisecond)
	w.observe(history.Observation{Kind: history.FaultBite, Subscriber: -1, Step: 1})
	w.observe(history.Observation{Kind: history.FaultEnd, Subscriber: -1, Step: 1})
	w.connect(first)
	w.connect(second)
	w.at(6 * time.Second)
	w.finish()
	_, report := w.judge()

	for name, want := range map[string][]conformance.Sample{
		"connected":   {0, 2, 2, 1, 1, 2, 2},
		"deliveries":  {0, 6, 0, 1, 0, 2, 0},
		"reconnects":  {0, 0, 0, 0, 1, 2, 0},
		"lost":        {0, 0, 0, 1, 0, 0, 0},
		"latency.p50": {nothing, 200, nothing, 2, nothing, 2, nothing},
		"latency.p99": {nothing, 300, nothing, 2, nothing, 3, nothing},
		"latency.max": {nothing, 300, nothing, 2, nothing, 3, nothing},
	} {
		got := seriesOf(t, report.Series, name)
		near := cmp.Comparer(func(a, b conformance.Sample) bool {
			return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) || math.Abs(float64(a-b)) <= 1.5+float64(b)/16
		})
		if name[:3] != "lat" {
			near = sameSamples
		}
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Errorf("%s (−want +got):\n%s", name, diff)
		}
	}
	want := []conformance.FaultBand{
		{Fault: "reset", FromMS: 2000, Affected: 1, Text: "{at: 2s, fault: reset, share: 50%}"},
		{Fault: "restart", FromMS: 5004, UntilMS: 5701, Affected: 2},
	}
	if diff := cmp.Diff(want, report.Faults); diff != "" {
		t.Errorf("faults (−want +got):\n%s", diff)
	}
	if got := report.Delivered + 1; got != report.Expected || lost.number != 4 {
		t.Errorf("delivered %d of %d, want one less", report.Delivered, report.Expected)
	}
}

// TestChartsAgreeWithTheWhole adds up the charts of random worlds.
func TestChartsAgreeWithTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t, everyDefect, rapid.Bool().Draw(t, "resume"))
		tally, report := w.judge()
		var lost, measured int64
		for _, n := range tally.LostByStep {
			lost += n
		}
		for _, row := range tally.Arrivals {
			for _, n := range row.Counts {
				measured += n
			}
		}
		if want := int64(tally.Lost + tally.Outstanding); lost != want {
			t.Errorf("%d lost by when they were due, want %d", lost, want)
		}
		for _, c := range report.Curves {
			if c.Name != "latency" {
				continue
			}
			if c.Samples != uint64(measured) {
				t.Errorf("%d latencies by when they came, want %d", measured, c.Samples)
			}
			checkCurve(t, c)
		}
	})
}

type failer interface {
	Errorf(format string, args ...any)
}

// checkCurve says whether a curve rises, ends at 1, and is infinite exactly where the missing lie.
func checkCurve(t failer, c conformance.Curve) {
	before := conformance.CurvePoint{}
	total := float64(c.Samples + c.Missing)
	for _, p := range c.Points {
		if p.Quantile <= before.Quantile || p.Value < before.Value {
			t.Errorf("%s: %v follows %v", c.Name, p, before)
		}
		if missing := p.Quantile*total > float64(c.Samples)+0.5; missing != math.IsInf(float64(p.Value), 1) {
			t.Errorf("%s: %v of %d samples and %d missing", c.Name, p, c.Samples, c.Missing)
		}
		before = p
	}
	if before.Quantile != 1 {
		t.Errorf("%s ends at %v, want 1", c.Name, before.Quantile)
	}
}

// TestOneLostAmongAMillionIsOnTheCurve loses one delivery of many.
func TestOneLostAmongAMillionIsOnTheCurve(t *testing.T) {
	t.Parallel()
	const subscribers, messages = 1000, 1000
	j := plain(subscribers)
	for n := range uint64(messages - 1) {
		broadcast(j, n+1, 0, subscribers)
	}
	broadcast(j, messages, 0, subscribers-1)
	at := 2 * time.Second
	j.Observe(&history.Observation{At: at, Kind: history.Phase, Subscriber: -1, Text: "end"})
	r := j.Finish(20*time.Second, conformance.Health{OK: true})
	latency := r.Curves[0]
	checkCurve(t, latency)
	points := latency.Points
	if n := len(points); latency.Samples != subscribers*messages-1 || latency.Missing != 1 || n < 20 || n > 130 ||
		!math.IsInf(float64(points[n-1].Value), 1) || math.IsInf(float64(points[n-2].Value), 1) || points[n-2].Quantile != 1-1e-6 {
		t.Errorf("%d samples, %d missing, %d points, the last two %v", latency.Samples, latency.Missing, n, points[max(n-2, 0):])
	}
	if lost := seriesOf(t, r.Series, "lost"); lost[0] != 1 {
		t.Errorf("lost by when it was due: %v, want one at the beginning", lost)
	}
}

// TestALongRunIsDrawnInLongerSteps keeps a line short.
func TestALongRunIsDrawnInLongerSteps(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ length, step time.Duration }{
		{time.Minute, time.Second}, {10 * time.Minute, time.Second}, {30 * time.Minute, 2 * time.Second}, {4 * time.Hour, 15 * time.Second},
		{40 * time.Hour, 15 * time.Second},
	} {
		cfg := config(1, 1, 1, 1)
		cfg.Duration = test.length
		w := newWorld(cfg)
		w.connectAll()
		w.publish(0, 0)
		w.flush()
		w.at(test.length - time.Second)
		w.publish(0, 0)
		w.finish()
		_, report := w.judge()
		deliveries := seriesOf(t, report.Series, "deliveries")
		sum := 0.0
		for _, v := range deliveries {
			sum += float64(v) * test.step.Seconds()
		}
		if got := report.Series[0].StepMS; got != float64(test.step.Milliseconds()) || len(deliveries) > 1200 || math.Abs(sum-2) > 1e-9 {
			t.Errorf("%v: %d samples of %v ms, %v deliveries, want 2 in steps of %v", test.length, len(deliveries), got, sum, test.step)
		}
	}
}

// TestARunUnderWayHasNoLossesYet asks for the chart before the run has ended, in the middle of a step of five seconds.
func TestARunUnderWayHasNoLossesYet(t *testing.T) {
	t.Parallel()
	j := plain(10)
	for n := range uint64(6000) {
		broadcast(j, n+1, 0, 9)
	}
	series, faults := j.Chart(7 * time.Second)
	if diff := cmp.Diff([]conformance.Sample{nothing}, seriesOf(t, series, "lost"), sameSamples); diff != "" || len(faults) > 0 {
		t.Errorf("lost (−want +got):\n%s; faults %v", diff, faults)
	}
	if got := seriesOf(t, series, "deliveries"); len(got) != 1 || got[0] != 9*4999/5. {
		t.Errorf("deliveries %v, want %v", got, 9*4999/5.)
	}
	if got := seriesOf(t, series, "latency.p50"); len(got) != 1 || math.Abs(float64(got[0])-0.3) > 0.3/16 {
		t.Errorf("p50 %v ms, want 0.3", got)
	}
	series, _ = j.Chart(4 * time.Second)
	if got := seriesOf(t, series, "connected"); len(got) != 0 {
		t.Errorf("connected %v before the first step was over", got)
	}
}
