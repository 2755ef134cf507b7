package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Table writes a report to read at a terminal: each scenario with its verdicts, an explanation below each that is not a pass,
// and at the end what came out, the key measures and how the harness itself fared.
func Table(w io.Writer, r *conformance.Result, opts Options) error {
	clean := Visible
	if opts.ASCII {
		clean = visibleASCII
	}
	r = MapText(r, clean)
	t := tableReport{page: newPage(opts), full: opts.Full, r: r, parts: sections(r, isStrict(r, opts))}
	written := joinNonEmpty(": ", clean(opts.Dir), clean(strings.Join(opts.Files, ", ")))
	if err := t.write(written); err != nil {
		return fmt.Errorf("render table: %w", err)
	}
	_, err := w.Write(t.buf.Bytes())
	return err
}

type tableReport struct {
	*page
	full  bool
	r     *conformance.Result
	parts []section
}

func (t tableReport) write(written string) error {
	t.title()
	if t.r.Comparison != nil || len(t.r.Storms) > 0 {
		show := t.comparison
		if t.r.Comparison == nil {
			show = t.storms
		}
		if err := show(); err != nil {
			return err
		}
		t.blank()
		return t.footer(written)
	}
	if t.r.Capacity != nil {
		return t.capacity(written)
	}
	if len(t.r.Matrix) > 0 {
		if err := t.matrix(); err != nil {
			return err
		}
		t.blank()
		return t.footer(written)
	}
	var areas []section
	for _, s := range t.parts {
		if s.area {
			areas = append(areas, s)
			continue
		}
		t.blank()
		if err := t.scenario(s); err != nil {
			return err
		}
	}
	if len(areas) > 0 {
		t.blank()
		if err := t.areas(areas); err != nil {
			return err
		}
	}
	t.blank()
	return t.footer(written)
}

func (t tableReport) title() {
	subject := t.r.Subject.Name
	if subject == "" {
		subject = "no subject"
	}
	facts := []string{subject, t.r.Subject.Version, t.r.Subject.URL, fmt.Sprintf("seed %d", t.r.Seed)}
	if !t.r.Started.IsZero() {
		facts = append(facts, t.r.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	t.para("", "streamgauge "+string(t.r.Kind), t.bold)
	t.items("", facts, t.dim)
}

func (t tableReport) scenario(s section) error {
	t.para(t.outcome(s.outcome)+margin, s.name, t.bold)
	if s.run != nil {
		t.figures(*s.run)
	}
	if len(s.verdicts) == 0 {
		if s.run == nil || s.run.Reason == "" {
			t.para(margin, "nothing was judged", t.dim)
		}
		return nil
	}
	t.blank()
	if err := t.verdicts(s.verdicts); err != nil {
		return err
	}
	t.explanations(s.verdicts)
	return nil
}

func (t tableReport) figures(run conformance.ScenarioRun) {
	if run.About != "" {
		t.para(margin, run.About, plain)
	}
	if run.Duration > 0 {
		t.items(margin, t.texts(runFigures(run)), t.dim)
	}
	for _, e := range run.Effects {
		t.para(margin, t.text(effectLine(e)), t.dim)
	}
	if run.Interrupted {
		t.para(margin, "interrupted: judged is what was measured until then", plain)
	}
	if run.Reason != "" {
		t.para(margin+t.bold("why")+margin, run.Reason, plain)
	}
}

// runFigures are the size of a scenario run and what became of it.
func runFigures(run conformance.ScenarioRun) []string {
	delivered := Count(run.Delivered) + " delivered"
	if run.Expected > 0 {
		delivered += " (" + percent(run.Delivered, run.Expected) + ")"
	}
	figures := []string{
		Plural(uint64(max(run.Subscribers, 0)), "subscriber"), Plural(uint64(max(run.Streams, 0)), "stream"),
		Count(run.Published) + " published", Count(run.Expected) + " owed", delivered,
	}
	return append(append(figures, undelivered(run)...), elapsed(run.Duration))
}

// undelivered says what became of the owed deliveries that did not arrive.
func undelivered(run conformance.ScenarioRun) (parts []string) {
	lost := run.Expected - min(run.Expected, run.Delivered+run.Outstanding) // older results do not tell them apart
	if lost > 0 {
		parts = append(parts, Count(lost)+" lost")
	}
	if run.Outstanding > 0 {
		part := Count(run.Outstanding) + " outstanding"
		switch run.Held {
		case 0:
		case run.Outstanding:
			part += " by the harness's own doing"
		default:
			part += " (" + Count(run.Held) + " by the harness's own doing)"
		}
		parts = append(parts, part)
	}
	return parts
}

// effectLine is "reset at 5.0 s: took effect on 300 of 300 subscribers (its connection broke)".
func effectLine(e conformance.Effect) string {
	text := e.Fault
	if e.AtMS > 0 {
		text += " at " + millis(e.AtMS)
	}
	switch {
	case e.Reached == 0:
		return text + ": took no effect that was seen"
	case e.Planned == 0:
		text += ": took effect on " + Plural(uint64(max(e.Reached, 0)), "subscriber")
	default:
		text += fmt.Sprintf(": took effect on %s of %s", Count(uint64(max(e.Reached, 0))), Plural(uint64(max(e.Planned, 0)), "subscriber"))
	}
	if e.Seen != "" {
		text += " (" + e.Seen + ")"
	}
	return text
}

func (t tableReport) verdicts(verdicts []conformance.Verdict) error {
	g := grid{
		header: []string{"verdict", "promise", "expected", "actual", "samples"},
		right:  []bool{false, false, false, false, true},
	}
	power := slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.Power != nil })
	if power {
		g.header, g.right = append(g.header, "would show"), append(g.right, true)
	}
	for _, v := range verdicts {
		actual := v.Actual
		if actual == "" {
			actual = t.text("–")
		}
		row := []string{t.outcome(v.Outcome), v.ID, v.Expected, actual, Count(v.Checked)}
		if power {
			row = append(row, v.Power.Above())
		}
		g.rows = append(g.rows, row)
	}
	return t.grid(g)
}

// actually is what was, and what would have shown.
func actually(v conformance.Verdict) string {
	if v.Power == nil {
		return v.Actual
	}
	return joinNonEmpty("; ", v.Actual, v.Power.String())
}

// explanations tells of each verdict that is not a pass.
func (t tableReport) explanations(verdicts []conformance.Verdict) {
	for _, alike := range grouped(verdicts) {
		t.blank()
		v := alike[0]
		ids := make([]string, len(alike))
		for i := range alike {
			ids[i] = alike[i].ID
		}
		t.para(margin+t.outcome(v.Outcome)+margin, strings.Join(ids, ", "), t.bold)
		for _, n := range explain(v, t.detail()) {
			t.note(n)
		}
	}
}

// detail is how much an explanation shows.
func (t tableReport) detail() detail {
	if t.full {
		return detail{findings: 8, evidence: 12}
	}
	return detail{findings: shortFindings + 1, evidence: shortEvidence, short: true}
}

const evidenceLines = 4 // the most lines that one piece of evidence is folded into, where everything is shown

func (t tableReport) note(n note) {
	indent := strings.Repeat(margin, 2+n.depth)
	switch {
	case n.evidence:
		bar := "│ "
		if t.ascii {
			bar = "| "
		}
		lead := indent + t.dim(bar)
		room := t.room(lead)
		if !t.full {
			n.text = elide(n.text, shortLines*room)
		}
		for _, part := range atMost(chop(t.text(n.text), room), room, evidenceLines, t.text("…")) {
			t.line(lead + part)
		}
	case n.label == "":
		t.para(indent, t.text(n.text), t.dim)
	case n.label == "expected" || n.label == "actual" || n.label == "where" || n.label == "pattern":
		t.para(indent+t.dim(fmt.Sprintf("%-8s", n.label))+margin, t.text(n.text), plain)
	case columns(n.label) > t.width/2:
		t.para(indent, t.text(n.label), t.bold)
		t.para(indent+margin, n.text, plain)
	default:
		t.para(indent+t.bold(t.text(n.label))+margin, n.text, plain)
	}
}
