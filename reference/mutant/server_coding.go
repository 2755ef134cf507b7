package mutant

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverCodingMutants are right without a content coding, and wrong with one.
var serverCodingMutants = []Mutant{
	{
		Name: "compresses-one-event-late", Bug: "Each compressed event goes out with the next one; heartbeats do not wait.",
		SeenIn: "dpskvn/express-sse#26; tower-rs/tower-http#419", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("gzip", takes("gzip"), oneEventLate),
	},
	{
		Name: "flushes-gzip-by-a-timer", Bug: "A compressed stream is flushed every 250 ms, and not when an event was written.",
		SeenIn: "plausible: a middleware that flushes its compressor now and then, so that pages are small", Kills: []string{"SSE-HTTPS-026"},
		Broker: batchedCoding(250 * time.Millisecond),
	},
	{
		Name: "deflates-in-blocks", Bug: "A stream in the coding deflate is flushed whenever 4 KiB are there.",
		SeenIn: "plausible: a buffered writer behind the compressor", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("deflate", takes("deflate"), inLargeBlocks),
	},
	{
		Name: "holds-back-brotli", Bug: "Who accepts br gets each event with the next one, or with the next heartbeat.",
		SeenIn: "plausible: a compressor that is flushed before the write instead of behind it", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("br", takes("br"), func(_ compressor, _ *bytes.Buffer) func(p []byte) []byte {
			var held []byte // what a coding holds that cannot be read is the same to the harness
			return func(p []byte) []byte {
				due := held
				held = bytes.Clone(p)
				return due
			}
		}),
	},
	{
		Name: "keeps-heartbeats-compressed", Bug: "In a coding events are flushed, and heartbeats are not.",
		SeenIn: "plausible: a flush in the function that writes events alone", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("gzip", takes("gzip"), func(z compressor, out *bytes.Buffer) func(p []byte) []byte {
			return func(p []byte) []byte {
				if !bytes.HasPrefix(p, []byte(":")) {
					return flushed(z, out)(p)
				}
				_, _ = z.Write(p) // a bytes.Buffer never fails
				return nil
			}
		}),
	},
	{
		Name: "names-the-wrong-coding", Bug: "The head says gzip, and the body is in the form of deflate.",
		SeenIn: "plausible: two libraries that both say deflate", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("gzip as deflate", takes("gzip"), flushed),
	},
	{
		Name: "compresses-without-a-word", Bug: "The body is compressed, and no Content-Encoding says so.",
		SeenIn: "plausible: a cached body without its head", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("gzip unsaid", takes("gzip"), flushed),
	},
}

// codingMutants are some of these under load, where a share of the subscribers accepts compression.
var codingMutants = []Mutant{
	{
		Name: "compresses-late-under-load", Bug: "Each compressed event goes out with the next one; heartbeats do not wait.",
		SeenIn: "dpskvn/express-sse#26; tower-rs/tower-http#419", Kills: []string{"delivery.complete"}, May: late,
		Scenario: "compressed", Broker: compressingStreams("gzip", takes("gzip"), oneEventLate),
	},
	{
		Name: "deflates-in-blocks-under-load", Bug: "A stream in the coding deflate is flushed whenever 4 KiB are there.",
		SeenIn: "plausible: a buffered writer behind the compressor", Kills: []string{"delivery.complete"}, May: late,
		Scenario: "compressed", Broker: compressingStreams("deflate", takes("deflate"), inLargeBlocks),
	},
	{
		Name: "compresses-unsaid-under-load", Bug: "The body is compressed, and no Content-Encoding says so.",
		SeenIn: "plausible: a cached body without its head", Kills: []string{"delivery.complete"}, May: late,
		Scenario: "compressed", Broker: compressingStreams("gzip unsaid", takes("gzip"), flushed),
	},
}

type compressor interface {
	io.Writer
	Flush() error
}

// takes says whether a client accepts a coding.
func takes(coding string) func(r *http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept-Encoding"), coding) }
}

func anyAccept(*http.Request) bool { return true }

// flushed is how compression should be.
func flushed(z compressor, out *bytes.Buffer) func(p []byte) []byte {
	return func(p []byte) []byte {
		_, _ = z.Write(p) // a bytes.Buffer never fails
		_ = z.Flush()
		defer out.Reset()
		return bytes.Clone(out.Bytes())
	}
}

// oneEventLate holds an event until the next one; comments pass.
func oneEventLate(z compressor, out *bytes.Buffer) func(p []byte) []byte {
	var held []byte
	return func(p []byte) []byte {
		if bytes.HasPrefix(p, []byte(":")) {
			return flushed(z, out)(p)
		}
		due := held
		if held = bytes.Clone(p); due == nil {
			return nil
		}
		return flushed(z, out)(due)
	}
}

// inLargeBlocks flushes whenever 4 KiB are there.
func inLargeBlocks(z compressor, out *bytes.Buffer) func(p []byte) []byte {
	held := 0
	return func(p []byte) []byte {
		_, _ = z.Write(p) // a bytes.Buffer never fails
		if held += len(p); held < 4<<10 {
			return nil
		}
		held = 0
		return flushed(z, out)(nil)
	}
}

func neverFlushed(z compressor, out *bytes.Buffer) func(p []byte) []byte {
	return func(p []byte) []byte {
		_, _ = z.Write(p) // a bytes.Buffer never fails
		defer out.Reset()
		return bytes.Clone(out.Bytes())
	}
}

// compressingStreams puts a coding on the streams of clients of which wanted says so. What its output becomes is for change.
func compressingStreams(coding string, wanted func(r *http.Request) bool, change func(z compressor, out *bytes.Buffer) func(p []byte) []byte) func(*broker.Config) {
	named, how, _ := strings.Cut(coding, " ")
	return func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodGet || !wanted(r) {
				next.ServeHTTP(w, r)
				return
			}
			if how != "unsaid" {
				w.Header().Set("Content-Encoding", named)
			}
			var out bytes.Buffer
			var z compressor = gzip.NewWriter(&out)
			if strings.HasSuffix(coding, "deflate") {
				z = zlib.NewWriter(&out)
			}
			next.ServeHTTP(&filter{ResponseWriter: w, change: change(z, &out)}, r)
		})
	}
}
