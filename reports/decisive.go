package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
)

// Bounds of what a report for a terminal shows unless it is asked for everything.
const (
	shortFindings = 2 // of one verdict
	shortEvidence = 5 // lines of one finding
	shortLines    = 2 // of the terminal, for each of these
)

// decisive are the lines of a finding's evidence that show what it says: of the head of a response its status and the fields that are spoken
// of, and at most so many others, the first and the last of them. Commands are left out, because they are shown apart.
func decisive(f conformance.Finding, most int) []string {
	var lines, head []string
	spoken := strings.ToLower(f.Text + " " + f.Expected + " " + f.Actual)
	left := 0
	flush := func() {
		if len(head) == 0 {
			return
		}
		line := strings.Join(head, " · ")
		if left > 0 {
			line += fmt.Sprintf(" (%s more)", Plural(uint64(left), "field"))
		}
		lines, head, left = append(lines, line), nil, 0
	}
	for _, line := range f.Evidence {
		name, _, isField := strings.Cut(line, ": ")
		switch {
		case isCommand(line):
		case statusLine.MatchString(line):
			flush()
			head = []string{line}
		case len(head) > 0 && isField && fieldName.MatchString(name):
			if strings.Contains(spoken, strings.ToLower(name)) || slices.Contains(usuallySpoken, name) {
				head = append(head, line)
			} else {
				left++
			}
		default:
			flush()
			lines = append(lines, line)
		}
	}
	flush()
	if len(lines) <= most {
		return lines
	}
	first := (most + 1) / 2
	rest := fmt.Sprintf("… %s more …", Plural(uint64(len(lines)-most), "line"))
	return slices.Concat(lines[:first], []string{rest}, lines[len(lines)-(most-first):])
}

var (
	statusLine    = regexp.MustCompile(`^HTTP/[0-9.]+ [0-9]{3}\b|^HTTP [0-9]{3}\b`)
	fieldName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
	usuallySpoken = []string{"Content-Type", "Content-Encoding", "Content-Length"}
	elided        = regexp.MustCompile(`"? … ([0-9,]+) bytes … "?`)
)

// elide cuts the middle out of a line of escaped bytes that is wider than width, and says how many bytes that were.
func elide(line string, width int) string {
	if columns(line) <= width {
		return line
	}
	head, tail, missing := line, line, 0
	if at := elided.FindStringSubmatchIndex(line); at != nil {
		missing, _ = strconv.Atoi(strings.ReplaceAll(line[at[2]:at[3]], ",", ""))
		head, tail = line[:at[0]], line[at[1]:]
	}
	const room = 24 // of what is said in the middle
	keep := max(width-room, 12)
	first := wholeEscapes(prefix(head, min(keep*2/3, columns(head))))
	last := tail
	for len(last) > 0 && columns(last) > keep-columns(first) {
		_, size := utf8.DecodeRuneInString(last)
		last = last[max(size, escapeLength(last)):]
	}
	if missing > 0 {
		missing += bytesOfEscaped(head[len(first):]) + bytesOfEscaped(tail[:len(tail)-len(last)])
	} else {
		missing = bytesOfEscaped(line[len(first) : len(line)-len(last)])
	}
	return fmt.Sprintf("%s … %s bytes … %s", first, Count(uint64(missing)), last)
}

// wholeEscapes drops an escape that the end of s breaks.
func wholeEscapes(s string) string {
	if at := unfinishedEscape(s); at > 0 {
		return s[:at]
	}
	return s
}

// escapeLength is how many characters the escape takes that s begins with, 0 when it begins with none.
func escapeLength(s string) int {
	if len(s) < 2 || s[0] != '\\' {
		return 0
	}
	return min(2+escapeLengths[s[1]], len(s))
}

// bytesOfEscaped counts the bytes that escaped text stands for.
func bytesOfEscaped(s string) (n int) {
	for len(s) > 0 {
		length := escapeLength(s)
		switch {
		case length == 0:
			_, size := utf8.DecodeRuneInString(s)
			s, n = s[size:], n+size
			continue
		case s[1] == 'u' || s[1] == 'U':
			code, _ := strconv.ParseUint(s[2:length], 16, 32)
			n += max(1, utf8.RuneLen(rune(code)))
		default:
			n++
		}
		s = s[length:]
	}
	return n
}
