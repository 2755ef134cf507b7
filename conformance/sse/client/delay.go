package client

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// band is what a delay may be; a high of 0 is no bound.
type band struct{ low, high time.Duration }

func (b band) String() string {
	switch {
	case b.high == 0:
		return "at least " + brief(b.low)
	case b.low <= 0:
		return "at most " + brief(b.high)
	}
	return brief(b.low) + " to " + brief(b.high)
}

// allowance is the time that making a connection may take.
const allowance = 100 * time.Millisecond

// around is the band with the tolerance for what is measured from outside: a little early, and later by a share and the allowance.
func (b band) around(early time.Duration, late float64) band {
	w := band{low: max(0, b.low-early)}
	if b.high > 0 {
		w.high = time.Duration(min(float64(b.high)*(1+late), float64(math.MaxInt64/2))) + allowance
	}
	return w
}

func (b band) holds(d time.Duration) bool { return d >= b.low && (b.high == 0 || d <= b.high) }

// brief rounds a duration to what matters of it.
func brief(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= 100*time.Millisecond:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(100 * time.Microsecond)
	}
	return d.String()
}

// undisturbed is a declared delay without jitter after loss n of a row, n ≥ 0. A retry above 0 is the stream's latest retry: field.
func undisturbed(p *subject.Delay, n int, retry time.Duration) float64 {
	base := p.BaseMS * float64(time.Millisecond)
	if retry > 0 && !p.OwnTime {
		base = float64(retry)
	}
	d := base
	if p.Factor > 1 && base > 0 {
		d = base * math.Pow(p.Factor, float64(n))
	}
	if limit := p.CapMS * float64(time.Millisecond); limit > 0 {
		d = min(d, max(limit, base)) // the cap bounds growth, not what a server asks for
	}
	return min(d, float64(math.MaxInt64/4))
}

// allowed is the band of a declared delay after loss n of a row.
func allowed(p *subject.Delay, n int, retry time.Duration) band {
	d := undisturbed(p, n, retry)
	down, up := 1-p.Jitter, 1+p.Jitter
	switch p.Spread {
	case "up":
		down = 1
	case "down":
		up = 1
	case "full":
		down, up = 0, 1
	}
	return band{time.Duration(max(0, d*down)), time.Duration(d * up)}
}

// allowedInRow is allowed for clients that count from the first loss, and for those that count from the first failure after it.
func allowedInRow(p *subject.Delay, n int) band {
	b := allowed(p, n, 0)
	b.low = min(b.low, allowed(p, max(0, n-1), 0).low)
	return b
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// variation is the coefficient of variation: the standard deviation as a share of the mean.
func variation(all []time.Duration) float64 {
	if len(all) < 2 {
		return 0
	}
	var sum, squares float64
	for _, d := range all {
		sum += d.Seconds()
	}
	mean := sum / float64(len(all))
	for _, d := range all {
		squares += (d.Seconds() - mean) * (d.Seconds() - mean)
	}
	if mean <= 0 {
		return 0
	}
	return math.Sqrt(squares/float64(len(all)-1)) / mean
}

// fullest is the largest share of the delays in one tenth of the window between the shortest and the longest.
func fullest(all []time.Duration) float64 {
	if len(all) == 0 {
		return 1
	}
	first, last := slices.Min(all), slices.Max(all)
	if first == last {
		return 1
	}
	var tenths [10]int
	for _, d := range all {
		tenths[min(9, int(10*(d-first)/(last-first)))]++
	}
	return float64(slices.Max(tenths[:])) / float64(len(all))
}

// expectedVariation is that of evenly spread jitter as it was declared; the narrowest when that leaves open where it moves a delay.
func expectedVariation(p *subject.Delay) float64 {
	narrow := *p
	if narrow.Spread == "" {
		narrow.Spread = "up"
	}
	b := allowed(&narrow, 0, time.Second)
	mean := float64(b.low+b.high) / 2
	if mean <= 0 {
		return 0
	}
	return float64(b.high-b.low) / math.Sqrt(12) / mean
}

// grew says that delays grow: three in a row at least twice the first, and none of them much shorter than the one before.
func grew(gaps []time.Duration) bool {
	run := 0
	for i, g := range gaps {
		switch {
		case i == 0 || g < 2*gaps[0]:
			run = 0
		case run > 0 && g < gaps[i-1]*7/10:
			run = 1
		default:
			run++
		}
		if run == 3 {
			return true
		}
	}
	return false
}

// settled says that the last three delays are alike, within what jitter does.
func settled(gaps []time.Duration, jitter float64) bool {
	if len(gaps) < 3 {
		return false
	}
	last := gaps[len(gaps)-3:]
	shortest, longest := slices.Min(last), slices.Max(last)
	return float64(longest) <= float64(shortest)*(1+2*jitter+0.1)+float64(20*time.Millisecond)
}

// mostIn is the largest number of instants within one window. They must be in order.
func mostIn(window time.Duration, at []time.Time) int {
	most, first := 0, 0
	for i := range at {
		for at[i].Sub(at[first]) > window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// entry is a measured delay for the verdict.
func entry(client, attempt int, d time.Duration, b band) conformance.Delay {
	ms := func(d time.Duration) float64 { return math.Round(float64(d)/float64(time.Millisecond)*10) / 10 }
	return conformance.Delay{Client: client, Attempt: attempt, MS: ms(d), LowMS: ms(b.low), HighMS: ms(b.high)}
}

// table shows delays beside their bands, one a line.
func table(measured []conformance.Delay) []string {
	var lines []string
	for _, m := range measured {
		line := fmt.Sprintf("attempt %d: %g ms, allowed %g", m.Attempt, m.MS, m.LowMS)
		if m.Client > 0 {
			line = fmt.Sprintf("client %d, %s", m.Client, line)
		}
		if m.HighMS > 0 {
			line += fmt.Sprintf(" to %g ms", m.HighMS)
		} else {
			line += " ms or more"
		}
		if m.MS < m.LowMS {
			line += "  ← early"
		} else if m.HighMS > 0 && m.MS > m.HighMS {
			line += "  ← late"
		}
		lines = append(lines, line)
	}
	return lines
}

// list shows delays in a row.
func list(gaps []time.Duration) string {
	const most = 12
	text := ""
	for i, g := range gaps {
		if i > 0 {
			text += ", "
		}
		if i == most {
			return text + fmt.Sprintf("… %d more", len(gaps)-i)
		}
		text += brief(g)
	}
	return text
}
