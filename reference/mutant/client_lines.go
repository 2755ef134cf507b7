package mutant

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// blankLinesToo is why a broken line end breaks what has it.
const blankLinesToo = "its streams have such line ends, too"

// clientLineMutants get the lines of a stream wrong: how they end, and what happens where they are cut.
var clientLineMutants = []Mutant{
	{
		Name: "cr-and-lf-of-two-reads-are-two-line-ends", ID: "MC-01",
		Bug:    "It takes a CR at the end of one read and the LF at the beginning of the next for two line ends.",
		SeenIn: "rexxars/eventsource-parser#17; Effect-TS/effect#6954; openai/openai-agents-python#4215",
		Kills:  []string{"SSE-PARSE-014", "SSE-PARSE-025"},
		May: []May{
			{"SSE-PARSE-006", blankLinesToo}, {"SSE-PARSE-012", blankLinesToo}, {"SSE-PARSE-013", blankLinesToo},
			{"SSE-PARSE-029", blankLinesToo},
		},
		Client: bodied(func() func(p []byte) []byte {
			afterCR := false
			return func(p []byte) []byte {
				out := p
				if afterCR && p[0] == '\n' {
					out = append([]byte("\n"), p...)
				}
				afterCR = p[len(p)-1] == '\r'
				return out
			}
		}),
	},
	{
		Name: "blocks-end-with-lf-lf-only", ID: "MC-02",
		Bug:    "It ends a block at two LF and nowhere else; what is sent with CR or CRLF is never dispatched.",
		SeenIn: "miruamel/xuan#194; launchdarkly/dotnet-eventsource#83",
		Kills:  []string{"SSE-PARSE-013", "SSE-PARSE-015"},
		May: []May{
			{"SSE-PARSE-004", blankLinesToo}, {"SSE-PARSE-006", blankLinesToo}, {"SSE-PARSE-012", blankLinesToo}, {"SSE-PARSE-014", blankLinesToo},
			{"SSE-PARSE-029", blankLinesToo},
		},
		Client: bodied(func() func(p []byte) []byte {
			return func(p []byte) []byte { return bytes.ReplaceAll(p, []byte("\r"), []byte("\v")) }
		}),
	},
	{
		Name: "lf-behind-crlf-is-no-line-end", ID: "MC-03",
		Bug:    "Once a read had a CRLF, it takes an LF alone in that read for text.",
		SeenIn: "Effect-TS/effect#7670",
		Kills:  []string{"SSE-PARSE-013"},
		May: []May{
			{"SSE-PARSE-006", blankLinesToo}, {"SSE-PARSE-012", blankLinesToo}, {"SSE-PARSE-014", blankLinesToo}, {"SSE-PARSE-025", blankLinesToo},
		},
		Client: bodied(func() func(p []byte) []byte {
			return func(p []byte) []byte {
				at := bytes.Index(p, []byte("\r\n"))
				if at < 0 {
					return p
				}
				out := bytes.Clone(p)
				for i := at + 2; i < len(out); i++ {
					if out[i] == '\n' && out[i-1] != '\r' {
						out[i] = ' '
					}
				}
				return out
			}
		}),
	},
	{
		Name: "unicode-line-separators-end-lines", ID: "MC-04",
		Bug:    "It splits lines as its language splits text: at VT, FF, FS, GS, RS, NEL, LS and PS as well.",
		SeenIn: "florimondmanca/httpx-sse#34; mpetazzoni/sseclient#9; Soju06/codex-lb#1010",
		Kills:  []string{"SSE-PARSE-016"},
		Client: eachLine(func(line []byte) ([]byte, bool) {
			for _, end := range []string{"\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"} {
				line = bytes.ReplaceAll(line, []byte(end), []byte("\n"))
			}
			return line, true
		}),
	},
	{
		Name: "each-read-is-decoded-by-itself", ID: "MC-05",
		Bug:    "It decodes each read as UTF-8 by itself: a character that was cut in two becomes U+FFFD.",
		SeenIn: "btubbs/sseclient#38; api7/aisix#111; danielmiessler/Fabric#2203",
		Kills:  []string{"SSE-PARSE-020"},
		May:    []May{{"SSE-PARSE", "whatever is beyond ASCII in a vector is cut in two somewhere"}},
		Client: bodied(func() func(p []byte) []byte {
			return func(p []byte) []byte { return bytes.ToValidUTF8(p, []byte("\ufffd")) }
		}),
	},
	{
		Name: "lines-of-64-kib-at-most", ID: "MC-06",
		Bug:    "A line of more than 64 KiB ends the stream.",
		SeenIn: "the default of Go's bufio.Scanner (r3labs/sse maxBufferSize 1<<16)",
		Kills:  []string{"SSE-PARSE-023"},
		Client: func(c *client.Config) { c.MaxEventBytes = 64 << 10 },
	},
	{
		Name:   "too-long-lines-are-lost-in-silence",
		Bug:    "A line beyond its limit ends the connection, and nobody is told.",
		SeenIn: "plausible: the error of the scanner is not looked at",
		Kills:  []string{"SSE-PARSE-024"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				if !errors.Is(l.Err, sse.ErrTooLong) {
					o.Lost(l)
				}
			}}
		}),
	},
	{
		Name: "byte-order-mark-is-kept", ID: "MC-08",
		Bug:    "It leaves the byte order mark in front of the first field's name, which becomes an unknown one.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-PARSE-017", "SSE-PARSE-018"},
		Client: marked(func(line []byte) []byte {
			if bytes.HasPrefix(line, mark) {
				return append(bytes.Clone(mark), line...) // of which the decoder takes one away
			}
			return line
		}),
	},
	{
		Name: "two-byte-order-marks-are-removed", ID: "MC-08",
		Bug:    "It removes a second byte order mark behind the first.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-PARSE-018"},
		Client: marked(func(line []byte) []byte {
			if bytes.HasPrefix(line, append(bytes.Clone(mark), mark...)) {
				return line[len(mark):]
			}
			return line
		}),
	},
	{
		Name:   "charset-is-obeyed",
		Bug:    "It decodes a stream in the charset that its content type names.",
		SeenIn: "plausible: what an HTTP library calls the text of a response",
		Kills:  []string{"SSE-PARSE-019"},
		Client: tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			if !strings.Contains(s.Response().Header.Get("Content-Type"), "windows-1252") {
				return s.Pump(d, h)
			}
			d.Reset()
			return feed(s, d, h, func(p []byte) []byte {
				var out []byte
				for _, b := range p {
					out = utf8.AppendRune(out, rune(b))
				}
				return out
			})
		}}),
	},
	{
		Name:   "cr-waits-for-another-byte",
		Bug:    "It does not take a CR for a line end before it knows that no LF follows.",
		SeenIn: "plausible: HTML itself warns of it (§9.2.5)",
		Kills:  []string{"SSE-PARSE-015"},
		Client: bodied(func() func(p []byte) []byte {
			var held []byte
			return func(p []byte) []byte {
				out := append(held, p...)
				held = nil
				if out[len(out)-1] == '\r' {
					held, out = []byte{'\r'}, out[:len(out)-1]
				}
				return out
			}
		}),
	},
	{
		Name: "end-of-stream-dispatches", ID: "MC-09",
		Bug:    "It dispatches the block that the end of the stream cut off, and counts its id.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-PARSE-028", "SSE-RECON-020"},
		May: []May{
			{"SSE-PARSE-003", "its stream ends in the middle of a block"}, {"SSE-PARSE-029", "so do its streams"}, {"SSE-HTTPC-023", "so does its stream"},
		},
		Client: tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			d.Reset()
			err := feed(s, d, h, func(p []byte) []byte { return p })
			if d.Pending() && (errors.Is(err, io.EOF) || sse.CauseOf(err) == sse.CauseTruncated) {
				_ = d.Feed([]byte("\n\n"), h) // the stream's end is what matters
			}
			return err
		}}),
	},
	{
		Name:   "half-read-block-survives-the-connection",
		Bug:    "What it had read of a block goes on with the next connection.",
		SeenIn: "plausible: one parser for the life of the subscription",
		Kills:  []string{"SSE-PARSE-029"},
		May:    []May{{"SSE-PARSE", "many vectors are served on connections of their own, and some end in the middle of a block"}},
		Client: tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			return feed(s, d, h, func(p []byte) []byte { return p })
		}}),
	},
	{
		Name:   "events-wait-in-a-buffer",
		Bug:    "An event behind a silence is dispatched 400 ms late, when its buffer is flushed.",
		SeenIn: "plausible: a buffered reader that is flushed by a timer",
		Kills:  []string{"SSE-PARSE-026"},
		May:    []May{{"SSE-PARSE-015", "its events come behind a silence, too"}},
		Client: handled(func(l sse.Listener) sse.Handler {
			last := time.Now()
			return &handler{Listener: l, event: func(e sse.Event) error {
				if time.Since(last) > 20*time.Millisecond {
					<-time.After(400 * time.Millisecond)
				}
				last = time.Now()
				return l.Event(e)
			}}
		}),
	},
	{
		Name: "events-on-a-thread-pool", ID: "MC-30",
		Bug:    "Its handlers run on several threads: in a burst, events overtake one another.",
		SeenIn: "launchdarkly/dotnet-eventsource#83",
		Kills:  []string{"SSE-PARSE-027"},
		Client: handled(swapping),
	},
}

var mark = []byte("\ufeff")

// marked changes the first line of each connection.
func marked(change func(line []byte) []byte) func(*client.Config) {
	return lined(func() func(line []byte) ([]byte, bool) {
		first := true
		return func(line []byte) ([]byte, bool) {
			if !first {
				return line, true
			}
			first = false
			return change(line), true
		}
	})
}

// swapping has every two-thousandth event of a connection overtaken by the next.
func swapping(l sse.Listener) sse.Handler {
	const every = 2000
	seen := 0
	var held *sse.Event
	release := func() error {
		if held == nil {
			return nil
		}
		e := *held
		held = nil
		return l.Event(e)
	}
	return &handler{
		Listener: l,
		event: func(e sse.Event) error {
			if seen++; seen%every == 0 {
				held = &sse.Event{Type: bytes.Clone(e.Type), Data: bytes.Clone(e.Data), ID: bytes.Clone(e.ID), HasID: e.HasID}
				return nil
			}
			if err := l.Event(e); err != nil {
				return err
			}
			return release()
		},
		heard: func() { _ = release() }, // the reference client's own handlers return no error
	}
}
