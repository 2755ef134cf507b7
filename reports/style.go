package reports

import "github.com/streamgauge/streamgauge/conformance"

// style is how text is marked up on a terminal.
type style struct {
	color, ascii bool
}

// mark is how an outcome looks: a sign, a word and a colour, each enough to tell it.
type mark struct {
	sign, ascii, word, color string
}

var marks = map[conformance.Outcome]mark{
	conformance.Pass:    {"✓", "+", "pass", "32"},
	conformance.Fail:    {"✗", "x", "FAIL", "1;31"},
	conformance.Unknown: {"?", "?", "unknown", "1;35"},
	conformance.Warn:    {"!", "!", "warn", "33"},
	conformance.Skip:    {"–", "-", "skip", "2"},
	conformance.Info:    {"·", "i", "info", "36"},
}

// outcome is "✗ FAIL".
func (s style) outcome(o conformance.Outcome) string {
	m := markOf(o)
	sign := m.sign
	if s.ascii {
		sign = m.ascii
	}
	return s.paint(m.color, sign+" "+m.word)
}

// markOf takes an outcome that this build does not know as unknown.
func markOf(o conformance.Outcome) mark {
	if m, known := marks[o]; known {
		return m
	}
	return marks[conformance.Unknown]
}

func (s style) bold(text string) string { return s.paint("1", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }

func (s style) paint(code, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// text spells what the renderer itself wrote as the terminal can show it.
func (s style) text(t string) string {
	if s.ascii {
		return asciiSpelling.Replace(t)
	}
	return t
}

func (s style) texts(list []string) []string {
	spelled := make([]string, len(list))
	for i, t := range list {
		spelled[i] = s.text(t)
	}
	return spelled
}
