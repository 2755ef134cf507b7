package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// capacitySummary says in a sentence or two where the line is and what lies beyond it.
func capacitySummary(c *conformance.Capacity) string {
	clauses := []string{"The target carries " + c.Answer()}
	switch {
	case c.NothingCarried():
		clauses[0] = fmt.Sprintf("The target does not carry %s, the least that was tried", c.Amount(c.High))
	case c.Line == 0:
		clauses[0] = "How much the target carries is not known"
	}
	if b := c.Beyond; b != nil {
		clauses = append(clauses, fmt.Sprintf("at %s %s breaks: expected %s, got %s", c.Amount(c.High), b.ID, orNothing(b.Expected), orNothing(b.Actual)))
	}
	if c.Limit != conformance.LimitTarget || c.Beyond == nil {
		clauses = append(clauses, c.Reason)
	}
	return strings.TrimRight(strings.Join(clauses, "; "), ".?") + "."
}

// capacityRow is all runs at one value.
type capacityRow struct {
	value                       float64
	runs, held                  int
	outcome                     conformance.Outcome
	throughput, p50, p99, cores float64 // medians; NaN where there is nothing, +Inf where deliveries are missing
	memory                      float64
	broken                      string // what failed, or why nothing could be said
}

// capacityRows are the runs by value, ascending.
func capacityRows(c *conformance.Capacity) []capacityRow {
	var values []float64
	for _, s := range c.Steps {
		if !slices.Contains(values, s.Value) {
			values = append(values, s.Value)
		}
	}
	slices.Sort(values)
	rows := make([]capacityRow, len(values))
	for i, v := range values {
		rows[i] = capacityRowAt(c, v)
	}
	return rows
}

func capacityRowAt(c *conformance.Capacity, value float64) capacityRow {
	row := capacityRow{value: value}
	var throughput, p50, p99, memory, cores []float64
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Value != value {
			continue
		}
		row.runs++
		if isGood(s.Outcome) {
			row.held++
		}
		throughput, cores = appendPositive(throughput, s.Throughput), appendPositive(cores, s.CPU)
		memory = appendPositive(memory, float64(s.MemoryBytes))
		p50, p99 = appendSample(p50, s.LatencyP50), appendSample(p99, s.LatencyP99)
		switch {
		case len(s.Failed) > 0 && (row.broken == "" || s.Final):
			row.broken = strings.Join(s.Failed, ", ")
		case s.Reason != "" && row.broken == "":
			row.broken = s.Reason
		}
	}
	row.throughput, row.p50, row.p99 = median(throughput), median(p50), median(p99)
	row.memory, row.cores = median(memory), median(cores)
	row.outcome = row.overall(c)
	return row
}

// overall is what the runs at a value amount to, as the search took it.
func (row *capacityRow) overall(c *conformance.Capacity) conformance.Outcome {
	failed, final := 0, false
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Value == row.value && s.Outcome == conformance.Fail {
			failed++
			final = final || s.Final
		}
	}
	switch {
	case final:
		return conformance.Fail
	case 2*row.held > row.runs:
		return conformance.Pass
	case failed > 0 && failed >= row.runs-row.held-failed:
		return conformance.Fail
	}
	return conformance.Unknown
}

func appendPositive(list []float64, v float64) []float64 {
	if v > 0 {
		return append(list, v)
	}
	return list
}

func appendSample(list []float64, v *conformance.Sample) []float64 {
	if v == nil || math.IsNaN(float64(*v)) {
		return list
	}
	return append(list, float64(*v))
}

// median is NaN of nothing, and the upper one of two in the middle, of which one may be infinite.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// capacityGrid is a table of cells for any renderer.
type capacityGrid struct {
	header []string
	right  []bool
	rows   [][]string
}

func capacitySteps(c *conformance.Capacity) capacityGrid {
	g := capacityGrid{
		header: []string{"load", "held", "deliveries/s", "latency p50", "latency p99", "memory", "CPU", "what broke"},
		right:  []bool{true, true, true, true, true, true, true, false},
	}
	for _, row := range capacityRows(c) {
		g.rows = append(g.rows, []string{
			c.Number(row.value), fmt.Sprintf("%d of %d", row.held, row.runs), countOrNone(row.throughput), millis(row.p50), millis(row.p99),
			bytesOrNone(row.memory), coresOrNone(row.cores), row.broken,
		})
	}
	return g
}

func countOrNone(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return Count(uint64(math.Round(v)))
}

func bytesOrNone(v float64) string {
	if math.IsNaN(v) || v <= 0 {
		return "–"
	}
	return memory.Size(uint64(v))
}

func coresOrNone(v float64) string {
	if math.IsNaN(v) || v <= 0 {
		return "–"
	}
	return cores(v)
}

// cores is a number of processors: 1.5 cores, 12 millicores.
func cores(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.3g millicores", 1000*v)
	}
	return fmt.Sprintf("%.3g cores", v)
}

// capacityHeadroom has a line for each budget at the line, the scarcest first.
func capacityHeadroom(c *conformance.Capacity) capacityGrid {
	g := capacityGrid{header: []string{"budget", "expected", "at the line", "left"}, right: []bool{false, false, true, true}}
	for _, h := range c.Headroom {
		g.rows = append(g.rows, []string{h.ID, h.Expected, h.Actual, share(h.Left)})
	}
	return g
}

// capacityFacts are what was fitted, each a label and a text.
func capacityFacts(c *conformance.Capacity) [][2]string {
	var facts [][2]string
	for _, cost := range c.Costs {
		facts = append(facts, [2]string{cost.Of, costText(cost)})
	}
	if len(c.Costs) == 0 {
		why := "not fitted: too few runs"
		if c.Observed == "" {
			why = "not seen: the target file names no process and no metrics to observe"
		}
		facts = append(facts, [2]string{"cost", why})
	}
	if s := c.Scaling; s != nil {
		facts = append(facts, [2]string{"scaling", scalingText(c, s)})
	}
	return facts
}

func costText(k conformance.CapacityCost) string {
	amount := func(v float64) string {
		sign := ""
		if v < 0 {
			sign, v = "−", -v
		}
		if k.Unit == "bytes" {
			return sign + memory.Size(uint64(v))
		}
		return sign + cores(v)
	}
	return fmt.Sprintf("%s and %s per %s (%s to %s with 95%% confidence); R² %.3f over %d runs",
		amount(k.Base), amount(k.Slope), k.Per, amount(k.SlopeLow), amount(k.SlopeHigh), k.R2, k.Points)
}

// lawful is the share of the variance below which a fitted law describes nothing.
const lawful = 0.9

func scalingText(c *conformance.Capacity, s *conformance.CapacityScaling) string {
	text := fmt.Sprintf("Universal Scalability Law: λ %.4g deliveries/s, contention σ %.2g (%.2g to %.2g), coherency κ %.2g (%.2g to %.2g); R² %.3f over %d runs",
		s.Lambda, s.Sigma, s.SigmaLow, s.SigmaHigh, s.Kappa, s.KappaLow, s.KappaHigh, s.R2, s.Points)
	switch {
	case s.R2 < lawful:
		text += "; the law does not describe these runs"
	case !s.Saturating:
		text += "; throughput kept up with the load, so this says nothing of what lies beyond"
	case s.Peak > 0:
		text += fmt.Sprintf("; throughput would peak at %s with %s deliveries/s", c.Number(math.Round(s.Peak)), countOrNone(s.PeakX))
	}
	return text
}

// capacityFuture is the extrapolation, with bounds where there are any.
func capacityFuture(c *conformance.Capacity) capacityGrid {
	g := capacityGrid{
		header: []string{"", "load", "nodes", "memory", "CPU", "deliveries/s", "payload"},
		right:  []bool{true, true, true, true, true, true, true},
	}
	for _, x := range c.Extrapolation {
		g.rows = append(g.rows, []string{
			"×" + Count(uint64(x.Factor)), c.Number(x.Value), bounded(x.NodesLow, x.Nodes, x.NodesHigh, countOrNone),
			bounded(x.MemoryLow, x.Memory, x.MemoryHigh, bytesOrNone), bounded(x.CPULow, x.CPU, x.CPUHigh, coresOrNone),
			countOrNone(x.DeliveriesPerS), bytesOrNone(x.BandwidthPerS) + "/s",
		})
	}
	return g
}

// bounded is a value and its bounds: "15 (14 to 16)". Zero is no bound.
func bounded(low, v, high float64, text func(float64) string) string {
	switch {
	case v <= 0:
		return "–"
	case low > 0 && high > 0 && (low != v || high != v):
		return fmt.Sprintf("%s (%s to %s)", text(v), text(low), text(high))
	case high > v:
		return fmt.Sprintf("%s (at most %s)", text(v), text(high))
	}
	return text(v)
}
