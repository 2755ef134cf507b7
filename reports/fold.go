package reports

import (
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// columns is how many columns of a terminal s takes; colours take none.
func columns(s string) int { return twwidth.WidthWithOptions(s, twwidth.Options{}) }

// wider says whether s takes more columns. Of a text of megabytes it looks at the beginning only.
func wider(s string, width int) bool {
	if len(s) > 64*width {
		return len(prefix(s, width)) < len(s)
	}
	return columns(s) > width
}

// fold breaks s into lines of at most width columns, between words where it can and after punctuation or anywhere where it
// must. Nothing but the spaces at the breaks is lost.
func fold(s string, width int) []string {
	width = max(width, 2)
	var lines []string
	for wider(s, width) {
		head, tail := breakAt(s, width)
		lines = append(lines, strings.TrimRight(head, " "))
		s = strings.TrimLeft(tail, " ")
	}
	if s != "" || len(lines) == 0 {
		lines = append(lines, s)
	}
	return lines
}

// breakAt cuts s, which is wider than width, where its first line ends.
func breakAt(s string, width int) (head, tail string) {
	fits := prefix(s, width)
	if strings.HasPrefix(s[len(fits):], " ") {
		return fits, s[len(fits):]
	}
	if i := strings.LastIndexByte(fits, ' '); i > 0 && strings.TrimSpace(fits[:i]) != "" {
		return s[:i], s[i:]
	}
	if i := strings.LastIndexAny(fits, ".,;:/-_=&?"); i > len(fits)/2 {
		return s[:i+1], s[i+1:]
	}
	return fits, s[len(fits):]
}

// prefix is the longest beginning of s that fits into width columns, and at least its first character.
func prefix(s string, width int) string {
	used := 0
	for i, r := range s {
		used += columns(string(r))
		if used > width && i > 0 {
			return s[:i]
		}
	}
	return s
}

// atMost cuts off what is beyond the given number of lines, none wider than width, and says so by an ellipsis.
func atMost(folded []string, width, lines int, ellipsis string) []string {
	if len(folded) <= lines {
		return folded
	}
	folded = folded[:lines]
	last := prefix(folded[lines-1], width-columns(ellipsis))
	folded[lines-1] = strings.TrimRight(last, " ") + ellipsis
	return folded
}

// chop breaks s into lines of exactly width columns, except the last. Unlike fold it loses no space: evidence has meaning in each.
func chop(s string, width int) []string {
	width = max(width, 2)
	var lines []string
	for wider(s, width) {
		head := prefix(s, width)
		lines = append(lines, head)
		s = s[len(head):]
	}
	return append(lines, s)
}

// chopEscaped is chop for text in which a backslash begins an escape such as \n, \xff or \u202e: none is broken.
func chopEscaped(s string, width int) []string {
	width = max(width, 12)
	var lines []string
	for wider(s, width) {
		head := prefix(s, width)
		if at := unfinishedEscape(head); at > 0 {
			head = head[:at]
		}
		lines = append(lines, head)
		s = s[len(head):]
	}
	return append(lines, s)
}

// escapeLengths are how many characters follow the letter of an escape.
var escapeLengths = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// unfinishedEscape is where an escape begins that the end of s breaks, 0 when there is none.
func unfinishedEscape(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if i+1 == len(s) {
			return i
		}
		end := i + 2 + escapeLengths[s[i+1]]
		if end > len(s) {
			return i
		}
		i = end - 1
	}
	return 0
}

// flow joins items into lines of at most width columns, breaking between items; one that is itself too wide is folded.
func flow(items []string, separator string, width int) []string {
	end := strings.TrimRight(separator, " ")
	width -= columns(end)
	var lines []string
	line := ""
	for _, item := range items {
		if item == "" {
			continue
		}
		if joined := joinNonEmpty(separator, line, item); columns(joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line+end)
		}
		folded := fold(item, width)
		lines = append(lines, folded[:len(folded)-1]...)
		line = folded[len(folded)-1]
	}
	return append(lines, line)
}
