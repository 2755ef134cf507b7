package reports

import (
	"math"

	"github.com/streamgauge/streamgauge/conformance"
)

// htmlGrid is a table of plain cells.
type htmlGrid struct {
	Header []htmlCell
	Rows   [][]htmlCell
}

type htmlCell struct {
	Text, Label string // Label is the column's name
	Right       bool
}

func htmlGridOf(header []string, right []bool, rows [][]string) htmlGrid {
	var g htmlGrid
	for i, name := range header {
		g.Header = append(g.Header, htmlCell{Text: name, Right: right[i]})
	}
	for _, row := range rows {
		cells := make([]htmlCell, len(row))
		for i, text := range row {
			cells[i] = htmlCell{text, header[i], right[i]}
		}
		g.Rows = append(g.Rows, cells)
	}
	return g
}

// htmlCapacity is the search for the most that a target carries.
type htmlCapacity struct {
	*conformance.Capacity

	Figures                []string
	Runs, Headroom, Future htmlGrid
	Facts                  [][2]string
	Broken                 []conformance.CapacityStep // those with a verdict to show
}

// Capacity is nil when nothing was searched for.
func (h *htmlReport) Capacity() *htmlCapacity {
	c := h.R.Capacity
	if c == nil {
		return nil
	}
	grid := func(g capacityGrid) htmlGrid { return htmlGridOf(g.header, g.right, g.rows) }
	shown := &htmlCapacity{
		Capacity: c, Figures: capacityFigures(h.R), Runs: grid(capacitySteps(c)), Headroom: grid(capacityHeadroom(c)), Future: grid(capacityFuture(c)),
		Facts: capacityFacts(c),
	}
	for _, s := range c.Steps {
		if s.Broken != nil {
			shown.Broken = append(shown.Broken, s)
		}
	}
	return shown
}

// Asked says what came of what was asked for.
func (h *htmlReport) Asked() string { return capacityExit(h.R) }

// capacityChart is what the page's script draws of a search.
type capacityChart struct {
	Key     string                       `json:"key"`
	Line    float64                      `json:"line"`
	Low     float64                      `json:"low"`
	High    float64                      `json:"high"`
	Scaling *conformance.CapacityScaling `json:"scaling,omitempty"`
	Steps   []capacityPoint              `json:"steps"`
}

type capacityPoint struct {
	Value      float64             `json:"value"`
	Outcome    string              `json:"outcome"`
	Throughput conformance.Sample  `json:"throughput"`
	P99        *conformance.Sample `json:"p99"`
}

func capacityChartOf(c *conformance.Capacity) *capacityChart {
	if c == nil || len(c.Steps) == 0 {
		return nil
	}
	chart := &capacityChart{Key: c.Key, Line: c.Line, Low: c.Low, High: c.High, Scaling: c.Scaling}
	for _, s := range c.Steps {
		p := capacityPoint{Value: s.Value, Outcome: "unknown", Throughput: conformance.Sample(s.Throughput), P99: s.LatencyP99}
		switch {
		case isGood(s.Outcome):
			p.Outcome = "held"
		case s.Outcome == conformance.Fail:
			p.Outcome = "failed"
		}
		if s.Throughput <= 0 {
			p.Throughput = conformance.Sample(math.NaN())
		}
		chart.Steps = append(chart.Steps, p)
	}
	return chart
}
