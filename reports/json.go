package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"unicode"
	"unicode/utf16"

	"github.com/streamgauge/streamgauge/conformance"
)

// JSON writes result.json: indented, in the order of docs/result.md, with infinite quantiles left out.
func JSON(w io.Writer, r *conformance.Result, _ Options) error {
	r = MapText(r, validText)
	if r.Verdicts == nil {
		r.Verdicts = []conformance.Verdict{}
	}
	if r.Measures == nil {
		r.Measures = []conformance.Measure{}
	}
	for i := range r.Measures {
		r.Measures[i] = finiteMeasure(r.Measures[i])
	}
	r.Health = finiteHealth(r.Health)
	for i := range r.Runs {
		r.Runs[i].Health = finiteHealth(r.Runs[i].Health)
	}
	return writeJSON(w, r)
}

// writeJSON writes v indented, with everything that does not print escaped: JSON allows a raw U+009B, and a terminal would
// obey it.
func writeJSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode JSON: %w", err)
	}
	_, err := w.Write(escapeUnprintable(buf.Bytes()))
	return err
}

func escapeUnprintable(text []byte) []byte {
	escaped := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			escaped = append(escaped, string(r)...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}

// finiteMeasure has no number that JSON cannot write: infinite quantiles go, other infinite values become the largest number,
// and what is no number becomes 0.
func finiteMeasure(m conformance.Measure) conformance.Measure {
	m.Value, m.Min, m.Max = finite(m.Value), finite(m.Min), finite(m.Max)
	maps.DeleteFunc(m.Quantile, func(_ string, v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) })
	for i, v := range m.Series {
		m.Series[i] = finite(v)
	}
	return m
}

func finiteHealth(h conformance.Health) conformance.Health {
	h.PublishLateP99, h.LagP99 = finite(h.PublishLateP99), finite(h.LagP99)
	h.CPU, h.GCPauseMax = finite(h.CPU), finite(h.GCPauseMax)
	return h
}

func finite(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return max(-math.MaxFloat64, min(v, math.MaxFloat64))
}
