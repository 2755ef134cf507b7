package client

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// cut is a stream in the segments in which it is sent.
type cut struct {
	how      string
	segments [][]byte
}

// everySplitUpTo bounds what is cut in two at every place and byte by byte; of longer streams the ends and some places between are.
const everySplitUpTo = 300

// cuts are the ways in which a stream is cut: whole, byte by byte, in two at every place, and at random.
func cuts(random *rand.Rand, in []byte) []cut {
	all := []cut{{"whole", [][]byte{in}}}
	if len(in) < 2 {
		return all
	}
	if len(in) <= everySplitUpTo {
		all = append(all, cut{"byte by byte", sse.EachByte(in)})
	} else {
		all = append(all, cut{"in segments of 1448 bytes", slices.Collect(slices.Chunk(in, 1448))})
	}
	for _, at := range places(random, len(in)) {
		all = append(all, cut{fmt.Sprintf("cut before byte %d", at), sse.Split(in, at)})
	}
	for n := 2; n <= 6; n++ {
		all = append(all, cut{"cut at random", sse.RandomSplit(random, in, n)})
	}
	return all
}

func places(random *rand.Rand, length int) []int {
	var all []int
	for at := 1; at < length; at++ {
		if length <= everySplitUpTo || at < 20 || length-at < 20 {
			all = append(all, at)
		}
	}
	if length > everySplitUpTo {
		for range 20 {
			all = append(all, 20+random.IntN(length-40))
		}
	}
	return all
}

// marked shows the segments with a bar between each two.
func (c cut) marked() string {
	const most = 12
	var b bytes.Buffer
	for i, s := range c.segments {
		if i > 0 {
			b.WriteString(" | ")
		}
		if i == most {
			fmt.Fprintf(&b, "… %d more", len(c.segments)-i)
			break
		}
		b.WriteString(sse.Escape(s))
	}
	return b.String()
}
