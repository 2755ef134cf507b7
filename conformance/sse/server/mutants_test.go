//go:build matrix

package server_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

var (
	onlyMutant = flag.String("mutant", "", "run this server mutant only")
	areas      = flag.String("areas", "", "run every case of these areas, also against mutants of others")
)

// shortened is what a check waits for on purpose, less long.
var shortened = map[string]string{
	"SSE-HBS-001.ceiling":  "3s",
	"SSE-HBS-002.ceiling":  "3s",
	"SSE-HBS-003.ceiling":  "3s",
	"SSE-HBS-004.ceiling":  "3s",
	"SSE-HTTPS-020.hold":   "6s",
	"SSE-HTTPS-003.within": "500ms",
}

// chosenAreas are those of -areas, none for all.
func chosenAreas() []string {
	if *areas == "" {
		return nil
	}
	return strings.Split(*areas, ",")
}

func quickly(id, name string) (string, bool) {
	value, ok := shortened[id+"."+name]
	return value, ok
}

// checked judges the embedded broker, changed by mutate.
func checked(t *testing.T, mutate func(*broker.Config), only ...string) []conformance.Verdict {
	t.Helper()
	config := embedded.Config()
	if mutate != nil {
		mutate(&config)
	}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{
		Only: only, Parameter: quickly,
	})
	if err != nil {
		t.Fatal(err)
	}
	return verdicts
}

func describe(v conformance.Verdict) string {
	text := fmt.Sprintf("%s is %v: want %s, got %s; %s", v.ID, v.Outcome, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += "\n\t" + f.Text + "\n\t\t" + strings.Join(f.Evidence, "\n\t\t")
	}
	return text
}

// busy says whether a verdict is unknown because of this machine: that is allowed, a wrong verdict never.
func busy(v conformance.Verdict) bool {
	return v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "too busy")
}

func missed(v conformance.Verdict) bool {
	return v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
}

// TestReferenceBrokerMissesNothing is the false alarm's control: whatever is asked of it, the reference broker does.
func TestReferenceBrokerMissesNothing(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	for _, v := range checked(t, nil, chosenAreas()...) {
		if missed(v) || v.Outcome == conformance.Unknown && !busy(v) {
			t.Error(describe(v))
		}
	}
}

// TestEachServerMutantIsCaughtByWhatItNames breaks one promise of the broker at a time.
func TestEachServerMutantIsCaughtByWhatItNames(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	for _, m := range mutant.Server {
		if *onlyMutant != "" && m.Name != *onlyMutant {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			only := m.Kills
			if *areas != "" {
				only = append(chosenAreas(), m.Kills...)
			}
			verdicts := checked(t, m.Broker, only...)
			for _, id := range m.Kills {
				if !slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == id }) {
					t.Errorf("survives: %s was not judged", id)
				}
			}
			for _, v := range verdicts {
				named := slices.Contains(m.Kills, v.ID)
				related := named || slices.ContainsFunc(m.May, func(may mutant.May) bool { return may.ID == v.ID })
				switch {
				case named && busy(v):
					t.Skip(describe(v))
				case named && !missed(v):
					t.Errorf("survives: %s", describe(v))
				case !related && missed(v):
					t.Errorf("unrelated: %s", describe(v))
				}
			}
		})
	}
}
