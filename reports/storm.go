package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// storms shows the simulated storms: what was simulated, a line for each policy, and how each went on.
func (t tableReport) storms() error {
	t.para("", "What is simulated: "+t.text(stormSetting(&t.r.Storms[0])), plain)
	t.blank()
	if err := t.grid(t.spelled(recoveryGrid(t.r.Storms))); err != nil {
		return err
	}
	t.blank()
	if err := t.grid(t.spelled(attemptGrid(t.r.Storms))); err != nil {
		return err
	}
	for i := range t.r.Runs {
		if len(t.r.Runs[i].Series) > 0 {
			t.blank()
			t.plot(&t.r.Runs[i])
		}
	}
	return nil
}

func stormSetting(s *conformance.Storm) string {
	lost := "at once"
	if s.Over > 0 {
		lost = "within " + elapsed(s.Over)
	}
	parts := []string{fmt.Sprintf("%s lose their connection %s", Plural(uint64(s.Clients), "client"), lost)}
	if s.Down > 0 {
		parts = append(parts, "the server is down for "+elapsed(s.Down))
	}
	parts = append(parts, fmt.Sprintf("it takes %s connections a second, %s more can wait", quantity(s.Accept, ""), Count(uint64(s.Queue))),
		fmt.Sprintf("an attempt is given up after %s, a round trip takes %s", elapsed(s.Timeout), elapsed(s.Trip)))
	if s.Retry > 0 {
		parts = append(parts, "the stream said retry: "+elapsed(s.Retry))
	}
	if s.RetryAfter > 0 {
		parts = append(parts, "who is refused is told to stay away for "+elapsed(s.RetryAfter))
	}
	return strings.Join(parts, "; ") + "."
}

func recoveryGrid(storms []conformance.Storm) grid {
	g := grid{header: []string{"policy"}, right: []bool{false}}
	for _, r := range storms[0].Recovery {
		g.header, g.right = append(g.header, fmt.Sprintf("back: %g%%", 100*r.Share)), append(g.right, true)
	}
	for _, s := range storms {
		row := []string{s.Policy}
		for _, r := range s.Recovery {
			row = append(row, quantity(float64(r.MS), "ms"))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func attemptGrid(storms []conformance.Storm) grid {
	g := grid{
		header: []string{"policy", "attempts", "refused", "given up", "wasted", "per client,\nat most", "busiest\nsecond", "at"},
		right:  []bool{false, true, true, true, true, true, true, true},
	}
	for _, s := range storms {
		g.rows = append(g.rows, []string{
			s.Policy, Count(s.Attempts), Count(s.Refused), Count(s.TimedOut), percent(s.Refused+s.TimedOut, s.Attempts), Count(uint64(s.Most)),
			Count(uint64(s.Peak)) + "/s", elapsed(s.PeakAt),
		})
	}
	return g
}

const plotHeight = 6

// plot draws how a storm went on: attempts as columns, what became of them in a line each.
func (t tableReport) plot(run *conformance.ScenarioRun) {
	t.para("", run.Scenario, t.bold)
	t.blank()
	const label, most = 12, 16 // what stands before and behind a line
	width := t.width - 3*len(margin) - label - most
	for _, s := range run.Series {
		values := squeezed(s.Values, width, s.Name == "connected")
		height := 1
		if s.Name == "reconnects" {
			height = plotHeight
		}
		top := 0.0
		for _, v := range values {
			top = max(top, v)
		}
		if top == 0 {
			continue
		}
		for i, line := range t.columns(values, top, height) {
			name, largest := "", ""
			if i == 0 {
				name, largest = plotNames[s.Name], t.text("≤ ")+Count(uint64(math.Round(top)))+strings.TrimPrefix(s.Unit, "1")
			}
			t.line(margin + t.dim(fmt.Sprintf("%*s", label, name)) + margin + line + margin + t.dim(largest))
		}
	}
	length := time.Duration(float64(len(run.Series[0].Values)) * run.Series[0].StepMS * float64(time.Millisecond))
	columns := min(width, len(run.Series[0].Values))
	end := Span(length)
	t.line(strings.Repeat(" ", len(margin)+label+len(margin)) + t.dim("0"+strings.Repeat(" ", max(1, columns-1-len(end)))+end))
}

// plotNames are what the series of a storm are called beside their plot.
var plotNames = map[string]string{"reconnects": "attempts", "refused": "refused", "timed_out": "given up", "connected": "connected"}

// squeezed are values in at most so many columns: of each column the largest, so that no peak is lost, or for a level the last.
func squeezed(values []conformance.Sample, width int, level bool) []float64 {
	n := min(len(values), max(width, 1))
	columns := make([]float64, n)
	for i := range columns {
		for _, v := range values[i*len(values)/n : (i+1)*len(values)/n] {
			if level {
				columns[i] = float64(v)
			} else {
				columns[i] = max(columns[i], float64(v))
			}
		}
	}
	return columns
}

// columns draws values as columns of so many lines, the highest line first.
func (t tableReport) columns(values []float64, top float64, height int) []string {
	signs := []rune(" ▁▂▃▄▅▆▇█")
	if t.ascii {
		signs = []rune(" .:-=+*#@")
	}
	full := len(signs) - 1
	lines := make([]string, height)
	for i := range lines {
		var b strings.Builder
		for _, v := range values {
			level := int(math.Ceil(v/top*float64(height*full))) - (height-1-i)*full
			b.WriteRune(signs[min(max(level, 0), full)])
		}
		lines[i] = b.String()
	}
	return lines
}

// stormSummary is "All 10,000,000 clients are back after 33m 20s with jittered-500ms-30s."
func stormSummary(storms []conformance.Storm) string {
	var clauses []string
	for _, s := range storms {
		if s.Stopped != "" {
			clauses = append(clauses, fmt.Sprintf("%s of %s back with %s (%s)", Count(uint64(s.Recovered)), Plural(uint64(s.Clients), "client"), s.Policy, s.Stopped))
			continue
		}
		end := s.Recovery[len(s.Recovery)-1].MS
		clauses = append(clauses, fmt.Sprintf("all %s back after %s with %s", Plural(uint64(s.Clients), "client"), quantity(float64(end), "ms"), s.Policy))
	}
	text := strings.Join(clauses, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// storms writes the simulated storms as tables.
func (m *markdownReport) storms() {
	fmt.Fprintf(&m.b, "%s\n\n", escape(stormSetting(&m.r.Storms[0])))
	for _, g := range []grid{recoveryGrid(m.r.Storms), attemptGrid(m.r.Storms)} {
		for i, name := range g.header {
			m.b.WriteString("| " + escape(strings.ReplaceAll(name, "\n", " ")) + " ")
			if i == len(g.header)-1 {
				m.b.WriteString("|\n")
			}
		}
		m.b.WriteString("|---" + strings.Repeat("|---:", len(g.header)-1) + "|\n")
		for _, row := range g.rows {
			for _, text := range row {
				m.b.WriteString("| " + cell(text) + " ")
			}
			m.b.WriteString("|\n")
		}
		m.b.WriteByte('\n')
	}
}
