package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// note is one line that explains a verdict. A deeper one belongs to the note before it.
type note struct {
	depth    int
	label    string // "", "why", "expected", "next", …
	text     string
	evidence bool // the text is an observation or bytes, to be shown as it is
}

// detail is how much an explanation shows; result.json has everything.
type detail struct {
	findings, evidence int  // the most findings, and the most lines of evidence of each
	short              bool // only what decides, with the middle of long lines left out
	values             bool // always show expected and actual, not only where a table cuts them off or nothing else explains
}

// shownBy says where what is left out is shown.
const shownBy = ": --full shows all"

// longText is how many characters of an expected or actual value may be cut off in a table's cell.
const longText = 48

// grouped are the verdicts that need an explanation, and those that need the same one together: skipped or unknown for one
// reason, without findings. A cause stands before its consequences.
func grouped(verdicts []conformance.Verdict) [][]conformance.Verdict {
	type likeness struct {
		outcome      conformance.Outcome
		reason, next string
	}
	var groups [][]conformance.Verdict
	index := map[likeness]int{}
	for _, v := range byCause(verdicts) {
		if v.Outcome == conformance.Pass || v.Outcome == conformance.Info {
			continue
		}
		key := likeness{v.Outcome, v.Reason, v.Next}
		at, known := index[key]
		shares := len(v.Findings) == 0 && (v.Outcome == conformance.Skip || v.Outcome == conformance.Unknown)
		switch {
		case shares && known:
			groups[at] = append(groups[at], v)
			groups[at][0].Title, groups[at][0].Source = "", "" // several promises have no one sentence
			continue
		case shares:
			index[key] = len(groups)
		}
		groups = append(groups, []conformance.Verdict{v})
	}
	return groups
}

// explain says why a verdict came out as it did: the promise, the reason, the findings with an example each, what to do next.
func explain(v conformance.Verdict, most detail) []note {
	var notes []note
	if promise := joinNonEmpty(" · ", v.Title, v.Source); promise != "" {
		notes = append(notes, note{text: promise})
	}
	if most.values || isBare(v) || len(v.Expected) > longText || len(v.Actual) > longText {
		notes = append(notes, note{label: "expected", text: orNothing(v.Expected)}, note{label: "actual", text: orNothing(v.Actual)})
	}
	if v.Reason == "" && (v.Outcome == conformance.Unknown || v.Outcome == conformance.Skip) {
		v.Reason = "no reason was recorded"
	}
	if v.Reason != "" {
		notes = append(notes, note{label: "why", text: v.Reason})
	}
	for i, f := range v.Findings {
		if i == most.findings {
			rest := fmt.Sprintf("%s more in %s (--out DIR)", Plural(uint64(len(v.Findings)-i), "finding"), ResultFile)
			if most.short {
				rest = Plural(uint64(len(v.Findings)-i), "more finding") + shownBy
			}
			notes = append(notes, note{label: "and", text: rest})
			break
		}
		notes = append(notes, explainFinding(f, most)...)
	}
	if v.Next != "" {
		notes = append(notes, note{label: "next", text: v.Next})
	}
	for _, command := range v.Repeat {
		notes = append(notes, note{label: "repeat", text: command})
	}
	return notes
}

// isBare says that nothing but expected and actual tells why v is not a pass.
func isBare(v conformance.Verdict) bool {
	return (v.Outcome == conformance.Fail || v.Outcome == conformance.Warn) && v.Reason == "" && len(v.Findings) == 0
}

func explainFinding(f conformance.Finding, most detail) []note {
	notes := []note{{label: f.Name + " × " + Count(f.Count), text: f.Text}}
	for _, field := range []struct{ label, text string }{
		{"where", where(f)}, {"expected", f.Expected}, {"actual", f.Actual},
		{"pattern", f.Pattern},
	} {
		if field.text != "" {
			notes = append(notes, note{depth: 1, label: field.label, text: field.text})
		}
	}
	if most.short {
		for _, line := range decisive(f, most.evidence) {
			notes = append(notes, note{depth: 1, text: line, evidence: true})
		}
		return notes
	}
	for i, line := range f.Evidence {
		if i == most.evidence {
			rest := fmt.Sprintf("… %s more in %s (--out DIR)", Plural(uint64(len(f.Evidence)-i), "line"), ResultFile)
			return append(notes, note{depth: 1, text: rest, evidence: true})
		}
		notes = append(notes, note{depth: 1, text: line, evidence: true})
	}
	return notes
}

// where names the subscriber, connection, stream and message of a finding's example, as far as they are known.
func where(f conformance.Finding) string {
	var parts []string
	if f.Subscriber != "" {
		parts = append(parts, "subscriber "+f.Subscriber)
	}
	if f.Connection > 0 {
		parts = append(parts, fmt.Sprintf("connection %d", f.Connection))
	}
	if f.Stream != "" {
		parts = append(parts, "stream "+f.Stream)
	}
	if f.Number > 0 {
		parts = append(parts, "message "+Count(f.Number))
	}
	return strings.Join(parts, " · ")
}

func joinNonEmpty(separator string, texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, separator)
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}
