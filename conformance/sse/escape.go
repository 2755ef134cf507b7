package sse

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// escapedBytes bounds what Escape shows.
const escapedBytes = 240

// Escape shows bytes as a string of a programming language would be written; longer ones are cut in the middle.
func Escape(p []byte) string {
	if len(p) <= escapedBytes {
		return strconv.Quote(string(p))
	}
	head, tail := p[:escapedBytes*2/3], p[len(p)-escapedBytes/3:]
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	for len(head) > 0 && !utf8.Valid(head) && !utf8.RuneStart(head[len(head)-1]) {
		head = head[:len(head)-1]
	}
	return fmt.Sprintf("%s … %d bytes … %s", strconv.Quote(string(head)), len(p)-len(head)-len(tail), strconv.Quote(string(tail)))
}
