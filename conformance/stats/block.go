package stats

import (
	"math"
	"sort"
)

// Block is what was measured in one stretch of time, such as a second. Samples of one block may depend on each other in any way: a pause
// of a collector hits thousands of them. Blocks are what is resampled.
type Block struct {
	Samples float64 // how many came
	Missing float64 // how many were expected and never came: infinitely large
	Knots   []Knot  // of those that came, by rising share; empty means that none did
}

// Knot says that a share of the samples, above 0 and at most 1, was at most Value, above 0.
type Knot struct {
	Share, Value float64
}

// knot is a Knot with the logarithm of its value.
type knot struct{ share, log float64 }

// logs are the block's knots. Between two of them the logarithm of the value grows evenly with the share; the first one that is returned has
// no share at all and lies as steeply below the first knot as that lies below the second.
func (b *Block) logs() []knot {
	if len(b.Knots) == 0 {
		return nil
	}
	list := make([]knot, 1, len(b.Knots)+1)
	for _, k := range b.Knots {
		list = append(list, knot{k.Share, math.Log(k.Value)})
	}
	list[0].log = list[1].log
	if len(list) > 2 {
		list[0].log -= list[1].share * (list[2].log - list[1].log) / (list[2].share - list[1].share)
	}
	return list
}

// below is the share of the samples that were at most e^log.
func below(knots []knot, log float64) float64 {
	if len(knots) == 0 || log < knots[0].log {
		return 0
	}
	for i, high := range knots[1:] {
		if low := knots[i]; log < high.log {
			return low.share + (high.share-low.share)*(log-low.log)/(high.log-low.log)
		}
	}
	return 1
}

// gridSize is how many values the quantiles of a mixture are interpolated between.
const gridSize = 256

// mixture is many blocks as one set of samples, for quantiles of any selection of them.
type mixture struct {
	grid  []float64   // logarithms of values, rising evenly
	below [][]float64 // samples of a block that are at most a value of the grid, by value and block
	total []float64   // samples that were expected, by block
}

func newMixture(blocks []Block) mixture {
	low, high := math.Inf(1), math.Inf(-1)
	m := mixture{total: make([]float64, len(blocks))}
	knots := make([][]knot, len(blocks))
	for i := range blocks {
		m.total[i] = blocks[i].Samples + blocks[i].Missing
		knots[i] = blocks[i].logs()
		if n := len(knots[i]); n > 0 {
			low, high = min(low, knots[i][0].log), max(high, knots[i][n-1].log)
		}
	}
	if low > high {
		return m
	}
	step := max(high-low, 1e-9) / (gridSize - 2)
	for g := range gridSize {
		at := low + float64(g)*step
		row := make([]float64, len(blocks))
		for i := range blocks {
			row[i] = blocks[i].Samples * below(knots[i], at)
		}
		m.grid, m.below = append(m.grid, at), append(m.below, row)
	}
	return m
}

// quantile is the logarithm of the q-quantile over the blocks chosen, each as often as counts says: +Inf among the missing, NaN without
// any sample.
func (m *mixture) quantile(q float64, counts []int) float64 {
	var total float64
	for i, n := range counts {
		total += float64(n) * m.total[i]
	}
	if total == 0 {
		return math.NaN()
	}
	want := q * total
	have := func(g int) (sum float64) {
		for i, n := range counts {
			if n > 0 {
				sum += float64(n) * m.below[g][i]
			}
		}
		return sum
	}
	g := sort.Search(len(m.grid), func(g int) bool { return have(g) >= want*(1-1e-12) })
	switch {
	case g == len(m.grid):
		return math.Inf(1)
	case g == 0:
		return m.grid[0]
	}
	before, behind := have(g-1), have(g)
	return m.grid[g-1] + (m.grid[g]-m.grid[g-1])*(want-before)/(behind-before)
}
