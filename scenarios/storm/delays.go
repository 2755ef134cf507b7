package storm

import (
	"math/rand/v2"
	"time"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// delays draws the delays that clients of one policy wait: each those that the reference client with its seed would.
type delays struct {
	seed   uint64
	bounds [maxNumber + 1]struct{ low, high time.Duration } // by attempts before
	source *rand.PCG
	random *rand.Rand
}

func newDelays(c *Config) delays {
	source := rand.NewPCG(0, 0)
	d := delays{seed: c.Seed, source: source, random: rand.New(source)}
	for n := range d.bounds {
		d.bounds[n].low, d.bounds[n].high = c.Policy.Bounds(n, c.Retry)
	}
	return d
}

func (d *delays) draw(a attempt) time.Duration {
	b := &d.bounds[min(a.number, maxNumber)]
	if b.low < b.high {
		d.source.Seed(ClientSeed(d.seed, int(a.client)), uint64(a.number)+1) // as the reference client does for each wait
	}
	return policy.Draw(b.low, b.high, d.random)
}

// ClientSeed is the seed of one client of a storm.
func ClientSeed(seed uint64, client int) uint64 {
	z := seed + (uint64(client)+1)*0x9e3779b97f4a7c15 // SplitMix64: neighbours get seeds that have nothing in common
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
