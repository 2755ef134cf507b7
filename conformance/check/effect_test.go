package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestVerdictsRestOnTheEffectOfFaults: a run of four subscribers in which all goes well, with a step that reached some of them.
func TestVerdictsRestOnTheEffectOfFaults(t *testing.T) {
	t.Parallel()
	bite := func(n int) func(*world) {
		return func(w *world) {
			for _, s := range w.subs[:n] {
				w.sub(s, history.Observation{Kind: history.FaultBite, Size: int64(1000 + n)})
			}
		}
	}
	onTarget := func(carriedOut bool, lost int) func(*world) {
		return func(w *world) {
			w.observe(history.Observation{Kind: history.FaultBegin, Subscriber: -1})
			for _, s := range w.subs[:lost] {
				w.disconnect(s, history.CauseEOF)
				w.connect(s)
			}
			if carriedOut {
				w.observe(history.Observation{Kind: history.FaultBite, Subscriber: -1})
			}
			w.observe(history.Observation{Kind: history.FaultEnd, Subscriber: -1})
		}
	}
	ends := func(cause history.Cause, n int) func(*world) {
		return func(w *world) {
			for _, s := range w.subs[:n] {
				w.disconnect(s, cause)
				w.connect(s)
			}
		}
	}
	fault := check.Step{Name: "stall", At: time.Second, Subscribers: 4, Without: "nothing was sent"}
	slow := check.Step{Name: "slow", Load: "slow", Subscribers: 4, Rests: []string{"bystanders.latency_p99"}}
	home := check.Step{Name: "return_on", Load: "return_on", Subscribers: 4}
	drain := check.Step{Name: "drain", At: time.Second}
	for name, c := range map[string]struct {
		step    check.Step
		happens func(*world)
		reason  string // of delivery.unique; "": it passes
	}{
		"a fault on all":                       {fault, bite(4), ""},
		"a fault on half":                      {fault, bite(2), ""},
		"a fault on fewer":                     {fault, bite(1), `"stall" planned at 1s took effect on only 1 of 4 subscribers: nothing was sent`},
		"a fault on nobody":                    {fault, bite(0), `"stall" planned at 1s took no effect: nothing was sent`},
		"slow reading that cost nothing":       {slow, bite(0), ""},
		"a target that sends all home":         {home, ends(history.CauseFarewell, 4), ""},
		"a target that sends nobody home":      {home, ends(history.CauseEOF, 4), "load.return_on took no effect"},
		"a drain by which one connection ends": {drain, onTarget(true, 1), ""},
		"a drain that nobody noticed":          {drain, onTarget(true, 0), `"drain" planned at 1s took no effect`},
		"a drain that was not carried out":     {drain, onTarget(false, 1), `"drain" planned at 1s took no effect`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(4, 2, 1, 1)
			cfg.Steps = []check.Step{c.step}
			w := newWorld(cfg)
			w.connectAll()
			for range 3 {
				w.publish(0, 0)
				w.publish(1, 0)
			}
			w.flush()
			c.happens(w)
			w.publish(0, 0)
			w.finish()
			tally, report := w.judge()
			v := verdict(t, report, "delivery.unique")
			want := conformance.Pass
			if c.reason != "" {
				want = conformance.Unknown
			}
			if v.Outcome != want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("%s (%s), want %s (%s)", v.Outcome, v.Reason, want, c.reason)
			}
			e := report.Effects[0]
			if e.Fault != c.step.Name || e.Reached != int(tally.Effects[0].Reached) || c.step.Load != "slow" && e.Enough != (c.reason == "") {
				t.Errorf("the effect is shown as %+v", e)
			}
		})
	}
}

func TestEffectsOfShardsAddUp(t *testing.T) {
	t.Parallel()
	e := check.Effect{}
	e.Merge(check.Effect{Reached: 2, Least: 10, Most: 30})
	e.Merge(check.Effect{})
	e.Merge(check.Effect{Reached: 1, Least: 5, Most: 5})
	if want := (check.Effect{Reached: 3, Least: 5, Most: 30}); e != want {
		t.Errorf("%+v, want %+v", e, want)
	}
}

// TestResumingProvesNothingWhereNothingWasMissed, and keeping apart nothing where there is nothing else.
func TestResumingProvesNothingWhereNothingWasMissed(t *testing.T) {
	t.Parallel()
	for _, missed := range []bool{false, true} {
		w := newWorld(config(2, 2, 1, 1))
		w.connectAll()
		w.publish(0, 0)
		w.flush()
		w.disconnect(w.subs[0], history.CauseReset)
		if missed {
			w.publish(0, 0)
		}
		w.connect(w.subs[0])
		w.publish(0, 0)
		w.finish()
		_, report := w.judge()
		want := conformance.Unknown
		if missed {
			want = conformance.Pass
		}
		if v := verdict(t, report, "delivery.resumable"); v.Outcome != want {
			t.Errorf("missed something %v: %s (%s), %s", missed, v.Outcome, v.Reason, v.Actual)
		}
		if v := verdict(t, report, "delivery.isolated"); v.Outcome != conformance.Pass {
			t.Errorf("two streams: %s (%s)", v.Outcome, v.Reason)
		}
	}
}
