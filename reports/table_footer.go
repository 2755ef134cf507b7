package reports

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

func (t tableReport) footer(written string) error {
	t.rule()
	t.para(t.outcome(t.r.Outcome)+margin, t.text(summary(t.r, t.parts)), t.bold)
	if g := measureGrid(t.r); len(g.rows) > 0 {
		t.blank()
		if err := t.grid(t.spelled(g)); err != nil {
			return err
		}
	}
	t.blank()
	if len(t.r.Storms) == 0 { // a simulation puts nothing on the harness
		t.health()
	}
	others := t.r.Comparison != nil || len(t.r.Storms) > 0 || len(t.r.Matrix) > 0 // which have tables of their own
	if !others && slices.ContainsFunc(t.parts, func(s section) bool { return !s.area && len(s.verdicts) > 0 }) {
		t.fact("legend", legend(t.r.Verdicts))
	}
	if written != "" {
		t.fact("written", written)
	}
	if t.r.Command != "" {
		t.line(margin + t.dim("repeat") + "   " + t.r.Command) // not folded, so that it can be copied
	}
	code, meaning := ExitCode(t.r.Outcome)
	if t.r.Comparison != nil {
		code, meaning = comparisonExit(t.r.Outcome)
	}
	if t.r.Health.Crash != "" && t.r.Subject.Kind != "history" && t.r.Comparison == nil {
		code, meaning = 4, "the harness crashed"
	}
	t.fact("exit", fmt.Sprintf("%d: %s", code, meaning))
	return nil
}

// spelled is g with the renderer's own signs as the terminal can show them.
func (t tableReport) spelled(g grid) grid {
	for _, row := range g.rows {
		copy(row, t.texts(row))
	}
	return g
}

func (t tableReport) fact(label, text string) {
	t.para(margin+t.dim(fmt.Sprintf("%-7s", label))+margin, text, plain)
}

func (t tableReport) health() {
	if t.r.Subject.Kind == "history" && reflect.DeepEqual(t.r.Health, conformance.Health{OK: true}) {
		t.fact("harness", "the history holds no account of who recorded it")
		return
	}
	state := "healthy"
	if !t.r.Health.OK {
		state = t.paint(marks[conformance.Unknown].color, "not healthy")
	}
	figures := append([]string{state}, t.texts(healthFigures(t.r.Health))...)
	t.items(margin+t.dim("harness")+margin, figures, plain)
	for _, problem := range t.r.Health.Problems {
		t.fact("", problem)
	}
}

// healthFigures are what the harness measured of itself.
func healthFigures(h conformance.Health) []string {
	var figures []string
	if h.PublishLateP99 > 0 { // 0 where nothing was published on a schedule
		figures = append(figures, "publishes late "+millis(h.PublishLateP99)+" p99")
	}
	figures = append(figures, "timers late "+millis(h.LagP99)+" p99")
	if held := h.HeldUp(time.Second/2, 0); held > 0 {
		figures = append(figures, "held up by other programs "+millis(held.Seconds()*1000)+" of 1 s")
	}
	if h.CPU > 0 { // 0 where it was not measured
		figures = append(figures, "CPU "+share(h.CPU))
	}
	figures = append(figures, "memory "+memory.Size(h.MemoryBytes))
	if h.SendFailures > 0 {
		figures = append(figures, Plural(h.SendFailures, "send failure"))
	}
	if h.KernelDrops > 0 {
		figures = append(figures, "the kernel dropped "+Plural(h.KernelDrops, "packet"))
	}
	if h.ListenOverflow > 0 {
		figures = append(figures, Plural(h.ListenOverflow, "connection")+" met a full accept queue")
	}
	if h.Drops > 0 {
		figures = append(figures, Plural(h.Drops, "observation")+" dropped")
	}
	return figures
}
