package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// lines writes whole lines for a person, most of all to standard error, whoever they come from: what does not print is escaped, so that
// nobody else's text moves the cursor, and no secret that is known is shown.
type lines struct {
	w     io.Writer
	plain bool // nothing is a secret: what is shown is made here, for whoever started it

	mu     sync.Mutex
	begun  []byte // a line whose end has not come
	redact []func(string) string
}

// longestLine is how much of a line without an end is waited for.
const longestLine = 64 << 10

// linesOf is w as lines.
func linesOf(w io.Writer) *lines {
	if l, ok := w.(*lines); ok {
		return l
	}
	return &lines{w: w}
}

// hide has secrets hidden from here on in what goes to w.
func hide(w io.Writer, redact func(string) string) {
	if l, ok := w.(*lines); ok && redact != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.redact = append(l.redact, redact)
	}
}

// unwrapped is where lines go in the end.
func unwrapped(w io.Writer) io.Writer {
	if l, ok := w.(*lines); ok {
		return unwrapped(l.w)
	}
	return w
}

// Write writes the lines that are complete with p.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = append(l.begun, p...)
	for {
		end := bytes.IndexByte(l.begun, '\n')
		if end < 0 && len(l.begun) > longestLine {
			end = longestLine
		}
		if end < 0 {
			return len(p), nil
		}
		line := l.begun[:end]
		l.begun = l.begun[min(end+1, len(l.begun)):]
		if _, err := io.WriteString(l.w, l.shown(string(line))+"\n"); err != nil {
			return 0, err
		}
	}
}

// flush ends a line that was begun.
func (l *lines) flush() {
	l.mu.Lock()
	left := len(l.begun) > 0
	l.mu.Unlock()
	if left {
		_, _ = io.WriteString(l, "\n") // nobody is left to tell
	}
}

// line is one line as it may be shown.
func (l *lines) line(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown(text)
}

func (l *lines) shown(text string) string {
	for _, redact := range l.redact {
		text = redact(text)
	}
	if !l.plain {
		text = scenarios.RedactPlaces(text)
	}
	columns := strings.Split(strings.TrimSuffix(text, "\r"), "\t")
	for i, c := range columns {
		columns[i] = reports.Visible(c)
	}
	return strings.Join(columns, "\t")
}

// pipe is a file for a program to write to, whose lines go to l. begun closes it here once the program has it. Nobody waits for the end
// of it: whatever the program has started may hold it.
func (l *lines) pipe() (to *os.File, begun func(), err error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	apart := &lines{w: l, plain: true}
	go func() {
		defer crash.Catch()
		_, _ = io.Copy(apart, from) // it ends when the last of those who write does
		apart.flush()
		_ = from.Close()
	}()
	return to, func() { _ = to.Close() }, nil
}

const (
	longestWord    = 200  // characters of a value in a message
	longestMessage = 2000 // of a problem
	mostProblems   = 20   // lines of a message
)

// brief is a message of a length that can be read, one problem a line.
func brief(message string) []string {
	problems := strings.Split(message, "\n")
	more := len(problems) - mostProblems
	if more > 0 {
		problems = problems[:mostProblems]
	}
	for i, p := range problems {
		problems[i] = briefProblem(p)
	}
	if more > 0 {
		problems = append(problems, fmt.Sprintf("and %d more", more))
	}
	return problems
}

// briefProblem cuts long words, and what is still too long in its middle: its end says what would be right.
func briefProblem(text string) string {
	if len(text) <= longestWord {
		return text
	}
	words := strings.Split(text, " ")
	for i, w := range words {
		if utf8.RuneCountInString(w) > longestWord {
			words[i] = string([]rune(w)[:longestWord]) + "…"
		}
	}
	text = strings.Join(words, " ")
	if utf8.RuneCountInString(text) <= longestMessage {
		return text
	}
	r := []rune(text)
	return string(r[:longestMessage*2/3]) + " … " + string(r[len(r)-longestMessage/3:])
}
