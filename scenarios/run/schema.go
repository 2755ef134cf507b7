package run

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas validate payloads by event type.
type schemas map[string]*jsonschema.Schema

func compileSchemas(texts map[string]string) (schemas, error) {
	compiled := schemas{}
	for _, kind := range slices.Sorted(maps.Keys(texts)) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(texts[kind]))
		if err != nil {
			return nil, fmt.Errorf("expect.schemas.%s is not JSON: %w", kind, err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(kind, document); err != nil {
			return nil, fmt.Errorf("expect.schemas.%s: %w", kind, err)
		}
		if compiled[kind], err = c.Compile(kind); err != nil {
			return nil, fmt.Errorf("expect.schemas.%s: %w", kind, err)
		}
	}
	return compiled, nil
}

// wellFormed says whether data is what the scenario promises of its event type; a type without a schema promises nothing.
func (s schemas) wellFormed(kind, data []byte) bool {
	schema, ok := s[string(kind)]
	if !ok {
		return true
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	return err == nil && schema.Validate(value) == nil
}
