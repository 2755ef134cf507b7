package main

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// FuzzBaseline: any text is refused, or names requirements that are judged, each once.
func FuzzBaseline(f *testing.F) {
	for _, text := range []string{
		"", "# nothing\n", "SSE-FORM-003 # known\n", "SSE-FORM-003\nSSE-FORM-003", "SSE-FORM-003\r\nSSE-PARSE-001\x00", "sse-form-003\xff",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, s := range []*side{serverSide, clientSide} {
			b, err := parseBaseline("known.txt", text, s)
			if err != nil {
				continue
			}
			for id := range b.known {
				if !s.judges(id) {
					t.Fatalf("%q lists %q, which %s does not judge", text, id, s.command)
				}
				for _, outcome := range []conformance.Outcome{conformance.Pass, conformance.Fail, conformance.Warn, conformance.Unknown} {
					b.apply(&conformance.Verdict{ID: id, Outcome: outcome})
				}
			}
		}
	})
}
