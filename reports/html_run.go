package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
)

// htmlRun is one scenario run of a page.
type htmlRun struct {
	Index    int
	Anchor   string
	Run      *conformance.ScenarioRun
	Outcome  conformance.Outcome
	Verdicts []conformance.Verdict
	Measures []conformance.Measure
	Source   string
	Seed     uint64
	Judged   bool    // not only simulated
	Step     float64 // seconds that one point of the timeline stands for

	index []int // the places of Verdicts among all of the result's
}

// Runs are the scenario runs, in the order they ran.
func (h *htmlReport) Runs() []htmlRun {
	var runs []htmlRun
	for i, s := range h.Parts {
		if s.area {
			continue
		}
		run := htmlRun{Index: i, Anchor: fmt.Sprintf("run%d", i), Run: s.run, Outcome: s.outcome, Seed: h.R.Seed, Judged: len(h.R.Storms) == 0}
		if s.run == nil {
			run.Run = &conformance.ScenarioRun{Scenario: s.name}
		} else {
			run.Source, run.Step = h.sources[i], stepOf(s.run)
		}
		for at, v := range h.R.Verdicts {
			if v.Scenario == run.Run.Scenario {
				run.Verdicts, run.index = append(run.Verdicts, v), append(run.index, at)
			}
		}
		for _, m := range h.R.Measures {
			if m.Scenario == run.Run.Scenario {
				run.Measures = append(run.Measures, m)
			}
		}
		runs = append(runs, run)
	}
	return runs
}

// Kept is how many of its promises were kept.
func (r htmlRun) Kept() int {
	return section{verdicts: r.Verdicts}.count(conformance.Pass, conformance.Info, conformance.Warn)
}

// DeliveredShare is the part of what was owed that arrived.
func (r htmlRun) DeliveredShare() string { return percent(r.Run.Delivered, r.Run.Expected) }

func (r htmlRun) measure(name string) (conformance.Measure, bool) {
	i := slices.IndexFunc(r.Measures, func(m conformance.Measure) bool { return m.Name == name })
	if i < 0 {
		return conformance.Measure{}, false
	}
	return r.Measures[i], true
}

// LatencyP99 is the latency's 99th percentile, the uncorrected one beside it.
func (r htmlRun) LatencyP99() string {
	m, there := r.measure("latency")
	if !there {
		return "–"
	}
	text := quantile(m, "p99")
	if beside, there := r.measure("latency.uncorrected"); there {
		text += " (" + quantile(beside, "p99") + ")"
	}
	return text
}

// Tiles are the size of the run and what became of it.
func (r htmlRun) Tiles() []tile {
	if r.Run.Duration <= 0 {
		return nil
	}
	missing := r.Run.Expected - min(r.Run.Expected, r.Run.Delivered)
	bad := missing > r.Run.Held
	tiles := []tile{
		{Name: "subscribers", Value: htmlCount(r.Run.Subscribers), Beside: "on " + Plural(uint64(max(r.Run.Streams, 0)), "stream")},
		{Name: "messages published", Value: Count(r.Run.Published)},
		{Name: "deliveries owed", Value: Count(r.Run.Expected)},
		{Name: "arrived", Value: percent(r.Run.Delivered, r.Run.Expected), Beside: Count(r.Run.Delivered), Bad: bad},
		{Name: "did not arrive", Value: Count(missing), Beside: strings.Join(undelivered(*r.Run), ", "), Bad: bad},
	}
	for _, name := range []string{"p50", "p99"} {
		m, there := r.measure("latency")
		if !there {
			continue
		}
		t := tile{Name: "latency " + name, Value: quantile(m, name)}
		if beside, there := r.measure("latency.uncorrected"); there {
			t.Beside = quantile(beside, name) + " uncorrected"
		}
		tiles = append(tiles, t)
	}
	return append(tiles, tile{Name: "took", Value: elapsed(r.Run.Duration)})
}

// TimelineNote says how to read the timeline.
func (r htmlRun) TimelineNote() string {
	note := "Second by second from the run's start; drag to zoom, double-click for all of it, arrow keys read the values."
	if r.Step > 1 {
		note = fmt.Sprintf("Each point stands for %g seconds. Drag to zoom, double-click for all of it, arrow keys read the values.", r.Step)
	}
	if len(r.Run.Faults) > 0 {
		note += " Bands are faults."
	}
	return note
}

// anomaly is one finding with the promises that it breaks.
type anomaly struct {
	Finding      conformance.Finding
	Outcome      conformance.Outcome
	Promises     []string
	Title        string
	When, Where  string
	Whom         string // Where with how many there were
	Next, Anchor string
	Open         bool
}

// Anomalies are the findings of its verdicts; one that several verdicts rest on is there once.
func (r htmlRun) Anomalies() []anomaly {
	var all []anomaly
	for i, v := range r.Verdicts {
		for n, f := range v.Findings {
			at := slices.IndexFunc(all, func(a anomaly) bool { return equalFindings(a.Finding, f) })
			if at >= 0 {
				all[at].Promises = append(all[at].Promises, v.ID)
				continue
			}
			if n >= htmlFindings {
				break
			}
			f.Text = clip(f.Text)
			a := anomaly{
				Finding: f, Outcome: v.Outcome, Promises: []string{v.ID}, Title: v.Title, When: whenSeen(f, r.Run), Where: where(f), Whom: whom(f, r.Run), Next: v.Next,
				Anchor: anomalyAnchor(r.index[i], n),
			}
			all = append(all, a)
		}
	}
	return all
}

func anomalyAnchor(verdict, finding int) string { return fmt.Sprintf("anomaly%d-%d", verdict, finding) }

// Rows are its verdicts with their anchors.
func (r htmlRun) Rows() []verdictRow {
	rows := make([]verdictRow, len(r.Verdicts))
	for i, v := range r.Verdicts {
		rows[i] = verdictRow{v, verdictAnchor(r.index[i])}
	}
	return rows
}

type verdictRow struct {
	conformance.Verdict

	Anchor string
}

// MoreAnomalies says how many findings there was no room for.
func (r htmlRun) MoreAnomalies() string {
	more := 0
	for _, v := range r.Verdicts {
		more += max(0, len(v.Findings)-htmlFindings)
	}
	if more == 0 {
		return ""
	}
	return fmt.Sprintf("%s more in %s.", Plural(uint64(more), "finding"), ResultFile)
}

func equalFindings(a, b conformance.Finding) bool {
	return a.Name == b.Name && a.Count == b.Count && a.Text == b.Text && a.Subscriber == b.Subscriber && a.Stream == b.Stream && a.Number == b.Number
}

// unjudgedGroup are the verdicts that were not reached for one reason.
type unjudgedGroup struct {
	Outcome           conformance.Outcome
	Reason, Next, IDs string
	Verdicts          []conformance.Verdict
}

// Unjudged are its verdicts that were not reached, by the reason.
func (r htmlRun) Unjudged() []unjudgedGroup {
	return unjudgedOf(r.Verdicts, conformance.Unknown, conformance.Skip)
}

func unjudgedOf(verdicts []conformance.Verdict, outcomes ...conformance.Outcome) []unjudgedGroup {
	var groups []unjudgedGroup
	for _, o := range outcomes {
		for _, g := range byReason(verdicts, o) {
			groups = append(groups, unjudgedGroup{Outcome: o, Reason: clip(g.reason), Next: g.next, IDs: g.ids(), Verdicts: g.verdicts})
		}
	}
	return groups
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
