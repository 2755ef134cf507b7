package capacity

import (
	"fmt"
	"math"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// Setting is what an extrapolation has to know of how the line was measured.
type Setting struct {
	PayloadBytes float64
	Processors   int  // of the machine that the harness ran on
	Shared       bool // the target ran there too
}

// Factors are the multiples of the line that are extrapolated to.
var Factors = []float64{10, 100, 1000}

// Extrapolate says what multiples of the line would take, and what it assumes; nothing without a line. It reads the line, the costs, the
// steps and the reserve of c.
func Extrapolate(c *conformance.Capacity, by Setting) (rows []conformance.CapacityExtrapolation, assumptions []string) {
	if c.Line <= 0 {
		return nil, nil
	}
	throughput, harness := atLine(c)
	usable := 1 - c.Reserve
	for _, factor := range Factors {
		row := conformance.CapacityExtrapolation{
			Factor: factor, Value: factor * c.Line, Nodes: nodes(factor*c.Line, c.Line*usable),
			DeliveriesPerS: factor * throughput, BandwidthPerS: factor * throughput * by.PayloadBytes,
		}
		if c.High > 0 && c.Limit == conformance.LimitTarget {
			row.NodesLow = nodes(row.Value, c.High*usable)
		}
		if c.Low > 0 {
			row.NodesHigh = nodes(row.Value, c.Low*usable)
		}
		for _, cost := range c.Costs {
			low, likely, high := total(cost, &row)
			if cost.Of == "memory" {
				row.MemoryLow, row.Memory, row.MemoryHigh = low, likely, high
			} else {
				row.CPULow, row.CPU, row.CPUHigh = low, likely, high
			}
		}
		rows = append(rows, row)
	}
	return rows, assume(c, by, harness)
}

func nodes(value, each float64) float64 { return math.Ceil(value/each - 1e-9) }

// total is what all nodes together cost. The bounds take the worst of each interval at once, so they are wider than 95 %.
func total(cost conformance.CapacityCost, row *conformance.CapacityExtrapolation) (low, likely, high float64) {
	fewest, most := row.NodesLow, row.NodesHigh
	if fewest == 0 {
		fewest = row.Nodes
	}
	if most == 0 {
		most = row.Nodes
	}
	at := func(nodes, base, slope float64) float64 { return max(nodes*base+row.Value*slope, 0) }
	return at(fewest, cost.BaseLow, cost.SlopeLow), at(row.Nodes, cost.Base, cost.Slope), at(most, cost.BaseHigh, cost.SlopeHigh)
}

// atLine is the median of what the runs at the line delivered in a second, and the most that the harness used of its machine there.
func atLine(c *conformance.Capacity) (throughput, harness float64) {
	var all []float64
	for i := range c.Steps {
		if step := &c.Steps[i]; step.Value == c.Line && step.Throughput > 0 {
			all = append(all, step.Throughput)
			harness = max(harness, step.HarnessCPU)
		}
	}
	return Median(all), harness
}

// Median is the middle of some values, the mean of the two in the middle when their number is even; 0 of nothing.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func assume(c *conformance.Capacity, by Setting, harness float64) []string {
	all := []string{
		"Nodes share the load evenly and nothing else; what it costs to carry each message to all of them was not measured.",
		fmt.Sprintf("Each node carries what this target carried, with %.0f%% kept free for the failure of others and for reconnects.", 100*c.Reserve),
		"Deliveries and bandwidth grow with the load as at the line. Bandwidth is that of the payloads; framing, TLS and TCP come on top.",
	}
	if c.Limit != conformance.LimitTarget {
		all = append(all, "The line is a lower bound, since the search did not reach the target's limit: it may take fewer nodes.")
	}
	for _, cost := range c.Costs {
		all = append(all, fmt.Sprintf("The %s of a node follows the straight line fitted up to %s.", costNames[cost.Of], c.Amount(highest(c))))
	}
	if by.Shared {
		all = append(all, fmt.Sprintf("The harness ran on the same %s and used up to %.0f%% of them at the line: a machine of its own would carry more.",
			conformance.Plural(by.Processors, "processor"), 100*harness))
	}
	return all
}

var costNames = map[string]string{"memory": "memory", "cpu": "processor time"}

// highest is the highest value of the runs that the costs rest on.
func highest(c *conformance.Capacity) (most float64) {
	for i := range c.Steps {
		if step := &c.Steps[i]; judgedWhole(step) {
			most = max(most, step.Value)
		}
	}
	return most
}
