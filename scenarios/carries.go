package scenarios

import (
	"strings"
	"text/template/parse"
)

// carries is what kind of payload the target's publish request carries, and how large one may be.
func (t *Target) carries() (Payload, int) {
	p := t.Publish
	kind, largest := PayloadText, mostVaried
	if strings.Contains(p.URL, ".Data") {
		largest = mostInURL
	}
	if p.Largest > 0 {
		largest = min(mostVaried, int(p.Largest))
	}
	switch {
	case p.Payload != "":
		kind = p.Payload
	case !p.carriesAny():
		kind = PayloadASCII
	case p.saysJSON():
		kind = PayloadJSON
	}
	return kind, largest
}

// LargestPayload is the most bytes that a payload may have for the target to take it.
func (t *Target) LargestPayload() int {
	_, largest := t.carries()
	return largest
}

// CarriesJSON says whether what is published has to be JSON.
func (t *Target) CarriesJSON() bool {
	kind, _ := t.carries()
	return kind == PayloadJSON
}

// carriesAny says whether the data goes where it is escaped or stands alone, so that it may be any text.
func (p *PublishRequest) carriesAny() bool {
	for _, value := range p.Headers {
		if !standsAlone(value, false) {
			return false
		}
	}
	for _, value := range p.Form {
		if !standsAlone(value, true) {
			return false
		}
	}
	return standsAlone(p.Body, true) && treeStandsAlone(p.JSON)
}

// saysJSON says whether a plain body, which is the data, is declared to be JSON.
func (p *PublishRequest) saysJSON() bool {
	if p.Form != nil || p.JSON != nil || strings.TrimSpace(p.Body) == "" || strings.Contains(p.Body, "json") {
		return false
	}
	for name, value := range p.Headers {
		if strings.EqualFold(name, "Content-Type") && strings.Contains(strings.ToLower(value), "json") {
			return true
		}
	}
	return false
}

func treeStandsAlone(tree any) bool {
	switch v := tree.(type) {
	case string:
		return standsAlone(v, true)
	case map[string]any:
		for _, child := range v {
			if !treeStandsAlone(child) {
				return false
			}
		}
	case []any:
		for _, child := range v {
			if !treeStandsAlone(child) {
				return false
			}
		}
	}
	return true
}

// standsAlone says whether a template writes the data, if at all, as JSON or, where it may, as all that it writes.
func standsAlone(source string, mayBeAll bool) bool {
	if !strings.Contains(source, ".Data") {
		return true
	}
	made, err := compile(source, publishFields, verbatim)
	if err != nil || made.actions == nil {
		return false
	}
	nodes := made.actions.Root.Nodes
	if action, ok := nodes[0].(*parse.ActionNode); ok && len(nodes) == 1 && mayBeAll && !strings.Contains(action.Pipe.String(), "$") {
		return true
	}
	for _, node := range nodes {
		if text := node.String(); strings.Contains(text, ".Data") {
			if _, ok := node.(*parse.ActionNode); !ok || !mayBeAll || !strings.Contains(text, "json") {
				return false
			}
		}
	}
	return true
}
