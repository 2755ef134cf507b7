package scenarios

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// subseed derives a seed for one purpose. Purposes have labels of their own, so that drawing more for one of them, or adding a
// subscriber, leaves the others as they were.
func subseed(seed uint64, label string, index int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(label))
	return mix(seed ^ mix(h.Sum64()+uint64(index)*0x9e3779b97f4a7c15))
}

// mix is the finalizer of splitmix64: a bijection whose output bits all depend on all input bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// random returns a generator for one seed.
func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, mix(seed))) }

// runID is the short id of the run that a seed decides: safe in a URL, a topic name and a file name.
func runID(seed uint64) string {
	id := strconv.FormatUint(subseed(seed, "run", 0)&0xffffffff, 36)
	return ("0000000" + id)[len(id):]
}
