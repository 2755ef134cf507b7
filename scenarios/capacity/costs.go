package capacity

import (
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/stats"
)

// Costs fits a line each to the memory and the processors that the target used, over the runs that the target took whole. A target that
// lives on from run to run does not give its memory back at once: then only runs at a load higher than all before them count for memory.
func Costs(c *conformance.Capacity, livesOn bool) []conformance.CapacityCost {
	var costs []conformance.CapacityCost
	highest := 0.0
	var loads, bytes, busyLoads, cores []float64
	for i := range c.Steps {
		step := &c.Steps[i]
		rose := step.Value > highest
		highest = max(highest, step.Value)
		if !judgedWhole(step) {
			continue
		}
		if step.MemoryBytes > 0 && (rose || !livesOn) {
			loads, bytes = append(loads, step.Value), append(bytes, float64(step.MemoryBytes))
		}
		if step.CPU > 0 {
			busyLoads, cores = append(busyLoads, step.Value), append(cores, step.CPU)
		}
	}
	if l, ok := stats.FitLine(loads, bytes); ok {
		costs = append(costs, cost(c, "memory", "bytes", l))
	}
	if l, ok := stats.FitLine(busyLoads, cores); ok {
		costs = append(costs, cost(c, "cpu", "cores", l))
	}
	return costs
}

// judgedWhole says that a run put all of its load on the target and could be judged.
func judgedWhole(step *conformance.CapacityStep) bool {
	return !step.Final && step.Outcome != conformance.Unknown && step.Outcome != conformance.Skip
}

func cost(c *conformance.Capacity, of, unit string, l stats.Line) conformance.CapacityCost {
	return conformance.CapacityCost{
		Of: of, Unit: unit, Per: c.One(), R2: l.R2, Points: l.Points,
		Base: l.Base.Value, BaseLow: l.Base.Low, BaseHigh: l.Base.High,
		Slope: l.Slope.Value, SlopeLow: l.Slope.Low, SlopeHigh: l.Slope.High,
	}
}

// saturated is the share of a proportional yield below which throughput has fallen behind the load.
const saturated = 0.95

// Scaling fits the Universal Scalability Law to what was delivered, over all runs that could be judged and in which the target took the
// load; nil without enough of them. A load that was turned away is another, smaller one.
func Scaling(c *conformance.Capacity) *conformance.CapacityScaling {
	var n, x []float64
	for i := range c.Steps {
		step := &c.Steps[i]
		judged := step.Outcome != conformance.Unknown && step.Outcome != conformance.Skip
		taken := !slices.ContainsFunc(step.Failed, func(id string) bool { return strings.HasPrefix(id, "load.") })
		if step.Throughput > 0 && judged && taken {
			n, x = append(n, step.Value), append(x, step.Throughput)
		}
	}
	u, ok := stats.FitUSL(n, x)
	if !ok {
		return nil
	}
	s := &conformance.CapacityScaling{
		Lambda: u.Lambda.Value,
		Sigma:  u.Sigma.Value, SigmaLow: u.Sigma.Low, SigmaHigh: u.Sigma.High,
		Kappa: u.Kappa.Value, KappaLow: u.Kappa.Low, KappaHigh: u.Kappa.High,
		R2: u.R2, Points: u.Points,
		Saturating: u.Efficiency(slices.Max(n)) < saturated && (u.Sigma.Low > 0 || u.Kappa.Low > 0),
	}
	if peak, most, ok := u.Peak(); ok {
		s.Peak, s.PeakX = peak, most
	}
	return s
}
