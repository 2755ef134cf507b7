package matrix

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// scenarioRows are the mutants that show in a scenario, and the correct broker and client in each of those scenarios.
func scenarioRows(s Selection) ([]Row, error) {
	var rows []Row
	controlled := map[string]bool{}
	for _, m := range mutant.All {
		scenario, err := ownScenario(m.Scenario)
		if err != nil {
			return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		if !controlled[m.Scenario] {
			controlled[m.Scenario] = true
			rows = append(rows, inScenario(Row{Name: ReferenceBroker, Group: Correct, About: scenario.About}, scenario, mutant.Mutant{}, s.Seed))
		}
		r := Row{Name: m.Name, Group: ScenarioMutants, About: m.Bug, Kills: m.Kills, May: m.May}
		rows = append(rows, inScenario(r, scenario, m, s.Seed))
	}
	return rows, nil
}

func ownScenario(name string) (*scenarios.Scenario, error) {
	text, err := mutant.Scenario(name)
	if err != nil {
		return nil, err
	}
	return scenarios.ParseScenario(text, scenarios.Source{Name: name + ".yaml"})
}

// everything is a shipped scenario with all guarantees, made short.
const everything = "network-drops"

var shortly = []string{
	"load.subscribers=16", "load.streams=4", "load.ramp.over=300ms", "load.publish.rate=30/s", "load.heartbeat_timeout=1s",
	"broker.heartbeat=250ms", "timeline.0.at=800ms", "timeline.1.at=1400ms", "timeline.1.for=1200ms", "duration=3s", "settle=3s",
}

// loadRows are the mutants that server cases catch, in a shipped scenario that has to catch them as well, or with Heavy, may.
func loadRows(s Selection) ([]Row, error) {
	scenario, err := scenarios.LoadScenario(everything, os.LookupEnv, shortly...)
	if err != nil {
		return nil, fmt.Errorf("shortening %s: %w", everything, err)
	}
	var rows []Row
	for _, m := range mutant.Server {
		r := Row{Name: m.Name, Group: MutantsUnderLoad, About: m.Bug, Kills: promises(m.Kills), Told: true}
		if s.Heavy || len(r.Kills) > 0 {
			rows = append(rows, inScenario(r, scenario, m, s.Seed))
		}
	}
	return rows, nil
}

// inScenario completes a row that is judged in a scenario.
func inScenario(r Row, scenario *scenarios.Scenario, m mutant.Mutant, seed uint64) Row {
	r.Scenario = scenario.Name
	r.Solo = scenario.Expect.Memory != nil
	r.Judge = func(ctx context.Context, _ []string) (Judged, error) { return carryOut(ctx, scenario, m, seed) }
	return r
}

// busyLag is a timer's lateness, in milliseconds, beyond which waits of a few hundred cannot be judged.
const busyLag = 15

func carryOut(ctx context.Context, scenario *scenarios.Scenario, m mutant.Mutant, seed uint64) (Judged, error) {
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if scenario.Expect.Memory != nil {
		copied := *scenario
		budget := *scenario.Expect.Memory
		budget.Max = resident() + 200<<20
		copied.Expect.Memory = &budget
		scenario = &copied
	}
	options := run.Options{Plan: scenarios.NewPlan(scenario, nil, seed), Mutate: m.Broker, MutateClient: m.Client}
	outcome, err := run.New(options).Do(limited)
	if err != nil {
		return Judged{}, err
	}
	j := Judged{Verdicts: outcome.Verdicts, Health: outcome.Run.Health}
	if h := outcome.Run.Health; len(h.Problems) > 0 || h.LagP99 > busyLag {
		j.Doubt = busyReason
	}
	return j, nil
}

// resident is the memory of this process, 0 where it cannot be seen.
func resident() scenarios.Bytes {
	text, _ := os.ReadFile("/proc/self/statm")
	var total, pages int
	_, _ = fmt.Sscan(string(text), &total, &pages)
	return scenarios.Bytes(pages * os.Getpagesize())
}
