package run_test

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"testing"

	"github.com/streamgauge/streamgauge/scenarios"
)

// A server that compresses, whether it was asked to or not, is read: each event as soon as it is flushed.
func TestCompressedStreamsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		share string
		body  func(w http.ResponseWriter) io.Writer
	}{
		"unasked gzip": {"0%", func(w http.ResponseWriter) io.Writer {
			w.Header().Set("Content-Encoding", "gzip")
			return gzip.NewWriter(w)
		}},
		"deflate": {"50%", func(w http.ResponseWriter) io.Writer {
			w.Header().Set("Content-Encoding", "deflate")
			return zlib.NewWriter(w)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := wired(t, serveHub(t, &hub{body: c.body}), "{{.Stream}}", "{{.Stream}}", "{{.Data}}", ", payload: ascii")
			wantAllPass(t, do(t, t.Context(), scenarios.NewPlan(scenario(t, tiny, "load.compressed="+c.share, "settle=5s"), target, 1)))
		})
	}
}
