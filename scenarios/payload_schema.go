package scenarios

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// payloadSchema is a JSON Schema written in place, or the path of a file that has one.
var payloadSchema = shape[string]{
	schema: schema{"type": []string{"object", "string"}, "minLength": 1},
	read: func(r *reader, key string, n *yaml.Node, into *string) {
		if n.Kind == yaml.ScalarNode {
			*into = r.schemaFile(key, n)
			return
		}
		var inline map[string]any
		anyMap.read(r, key, n, &inline)
		text, err := json.Marshal(inline)
		if err != nil {
			r.report(n, key, "cannot be written as JSON", "")
			return
		}
		*into = string(text)
	},
}

func (r *reader) schemaFile(key string, n *yaml.Node) string {
	name := n.Value
	if strings.HasPrefix(strings.TrimSpace(name), "{") {
		if !json.Valid([]byte(name)) {
			r.report(n, key, "is not valid JSON", "")
			return ""
		}
		return name
	}
	if n.Tag != "!!str" || !slices.Contains([]string{".json", ".yaml", ".yml"}, path.Ext(name)) {
		r.report(n, key, "is "+r.show(n)+", neither a JSON Schema nor the path of one", "write {type: object, …} or a path that ends in .json or .yaml")
		return ""
	}
	data, err := r.open(name)
	if err != nil {
		r.report(n, key, "cannot read "+r.show(n), "the path is relative to the scenario file")
		return ""
	}
	var parsed map[string]any
	if err := yaml.Unmarshal(data, &parsed); err != nil || parsed == nil {
		r.report(n, key, r.show(n)+" holds no JSON Schema", "")
		return ""
	}
	text, err := json.Marshal(parsed)
	if err != nil {
		r.report(n, key, r.show(n)+" cannot be written as JSON", "")
		return ""
	}
	return string(text)
}
