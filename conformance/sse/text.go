package sse

import "unicode/utf8"

const replacement = "\uFFFD"

// AppendText appends p decoded as UTF-8 the way the standard decodes a stream (WHATWG Encoding,
// "UTF-8 decode without BOM"): each maximal subpart of an ill-formed sequence becomes one U+FFFD.
// Go's own conversions replace every byte, or a whole run.
func AppendText(dst, p []byte) []byte {
	if utf8.Valid(p) {
		return append(dst, p...)
	}
	for len(p) > 0 {
		if r, n := utf8.DecodeRune(p); r != utf8.RuneError || n > 1 {
			dst = append(dst, p[:n]...)
			p = p[n:]
			continue
		}
		dst = append(dst, replacement...)
		p = p[maximalSubpart(p):]
	}
	return dst
}

// maximalSubpart is how many bytes at the start of p, which is not valid UTF-8 there, begin some
// valid sequence; at least 1 (Unicode 3.9, table 3-7).
func maximalSubpart(p []byte) int {
	low, high, more := byte(0x80), byte(0xBF), 0
	switch c := p[0]; {
	case c >= 0xC2 && c <= 0xDF:
		more = 1
	case c >= 0xE0 && c <= 0xEF:
		more = 2
	case c >= 0xF0 && c <= 0xF4:
		more = 3
	}
	switch p[0] {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	n := 1
	for n <= more && n < len(p) && p[n] >= low && p[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}
