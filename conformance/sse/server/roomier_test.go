package server

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestNobodyIsAdvisedWhatHeDidAlready: who runs one case at a time is not told to run fewer.
func TestNobodyIsAdvisedWhatHeDidAlready(t *testing.T) {
	t.Parallel()
	for parallel, advised := range map[int]bool{0: true, 16: true, 2: true, 1: false} {
		s := &suite{joined: &conformance.Suite{Parallel: parallel}}
		if text := s.roomier(); strings.Contains(text, "--parallel") != advised {
			t.Errorf("with %d at once: %q", parallel, text)
		}
	}
}
