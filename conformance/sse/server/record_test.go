package server

import (
	"testing"
	"time"
)

// TestABodyOfSingleBytesIsAsLargeAsItIs has more chunks than bytes are kept: what is no longer kept costs nothing, and no limit but that of
// the body is passed.
func TestABodyOfSingleBytesIsAsLargeAsItIs(t *testing.T) {
	t.Parallel()
	const size = 2 * keptBytes
	r := &recorder{Record: new(Record), limit: size}
	now := time.Now()
	for i := range size {
		if err := r.take([]byte{'x'}, now); err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	kept := 0
	for _, s := range r.Segments {
		kept += segmentCost + cap(s.Bytes)
	}
	if r.cost != kept || kept > 3*keptBytes {
		t.Errorf("%d bytes of a body of %d are said to be kept, it is %d", r.cost, size, kept)
	}
	if err := r.take([]byte{'x'}, now); !tooMuch(err) {
		t.Errorf("one byte more: %v", err)
	}
}
