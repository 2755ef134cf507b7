package history

import (
	"bytes"
	"encoding/json"
)

// redacted is an observation without secrets, which is the same one where it has none. What a run has published, and the names of its
// phases, are its own.
func (r *Recorder) redacted(o *Observation) *Observation {
	if r.Redact == nil || o.Kind == Publish || o.Kind == Phase {
		return o
	}
	text, event, data := r.redactedText(o.Text), r.redactedText(o.Event), r.redactedText(o.Data)
	if text == o.Text && event == o.Event && data == o.Data {
		return o
	}
	shown := *o
	shown.Text, shown.Event, shown.Data = text, event, data
	return &shown
}

func (r *Recorder) redactedText(text string) string {
	if text == "" {
		return ""
	}
	return r.Redact(text)
}

// redactedJSON is a document without secrets in its texts. One without any stays as it is written.
func (r *Recorder) redactedJSON(text json.RawMessage) json.RawMessage {
	if r.Redact == nil || len(text) == 0 || r.Redact(string(text)) == string(text) {
		return text
	}
	var document any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&document) != nil {
		return nil
	}
	shown, err := json.Marshal(r.redactedTree(document))
	if err != nil {
		return nil
	}
	return shown
}

func (r *Recorder) redactedTree(node any) any {
	switch n := node.(type) {
	case string:
		return r.Redact(n)
	case []any:
		for i := range n {
			n[i] = r.redactedTree(n[i])
		}
	case map[string]any:
		shown := make(map[string]any, len(n))
		for key, value := range n {
			shown[r.Redact(key)] = r.redactedTree(value)
		}
		return shown
	}
	return node
}
