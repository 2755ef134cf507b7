package scenarios

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// override applies one --set argument, key=value, to the document before it is read: so what it gives is judged as if the file
// had it.
func (r *reader) override(root *yaml.Node, argument string) {
	flag := "--set " + argument
	path, text, ok := strings.Cut(argument, "=")
	if !ok || path == "" {
		r.refuse(flag, "", "is not key=value", "for example --set load.subscribers=500")
		return
	}
	value, err := overrideValue(text)
	if err != nil {
		r.refuse(flag, "", "the value is not YAML", "put quotes around it")
		return
	}
	r.mark(value, flag)
	keys := splitKeys(path)
	n := root
	for i, key := range keys {
		next, problem := r.descend(n, key, flag)
		if problem != "" {
			r.refuse(flag, strings.Join(keys[:i+1], "."), problem, "")
			return
		}
		n = next
	}
	*n = *value
	r.mark(n, flag)
}

func (r *reader) refuse(flag, key, text, hint string) {
	r.problems = append(r.problems, Problem{Flag: flag, Key: key, Text: text, Hint: hint})
}

func (r *reader) mark(n *yaml.Node, flag string) {
	r.flags[n] = flag
	for _, child := range n.Content {
		r.mark(child, flag)
	}
}

// overrideValue reads the value as YAML, so that numbers and [lists] work as in a file.
func overrideValue(text string) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}, nil
	}
	return document.Content[0], nil
}

// descend returns the value at a key or an index, and makes it where a mapping does not have it yet.
func (r *reader) descend(n *yaml.Node, key, flag string) (next *yaml.Node, problem string) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.SequenceNode:
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(n.Content) {
			return nil, "the list has " + strconv.Itoa(len(n.Content)) + " elements, counted from 0"
		}
		return n.Content[i], ""
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1], ""
			}
		}
		at := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: n.Line, Column: n.Column}
		next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
		n.Content = append(n.Content, at, next)
		r.flags[at], r.flags[next] = flag, flag
		return next, ""
	}
	return nil, "what it is in has no keys of its own"
}

var percentileKey = regexp.MustCompile(`^(?:[a-z]+_)?p[0-9]{1,2}$`)

// splitKeys splits a path at its dots, but not within a percentile such as p99.9.
func splitKeys(path string) []string {
	var keys []string
	for part := range strings.SplitSeq(path, ".") {
		if n := len(keys); n > 0 && percentileKey.MatchString(keys[n-1]) && part != "" && strings.Trim(part, "0123456789") == "" {
			keys[n-1] += "." + part
			continue
		}
		keys = append(keys, part)
	}
	return keys
}
