package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// formats are the file formats that have a schema.
var formats = []struct {
	name, title string
	of          schema
}{
	{"scenario", "Streamgauge scenario", scenarioKeys.schema},
	{"target", "Streamgauge target", targetKeys.schema},
}

// SchemaNames are the formats that Schema describes.
func SchemaNames() []string {
	all := make([]string, len(formats))
	for i, f := range formats {
		all[i] = f.name
	}
	return all
}

// Schema returns the JSON Schema (draft 7, which editors know best) of a format: scenario or target. It is made from the keys
// that the parser reads. What it cannot express, such as keys that exclude each other, only the parser tells.
func Schema(what string) ([]byte, error) {
	for _, f := range formats {
		if f.name != what {
			continue
		}
		s := copySchema(f.of)
		s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", f.title
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err := encoder.Encode(s)
		return b.Bytes(), err
	}
	return nil, asError([]Problem{{Text: fmt.Sprintf("there is no schema of %s", quote(what)), Hint: Suggest(what, SchemaNames())}})
}
