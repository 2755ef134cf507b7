package scenarios

import (
	"net/url"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// variable matches $${ (a literal ${), ${NAME}, ${NAME:-default} and, last, a ${ that is neither.
var variable = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{`)

// expand replaces the variables in all values of the document, after it was parsed: so a value cannot change its structure.
func (r *reader) expand(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		r.expandScalar(n)
		return
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue // a key
		}
		r.expand(child)
	}
}

func (r *reader) expandScalar(n *yaml.Node) {
	if !strings.Contains(n.Value, "${") {
		return
	}
	written := n.Value
	n.Value = variable.ReplaceAllStringFunc(written, func(found string) string { return r.variable(n, found) })
	if n.Value == written {
		return
	}
	r.written[n] = written
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		n.Tag = plainTag(n.Value)
	}
}

func (r *reader) variable(n *yaml.Node, found string) string {
	m := variable.FindStringSubmatch(found)
	name, fallback, hasFallback := m[1], m[3], m[2] != ""
	if found == "$${" {
		return "${"
	}
	value, set := r.lookup(name)
	switch {
	case name == "":
		r.useless(n, "${ begins a variable that does not end or has no name", "write ${NAME} or ${NAME:-default}, or $${ for the two characters")
		return ""
	case hasFallback && (!set || value == ""):
		return fallback
	case !set:
		r.useless(n, "the environment variable "+name+" is not set", "set it, or write ${"+name+":-default}")
		return ""
	case strings.Contains(value, "{{"):
		r.useless(n, "the value of "+name+" contains {{, which a template would take for its own", "")
		return ""
	}
	r.values[name] = value
	return value
}

// useless reports a variable without which the value at n cannot be read.
func (r *reader) useless(n *yaml.Node, text, hint string) {
	r.report(n, "", text, hint)
	r.unset[n] = true
}

// isAddress says that a value is a plain http address, which may be shown: without credentials and without a query.
func isAddress(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == ""
}

// plainTag is the type that YAML gives to an unquoted text.
func plainTag(text string) string {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err == nil && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode &&
		n.Content[0].Value == text {
		return n.Content[0].Tag
	}
	return "!!str"
}
