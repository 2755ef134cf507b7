package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file or a flag.
type Problem struct {
	File   string // as the user named it; "" when a flag is to blame
	Line   int    // from 1; 0: unknown
	Column int    // from 1; 0: unknown
	Flag   string // the --set argument that is to blame, "" otherwise
	Key    string // path of the key, such as load.publish.rate; "" for the file as a whole
	Text   string // what is wrong; never holds the value of a ${VARIABLE}
	Hint   string // what would be right, "" when nobody can say
}

// String gives the problem as file:line:column: key: text; hint.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.place())
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

func (p Problem) place() string {
	switch {
	case p.Flag != "":
		return p.Flag + ": "
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File + ": "
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: ", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
}

// Problems is the error of wrong input: everything that is wrong with it, in the order of the file.
type Problems struct {
	List []Problem // never empty
}

// Error gives one problem a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, problem := range p.List {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// asError returns the problems sorted by place, or nil when there are none.
func asError(list []Problem) error {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Problems{List: slices.Compact(list)}
}
