package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// htmlReport is what the templates of a page show.
type htmlReport struct {
	R      *conformance.Result // its text is safe to show
	Parts  []section
	Charts chartData
	Live   bool

	sources []string // of the runs, with their line breaks
	strict  bool
}

func newHTMLReport(r *conformance.Result, opts Options) *htmlReport {
	h := &htmlReport{Charts: chartsOf(r), strict: isStrict(r, opts)}
	for _, run := range r.Runs {
		lines := strings.Split(strings.TrimRight(run.Source, "\n"), "\n")
		for i, line := range lines {
			lines[i] = Visible(strings.TrimSuffix(line, "\r"))
		}
		h.sources = append(h.sources, strings.Join(lines, "\n"))
	}
	h.R = MapText(r, Visible)
	for i := range h.Charts.Runs {
		h.Charts.Runs[i].Faults = h.R.Runs[h.Charts.Runs[i].Run].Faults
	}
	h.Parts = sections(h.R, h.strict)
	return h
}

// newHTMLLive is the report of a run that goes on. What is lost will be known when it has ended.
func newHTMLLive(r *conformance.Result, opts Options) *htmlReport {
	h := newHTMLReport(r, opts)
	h.Live = true
	if n := len(h.Charts.Runs); n > 0 && h.Running() {
		last := &h.Charts.Runs[n-1]
		last.Series = maps.Clone(last.Series)
		delete(last.Series, "lost")
	}
	return h
}

// Running says that the run goes on, so that there is no verdict yet.
func (h *htmlReport) Running() bool { return h.Live && h.R.Outcome == conformance.Unknown }

// Title is the page's: what a browser's tab can show.
func (h *htmlReport) Title() string {
	if h.Running() {
		return "running · Streamgauge " + string(h.R.Kind)
	}
	return markOf(h.R.Outcome).word + " · Streamgauge " + joinNonEmpty(" of ", string(h.R.Kind), h.R.Subject.Name)
}

// Measured says that there was a harness at work: nothing was only compared or simulated.
func (h *htmlReport) Measured() bool { return h.R.Comparison == nil && len(h.R.Storms) == 0 }

// Facts say who was judged, and when.
func (h *htmlReport) Facts() []string {
	facts := []string{orElse(h.R.Subject.Name, "no subject")}
	if h.R.Subject.Version != "" {
		facts = append(facts, h.R.Subject.Version)
	}
	if h.R.Subject.URL != "" {
		facts = append(facts, clip(h.R.Subject.URL))
	}
	if !h.R.Started.IsZero() {
		facts = append(facts, h.R.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if h.R.Duration > 0 {
		facts = append(facts, "took "+elapsed(h.R.Duration))
	}
	return append(facts, fmt.Sprintf("seed %d", h.R.Seed))
}

// tile is one figure with its name.
type tile struct {
	Name, Value, Beside string
	Bad                 bool
}

// link leads to a part of the page.
type link struct{ Name, Anchor string }

// Contents lead to the parts of a long page.
func (h *htmlReport) Contents() []link {
	var links []link
	add := func(there bool, name, anchor string) {
		if there {
			links = append(links, link{name, anchor})
		}
	}
	add(len(h.Cards()) > 0, h.CardsTitle(), "decided")
	add(len(h.R.Storms) > 0, "Storms", "storms")
	add(h.R.Capacity != nil, "Capacity", "capacity")
	switch {
	case h.R.Comparison != nil:
		add(true, "Verdicts", "changes")
		add(len(h.R.Comparison.Measures) > 0, "Measures", "measures")
	case h.R.Capacity != nil:
	case len(h.R.Matrix) > 0:
		for _, g := range h.Groups() {
			add(true, g.Name, g.Anchor)
		}
	default:
		runs := h.Runs()
		add(len(runs) > 1, "Scenarios", "scenarios")
		for _, run := range runs {
			add(true, run.Run.Scenario, run.Anchor)
		}
		areas := len(h.Areas()) > 0
		add(areas, "By area", "areas")
		add(areas && len(h.Missed()) > 0, "Not kept", "missed")
		add(len(h.Delays()) > 0, "Delays", "delays")
		add(areas && len(h.NotJudged()) > 0, "Not judged", "unjudged")
		add(areas, "All requirements", "all")
	}
	add(h.Measured(), "Harness", "harness")
	add(h.R.Command != "", "Repeat it", "repeat")
	return links
}

// HealthTiles are what the harness measured of itself.
func (h *htmlReport) HealthTiles() []tile {
	health := h.R.Health
	tiles := []tile{
		{Name: "timers late, p99", Value: millis(health.LagP99)},
		{Name: "timers late, at most", Value: millis(health.LagMax)},
		{Name: "publishes late, p99", Value: millis(health.PublishLateP99)},
		{Name: "longest GC pause", Value: millis(health.GCPauseMax)},
		{Name: "memory", Value: memory.Size(health.MemoryBytes)},
		{Name: "send failures", Value: Count(health.SendFailures), Bad: health.SendFailures > 0},
		{Name: "observations dropped", Value: Count(health.Drops), Bad: health.Drops > 0},
	}
	if health.KernelDrops > 0 {
		tiles = append(tiles, tile{Name: "packets that the kernel dropped", Value: Count(health.KernelDrops), Bad: true})
	}
	if health.CPU > 0 {
		tiles = slices.Insert(tiles, 0, tile{Name: "CPU of all cores", Value: share(health.CPU)})
	}
	return tiles
}

// Headline is the verdict in one sentence.
func (h *htmlReport) Headline() string {
	r := h.R
	switch {
	case h.Running():
		return runningLine(r)
	case r.Comparison != nil:
		return comparisonLine(r.Comparison)
	case r.Capacity != nil:
		return capacitySummary(r.Capacity)
	case len(r.Storms) > 0:
		return stormSummary(r.Storms)
	case len(r.Verdicts) == 0 && len(r.Runs) == 0:
		return "Nothing was judged."
	case len(r.Matrix) > 0:
		return matrixLine(r)
	case len(r.Runs) == 0:
		return requirementLine(r)
	}
	if broken := h.broken(conformance.Fail); len(broken) > 0 {
		return brokenLine(broken)
	}
	promises := Plural(uint64(len(r.Verdicts)), "promise")
	if unknown := h.broken(conformance.Unknown); len(unknown) > 0 {
		n := countOutcome(r.Verdicts, conformance.Unknown)
		why := orElse(unknown[0].first.Reason, "no reason was recorded")
		if countOutcome(r.Verdicts, conformance.Pass)+countOutcome(r.Verdicts, conformance.Warn) == 0 {
			return fmt.Sprintf("Nothing could be judged: %s.", why)
		}
		return fmt.Sprintf("%d of %s could not be judged: %s.", n, promises, why)
	}
	if r.Outcome == conformance.Skip {
		return fmt.Sprintf("Everything was skipped: %s.", orElse(r.Verdicts[0].Reason, "no reason was recorded"))
	}
	if warned := h.broken(conformance.Warn); len(warned) > 0 {
		return fmt.Sprintf("%s, with a warning: %s.", kept(r), strings.TrimSuffix(whatBroke(warned[0].first), "."))
	}
	return kept(r) + "."
}

func kept(r *conformance.Result) string {
	n := countOutcome(r.Verdicts, conformance.Pass) + countOutcome(r.Verdicts, conformance.Info) + countOutcome(r.Verdicts, conformance.Warn)
	place := Plural(uint64(len(r.Runs)), "scenario")
	if len(r.Runs) == 1 {
		place = r.Runs[0].Scenario
	}
	which, were := "All "+Plural(uint64(n), "promise"), "were"
	if n == 1 {
		which, were = "The only promise", "was"
	}
	if n < len(r.Verdicts) {
		which += " that could be judged"
	}
	return fmt.Sprintf("%s %s kept in %s", which, were, place)
}

func countOutcome(verdicts []conformance.Verdict, o conformance.Outcome) (n int) {
	for _, v := range verdicts {
		if v.Outcome == o {
			n++
		}
	}
	return n
}

// brokenLine is "58 owed deliveries never arrived in network-drops; 2 more promises were broken."
func brokenLine(broken []brokenPromise) string {
	first := broken[0].first
	line := sentence(first)
	if first.Scenario != "" {
		line += " in " + first.Scenario
	}
	if more := len(broken) - 1; more == 1 {
		line += "; 1 more promise was broken"
	} else if more > 1 {
		line += fmt.Sprintf("; %s were broken", Plural(uint64(more), "more promise"))
	}
	return line + "."
}

func runningLine(r *conformance.Result) string {
	if len(r.Runs) == 0 {
		return "nothing has begun yet."
	}
	run := r.Runs[len(r.Runs)-1]
	return fmt.Sprintf("%s, %s of %s delivered so far.", run.Scenario, Count(run.Delivered), Plural(run.Expected, "owed message"))
}

// Lede says what the headline leaves out.
func (h *htmlReport) Lede() string {
	switch {
	case h.Running():
		return "The verdicts come when it has ended."
	case len(h.R.Verdicts) == 0 || h.R.Capacity != nil || len(h.R.Storms) > 0:
		return ""
	}
	return summary(h.R, h.Parts)
}

// brokenPromise is a verdict with those that rest on the very same findings.
type brokenPromise struct {
	first conformance.Verdict
	index int // of first among the verdicts
	also  []conformance.Verdict
}

// broken are the promises with an outcome. Those of one scenario whose first findings are equal have one cause and are one.
func (h *htmlReport) broken(o conformance.Outcome) []brokenPromise {
	var all []brokenPromise
	for i, v := range h.R.Verdicts {
		if v.Outcome != o {
			continue
		}
		at := slices.IndexFunc(all, func(b brokenPromise) bool { return sameCause(b.first, v) })
		if at >= 0 {
			all[at].also = append(all[at].also, v)
			continue
		}
		all = append(all, brokenPromise{first: v, index: i})
	}
	return all
}

func sameCause(a, b conformance.Verdict) bool {
	if a.Scenario != b.Scenario {
		return false
	}
	if len(a.Findings) == 0 || len(b.Findings) == 0 {
		return len(a.Findings) == len(b.Findings) && a.Outcome == conformance.Unknown && a.Reason == b.Reason
	}
	x, y := a.Findings[0], b.Findings[0]
	return x.Name == y.Name && x.Count == y.Count && x.Text == y.Text && x.Subscriber == y.Subscriber && x.Stream == y.Stream
}
