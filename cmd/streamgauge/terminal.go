package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/streamgauge/streamgauge/reports"
)

const (
	pipeWidth   = 100 // columns where no terminal says otherwise: what the log viewers of CI servers show without scrolling
	widestTable = 140 // beyond it lines of text are hard to follow
)

// isTerminal says whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := unwrapped(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// reportOptions fits a report to w: as wide as the terminal, and in colour on one unless noColor, NO_COLOR or TERM=dumb says no.
func reportOptions(w io.Writer, noColor bool) reports.Options {
	opts := reports.Options{Width: pipeWidth}
	if !isTerminal(w) {
		return opts
	}
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			opts.Width = min(columns, widestTable)
		}
	}
	opts.ASCII = asciiOnly(os.Getenv)
	opts.Color = !noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return opts
}

// asciiOnly says whether the environment declares a terminal that shows nothing beyond ASCII. A locale that is not set at
// all, as in most containers, declares nothing.
func asciiOnly(getenv func(string) string) bool {
	if getenv("TERM") == "dumb" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(getenv(name)); locale != "" {
			return !strings.Contains(locale, "UTF-8") && !strings.Contains(locale, "UTF8")
		}
	}
	return false
}
