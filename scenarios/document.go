package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/streamgauge/streamgauge/conformance/limited"
)

// Limits of a file: far above what a person writes, far below what hurts.
const (
	maxFileSize = limited.Text
	maxNodes    = 100_000
	maxDepth    = 64
)

// reader reads one YAML document into a struct and collects everything that is wrong with it.
type reader struct {
	file     string
	lookup   Lookup
	open     func(name string) ([]byte, error) // reads a file beside this one
	find     func(name string) (string, error) // the path of a program; nil: programs are not looked for
	problems []Problem
	places   map[string]*yaml.Node // key path → where its value stands
	flags    map[*yaml.Node]string // nodes that a --set argument made
	written  map[*yaml.Node]string // text of a node before its variables were replaced
	unset    map[*yaml.Node]bool   // nodes whose variables have no value: reported already
	hidden   map[*yaml.Node]bool   // nodes at keys whose values nobody may see
	values   map[string]string     // of the variables that are set, by name
	nodes    int
	depth    int
}

// Source is where a scenario or target is read from. Parsing is pure: the environment and files beside it come in here.
type Source struct {
	Name   string                            // as problems name it
	Lookup Lookup                            // nil: no variable is set
	Open   func(name string) ([]byte, error) // reads a file by its path relative to this one; nil: there is none
	Find   func(name string) (string, error) // the path of a program that this one names; nil: they are not looked for
}

func newReader(source Source) *reader {
	r := &reader{
		file: source.Name, lookup: source.Lookup, open: source.Open, find: source.Find,
		places: map[string]*yaml.Node{}, flags: map[*yaml.Node]string{}, written: map[*yaml.Node]string{},
		unset: map[*yaml.Node]bool{}, hidden: map[*yaml.Node]bool{}, values: map[string]string{},
	}
	if r.lookup == nil {
		r.lookup = func(string) (string, bool) { return "", false }
	}
	if r.open == nil {
		r.open = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	return r
}

// parse returns the root of the file's only document, or nil when it has none.
func (r *reader) parse(data []byte) *yaml.Node {
	switch {
	case len(data) > maxFileSize:
		r.report(nil, "", fmt.Sprintf("the file has more than %d bytes", maxFileSize), "")
		return nil
	case !utf8.Valid(data):
		r.report(nil, "", "the file is not UTF-8 text", "")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		r.report(nil, "", "the file is empty", "")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		r.report(&second, "", "a second document begins here", "one file holds one scenario or target; remove the --- and what follows")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	return document.Content[0]
}

var yamlPlace = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax reports an error of the YAML package, which knows the line but no column.
func (r *reader) syntax(err error) {
	message := err.Error()
	p := Problem{File: r.file, Text: "not YAML: " + message}
	if m := yamlPlace.FindStringSubmatch(message); m != nil {
		p.Text = "not YAML: " + message[len(m[0]):]
		p.Line, _ = strconv.Atoi(m[1])
	}
	if strings.Contains(message, "cannot start any token") {
		p.Hint = "indent with spaces, and put quotes around a value that begins with a special character"
	}
	r.problems = append(r.problems, p)
}

// report adds a problem with the value at n; nil is the file as a whole.
func (r *reader) report(n *yaml.Node, key, text, hint string) {
	p := Problem{File: r.file, Key: key, Text: text, Hint: hint}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
		if flag := r.flags[n]; flag != "" {
			p.File, p.Line, p.Column, p.Flag = "", 0, 0, flag
		}
	}
	r.problems = append(r.problems, p)
}

// at reports a problem with a key after the whole document was read: at its value, or at the nearest key around it that is
// in the file.
func (r *reader) at(key, text, hint string) {
	place := key
	for {
		if n, ok := r.places[place]; ok {
			r.report(n, key, text, hint)
			return
		}
		i := strings.LastIndexByte(place, '.')
		if i < 0 {
			r.report(r.places[""], key, text, hint)
			return
		}
		place = place[:i]
	}
}

// given says whether the file has the key.
func (r *reader) given(key string) bool {
	_, ok := r.places[key]
	return ok
}

// enter resolves an alias, remembers where a key stands and guards against documents that explode. It returns nil when there
// is nothing to read. Each enter that returned a node is followed by a leave.
func (r *reader) enter(key string, n *yaml.Node) *yaml.Node {
	for hops := 0; n.Kind == yaml.AliasNode && n.Alias != nil && hops < maxDepth; hops++ {
		n = n.Alias
	}
	r.nodes++
	if r.depth >= maxDepth || r.nodes > maxNodes {
		if r.nodes <= maxNodes || r.nodes == maxNodes+1 {
			r.report(n, key, "too much nesting or too many repetitions", "aliases cannot contain themselves")
		}
		return nil
	}
	r.places[key] = n
	r.hidden[n] = r.hidden[n] || hides(key)
	if r.unset[n] {
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		r.report(n, key, "has no value", "give one or remove the key")
		return nil
	}
	r.depth++
	return n
}

func (r *reader) leave() { r.depth-- }

// show quotes a value as the file wrote it, shortened; the values of variables are never shown.
func (r *reader) show(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if text, ok := r.written[n]; ok {
		return quote(text)
	}
	if r.hidden[n] {
		return hidden
	}
	return quote(n.Value)
}

func quote(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		text = string(runes[:40]) + "…"
	}
	return strconv.Quote(text)
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
