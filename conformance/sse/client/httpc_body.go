package client

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// chunkedHead is that of a good stream in the chunked coding.
func chunkedHead(c *sse.Conn, fields ...string) error {
	return c.Head(200, append([]string{"Content-Type: text/event-stream", "Transfer-Encoding: chunked", "Connection: close", allowOrigin}, fields...)...)
}

// framed is a body in some framing, with what it means.
type framed struct {
	name string
	body string // as it is sent
	want []string
}

const rareExtensions = "chunk extensions"

// "Chunked bodies are decoded whatever their layout, with chunk extensions and trailers."
func chunksAreDecoded(t *Trial) {
	const text = "data: first\n\ndata: se\u00e9cond\n\n"
	want := []string{"first", "se\u00e9cond"}
	extended := func(extension string) string {
		var body strings.Builder
		for _, p := range sse.RandomSplit(t.Random(), []byte(text), 4) {
			fmt.Fprintf(&body, "%X%s\r\n%s\r\n", len(p), extension, p)
		}
		return body.String() + "0\r\n\r\n"
	}
	layouts := []framed{
		{"one chunk", string(sse.Chunked([]byte(text))), want},
		{"chunks of one byte", string(sse.Chunked(sse.EachByte([]byte(text))...)), want},
		{"a chunk extension", extended(";ext=1"), want},
		{rareExtensions + " without a value", extended(";a=1;b"), want},
		{rareExtensions + " in quotes", extended(";a=\"b c\""), want},
		{"zeros before the size", fmt.Sprintf("000%x\r\n%s\r\n0\r\n\r\n", len(text), text), want},
		{"trailers", strings.TrimSuffix(string(sse.Chunked([]byte(text))), "\r\n") + "X-Checksum: 1\r\nX-Data: data: no\r\n\r\n", want},
	}
	cuts := []string{"whole", "byte by byte"}
	t.each(len(layouts)*len(cuts), func(i int) {
		l := layouts[i/len(cuts)]
		segments := [][]byte{[]byte(l.body)}
		if i%len(cuts) == 1 {
			segments = sse.EachByte(segments[0])
		}
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "the end")
			}
			if err := chunkedHead(c, "Trailer: X-Checksum, X-Data"); err != nil {
				return err
			}
			return c.Segments(between, segments...)
		})
		t.comesFirst(s)
		// The last event is a fence for those before.
		s.has(l.want[len(l.want)-1], patience)
		if got := dataOf(s); !slices.Equal(got, l.want) {
			note := t.Deviation
			if strings.HasPrefix(l.name, rareExtensions) {
				note = t.Tolerated // some widely used parsers of HTTP refuse them
			}
			note(fmt.Sprintf("%q", l.want), fmt.Sprintf("%s, %s: %q", l.name, cuts[i%len(cuts)], got), []string{"sent: " + sse.Escape([]byte(l.body))})
		}
		s.leave()
	})
	t.Count(len(layouts) * len(cuts))
	t.Conclude(fmt.Sprintf("%s, whole and byte by byte", conformance.Plural(len(layouts), "layout")))
}

// dataOf are the data of the events so far, without the control event.
func dataOf(s *scene) []string {
	var all []string
	for _, e := range s.t.visible(events(s.Reports())) {
		if e.data != "the end" {
			all = append(all, e.data)
		}
	}
	return all
}

// "A body that ends with the connection, or has a Content-Length, is a stream too; its end is the end of the stream."
func otherFramingsAreStreams(t *Trial) {
	body := fmt.Sprintf("retry: %d\ndata: x\n\n", soon)
	forms := []struct {
		name   string
		fields []string
		keep   bool // the connection stays open behind the body
	}{
		{"neither Transfer-Encoding nor Content-Length", nil, false},
		{"a Content-Length of one event", []string{fmt.Sprintf("Content-Length: %d", len(body))}, false},
		{"a Content-Length of one event, and the connection stays open", []string{fmt.Sprintf("Content-Length: %d", len(body))}, true},
	}
	t.Allow(t.waitFor(0))
	t.each(len(forms), func(i int) {
		f := forms[i]
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "the end")
			}
			if err := c.Head(200, append([]string{"Content-Type: text/event-stream", allowOrigin}, f.fields...)...); err != nil {
				return err
			}
			if err := c.Send(body); err != nil || !f.keep {
				return err
			}
			// The client may use the connection again, or leave it.
			if r, err := c.Request(); err == nil {
				v.in.again(r)
				return control(c, "the end")
			}
			return nil
		})
		t.comesFirst(s)
		if !s.has("x", patience) {
			t.Deviation("the event is reported", f.name+": it was not; "+s.outcome())
		}
		if !s.has("the end", t.waitFor(0)) {
			t.Deviation("the client comes back", f.name+": "+s.outcome())
		}
		s.leave()
	})
	t.Count(len(forms))
	t.Conclude("an event, and then another request, in each of 3 framings")
}

// "A chunked body that breaks off, or a reset, is a lost connection: complete events count, and the client reconnects."
func brokenOffStreams(t *Trial) {
	const whole, half = "id: 1\ndata: whole\n\n", "id: 2\ndata: half"
	forms := []struct {
		name string
		send func(c *sse.Conn, known <-chan struct{}) error
	}{
		{"the connection ends within a chunk", func(c *sse.Conn, _ <-chan struct{}) error {
			return c.Send(string(sse.AppendChunk(nil, []byte(whole))) + fmt.Sprintf("%x\r\n%s", len(half)+40, half))
		}},
		{"the connection ends between two chunks", func(c *sse.Conn, _ <-chan struct{}) error {
			return c.Send(string(sse.AppendChunk(nil, []byte(whole))) + string(sse.AppendChunk(nil, []byte(half))))
		}},
		{"a reset within a chunk", func(c *sse.Conn, known <-chan struct{}) error {
			if err := c.Send(string(sse.AppendChunk(nil, []byte(whole))) + fmt.Sprintf("%x\r\n%s", len(half)+40, half)); err != nil {
				return err
			}
			c.Hold(known) // what was not read yet would be lost with the reset
			return c.Reset()
		}},
	}
	t.Allow(t.waitFor(0))
	t.each(len(forms), func(i int) {
		f := forms[i]
		known := make(chan struct{})
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "the end")
			}
			if err := chunkedHead(c); err != nil {
				return err
			}
			if err := c.Chunk(fmt.Appendf(nil, "retry: %d\n\n", soon)); err != nil {
				return err
			}
			return f.send(c, known)
		})
		t.comesFirst(s)
		s.has("whole", patience) // a reader of chunks may keep it until the half chunk behind it is over, which is when the connection is
		close(known)
		if _, ok := s.comes(2, t.waitFor(0)); !ok {
			t.Deviation("the client comes back", f.name+": "+s.outcome())
			return
		}
		s.has("the end", patience)
		got := dataOf(s)
		if !slices.Equal(got, []string{"whole"}) {
			t.Deviation("the whole event, and not the half one", fmt.Sprintf("%s: %q", f.name, got))
		}
		if id, _ := s.all()[1].Request.LastEventID(); id != "1" && slices.Contains(got, "whole") {
			t.Deviation(`Last-Event-ID "1"`, fmt.Sprintf("%s: %s", f.name, askedFor(s.all()[1])))
		}
		// One loss is one reconnect.
		if visits, more := s.until(300*time.Millisecond, func(v []visit) bool { return len(v) > 2 }); more {
			t.Deviation("one new request", f.name+": "+conformance.Plural(len(visits)-1, "request"))
		}
		s.leave()
	})
	t.Count(len(forms))
	t.Conclude("the whole event kept, the half one dropped, one new request each")
}

// "Interim responses (100, 103) before the 200 are skipped."
func interimResponsesAreSkipped(t *Trial) {
	interim := []string{
		"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
	}
	t.each(len(interim), func(i int) {
		s := t.play(t.hurried(), func(c *sse.Conn, _ *visit) error {
			if err := c.Send(interim[i]); err != nil {
				return err
			}
			return control(c, "x")
		})
		t.comesFirst(s)
		if !s.has("x", patience) {
			t.Deviation("the event behind is reported", fmt.Sprintf("%s: it was not reported; %s", sse.Escape([]byte(interim[i])), s.outcome()))
		}
		s.leave()
	})
	t.Count(len(interim))
	t.Conclude("skipped")
}

// again counts a further request of a connection as a visit.
func (s *scene) again(r *sse.Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits = append(s.visits, &visit{Number: len(s.visits), Accepted: r.At, Request: r, in: s})
	s.tell()
}
