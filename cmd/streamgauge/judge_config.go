package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// configOf is what judging needs of a header, if it is within its bounds.
func configOf(header *history.Header) (*check.Config, error) {
	if longestText(header.Config) > limited.Text {
		return nil, errors.New(": it holds a text of more than 1 MiB, which no scenario has")
	}
	var budget *memory.Budget // this process's
	decoded := decodedBytes(header.Config)
	defer budget.Keep(-decoded)
	if !budget.Keep(decoded) {
		return nil, fmt.Errorf(": it holds more than fits into half of the %v that may be used: see --memory", budget)
	}
	config := new(check.Config)
	if err := json.Unmarshal(header.Config, config); err != nil {
		return nil, fmt.Errorf(", what the run expected: %w", history.Plainly(err))
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	return config, nil
}

// decodedBytes is about how much memory the values of a JSON text take at most: an object of three bytes may take some two hundred.
func decodedBytes(text []byte) int64 {
	const perObject, perValue = 192, 24
	return int64(bytes.Count(text, []byte("{")))*perObject + int64(bytes.Count(text, []byte(",")))*perValue
}

// longestText is how long the longest text in a JSON text is, as it is written.
func longestText(text []byte) (longest int) {
	for {
		begin := bytes.IndexByte(text, '"')
		if begin < 0 {
			return longest
		}
		text = text[begin+1:]
		end := 0
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		longest = max(longest, end)
		text = text[min(end+1, len(text)):]
	}
}
