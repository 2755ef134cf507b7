package scenarios

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// schema is a JSON Schema as it is written out.
type schema map[string]any

// shape is what a value in a file looks like: how it is read and how JSON Schema describes it. Parser and schema come from the
// same shapes, so they cannot disagree.
type shape[T any] struct {
	schema schema
	read   func(r *reader, key string, n *yaml.Node, into *T) // n is neither null nor an alias
	fill   func(into *T)                                      // sets defaults; nil: none
}

// field is one key of a mapping that is read into an S, or, with a pattern, every key that matches.
type field[S any] struct {
	name     string
	pattern  *regexp.Regexp // nil: the key is name
	required bool
	schema   schema
	read     func(r *reader, key, name string, n *yaml.Node, into *S)
	fill     func(into *S)
}

// key describes a key whose value is read to where at points.
func key[S, T any](name, about string, of shape[T], at func(*S) *T) field[S] {
	described := copySchema(of.schema)
	described["description"] = about
	f := field[S]{name: name, schema: described}
	f.read = func(r *reader, key, _ string, n *yaml.Node, into *S) { of.read(r, key, n, at(into)) }
	if of.fill != nil {
		f.fill = func(into *S) { of.fill(at(into)) }
	}
	return f
}

// need makes the key required.
func (f field[S]) need() field[S] {
	f.required = true
	return f
}

// or gives the key a default, written as in the file.
func (f field[S]) or(value string) field[S] {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(value), &document); err != nil {
		panic("the default of " + f.name + " is not YAML: " + err.Error())
	}
	n := document.Content[0]
	read := f.read
	f.fill = func(into *S) { read(newReader(Source{}), f.name, f.name, n, into) }
	f.schema["default"] = schemaValue(n)
	return f
}

func schemaValue(n *yaml.Node) any {
	var value any
	if err := n.Decode(&value); err != nil {
		return n.Value
	}
	return value
}

func copySchema(s schema) schema {
	copied := make(schema, len(s)+2)
	for k, v := range s {
		copied[k] = v
	}
	return copied
}

// object is a mapping with the given keys and no others.
func object[S any](fields ...field[S]) shape[S] {
	read := func(r *reader, path string, n *yaml.Node, into *S) { readObject(r, path, n, into, fields) }
	fill := func(into *S) {
		for _, f := range fields {
			if f.fill != nil {
				f.fill(into)
			}
		}
	}
	return shape[S]{schema: objectSchema(fields), read: read, fill: fill}
}

func objectSchema[S any](fields []field[S]) schema {
	properties, patterns, required := schema{}, schema{}, []string{}
	for _, f := range fields {
		if f.pattern != nil {
			patterns[f.pattern.String()] = f.schema
			continue
		}
		properties[f.name] = f.schema
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "additionalProperties": false}
	if len(properties) > 0 {
		s["properties"] = properties
	}
	if len(patterns) > 0 {
		s["patternProperties"] = patterns
	}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func readObject[S any](r *reader, path string, n *yaml.Node, into *S, fields []field[S]) {
	if n.Kind != yaml.MappingNode {
		r.report(n, path, "is "+r.show(n)+", not a mapping", "give some of: "+strings.Join(names(fields), ", "))
		return
	}
	given := make(map[string]bool, len(fields))
	r.pairs(path, n, func(name string, at, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f field[S]) bool { return f.takes(name) })
		if i < 0 {
			r.report(at, join(path, name), "is not a known key", Suggest(name, names(fields)))
			return
		}
		given[name] = true
		if v := r.enter(join(path, name), value); v != nil {
			fields[i].read(r, join(path, name), name, v, into)
			r.leave()
		}
	})
	for _, f := range fields {
		switch {
		case given[f.name]:
		case f.required:
			r.report(n, join(path, f.name), "is missing", "")
		case f.fill != nil:
			f.fill(into)
		}
	}
}

func (f field[S]) takes(name string) bool {
	if f.pattern != nil {
		return f.pattern.MatchString(name)
	}
	return f.name == name
}

func names[S any](fields []field[S]) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// pairs calls each once for each key of a mapping. It reports keys that are no text or stand there twice.
func (r *reader) pairs(path string, n *yaml.Node, each func(name string, at, value *yaml.Node)) {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		at, value := n.Content[i], n.Content[i+1]
		switch first, twice := seen[at.Value]; {
		case at.Kind != yaml.ScalarNode:
			r.report(at, path, "has a key that is not plain text", "")
			continue
		case at.Tag == "!!merge":
			r.report(at, path, "uses <<, which is not supported", "repeat the keys, or alias the whole value")
			continue
		case twice:
			r.report(at, join(path, at.Value), "stands here twice", "the first is in line "+strconv.Itoa(first))
			continue
		}
		seen[at.Value] = at.Line
		each(at.Value, at, value)
	}
}

// some refuses an empty mapping or list where it would silently ask for nothing.
func some[T any](of shape[T], what string) shape[T] {
	read := of.read
	of.schema = copySchema(of.schema)
	of.schema["minProperties"] = 1
	of.read = func(r *reader, key string, n *yaml.Node, into *T) {
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			r.report(n, key, "is empty", "name "+what+" or remove the key")
			return
		}
		read(r, key, n, into)
	}
	return of
}

// optional is a mapping that may be absent: then the pointer stays nil and no default is filled in.
func optional[T any](of shape[T]) shape[*T] {
	return shape[*T]{schema: of.schema, read: func(r *reader, key string, n *yaml.Node, into **T) {
		*into = new(T)
		of.read(r, key, n, *into)
	}}
}

// list is a sequence, each element in the given shape.
func list[T any](of shape[T]) shape[[]T] {
	s := schema{"type": "array", "items": of.schema}
	return shape[[]T]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *[]T) {
		if n.Kind != yaml.SequenceNode {
			r.report(n, key, "is "+r.show(n)+", not a list", "write [a, b] or one - a line")
			return
		}
		*into = make([]T, 0, len(n.Content))
		for i, child := range n.Content {
			path := join(key, strconv.Itoa(i))
			v := r.enter(path, child)
			if v == nil {
				continue
			}
			var element T
			of.read(r, path, v, &element)
			r.leave()
			*into = append(*into, element)
		}
	}}
}

// mapOf is a mapping whose keys the user chooses.
func mapOf[T any](of shape[T]) shape[map[string]T] {
	s := schema{"type": "object", "additionalProperties": of.schema}
	return shape[map[string]T]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *map[string]T) {
		if n.Kind != yaml.MappingNode {
			r.report(n, key, "is "+r.show(n)+", not a mapping", "write {name: value}")
			return
		}
		*into = make(map[string]T, len(n.Content)/2)
		r.pairs(key, n, func(name string, _, value *yaml.Node) {
			v := r.enter(join(key, name), value)
			if v == nil {
				return
			}
			var element T
			of.read(r, join(key, name), v, &element)
			r.leave()
			(*into)[name] = element
		})
	}}
}
