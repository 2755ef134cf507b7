package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reports"
)

// What judging a history of at most historyBytes may cost.
const (
	historyBytes   = 16 << 10
	judgingBytes   = 256 << 20
	judgingSeconds = 30
)

// FuzzJudge: whatever header, configuration and lines a history has, it is refused or judged and shown, in bounded time and memory.
func FuzzJudge(f *testing.F) {
	files, err := filepath.Glob("../../conformance/check/testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded histories", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > historyBytes {
			t.Skip("long inputs show nothing that short ones do not")
		}
		late := time.AfterFunc(judgingSeconds*time.Second, func() { panic("judging takes too long") })
		defer late.Stop()
		before := askedFor()
		result, err := judgeHistory(t.Context(), "history.jsonl", bytes.NewReader(text), nil, len(text)%2 == 0)
		if spent := askedFor() - before; spent > judgingBytes {
			t.Fatalf("judging %d bytes took %d MiB", len(text), spent>>20)
		}
		if err != nil {
			return
		}
		if len(result.Runs) == 0 || result.Outcome != conformance.Overall(result.Verdicts, len(text)%2 == 0) {
			t.Fatalf("%d runs, outcome %s", len(result.Runs), result.Outcome)
		}
		for _, format := range reports.Formats {
			if err := format.Render(io.Discard, result, reports.Options{Full: true}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// askedFor is how many bytes this process has asked for so far.
func askedFor() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
