package reports

import (
	"bytes"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// page collects the lines of a terminal report.
type page struct {
	style
	buf   bytes.Buffer
	width int
}

const (
	defaultWidth = 80
	leastWidth   = 40 // narrower terminals get lines that wrap
	margin       = "  "
	cellLines    = 4 // the most lines that a cell is folded into
	columnGap    = 2
	leastColumn  = 8
)

func newPage(opts Options) *page {
	width := opts.Width
	if width <= 0 {
		width = defaultWidth
	}
	return &page{style: style{color: opts.Color, ascii: opts.ASCII}, width: max(width, leastWidth)}
}

func (p *page) blank() { p.buf.WriteByte('\n') }

// line writes text as one line, whatever its length.
func (p *page) line(text string) {
	p.buf.WriteString(strings.TrimRight(text, " "))
	p.buf.WriteByte('\n')
}

// para writes text behind a lead, folded, with the further lines below its beginning. The paint is applied line by line.
func (p *page) para(lead, text string, paint func(string) string) {
	p.block(lead, fold(text, p.room(lead)), paint)
}

// items is para for figures in a row, which are broken between them and not inside of one.
func (p *page) items(lead string, figures []string, paint func(string) string) {
	p.block(lead, flow(figures, p.text(" · "), p.room(lead)), paint)
}

// room is how many columns are left behind lead.
func (p *page) room(lead string) int { return max(p.width-columns(lead), leastWidth/2) }

func (p *page) block(lead string, lines []string, paint func(string) string) {
	for i, line := range lines {
		if i > 0 {
			lead = strings.Repeat(" ", columns(lead))
		}
		p.line(lead + paint(line))
	}
}

func (p *page) rule() {
	sign := "─"
	if p.ascii {
		sign = "-"
	}
	p.line(p.dim(strings.Repeat(sign, p.width)))
}

func plain(text string) string { return text }

// grid is a table without borders; where it is too wide for the page, its widest columns are folded.
type grid struct {
	header []string // a name of two words may be split by a line feed
	rows   [][]string
	right  []bool // columns of numbers
}

func (p *page) grid(g grid) error {
	widths := fitWidths(g.naturalWidths(), p.width-len(margin)-columnGap*(len(g.header)-1))
	var out bytes.Buffer
	t := tablewriter.NewTable(&out, p.gridOptions(g.right)...)
	t.Header(p.headerCells(g.header, widths))
	for _, row := range g.rows {
		if err := t.Append(p.foldCells(row, widths)); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(out.String()) {
		p.line(margin + strings.TrimRight(line, "\n"))
	}
	return nil
}

func (p *page) gridOptions(right []bool) []tablewriter.Option {
	aligns := make([]tw.Align, len(right))
	for i := range right {
		aligns[i] = tw.AlignLeft
		if right[i] {
			aligns[i] = tw.AlignRight
		}
	}
	return []tablewriter.Option{
		tablewriter.WithEastAsian(tw.Off), // as columns counts; else the reader's locale would move the columns
		tablewriter.WithRendition(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: strings.Repeat(" ", columnGap), Overwrite: true}),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: aligns}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: aligns}),
	}
}

func (p *page) headerCells(header []string, widths []int) []string {
	cells := make([]string, len(header))
	for i, name := range header {
		var lines []string
		for part := range strings.SplitSeq(name, "\n") {
			for _, line := range fold(part, widths[i]) {
				lines = append(lines, p.dim(line))
			}
		}
		cells[i] = strings.Join(lines, "\n")
	}
	return cells
}

func (p *page) foldCells(row []string, widths []int) []string {
	cells := make([]string, len(row))
	for i, text := range row {
		if columns(text) > widths[i] {
			text = strings.Join(atMost(fold(text, widths[i]), widths[i], cellLines, p.text("…")), "\n")
		}
		cells[i] = text
	}
	return cells
}

func (g grid) naturalWidths() []int {
	widths := make([]int, len(g.header))
	for i, name := range g.header {
		for part := range strings.SplitSeq(name, "\n") {
			widths[i] = max(widths[i], columns(part))
		}
	}
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	return widths
}

// fitWidths lowers the widest columns to one common width until all fit into the room. None goes below leastColumn.
func fitWidths(natural []int, room int) []int {
	limit := 0
	for _, w := range natural {
		limit = max(limit, w)
	}
	for limit > leastColumn && sumCapped(natural, limit) > room {
		limit--
	}
	fitted := make([]int, len(natural))
	for i, w := range natural {
		fitted[i] = min(w, limit)
	}
	return fitted
}

func sumCapped(widths []int, limit int) (sum int) {
	for _, w := range widths {
		sum += min(w, limit)
	}
	return sum
}
