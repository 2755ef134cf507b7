package matrix

import (
	"slices"
	"testing"
)

// TestWhatLastsHasARow: a name that is nobody's any more would only cost time, and nobody would notice.
func TestWhatLastsHasARow(t *testing.T) {
	t.Parallel()
	names, err := Names()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lasting {
		if !slices.Contains(names, name) {
			t.Errorf("%s lasts, and is no row", name)
		}
	}
}
