package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Options say how a report is to look. The zero value is 80 columns of plain Unicode.
type Options struct {
	Width  int      // columns of the terminal; 0 means 80. Only the table heeds it.
	Color  bool     // ANSI colours in the table; an outcome is never told by colour alone
	ASCII  bool     // no character beyond ASCII in the table
	Full   bool     // the table shows all findings and all evidence
	Strict bool     // a warn counts as a failure
	Dir    string   // where files were written, "" for nowhere
	Files  []string // their names in Dir
}

// Renderer writes one report of r. It changes nothing in r, and its only errors are those of w.
type Renderer func(w io.Writer, r *conformance.Result, opts Options) error

// Format is one kind of report.
type Format struct {
	Name      string
	About     string
	Extension string // of a file that holds it, with its dot
	Render    Renderer
}

// Formats are the kinds of report.
var Formats = []Format{
	{Name: "table", About: "a table to read at a terminal", Extension: ".txt", Render: Table},
	{Name: "json", About: "result.json, for programs", Extension: ".json", Render: JSON},
	{Name: "junit", About: "JUnit XML, for CI servers", Extension: ".xml", Render: JUnit},
	{Name: "markdown", About: "Markdown, for a pull request's comment or a job summary", Extension: ".md", Render: Markdown},
	{Name: "html", About: "one HTML page with charts, to open in a browser and to share", Extension: ".html", Render: HTML},
}

// FormatNamed finds a format; the error lists those there are.
func FormatNamed(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("format %q is not one of %s", name, strings.Join(FormatNames(), ", "))
}

// FormatNames are the names of Formats, in their order.
func FormatNames() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}
