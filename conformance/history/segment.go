package history

import (
	"errors"
	"fmt"
	"io"
)

// Segment is the whole history of one run in memory. A Reader does without.
type Segment struct {
	Header       Header
	Observations []Observation
	End          *End // nil: the history was cut off
}

// Read reads a file of one or more histories.
func Read(in io.Reader) ([]Segment, error) {
	r := NewReader(in)
	var segments []Segment
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		s := Segment{Header: *h}
		for {
			var o Observation
			if err = r.Read(&o); err != nil {
				break
			}
			s.Observations = append(s.Observations, o)
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
		s.End = r.End()
		segments = append(segments, s)
	}
	if segments == nil {
		return nil, fmt.Errorf("history: the file is empty")
	}
	return segments, nil
}
