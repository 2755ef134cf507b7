package scenarios

import (
	"math"
	"strconv"

	"gopkg.in/yaml.v3"
)

// anything is any value that JSON can hold.
var anything = shape[any]{schema: schema{}, read: func(r *reader, key string, n *yaml.Node, into *any) { *into = r.tree(key, n) }}

// anyMap is any mapping that JSON can hold.
var anyMap = shape[map[string]any]{
	schema: schema{"type": "object"},
	read: func(r *reader, key string, n *yaml.Node, into *map[string]any) {
		if n.Kind != yaml.MappingNode {
			r.report(n, key, "is "+r.show(n)+", not a mapping", "write {name: value}")
			return
		}
		*into, _ = r.tree(key, n).(map[string]any)
	},
}

// tree reads a value as encoding/json would.
func (r *reader) tree(key string, n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		made := make(map[string]any, len(n.Content)/2)
		r.pairs(key, n, func(name string, _, value *yaml.Node) { made[name] = r.branch(join(key, name), value) })
		return made
	case yaml.SequenceNode:
		made := make([]any, len(n.Content))
		for i, child := range n.Content {
			made[i] = r.branch(join(key, strconv.Itoa(i)), child)
		}
		return made
	}
	return r.leaf(key, n)
}

// branch is tree for a value that may be an alias or null.
func (r *reader) branch(key string, n *yaml.Node) any {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	resolved := r.enter(key, n)
	if resolved == nil {
		return nil
	}
	defer r.leave()
	return r.tree(key, resolved)
}

func (r *reader) leaf(key string, n *yaml.Node) any {
	switch n.Tag {
	case "!!bool":
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
		r.report(n, key, "is "+r.show(n)+", which is not a number in plain digits", "")
		return nil
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			r.report(n, key, "is "+r.show(n)+", which JSON cannot hold", "")
			return nil
		}
		return f
	}
	return n.Value
}
