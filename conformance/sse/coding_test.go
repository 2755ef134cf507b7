package sse

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"
)

// flusher compresses and can be made to give out what it holds.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// coded is a body of events, one flush behind each, and where each flush ends in it.
func coded(t *testing.T, start func(io.Writer) flusher, members bool, events ...string) (body []byte, ends []int) {
	t.Helper()
	var b bytes.Buffer
	z := start(&b)
	for i, e := range events {
		if i > 0 && members {
			z = start(&b)
		}
		_, err := io.WriteString(z, e)
		if err = errors.Join(err, z.Flush()); err != nil {
			t.Fatal(err)
		}
		if members {
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
		ends = append(ends, b.Len())
	}
	if !members {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes(), ends
}

var codings = map[string]func(io.Writer) flusher{
	"gzip":    func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) flusher { return zlib.NewWriter(w) },
	"raw": func(w io.Writer) flusher {
		z, _ := flate.NewWriter(w, flate.DefaultCompression) // a level that there is
		return z
	},
}

// Whatever was flushed is handed on before the next byte has to come: else a right server would be called late.
func TestACodedEventIsHandedOnOnceItIsFlushed(t *testing.T) {
	t.Parallel()
	for name, start := range codings {
		for _, members := range []bool{false, true} {
			if members && name != "gzip" {
				continue
			}
			t.Run(fmt.Sprint(name, members), func(t *testing.T) {
				t.Parallel()
				body, ends := coded(t, start, members, "data: a\n\n", "data: b\n\n", ": c\n\n", "data: d\n\n")
				coding := name
				if name == "raw" {
					coding = "deflate"
				}
				seen := make(chan string, 8)
				server := serve(t, func(c *Conn) error {
					if _, err := c.Request(); err != nil {
						return err
					}
					if err := c.Segments(0, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n", coding)); err != nil {
						return err
					}
					from := 0
					for _, end := range ends {
						for i := from; i < end; i++ { // cut anywhere
							if err := c.Segments(0, []byte("1\r\n"), body[i:i+1], []byte("\r\n")); err != nil {
								return err
							}
						}
						from = end
						<-seen // the next event is written only when this one has arrived
					}
					return nil // without what follows the last flush, as a server that is cut off
				})
				stream := open(t, request(t, server.URL("/")), Options{})
				var d Decoder
				got := new(told)
				got.seen = seen
				err := stream.Pump(&d, got)
				if want := []string{"a", "b", ": c", "d"}; !slices.Equal(got.all, want) || CauseOf(err) != CauseTruncated {
					t.Errorf("got %q, %v", got.all, err)
				}
			})
		}
	}
}

// told is a handler that tells of everything as it comes.
type told struct {
	all  []string
	seen chan string
}

func (h *told) add(text string) {
	h.all = append(h.all, text)
	h.seen <- text
}

func (h *told) Event(e Event) error { h.add(string(e.Data)); return nil }
func (h *told) Retry(time.Duration) {}
func (h *told) Comment(p []byte)    { h.add(":" + string(p)) }

func TestACodedBodyEndsAsItsFramingSays(t *testing.T) {
	t.Parallel()
	body, ends := coded(t, codings["gzip"], false, "data: a\n\n")
	for name, c := range map[string]struct {
		body []byte
		want Cause
	}{
		"whole":           {body, CauseEnd},
		"without trailer": {body[:ends[0]], CauseEnd},
		"damaged":         {slices.Concat(body[:ends[0]], []byte{0xff, 0xff, 0xff}), CauseMalformed},
		"nothing":         {nil, CauseEnd},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n"
			stream := open(t, request(t, serve(t, answer(head+string(c.body))).URL("/")), Options{})
			var d Decoder
			seen := new(trace)
			err := stream.Pump(&d, seen)
			if CauseOf(err) != c.want || (len(seen.events) == 1) != (len(c.body) > 0) {
				t.Errorf("%d events, %v (%v), want %v", len(seen.events), err, CauseOf(err), c.want)
			}
		})
	}
}
