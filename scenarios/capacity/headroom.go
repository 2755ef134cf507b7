package capacity

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Headroom is how far the budgets of some runs at one value were from their bounds: of each budget the run that came closest, the
// scarcest first. Budgets without a bound above zero have no headroom to speak of.
func Headroom(verdicts []conformance.Verdict) []conformance.CapacityHeadroom {
	scarcest := map[string]conformance.CapacityHeadroom{}
	for i := range verdicts {
		v := &verdicts[i]
		text, bounded := strings.CutPrefix(v.Expected, "at most ")
		bound, ok := amount(text)
		actual, known := amount(v.Actual)
		if !bounded || !ok || !known || bound <= 0 {
			continue
		}
		h := conformance.CapacityHeadroom{ID: v.ID, Expected: v.Expected, Actual: v.Actual, Left: min(max(1-actual/bound, 0), 1)}
		if other, seen := scarcest[v.ID]; !seen || h.Left < other.Left {
			scarcest[v.ID] = h
		}
	}
	var all []conformance.CapacityHeadroom
	for _, h := range scarcest {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b conformance.CapacityHeadroom) int {
		return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.ID, b.ID))
	})
	return all
}

var binary = map[string]float64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// amount reads what a budget's verdict says of its bound or of what was measured: a duration, a size, a percentage or a number, with or
// without words behind it.
func amount(text string) (float64, bool) {
	word, rest, _ := strings.Cut(text, " ")
	if d, err := time.ParseDuration(word); err == nil {
		return d.Seconds(), true
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSuffix(word, "/s"), "%"), 64)
	if err != nil {
		return 0, false
	}
	unit, _, _ := strings.Cut(rest, " ")
	if scale, ok := binary[unit]; ok {
		v *= scale
	}
	return v, true
}
