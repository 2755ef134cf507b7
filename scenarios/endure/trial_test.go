//go:build unix

package main

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
)

func TestWrongVerdictsAreCounted(t *testing.T) {
	t.Parallel()
	result := func(overall conformance.Outcome, complete, latency conformance.Outcome) *conformance.Result {
		return &conformance.Result{Outcome: overall, Verdicts: []conformance.Verdict{
			{ID: "delivery.complete", Outcome: complete}, {ID: "latency.p50", Outcome: latency},
		}}
	}
	const pass, fail, unknown = conformance.Pass, conformance.Fail, conformance.Unknown
	for name, c := range map[string]struct {
		mutant         string
		result         *conformance.Result
		wrong, unknown bool
	}{
		"right that passes":                   {"", result(pass, pass, pass), false, false},
		"right that fails":                    {"", result(fail, pass, fail), true, false},
		"right that fails, with an unknown":   {"", result(fail, unknown, fail), true, false},
		"right that is unknown":               {"", result(unknown, pass, unknown), false, true},
		"right of which nothing was judged":   {"", &conformance.Result{}, false, true},
		"wrong that fails as it must":         {"loses-every-100th", result(fail, fail, pass), false, false},
		"wrong that passes":                   {"loses-every-100th", result(pass, pass, pass), true, false},
		"wrong that fails something else":     {"loses-every-100th", result(fail, pass, fail), true, false},
		"wrong that is unknown":               {"loses-every-100th", result(unknown, unknown, pass), false, true},
		"wrong that is unknown and blamed":    {"loses-every-100th", result(fail, unknown, fail), false, true},
		"wrong of which nothing was judged":   {"loses-every-100th", &conformance.Result{}, false, true},
		"wrong that fails, something unknown": {"loses-every-100th", result(fail, fail, unknown), false, false},
	} {
		tr := &trial{pair: pair{"steady-flow", c.mutant}}
		if v := tr.judge(c.result); v.Wrong != c.wrong || v.Unknown != c.unknown {
			t.Errorf("%s: %+v, want wrong %t, unknown %t", name, v, c.wrong, c.unknown)
		}
	}
}

func TestEachCoreScenarioIsRunAgainstRightAndWrongSubjects(t *testing.T) {
	t.Parallel()
	pairs := pairsWith("")
	for _, name := range scenarios.Core() {
		s, err := scenarios.LoadScenario(name, func(string) (string, bool) { return "", false }, core[name].set...)
		if err != nil {
			t.Errorf("%s made short: %v", name, err)
			continue
		}
		budgets := slices.Collect(maps.Values(s.Expect.Latency))
		if s.Expect.Calm != nil && core[name].aside == "" {
			budgets = slices.AppendSeq(budgets, maps.Values(s.Expect.Calm.Latency))
		}
		if len(budgets) > 0 && slices.Min(budgets) < 6*time.Second {
			t.Errorf("%s bounds a latency by %v: a right subject that is held up misses it", name, slices.Min(budgets))
		}
		right := slices.IndexFunc(pairs, func(p pair) bool { return p == pair{name, ""} })
		wrong := slices.IndexFunc(pairs, func(p pair) bool { return p.scenario == name && p.mutant != "" })
		if right < 0 || wrong < 0 || s.Duration > 15e9 {
			t.Errorf("%s: right %d, wrong %d, for %v", name, right, wrong, s.Duration)
		}
	}
	for _, p := range pairs {
		if _, ok := mutant.ByName(p.mutant); !ok && p.mutant != "" {
			t.Errorf("there is no mutant %s", p.mutant)
		}
	}
}

func TestASeedDecidesWhatIsDone(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64, possible []string) (faults []string) {
		tr := &trial{random: rand.New(rand.NewPCG(seed, 1))}
		tr.draw(possible)
		for _, f := range tr.faults {
			faults = append(faults, f.String())
		}
		return faults
	}
	different := false
	for seed := range uint64(50) {
		all := draw(seed, faultNames())
		different = different || !slices.Equal(all, draw(seed+1, faultNames()))
		without := slices.DeleteFunc(slices.Clone(all), func(f string) bool { return f[:4] == "netw" })
		if got := draw(seed, slices.DeleteFunc(faultNames(), func(f string) bool { return f == "network" })); !slices.Equal(got, without) {
			t.Errorf("seed %d: %q without the network, want %q", seed, got, without)
		}
	}
	if !different {
		t.Error("all seeds draw the same")
	}
}
