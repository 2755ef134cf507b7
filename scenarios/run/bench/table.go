package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
)

// row is one line of the table. It shows the medians of the repetitions, and the median of their ratios.
type row struct {
	name     string
	unit     float64 // that the figures are shown in
	measured func(*costs) float64
	minimal  func(*costs) float64 // nil: there is nothing to compare with
	bar      bar
}

// bar is what is wanted of a figure: at most one of these.
type bar struct {
	most, least float64 // of the figure, in its unit
	times       float64 // of the ratio, at most
}

const (
	kibi  = 1024
	micro = 1e-6
)

func rows() []row {
	rows := []row{
		{"harness: resident KiB per idle subscriber", kibi,
			func(c *costs) float64 { return c.harness.idle }, func(c *costs) float64 { return c.readerOfBroker.idle }, bar{most: 8}},
		{"harness: the same after 10 events/s", kibi,
			func(c *costs) float64 { return c.harness.busy }, func(c *costs) float64 { return c.readerOfBroker.busy }, bar{}},
		{"harness: bytes kept per delivered event", 1, func(c *costs) float64 { return c.harness.growth }, nil, bar{most: 1}},
		{"harness: connects per second", 1,
			func(c *costs) float64 { return c.harness.connects }, func(c *costs) float64 { return c.reader.connects }, bar{least: 5000}},
	}
	for _, rate := range rates {
		rows = append(rows, row{fmt.Sprintf("harness: CPU µs per event at %g/s", rate), micro,
			func(c *costs) float64 { return c.harness.event[rate] }, func(c *costs) float64 { return c.readerBeside(rate).event[rate] }, bar{times: 1.5}})
	}
	rows = append(rows, row{"broker: resident KiB per idle connection", kibi,
		func(c *costs) float64 { return c.broker.idle }, func(c *costs) float64 { return c.server.idle }, bar{most: 10}})
	for _, rate := range rates {
		rows = append(rows, row{fmt.Sprintf("broker: CPU µs per event at %g/s", rate), micro,
			func(c *costs) float64 { return c.broker.event[rate] }, func(c *costs) float64 { return c.server.event[rate] }, bar{times: 1.5}})
	}
	return rows
}

func writeReport(w io.Writer, s setup, all []costs) {
	fmt.Fprintf(w, "%d connections on loopback, %d B a message, %d streams; medians of %d repetitions taken in turn.\n",
		s.Subscribers, s.Payload, s.Streams, len(all))
	fmt.Fprintln(w, "Memory is resident once all connected at the same time and garbage was collected, less that of the process before.")
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tmeasured\tminimal\tratio\tbar\tmet")
	for _, r := range rows() {
		fmt.Fprintln(t, r.line(all))
	}
	_ = t.Flush() // like every write here: there is nobody left to tell
	fmt.Fprintln(w)
	writeVerdicts(w, all)
}

func (r row) line(all []costs) string {
	var measured, minimal, ratios []float64
	for i := range all {
		measured = append(measured, r.measured(&all[i])/r.unit)
		if r.minimal != nil {
			minimal = append(minimal, r.minimal(&all[i])/r.unit)
			ratios = append(ratios, measured[i]/minimal[i])
		}
	}
	text, met := r.bar.judge(median(measured), median(ratios))
	least, ratio := "", ""
	if r.minimal != nil {
		least, ratio = number(median(minimal)), number(median(ratios))+" ×"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", r.name, number(median(measured)), least, ratio, text, met)
}

func (b bar) judge(figure, ratio float64) (text, met string) {
	var ok bool
	switch {
	case b.most > 0:
		text, ok = "≤ "+number(b.most), figure <= b.most
	case b.least > 0:
		text, ok = "≥ "+number(b.least), figure >= b.least
	case b.times > 0:
		text, ok = "≤ "+number(b.times)+" ×", ratio <= b.times
	default:
		return "", ""
	}
	if ok {
		return text, "yes"
	}
	return text, "NO"
}

// writeVerdicts says what the harness found in the runs with messages: its checks were on while it was measured.
func writeVerdicts(w io.Writer, all []costs) {
	var runs, passed int
	var owed, arrived uint64
	var reasons []string
	for _, c := range all {
		for _, v := range c.runs {
			runs, owed, arrived = runs+1, owed+v.Owed, arrived+v.Arrived
			if v.Passed {
				passed++
			} else {
				reasons = append(reasons, v.Reason)
			}
		}
	}
	fmt.Fprintf(w, "%d of %d runs under load passed all checks: %d of %d owed deliveries arrived.\n", passed, runs, arrived, owed)
	for _, reason := range reasons {
		fmt.Fprintln(w, "not passed:", reason)
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func number(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
