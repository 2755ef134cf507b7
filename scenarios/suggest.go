package scenarios

import (
	"strings"
)

// Suggest returns a hint that names the closest of the known words, or lists them when none is close.
func Suggest(word string, known []string) string {
	if best := closest(word, known); best != "" {
		return "did you mean " + best + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}

// closest returns the known word that a typist most likely meant, "" when none is near.
func closest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	norm := strings.NewReplacer("-", "", "_", "", " ", "")
	word = norm.Replace(strings.ToLower(word))
	best, least := "", 1+len(word)/3
	for _, k := range known {
		if d := distance(word, norm.Replace(strings.ToLower(k))); d < least || d == least && best == "" {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
