package sse

import (
	"math/rand/v2"
	"slices"
	"strconv"
)

// Split cuts p before each of the given offsets, which ascend. The pieces alias p.
func Split(p []byte, offsets ...int) [][]byte {
	pieces := make([][]byte, 0, len(offsets)+1)
	from := 0
	for _, at := range offsets {
		pieces = append(pieces, p[from:at])
		from = at
	}
	return append(pieces, p[from:])
}

// EachByte cuts p into single bytes.
func EachByte(p []byte) [][]byte {
	return slices.Collect(slices.Chunk(p, 1))
}

// RandomSplit cuts p into about n pieces, none empty unless p is.
func RandomSplit(random *rand.Rand, p []byte, n int) [][]byte {
	var offsets []int
	for range n - 1 {
		if len(p) > 1 {
			offsets = append(offsets, 1+random.IntN(len(p)-1))
		}
	}
	slices.Sort(offsets)
	return Split(p, slices.Compact(offsets)...)
}

// AppendChunk appends data as one chunk (RFC 9112, 7.1), without data the last chunk and an empty trailer.
func AppendChunk(dst, data []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(data)), 16)
	dst = append(dst, "\r\n"...)
	dst = append(dst, data...)
	return append(dst, "\r\n"...)
}

// Chunked is the chunked coding of the given pieces, with the last chunk, ready to be cut into segments anywhere.
func Chunked(pieces ...[]byte) []byte {
	var body []byte
	for _, p := range pieces {
		if len(p) > 0 {
			body = AppendChunk(body, p)
		}
	}
	return AppendChunk(body, nil)
}
