package scenarios

import (
	"bytes"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// sourceOf writes a scenario's document as it is read, after overrides and before variables are replaced: without comments, and with
// nothing that a command would take for a secret.
func sourceOf(root *yaml.Node) string {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(shownNode(root, "", map[*yaml.Node]*yaml.Node{})); err != nil {
		return "" // what cannot be written will not be read either, and is reported there
	}
	return text.String()
}

// shownNode copies a node for sourceOf. An anchor that is aliased stays one.
func shownNode(n *yaml.Node, key string, copied map[*yaml.Node]*yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	if c := copied[n]; c != nil {
		return c
	}
	c := *n
	copied[n] = &c
	c.HeadComment, c.LineComment, c.FootComment = "", "", ""
	c.Alias = shownNode(n.Alias, key, copied)
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		within := key
		if n.Kind == yaml.MappingNode {
			within = n.Content[i-i%2].Value
		}
		c.Content[i] = shownNode(child, within, copied)
	}
	if n.Kind == yaml.SequenceNode && key == "command" {
		hideArguments(c.Content)
	}
	return &c
}

// hideArguments hides the arguments of a command that tell a secret, in themselves or by the flag before them. Variables stay as they are
// written, since nobody learns their values from that.
func hideArguments(arguments []*yaml.Node) {
	words := make([]string, len(arguments))
	for i, argument := range arguments {
		words[i] = argument.Value
	}
	for i, secret := range argumentsTell(words) {
		if !strings.Contains(words[i], "${") {
			arguments[i].Value = strings.TrimSuffix(words[i], secret) + hidden
		}
	}
}

// StepText is how the scenario's source writes a step of its timeline, in one line; "" where there is no source.
func (s *Scenario) StepText(index int32) string {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(s.Source), &document); err != nil || len(document.Content) == 0 {
		return ""
	}
	keys := document.Content[0].Content
	at := slices.IndexFunc(keys, func(n *yaml.Node) bool { return n.Value == "timeline" })
	if at < 0 || at+1 >= len(keys) {
		return ""
	}
	steps := resolved(keys[at+1]).Content
	if index < 0 || int(index) >= len(steps) {
		return ""
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	if err := encoder.Encode(inLine(steps[index])); err != nil {
		return ""
	}
	return strings.TrimSpace(text.String())
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// inLine is a copy that is written in one line, aliases replaced by what they stand for.
func inLine(n *yaml.Node) *yaml.Node {
	c := *resolved(n)
	c.Anchor = ""
	if c.Kind != yaml.ScalarNode {
		c.Style = yaml.FlowStyle
	} else {
		c.Style &^= yaml.LiteralStyle | yaml.FoldedStyle
	}
	c.Content = slices.Clone(c.Content)
	for i, child := range c.Content {
		c.Content[i] = inLine(child)
	}
	return &c
}
