package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
)

// difference words where a text that came departs from the one that was sent: what stands there on each side, characters by their code
// points with their bytes, and a little of what is before it.
func difference(sent, got string) (expected, actual string) {
	got = unwrapped(sent, got)
	at := alike(sent, got)
	for at > 0 && (at < len(sent) && !utf8.RuneStart(sent[at]) || at < len(got) && at == len(sent) && !utf8.RuneStart(got[at])) {
		at-- // the whole character
	}
	behind := ""
	if at > 0 {
		behind = fmt.Sprintf(" behind %q", tailOf(sent[:at]))
	}
	place := fmt.Sprintf("at byte %d of %d%s ", at, len(sent), behind)
	return place + pieceAt(sent, at), place + pieceAt(got, at) + fmt.Sprintf(", %s in all", conformance.Plural(len(got), "byte"))
}

// alike is how many bytes two texts begin with that are the same.
func alike(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// unwrapped is the text inside a JSON envelope that is most like the one that was sent; what is no envelope stays as it is.
func unwrapped(sent, got string) string {
	var envelope any
	if json.Unmarshal([]byte(got), &envelope) != nil {
		return got
	}
	best, length := got, alike(sent, got)
	var look func(value any)
	look = func(value any) {
		switch v := value.(type) {
		case string:
			if n := alike(sent, v); n > length {
				best, length = v, n
			}
		case []any:
			for _, element := range v {
				look(element)
			}
		case map[string]any:
			for _, element := range v {
				look(element)
			}
		}
	}
	look(envelope)
	return best
}

// Of a difference so much is shown.
const (
	shownBefore = 12 // bytes before it
	shownRunes  = 3  // characters from it on
)

// tailOf is the end of a text, from the start of a character.
func tailOf(text string) string {
	from := max(0, len(text)-shownBefore)
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:]
}

// pieceAt names the characters from an offset on.
func pieceAt(text string, at int) string {
	if at >= len(text) {
		return "the end"
	}
	var words []string
	for range shownRunes {
		if at >= len(text) {
			break
		}
		r, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			words = append(words, fmt.Sprintf("%02x (no UTF-8)", text[at]))
		case r < utf8.RuneSelf:
			words = append(words, fmt.Sprintf("%q", r))
		default:
			words = append(words, fmt.Sprintf("%q (%U, % x)", r, r, text[at:at+size]))
		}
		at += size
	}
	return strings.Join(words, ", ")
}
