package reports

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantitiesAreInHumanUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(12345), "12,345"}, {Count(1234567), "1,234,567"},
		{Plural(1, "subscriber"), "1 subscriber"}, {Plural(0, "stream"), "0 streams"},
		{millis(0), "0 ms"}, {millis(0.00001), "1 µs"}, {millis(0.23), "230 µs"}, {millis(0.9996), "1.0 ms"},
		{millis(12.31), "12.3 ms"}, {millis(99.96), "100 ms"}, {millis(250), "250 ms"}, {millis(999.6), "1.0 s"},
		{millis(1234), "1.2 s"}, {millis(61_000), "61.0 s"}, {millis(125_000), "2m 05s"},
		{millis(math.Inf(1)), "∞"}, {millis(math.MaxFloat64), "∞"}, {millis(math.NaN()), "–"}, {millis(-1), "–"},
		{Span(70 * time.Second), "70.0 s"}, {Span(130 * time.Second), "2m 10s"}, {Span(2*time.Hour + 3*time.Minute), "2h 03m"},
		{Span(59*time.Minute + 59*time.Second + 900*time.Millisecond), "1h 00m"},
		{percent(0, 0), "–"}, {percent(0, 7), "0.00%"}, {percent(7, 7), "100%"}, {percent(1, 2), "50.00%"},
		{percent(9999, 10000), "99.99%"}, {percent(999999, 1000000), "99.9999%"},
		{quantity(1.5, "/s"), "1.5 /s"}, {quantity(3, ""), "3"}, {quantity(25, "%"), "25%"}, {quantity(2048, "B"), "2.0 KiB"},
		{quantity(math.Inf(1), "/s"), "∞"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestPercentNeverRoundsALossAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Uint64Range(1, 1e12).Draw(t, "whole")
		lost := rapid.Uint64Range(1, whole).Draw(t, "lost")
		text := percent(whole-lost, whole)
		if text == "100%" || strings.Trim(text, "0.%") == "1" && strings.HasPrefix(text, "100") {
			t.Fatalf("%d of %d lost, and it says %s", lost, whole, text)
		}
	})
}
