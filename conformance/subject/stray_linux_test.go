package subject_test

import (
	"fmt"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/offspring"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

func TestWhatAnAdapterPutsIntoASessionOfItsOwnIsEnded(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"leaves a daemon", "leaves a daemon, unmarked"} {
		s := begin(t, way)
		c, err := s.Open(subject.Open{URL: "http://127.0.0.1:9/"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Await(t.Context(), func(r []subject.Report) bool { return len(r) > 0 }); err != nil {
			t.Fatal(err)
		}
		if err := s.End(); err != nil {
			t.Errorf("%s: %v, though it may be a service for the next adapter", way, err)
		}
		var child int
		if _, err := fmt.Sscanf(s.Says(), "child %d", &child); err != nil {
			t.Fatalf("%v: %s", err, s.Says())
		}
		offspring.EndStrays()
		if !gone(t.Context(), child) {
			t.Errorf("%s: process %d, which the adapter had started, goes on", way, child)
		}
	}
}
