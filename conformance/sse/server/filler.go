package server

import (
	"math/rand/v2"
	"strings"
)

// fillerAlphabet are characters that stand for themselves in URLs, JSON and event data.
const fillerAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// filler is text of a size that no content coding makes smaller than three quarters: for what is to fill buffers, and bring their bounds about,
// also where the subject, or a gateway before it, compresses. The same name and number make the same text.
func filler(name string, number, size int) string {
	if size <= 0 {
		return ""
	}
	random := rand.NewPCG(seedOf(name), uint64(number)) //nolint:gosec // repeatable, not secret; numbers count
	var b strings.Builder
	b.Grow(size)
	for b.Len() < size {
		bits := random.Uint64()
		for range min(10, size-b.Len()) {
			b.WriteByte(fillerAlphabet[bits&63])
			bits >>= 6
		}
	}
	return b.String()
}
