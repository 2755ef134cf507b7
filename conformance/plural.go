package conformance

import (
	"fmt"
	"strings"
)

// Plural is "1 message" or "12 messages" of a noun in the singular: what is counted may be one.
func Plural[N ~int | ~int32 | ~int64 | ~uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	what, of, more := strings.Cut(noun, " of ")
	switch {
	case strings.HasSuffix(what, "ry"):
		what = what[:len(what)-1] + "ies"
	case strings.HasSuffix(what, "s"), strings.HasSuffix(what, "sh"):
		what += "es"
	default:
		what += "s"
	}
	if more {
		what += " of " + of
	}
	return fmt.Sprintf("%d %s", n, what)
}
