package check

import "slices"

// hole is a range of numbers, lo to hi−1, that a subscriber has not received although it received a higher one.
type hole struct {
	lo, hi     uint64
	connection int32 // on which it opened
	before     receipt
	after      receipt // what came next, and opened it
	why        reason
	asked      uint64 // at a seam: the highest number that the position asked for covers; 0: not known, or none
}

// reason is what is known of how a hole came about. Zero is the ordinary case: what is owed in it is lost.
type reason uint8

const (
	seam        reason = 1 << iota // it lies between a position that was asked for and the first message after it
	announced                      // the target said that it cannot continue from the position
	beyond                         // it lies beyond the history that the target declares: nothing is owed
	dropped                        // the subscriber read slowly and the target's policy allows it: nothing is owed
	damaged                        // a message arrived that was too damaged to tell which it was, and stands for this one
	last                           // nothing higher came after it
	outstanding                    // the subscription went on: it may still have come
)

const unowed = beyond | dropped | damaged

func (h hole) size() uint64 { return h.hi - h.lo }

// holes are disjoint and ascending.
type holes []hole

// find returns the index of the hole that n lies in, or −1.
func (hs holes) find(n uint64) int {
	i, found := slices.BinarySearchFunc(hs, n, func(h hole, n uint64) int {
		switch {
		case h.hi <= n:
			return -1
		case h.lo > n:
			return 1
		}
		return 0
	})
	if !found {
		return -1
	}
	return i
}

// fill takes n out and says whether it was missing.
func (hs *holes) fill(n uint64) bool {
	i := hs.find(n)
	if i < 0 {
		return false
	}
	h := &(*hs)[i]
	switch {
	case h.size() == 1:
		*hs = slices.Delete(*hs, i, i+1)
	case n == h.lo:
		h.lo++
	case n == h.hi-1:
		h.hi--
	default:
		rest := *h
		rest.lo, h.hi = n+1, n
		*hs = slices.Insert(*hs, i+1, rest)
	}
	return true
}

// open adds a hole above or below all others. One that holds no number is not added.
func (hs *holes) open(h hole) {
	switch last := len(*hs) - 1; {
	case h.lo >= h.hi:
	case last >= 0 && (*hs)[last].lo >= h.hi:
		*hs = slices.Insert(*hs, 0, h)
	default:
		*hs = append(*hs, h)
	}
}
