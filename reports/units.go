package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// Count writes n in groups of three: 12,345.
func Count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Plural is "1 subscriber" or "12,345 subscribers".
func Plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// millis writes a duration in milliseconds with about three digits: 230 µs, 12.3 ms, 1.2 s, 2m 05s.
func millis(ms float64) string {
	switch {
	case isInfinite(ms):
		return "∞"
	case math.IsNaN(ms) || ms < 0:
		return "–"
	case ms == 0:
		return "0 ms"
	case ms < 0.9995:
		return fmt.Sprintf("%.0f µs", math.Max(1, ms*1000))
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 99_950:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return Span(time.Duration(math.Min(ms, 1e15/2) * float64(time.Millisecond)))
}

// quantity writes a value in the unit of its measure.
func quantity(value float64, unit string) string {
	switch {
	case isInfinite(value):
		return "∞"
	case unit == "ms":
		return millis(value)
	case unit == "B" || unit == "bytes":
		return memory.Size(uint64(max(value, 0)))
	case unit == "%":
		return strconv.FormatFloat(value, 'g', 4, 64) + "%"
	}
	return strings.TrimSpace(strconv.FormatFloat(value, 'g', 4, 64) + " " + unit)
}

// elapsed is Span for the type of a result.
func elapsed(d conformance.Duration) string { return Span(time.Duration(d)) }

// isInfinite also takes what JSON writes for infinite, the largest number there is.
func isInfinite(v float64) bool { return v >= math.MaxFloat64 }

// Span writes how long something took: 12.3 s, 1m 10s, 2h 03m.
func Span(d time.Duration) string {
	switch {
	case d < 99950*time.Millisecond:
		return millis(float64(d) / float64(time.Millisecond))
	case d.Round(time.Second) < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm %02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh %02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// percent is part of whole with as many decimals as it takes not to round a loss away: one lost in a million is 99.9999%.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	if part == whole {
		return "100%"
	}
	share := 100 * float64(part) / float64(whole)
	for decimals := 2; decimals < 12; decimals++ {
		text := strconv.FormatFloat(share, 'f', decimals, 64)
		if rounded, _ := strconv.ParseFloat(text, 64); rounded != 100 && (rounded != 0 || part == 0) {
			return text + "%"
		}
	}
	return strconv.FormatFloat(share, 'g', -1, 64) + "%"
}

// share writes a fraction of one as a percentage without decimals: 34%.
func share(fraction float64) string { return fmt.Sprintf("%.0f%%", fraction*100) }
