package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/vectors"
)

// parseCases are those of which the vectors say it all; the others of the area follow them.
var parseCases = slices.Concat(vectorCases("SSE-PARSE-021", "SSE-PARSE-025"), []Case{
	{Requirement: "SSE-PARSE-021", Run: invalidUTF8},
	{Requirement: "SSE-PARSE-025", Run: anyChunks},
}, promptCases, orderCases, retryCases)

// idMatters are the requirements whose vectors are about ids; of the others' events the id is not looked at, so that a client with strange ids
// is not blamed for everything.
var idMatters = []string{
	"SSE-PARSE-010", "SSE-PARSE-011", "SSE-PARSE-030", "SSE-PARSE-031", "SSE-PARSE-032", "SSE-PARSE-033", "SSE-PARSE-034",
}

// decidedOtherwise are requirements that have vectors and a case of their own kind.
var decidedOtherwise = []string{
	"SSE-PARSE-015", "SSE-PARSE-035", "SSE-PARSE-037", "SSE-PARSE-038", "SSE-PARSE-041",
}

// vectorCases has a case for each requirement with vectors.
func vectorCases(but ...string) []Case {
	var all []Case
	for i := range vectors.All {
		id := vectors.All[i].Requirement()
		known := slices.ContainsFunc(all, func(c Case) bool { return c.Requirement == id })
		if !known && !slices.Contains(but, id) && !slices.Contains(decidedOtherwise, id) {
			all = append(all, Case{Requirement: id, Run: eachVector})
		}
	}
	return all
}

func vectorsOf(requirement string) []*vectors.Vector {
	var some []*vectors.Vector
	for i := range vectors.All {
		if vectors.All[i].Requirement() == requirement {
			some = append(some, &vectors.All[i])
		}
	}
	return some
}

// eachVector serves every vector of the requirement in every cut: the client must report what it means each time.
func eachVector(t *Trial) {
	ids := slices.Contains(idMatters, t.Requirement.ID)
	t.eachOf(vectorsOf(t.Requirement.ID), func(v *vectors.Vector, done []experiment, missing int) {
		understood := func(x *experiment) bool { return x.difference(ids) == "" }
		if t.profile == conformance.ProfileSDK {
			understood = func(x *experiment) bool { return x.withoutEmpty(ids).difference(ids) == "" }
			odd := slices.IndexFunc(done, func(x experiment) bool { return x.difference(ids) != "" && understood(&x) })
			if odd >= 0 && slices.Contains(emptyMatters, t.Requirement.ID) {
				_, name, _ := strings.Cut(v.Name, "/")
				t.Tolerated(meaning(v, ids), fmt.Sprintf("%s: %s, so it dispatches blocks without data", name, done[odd].difference(ids)),
					[]string{"sent: " + done[odd].cut.marked()})
			}
		}
		t.blame(v, done, missing, ids, understood)
	})
}

// emptyMatters are the requirements at which it is told that an SDK reports blocks without data. It may: what HTML §9.2.6 says of them binds
// browsers, and is left open for others. So at all other requirements it is passed over.
var emptyMatters = []string{"SSE-PARSE-007", "SSE-PARSE-008", "SSE-PARSE-033"}

// withoutEmpty is the experiment without the events that have no data and that the vector does not have.
func (x *experiment) withoutEmpty(ids bool) *experiment {
	y, due := *x, 0
	y.got = nil
	for _, g := range x.got {
		switch {
		case due < len(x.v.Events) && x.same(g, x.v.Events[due], ids):
			due++
		case g.data == "":
			continue
		}
		y.got = append(y.got, g)
	}
	return &y
}

// eachOf serves the vectors, side by side when the client can, judges what came of them, the plainest first, and ends the case.
func (t *Trial) eachOf(all []*vectors.Vector, judge func(v *vectors.Vector, done []experiment, missing int)) {
	type outcome struct {
		done    []experiment
		missing int
	}
	all = slices.SortedFunc(slices.Values(all), plainer)
	outcomes, total := make([]outcome, len(all)), 0
	t.each(len(all), func(i int) {
		done, missing := t.run(all[i])
		outcomes[i] = outcome{done, missing}
	})
	for i, o := range outcomes {
		total += len(o.done)
		t.Count(len(o.done))
		judge(all[i], o.done, o.missing)
	}
	t.Conclude(fmt.Sprintf("%s and cuts of them, each as it should be", conformance.Plural(total, "stream")))
}

// blame notes the first cut of a vector that was not understood, and how many there were.
func (t *Trial) blame(v *vectors.Vector, done []experiment, missing int, ids bool, understood func(*experiment) bool) {
	var first *experiment
	wrong := 0
	for i := range done {
		if understood(&done[i]) && !done[i].bare && (missing == 0 || i < len(done)-1) {
			continue
		}
		if wrong++; first == nil {
			first = &done[i]
		}
	}
	if first == nil {
		return
	}
	got := few(first.got, ids)
	if first.bare {
		got += "; the event behind was lost"
	}
	if missing > 0 && first == &done[len(done)-1] {
		behind := "nothing more, not even the event behind"
		if first.ended {
			behind = "the client gave up"
		} else {
			t.sure(patience/3, "events of "+v.Name+" were not reported")
		}
		got += "; then " + behind
	}
	_, name, _ := strings.Cut(v.Name, "/")
	t.Deviation(meaning(v, ids), fmt.Sprintf("%s, %s: %s (%d of %s)", name, first.cut.how, got, wrong, conformance.Plural(len(done), "cut")),
		[]string{"sent: " + first.cut.marked()})
}

// invalidUTF8 tolerates what loses nothing: the bytes as they were, or another number of U+FFFD.
func invalidUTF8(t *Trial) {
	t.eachOf(vectorsOf(t.Requirement.ID), func(v *vectors.Vector, done []experiment, missing int) {
		odd := slices.IndexFunc(done, func(x experiment) bool { return x.difference(false) != "" && x.harmless() })
		if odd >= 0 {
			_, name, _ := strings.Cut(v.Name, "/")
			t.Tolerated(meaning(v, false), fmt.Sprintf("%s: %s, so the bytes as they were or another number of U+FFFD", name, done[odd].difference(false)))
		}
		t.blame(v, done, missing, false, (*experiment).harmless)
	})
}

// harmless says that only the invalid bytes became something else than they should: as many events, with the same valid text.
func (x *experiment) harmless() bool {
	return slices.EqualFunc(x.got, x.v.Events, func(g seen, w vectors.Event) bool {
		strip := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\ufffd", "") }
		return g.kind == w.Type && strip(g.data) == strip(w.Data)
	})
}
