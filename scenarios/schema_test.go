package scenarios

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

func compiledSchema(t *testing.T, what string) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(what)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(what+".json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(what + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// asJSON turns YAML into what an editor hands to a JSON Schema.
func asJSON(n *yaml.Node) any {
	for n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	return newReader(Source{}).branch("", n)
}

func parsedYAML(t *testing.T, file string) *yaml.Node {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// TestSchemaAndParserAgree holds for all that a schema can express: what only the parser sees is in the folders named parser.
func TestSchemaAndParserAgree(t *testing.T) {
	t.Parallel()
	for _, what := range SchemaNames() {
		compiled := compiledSchema(t, what)
		own := map[string]string{"scenario": "shipped/*.yaml", "target": "targets/*.yaml"}[what]
		shippedFiles, err := filepath.Glob(own)
		if err != nil || len(shippedFiles) == 0 {
			t.Fatalf("no %s: %v", own, err)
		}
		for _, file := range slices.Concat(testFiles(t, what+"/good/*.yaml"), testFiles(t, what+"/bad/*.yaml"), shippedFiles) {
			root := parsedYAML(t, file)
			validated := compiled.Validate(asJSON(root))
			parsed := readAs(what, root, source(file))
			if (parsed == nil) != (validated == nil) {
				t.Errorf("%s:\nparser: %v\nschema: %v", file, parsed, validated)
			}
		}
	}
}

func readAs(what string, root *yaml.Node, from Source) (err error) {
	from.Lookup = func(name string) (string, bool) {
		if strings.HasSuffix(name, "_URL") {
			return "http://127.0.0.1:1", true
		}
		return "value", true
	}
	if what == "target" {
		_, err = readTarget(newReader(from), root)
	} else {
		_, err = readScenario(newReader(from), root)
	}
	return err
}

// TestSchemaAndParserAgreeOnEachValue changes one value of a good file at a time, so that no other mistake hides a disagreement.
func TestSchemaAndParserAgreeOnEachValue(t *testing.T) {
	t.Parallel()
	values := []string{
		"0", "5", "-1", "0.5", "true", "''", "two words", "10s", "10 s", "5d", "100/s", "5/d", "256B", "1kib", "1KiB/s", "30%", "101%", "25%/s", "1.5x", "[]",
		"[a]", "{}", "{a: 1}", "all", "'5'", "${VAR}", "1.1", "https://h/",
	}
	for what, file := range map[string]string{"scenario": "testdata/scenario/good/everything.yaml", "target": "testdata/target/good/everything.yaml"} {
		compiled := compiledSchema(t, what)
		root := parsedYAML(t, file)
		eachValue(root, "", func(key string, n *yaml.Node) {
			before := *n
			for _, value := range values {
				replacement, err := overrideValue(value)
				if err != nil {
					t.Fatal(err)
				}
				*n = *replacement
				validated := compiled.Validate(asJSON(root))
				parsed := readAs(what, copyNode(root), Source{Name: file})
				if parsed == nil && validated != nil || parsed != nil && validated == nil && !onlyParserSees(parsed) {
					t.Errorf("%s, %s: %s\nparser: %v\nschema: %v", what, key, value, parsed, validated)
				}
			}
			*n = before
		})
	}
}

// copyNode copies a document without aliases, since reading replaces the variables in it.
func copyNode(n *yaml.Node) *yaml.Node {
	copied := *n
	copied.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		copied.Content[i] = copyNode(child)
	}
	return &copied
}

func eachValue(n *yaml.Node, key string, visit func(key string, n *yaml.Node)) {
	for i, child := range n.Content {
		name := key
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			name = join(key, n.Content[i-1].Value)
		}
		visit(name, child)
		eachValue(child, name, visit)
	}
}

// onlyParserSees says whether every problem is one that a JSON Schema cannot express: keys against each other, limits of
// quantities with a unit, what a template or an address means, and what a variable holds.
func onlyParserSees(err error) bool {
	problems, _ := errors.AsType[*Problems](err)
	for _, p := range problems.List {
		if !slices.ContainsFunc([]string{
			"is not above zero", "is more than", "whole number of bytes", "is not between", "but ", "needs ", "means nothing", "stands beside", "cannot be", "in the list twice",
			"the url ", "is never sent", "has no effect", "longer than", "shorter than", "lasts until", "is not known here", "sends no message", "neither a JSON Schema",
			"not a mapping or", "would contain", "never happens", "no bystanders", "accepts nothing", "more than", "is not valid JSON", "cannot read", "leaves",
		}, func(part string) bool { return strings.Contains(p.Text, part) }) && !strings.Contains(p.Text, `"${VAR}"`) {
			return false
		}
	}
	return true
}

func TestCommittedSchemasAreTheGeneratedOnes(t *testing.T) {
	t.Parallel()
	for _, what := range SchemaNames() {
		text, err := Schema(what)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("..", "docs", "schema", what+".json"), string(text))
	}
}

func TestUnknownSchemaIsRefusedWithASuggestion(t *testing.T) {
	t.Parallel()
	if _, err := Schema("scenarios"); err == nil || !strings.Contains(err.Error(), "did you mean scenario?") {
		t.Errorf("got %v", err)
	}
}
