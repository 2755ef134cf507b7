package client_test

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

var (
	onlyMutant = flag.String("mutant", "", "run this client mutant only")
	areas      = flag.String("areas", "", "run every case of these areas against each mutant; all for all of them, own for those of its kills")
)

// guards are cheap cases of each area that most mutants of the area have nothing to do with.
var guards = map[string][]string{
	"PARSE": {"SSE-PARSE-001", "SSE-PARSE-009", "SSE-PARSE-022"},
	"API":   {"SSE-API-001", "SSE-API-003"},
	"HTTPC": {"SSE-HTTPC-001", "SSE-HTTPC-012", "SSE-HTTPC-013"},
	"RECON": {"SSE-RECON-001", "SSE-RECON-015"},
	"HBC":   {"SSE-HBC-005"},
}

func areaOf(requirement string) string { return strings.Split(requirement, "-")[1] }

// hunt is one mutant under the cases that must catch it.
type hunt struct {
	m        mutant.Mutant
	only     []string
	verdicts []conformance.Verdict
	health   conformance.Health
	err      error
}

func newHunt(m mutant.Mutant) *hunt {
	h := &hunt{m: m, only: slices.Clone(m.Kills)}
	for _, id := range m.Kills {
		switch *areas {
		case "":
			h.only = append(h.only, slices.DeleteFunc(slices.Clone(guards[areaOf(id)]), h.expects)...)
		case "own":
			h.only = append(h.only, "SSE-"+areaOf(id))
		}
	}
	switch *areas {
	case "", "own":
	case "all":
		h.only = nil
	default:
		h.only = append(h.only, strings.Split(*areas, ",")...)
	}
	return h
}

func (h *hunt) carryOut(t *testing.T) {
	subjected := &embedded.Client{Mutate: h.m.Client, Browser: h.m.Browser}
	began := time.Now()
	options := client.Options{Only: h.only, Parameter: quickly, Report: func(v conformance.Verdict) {
		t.Logf("%s after %v: %s is %v", h.m.Name, time.Since(began).Round(time.Millisecond), v.ID, v.Outcome)
	}}
	h.verdicts, _, h.health, h.err = client.Check(t.Context(), subject.Local(subjected), client.Cases, options)
}

// quickly shortens what a check waits for on purpose.
func quickly(id, name string) (string, bool) {
	value, ok := map[string]string{"SSE-HBC-004.silence": "5s", "SSE-HTTPC-029.connect_timeout": "6s"}[id+"."+name]
	return value, ok
}

func missed(v conformance.Verdict) bool {
	return v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
}

// deviates says that a MAY was missed, which is only information.
func deviates(v conformance.Verdict) bool {
	return v.Outcome == conformance.Info && slices.ContainsFunc(v.Findings, func(f conformance.Finding) bool { return f.Name == "deviation" })
}

// problem is what is wrong with a hunt.
type problem struct {
	text      string
	undecided bool // a verdict could not be reached, rather than being wrong
}

func (h *hunt) problems() []problem {
	if h.err != nil {
		return []problem{{text: h.err.Error()}}
	}
	var all []problem
	for _, id := range h.m.Kills {
		i := slices.IndexFunc(h.verdicts, func(v conformance.Verdict) bool { return v.ID == id })
		if i < 0 {
			all = append(all, problem{text: "survives: " + id + " was not judged"})
		} else if v := h.verdicts[i]; !missed(v) && !deviates(v) {
			all = append(all, problem{"survives: " + describe(v), v.Outcome == conformance.Unknown || h.busy()})
		}
	}
	for _, v := range h.verdicts {
		if missed(v) && !h.expects(v.ID) {
			all = append(all, problem{text: "unrelated: " + describe(v)})
		}
	}
	return all
}

// expects says that a requirement is one that the mutant fails, or may: by its id, or by the area that it is in.
func (h *hunt) expects(id string) bool {
	return slices.Contains(h.m.Kills, id) || slices.ContainsFunc(h.m.May, func(m mutant.May) bool {
		return id == m.ID || strings.HasPrefix(id, m.ID+"-")
	})
}

// busyLag is a timer's lateness, in milliseconds, beyond which waits of tens of them cannot be told apart.
const busyLag = 8

func (h *hunt) busy() bool { return len(h.health.Problems) > 0 || h.health.LagP99 > busyLag }

// worthAnother says that something is not as it must be. Beside a hundred others on a busy machine even a kernel can be late, so another
// attempt, beside fewer, decides.
func (h *hunt) worthAnother() bool { return len(h.problems()) > 0 }

const (
	huntsAtOnce = 24 // they wait more than they work
	attempts    = 3
)

// TestEachClientMutantIsCaughtByWhatItNames breaks one promise of the reference client at a time: what the mutant names must be missed, and
// nothing unrelated.
func TestEachClientMutantIsCaughtByWhatItNames(t *testing.T) {
	t.Parallel()
	var hunts []*hunt
	for _, m := range mutant.Clients {
		if *onlyMutant == "" || m.Name == *onlyMutant {
			hunts = append(hunts, newHunt(m))
		}
	}
	left := hunts
	for i := range attempts {
		var running sync.WaitGroup
		slots := make(chan struct{}, max(1, huntsAtOnce>>(3*i))) // fewer at a second and third attempt
		for _, h := range left {
			running.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				h.carryOut(t)
			})
		}
		running.Wait()
		left = slices.DeleteFunc(slices.Clone(left), func(h *hunt) bool { return !h.worthAnother() })
	}
	for _, h := range hunts {
		for _, p := range h.problems() {
			if !p.undecided || !h.busy() {
				t.Errorf("%s: %s", h.m.Name, p.text)
			}
		}
	}
	if len(left) > 0 && !t.Failed() {
		var names []string
		for _, h := range left {
			names = append(names, fmt.Sprintf("%s: %v", h.m.Name, h.problems()))
		}
		t.Skipf("this machine was too busy to judge %d of %d mutants:\n%s", len(left), len(hunts), strings.Join(names, "\n"))
	}
}

func TestClientMutantsAreComplete(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := map[string]bool{}
	for _, m := range slices.Concat(mutant.All, mutant.Server) {
		seen[m.Name] = true
	}
	numbered := map[string]bool{}
	for _, m := range mutant.Clients {
		switch {
		case !name.MatchString(m.Name):
			t.Errorf("%q is not words with hyphens", m.Name)
		case m.Bug == "" || m.SeenIn == "" || m.Client == nil:
			t.Errorf("%s lacks its bug, its origin or its defect", m.Name)
		case len(m.Kills) == 0 || seen[m.Name]:
			t.Errorf("%s names no requirement, or is there twice", m.Name)
		}
		seen[m.Name], numbered[m.ID] = true, true
		for _, id := range m.Kills {
			if conformance.RequirementByID(id) == nil {
				t.Errorf("%s: there is no requirement %s", m.Name, id)
			}
		}
		for _, may := range m.May {
			if slices.Contains(m.Kills, may.ID) || may.Why == "" {
				t.Errorf("%s: %s is a kill too, or lacks its reason", m.Name, may.ID)
			}
		}
	}
	for n := 1; n <= 31; n++ {
		if id := fmt.Sprintf("MC-%02d", n); !numbered[id] {
			t.Errorf("no mutant is %s", id)
		}
	}
}

// TestEveryCoreRequirementHasAMutant: a check that cannot fail proves nothing.
func TestEveryCoreRequirementHasAMutant(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	for i := range requirements {
		r := &requirements[i]
		judged := slices.ContainsFunc(client.Cases, func(c client.Case) bool { return c.Requirement == r.ID })
		caught := slices.ContainsFunc(mutant.Clients, func(m mutant.Mutant) bool { return slices.Contains(m.Kills, r.ID) })
		if r.Core && judged && !caught {
			t.Errorf("no mutant fails %s: %s", r.ID, r.Statement)
		}
	}
}
