package scenarios

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// advised are how texts for users name what is to be written into a target file.
var advised = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:describe|name|declare) ([a-z_]+(?:\.[a-z_]+)*) in (?:the|a) target file`),
	regexp.MustCompile(`\badd ([a-z-]+) to (?:its )?capabilities`),
	regexp.MustCompile(`(?:^|[^.\w-])((?:subscribe|publish|auth|admin|observe|tls|gap)\.[a-z_]+(?:\.[a-z_]+)*)\b`),
	regexp.MustCompile(`(?:^|[^.\w-])((?:load|broker|expect)\.[a-z_]+(?:\.[a-z_]+)*)\b`),
	regexp.MustCompile(`\bset (ready|heartbeat|history|slow_policy): `),
}

// TestAdviceNamesOnlyWhatTheValidatorTakes goes through every text of the program.
func TestAdviceNamesOnlyWhatTheValidatorTakes(t *testing.T) {
	t.Parallel()
	files := os.DirFS("..")
	seen := 0
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || d.Name() == "peers") {
			if d != nil && d.IsDir() && path != "." {
				return fs.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			said, err := strconv.Unquote(literal.Value)
			if err != nil || !strings.Contains(said, " ") {
				return true
			}
			for _, form := range advised {
				for _, match := range form.FindAllStringSubmatch(said, -1) {
					seen++
					if word := match[1]; word != "it" && word != "them" && !taken(word) {
						t.Errorf("%s: %q names %q, which no target file or scenario takes", path, said, match[1])
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d pieces of advice, %v", seen, err)
	}
}

// taken says whether a key, or a capability, is one that the formats have.
func taken(key string) bool {
	for _, c := range []Capability{CanPublish, CanResume, CanHeartbeat, CanAuth, CanRestart, CanDrain, CanGreet, CanPing, CanFarewell, CanObserve, CanDurable} {
		if key == string(c) {
			return true
		}
	}
	return within(targetKeys.schema, strings.Split(key, ".")) || within(scenarioKeys.schema, strings.Split(key, "."))
}

// within looks a path of keys up in a schema, through its alternatives.
func within(s schema, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if properties, ok := s["properties"].(schema); ok {
		if child, ok := properties[path[0]].(schema); ok && within(child, path[1:]) {
			return true
		}
	}
	for _, of := range []string{"anyOf", "oneOf", "allOf"} {
		alternatives, _ := s[of].([]any)
		for _, a := range alternatives {
			if child, ok := a.(schema); ok && within(child, path) {
				return true
			}
		}
	}
	open, isSchema := s["additionalProperties"].(schema)
	return isSchema && within(open, path[1:]) || s["items"] != nil && within(s["items"].(schema), path)
}
