package server

import (
	"encoding/json"
	"strings"
)

// carries says whether an event's data hold a payload: see carrying.
func carries(data, payload string) bool { return carrying(payload)(data) }

// carrying tells the data that hold a payload: as they are, with the line ends that the format makes equal, or as a text
// somewhere inside JSON, for gateways that put messages into an envelope.
func carrying(payload string) func(data string) bool {
	lines := lineEnds.Replace(payload)
	return func(data string) bool {
		if data == payload || data == lines {
			return true
		}
		if !strings.HasPrefix(data, "{") && !strings.HasPrefix(data, "[") && !strings.HasPrefix(data, `"`) {
			return false
		}
		var envelope any
		return json.Unmarshal([]byte(data), &envelope) == nil && holds(envelope, payload)
	}
}

// lineEnds makes of every line end the one that a subscriber gets to see (HTML, 9.2.6).
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// holds says whether a text is somewhere in a JSON value.
func holds(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return v == text
	case []any:
		for _, element := range v {
			if holds(element, text) {
				return true
			}
		}
	case map[string]any:
		for _, element := range v {
			if holds(element, text) {
				return true
			}
		}
	}
	return false
}
