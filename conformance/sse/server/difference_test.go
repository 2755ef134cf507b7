package server

import (
	"strings"
	"testing"
)

// TestADifferenceNamesCharacters: the place, what was sent and what came, with bytes in hex only there.
func TestADifferenceNamesCharacters(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ sent, got, expected, actual string }{
		"a character cut in two": {
			"price: 5 € net", "price: 5 \uFFFD\uFFFD net",
			`at byte 9 of 16 behind "price: 5 " '€' (U+20AC, e2 82 ac), ' ', 'n'`,
			`at byte 9 of 16 behind "price: 5 " '�' (U+FFFD, ef bf bd), '�' (U+FFFD, ef bf bd), ' ', 19 bytes in all`,
		},
		"an emoji that became a question mark": {
			"ok 😀", "ok ?", `at byte 3 of 7 behind "ok " '😀' (U+1F600, f0 9f 98 80)`, `at byte 3 of 7 behind "ok " '?', 4 bytes in all`,
		},
		"Latin-1": {"é", "\xe9", `at byte 0 of 2 'é' (U+00E9, c3 a9)`, `at byte 0 of 2 e9 (no UTF-8), 1 byte in all`},
		"cut off": {
			strings.Repeat("x", 4097), strings.Repeat("x", 4096),
			`at byte 4096 of 4097 behind "xxxxxxxxxxxx" 'x'`, `at byte 4096 of 4097 behind "xxxxxxxxxxxx" the end, 4096 bytes in all`,
		},
		"in an envelope":        {"äb", `{"data":"ä?","id":1}`, `at byte 2 of 3 behind "ä" 'b'`, `at byte 2 of 3 behind "ä" '?', 3 bytes in all`},
		"more than was sent":    {"€", "€€", `at byte 3 of 3 behind "€" the end`, `at byte 3 of 3 behind "€" '€' (U+20AC, e2 82 ac), 6 bytes in all`},
		"the same first byte":   {"€", "₯", `at byte 0 of 3 '€' (U+20AC, e2 82 ac)`, `at byte 0 of 3 '₯' (U+20AF, e2 82 af), 3 bytes in all`},
		"nothing but a newline": {"a\nb", "ab", `at byte 1 of 3 behind "a" '\n', 'b'`, `at byte 1 of 3 behind "a" 'b', 2 bytes in all`},
	} {
		expected, actual := difference(test.sent, test.got)
		if expected != test.expected || actual != test.actual {
			t.Errorf("%s:\n got %s\n and %s\nwant %s\n and %s", name, expected, actual, test.expected, test.actual)
		}
	}
}
