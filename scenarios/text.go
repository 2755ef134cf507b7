package scenarios

// ScenarioText returns the text of a shipped scenario or a scenario file.
func ScenarioText(nameOrPath string) ([]byte, error) {
	text, _, err := find(nameOrPath, shipped, "shipped", "scenario")
	return text, err
}

// TargetText returns the text of a preset or a target file; an address has none.
func TargetText(nameOrPath string) ([]byte, error) {
	text, _, err := find(nameOrPath, presets, "targets", "target")
	return text, err
}
