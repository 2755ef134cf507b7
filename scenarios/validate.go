package scenarios

import (
	"bytes"
	"errors"

	"gopkg.in/yaml.v3"
)

// Validate reads a scenario or target file, whichever it is, and returns which: scenario or target. Shipped ones go by their
// names. What is wrong with the file is reported as a *Problems.
func Validate(fileOrName string, lookup Lookup) (kind string, err error) {
	data, source, err := find(fileOrName, presets, "targets", "target")
	if err != nil {
		if data, source, err = find(fileOrName, shipped, "shipped", "scenario or target"); err != nil {
			if problems, ok := errors.AsType[*Problems](err); ok && !isPath(fileOrName) && len(problems.List) == 1 && problems.List[0].Hint != "" {
				problems.List[0].Hint = Suggest(fileOrName, append(ShippedNames(), PresetNames()...)) + " (a file has a / in its path or ends in .yaml)"
			}
			return "", err
		}
	}
	source.Lookup = lookup
	if looksLikeTarget(data) {
		_, err = ParseTarget(data, source)
		return "target", err
	}
	_, err = ParseScenario(data, source)
	return "scenario", err
}

// looksLikeTarget says that the file has more of a target's top-level keys than of a scenario's.
func looksLikeTarget(data []byte) bool {
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&document); err != nil || document.Content[0].Kind != yaml.MappingNode {
		return false
	}
	target, scenario := targetKeys.schema["properties"].(schema), scenarioKeys.schema["properties"].(schema)
	balance := 0
	for i, n := range document.Content[0].Content {
		if i%2 != 0 {
			continue
		}
		if _, ok := target[n.Value]; ok {
			balance++
		}
		if _, ok := scenario[n.Value]; ok {
			balance--
		}
	}
	return balance > 0
}
