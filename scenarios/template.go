package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

var (
	subscribeFields = []string{"Stream", "Streams", "Subscriber", "Token"}
	publishFields   = []string{"Stream", "Data", "Type", "Number", "Token", "ID", "HasID"}
)

// templateFunctions are all functions a template can call: few and harmless, so that a target file cannot make a run hang.
var templateFunctions = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "json"}

const escapeFunction = "_escape"

// maxRendered bounds what a template may produce: far above any message, far below what hurts.
const maxRendered = 64 << 20

// escape makes a value safe at the place where a template puts it.
type escape func(string) string

func verbatim(s string) string { return s }

// inURL escapes for the query and the path alike: a space is %20, which both read as a space, and never +.
func inURL(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// templated is a compiled template; a text without actions is kept as it is.
type templated struct {
	literal string
	actions *template.Template // nil: literal
	fields  []string           // the variables it uses
}

// compile parses a template that may use the given fields. Its actions' results are escaped.
func compile(source string, fields []string, esc escape) (*templated, error) {
	if !strings.Contains(source, "{{") {
		return &templated{literal: source}, nil
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"json":         jsonText,
		escapeFunction: func(v any) string { return esc(fmt.Sprint(v)) },
	}).Parse(source)
	if err != nil {
		return nil, templateError(err)
	}
	if t.Tree == nil { // nothing but definitions
		return nil, errors.New("has no text; only plain text, {{.Field}}, {{if}} and {{range .Streams}} are allowed")
	}
	w := walker{fields: fields}
	w.list(t.Root)
	if w.err == nil && len(t.Templates()) > 1 {
		w.err = errors.New("{{define}} and {{block}} are not allowed")
	}
	if w.err != nil {
		return nil, w.err
	}
	return &templated{actions: t, fields: w.used}, nil
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

var templatePlace = regexp.MustCompile(`^template: :\d+(:\d+)?: `)

// templateError drops the place within the template, which is one line and has no name.
func templateError(err error) error {
	return errors.New(templatePlace.ReplaceAllString(err.Error(), ""))
}

// render executes the template.
func (t *templated) render(vars any) (string, error) {
	if t.actions == nil {
		return t.literal, nil
	}
	var b limitedBuffer
	if err := t.actions.Execute(&b, vars); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

// uses says whether the template looks at one of the fields.
func (t *templated) uses(field string) bool { return slices.Contains(t.fields, field) }

type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("the text becomes longer than %d bytes", maxRendered)
	}
	return b.Buffer.Write(p)
}

// walker checks a parsed template and makes every action that writes end in an escape.
type walker struct {
	fields []string
	used   []string
	err    error
}

func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *walker) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		w.node(node)
	}
}

func (w *walker) node(node parse.Node) {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
	case *parse.ActionNode:
		w.pipe(n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			escaped := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(escapeFunction)}}
			n.Pipe.Cmds = append(n.Pipe.Cmds, escaped)
		}
	case *parse.IfNode:
		w.branch(&n.BranchNode)
	case *parse.RangeNode:
		if n.Pipe.String() != ".Streams" && !strings.HasSuffix(n.Pipe.String(), ":= .Streams") {
			w.fail("{{range %s}} is not allowed; only {{range .Streams}} is", n.Pipe)
		}
		w.branch(&n.BranchNode)
	default:
		w.fail("%s is not allowed; only {{.Field}}, {{if}} and {{range .Streams}} are", node)
	}
}

func (w *walker) branch(n *parse.BranchNode) {
	w.pipe(n.Pipe)
	w.list(n.List)
	w.list(n.ElseList)
}

func (w *walker) pipe(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			w.arg(arg)
		}
	}
}

func (w *walker) arg(arg parse.Node) {
	switch n := arg.(type) {
	case *parse.FieldNode:
		w.field(n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			w.field(n.Ident[1:])
		}
	case *parse.IdentifierNode:
		if !slices.Contains(templateFunctions, n.Ident) {
			w.fail("calls %s, which does not exist; %s", n.Ident, Suggest(n.Ident, templateFunctions))
		}
	case *parse.PipeNode:
		w.pipe(n)
	case *parse.ChainNode:
		w.fail("%s is not allowed", n)
	}
}

func (w *walker) field(path []string) {
	if !slices.Contains(w.fields, path[0]) || len(path) > 1 {
		known := make([]string, len(w.fields))
		for i, f := range w.fields {
			known[i] = "{{." + f + "}}"
		}
		suggestion := elsewhere(path[0])
		if suggestion == "" || slices.Contains(w.fields, path[0]) {
			suggestion = Suggest("{{."+path[0]+"}}", known)
		}
		w.fail("{{.%s}} is not known here; %s", strings.Join(path, "."), suggestion)
		return
	}
	w.used = append(w.used, path[0])
}

// elsewhere says of a field that only other templates have what is there instead; "" when none has it.
func elsewhere(field string) string {
	switch {
	case field == "Streams":
		return "a message is published to one stream: {{.Stream}}"
	case slices.Contains(subscribeFields, field):
		return "a message is published for all subscribers of {{.Stream}}, which is what there is to tell them apart by"
	case slices.Contains(publishFields, field):
		return "it is of a message, and stands in publish alone; a subscription has " + "{{." + strings.Join(subscribeFields, "}}, {{.") + "}}"
	}
	return ""
}
