package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/scenarios"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExamplesInTheReadmeAreValid(t *testing.T) {
	t.Parallel()
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(examples) < 2 {
		t.Fatalf("%d examples, want a scenario and a target at least", len(examples))
	}
	token := func(string) (string, bool) { return "a-token", true }
	for i, example := range examples {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("example-%d.yaml", i))
		if err := os.WriteFile(file, []byte(example[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.Validate(file, token); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestTheReadmeNamesEverythingThatIsShipped(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, name := range append(scenarios.ShippedNames(), scenarios.PresetNames()...) {
		if !strings.Contains(text, name) {
			t.Errorf("README.md does not mention %s", name)
		}
	}
}
